"""Every fact of the line, into the ledger."""

from __future__ import annotations

from typing import Any

from bus import Event, Subscription, Unit
from bus.flow import JOURNEY, heard_by

from journey import store
from journey.wire import fact_of


async def record_event(unit: Unit, event: Event, prepared: Any) -> None:
    """Keeps what the ledger needs of an event."""
    await store.record_fact(unit.conn, fact_of(event))


def subscriptions() -> tuple[Subscription, ...]:
    """One for each fact of the flow table."""
    return tuple(Subscription(flow.event, record_event) for flow in heard_by(JOURNEY))
