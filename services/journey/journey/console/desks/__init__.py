"""The working desks of the console: where people see what waits for them and act on it.

Each desk is a router; who reads asks the services that own the things, and an action is one call of its owner.
"""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter

from journey.console.desks import channels, claims, health, messages, remittances, work

ROUTERS: tuple[Callable[[], APIRouter], ...] = (
    work.router,
    claims.router,
    remittances.router,
    channels.router,
    messages.router,
    health.router,
)
