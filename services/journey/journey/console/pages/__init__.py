"""The pages over the ledger and its numbers, each a module with a router."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter

from journey.console.pages import figures, journeys, overview, scores, trends

ROUTERS: tuple[Callable[[], APIRouter], ...] = (
    overview.router,
    journeys.router,
    trends.router,
    scores.router,
    figures.router,
)
