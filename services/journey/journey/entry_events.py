"""Every fact of the line, into the ledger."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bus import Event, Subscription, Unit
from bus.flow import JOURNEY, heard_by

from journey import store
from journey.handlers import Projection
from journey.wire import fact_of


@dataclass(frozen=True, slots=True)
class Ears:
    """Records events. `known` holds the tenants that the database is known to list, so that it is told but once.

    `heard` is told the type of each fact.
    """

    known: set[str]
    projection: Projection
    heard: Callable[[str], None]

    async def record_event(self, unit: Unit, event: Event, prepared: Any) -> None:
        """Keeps what the ledger needs of an event."""
        if event.tenant not in self.known:
            await store.note_tenant(unit.conn)
        fact = fact_of(event, unit.now)
        await store.record_fact(unit.conn, fact)
        await self.projection.record(unit.conn, fact)
        self.heard(event.type)

    def subscriptions(self) -> tuple[Subscription, ...]:
        """One for each fact of the flow table."""
        return tuple(Subscription(flow.event, self.record_event) for flow in heard_by(JOURNEY))
