"""Facts and timers that start a coverage check: the question is read and asked outside the transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bus import Event, Subscription, Timer, TimerHandler, Unit

from eligibility.handlers import (
    PREVISIT,
    RETRY,
    Payer,
    Rulebook,
    Work,
    ask_payer,
    cancel_visit,
    check_visit,
    record_check,
)
from eligibility.model import Exchange, Occasion, PayerRow, Pending
from eligibility.store import read_pending
from eligibility.wire.resources import VisitQuestion, read_appointment, read_check_in

_READERS: dict[str, Callable[[Any, str, Mapping[str, PayerRow]], VisitQuestion]] = {
    "appointment.booked": read_appointment,
    "appointment.changed": read_appointment,
    "encounter.started": read_check_in,
}
_OCCASIONS = {RETRY: Occasion.RETRY, PREVISIT: Occasion.VISIT}


@dataclass(frozen=True, slots=True)
class EventEntry:
    """Turns what the bus delivers into handler calls."""

    payer: Payer
    rulebook: Rulebook
    open_work: Callable[[Unit], Work]
    new_id: Callable[[], str]

    def subscriptions(self) -> tuple[Subscription, ...]:
        return tuple(Subscription(event, self.handle_visit, self.ask_for_visit) for event in _READERS)

    def timers(self) -> dict[str, TimerHandler]:
        return {kind: TimerHandler(self.handle_timer, self.ask_for_timer) for kind in _OCCASIONS}

    async def ask_for_visit(self, event: Event) -> tuple[VisitQuestion, Exchange | None]:
        body: Any = event.body
        visit = _READERS[event.type](body, event.journey_id, self.rulebook.tables.payers)
        return visit, None if visit.off else await ask_payer(self.payer, visit.question, self.new_id)

    async def handle_visit(self, unit: Unit, event: Event, prepared: tuple[VisitQuestion, Exchange | None]) -> None:
        visit, exchange = prepared
        work = self.open_work(unit)
        if exchange is None:
            await cancel_visit(work, visit.question, event.version)
        else:
            await check_visit(work, self.rulebook, visit.question, exchange, event.version, visit.starts_at)

    async def ask_for_timer(self, timer: Timer) -> tuple[Pending, Exchange]:
        pending = read_pending(timer.payload)
        return pending, await ask_payer(self.payer, pending.question, self.new_id)

    async def handle_timer(self, unit: Unit, timer: Timer, prepared: tuple[Pending, Exchange]) -> None:
        pending, exchange = prepared
        occasion = _OCCASIONS[timer.kind]
        work = self.open_work(unit)
        await record_check(work, self.rulebook, pending.question, exchange, occasion, tries=pending.tries)
