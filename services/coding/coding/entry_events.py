"""Facts that coding hears: visits finished, amended and cancelled."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bus import Event, Subscription, Unit, current_trace

from coding.handlers import Arrival, cancel_visit, finish_visit
from coding.rules import Rules
from coding.store import CodingWork
from coding.wire.snapshot import read_visit


@dataclass(frozen=True, slots=True)
class EventEntry:
    """Turns what the bus delivers into handler calls."""

    rules: Rules
    due_in: timedelta

    def subscriptions(self) -> tuple[Subscription, ...]:
        return (
            Subscription("encounter.finished", self.take_visit),
            Subscription("encounter.amended", self.take_visit),
            Subscription("encounter.cancelled", self.drop_visit),
        )

    async def take_visit(self, unit: Unit, event: Event, prepared: Any) -> None:
        body: Any = event.body
        arrival = Arrival(body.facts.SerializeToString(), event.version, event.journey_id, current_trace())
        await finish_visit(CodingWork(unit), self.rules, read_visit(body), arrival, self.due_in)

    async def drop_visit(self, unit: Unit, event: Event, prepared: Any) -> None:
        body: Any = event.body
        await cancel_visit(CodingWork(unit), body.encounter_key, event.version, self.due_in)
