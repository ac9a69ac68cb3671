"""Facts that charge capture hears: coded visits and performed orders."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bus import Event, Subscription, Unit, current_trace

from charge_capture.handlers import Arrival, capture_charges
from charge_capture.rules import ChargeMaster
from charge_capture.store import CaptureWork
from charge_capture.wire.visit import read_order, read_visit


@dataclass(frozen=True, slots=True)
class EventEntry:
    """Turns what the bus delivers into handler calls."""

    master: ChargeMaster
    due_in: timedelta

    def subscriptions(self) -> tuple[Subscription, ...]:
        return (
            Subscription("encounter.coded", self.take_visit),
            Subscription("order.performed", self.take_order),
        )

    async def take_visit(self, unit: Unit, event: Event, prepared: Any) -> None:
        body: Any = event.body
        arrival = Arrival(event.version, event.journey_id, current_trace())
        await capture_charges(CaptureWork(unit), self.master, read_visit(body), arrival, self.due_in)

    async def take_order(self, unit: Unit, event: Event, prepared: Any) -> None:
        """Remembered until its visit is coded; an order that names no encounter is found by the visit's snapshot."""
        body: Any = event.body
        encounter, orders = read_order(body)
        for order in orders if encounter else ():
            await CaptureWork(unit).remember_order(encounter, order)
