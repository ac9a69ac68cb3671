"""Facts and timers that concern remittance, each to its one handler."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bus import Event, Subscription, Timer, TimerHandler, Unit, current_trace

from remittance.desk import desk_of
from remittance.handlers.accounts import open_account
from remittance.handlers.deposits import review_deposit
from remittance.handlers.ports import DEPOSIT_DUE
from remittance.rules import Rulebook
from remittance.wire.accounts import account_of


@dataclass(frozen=True, slots=True)
class EventEntry:
    """Turns what the bus delivers into handler calls."""

    rules: Rulebook

    def subscriptions(self) -> tuple[Subscription, ...]:
        return (Subscription("claim.submitted", self.take_claim),)

    def timers(self) -> dict[str, TimerHandler]:
        return {DEPOSIT_DUE: TimerHandler(self.take_deposit_due)}

    async def take_claim(self, unit: Unit, event: Event, prepared: None) -> None:
        body: Any = event.body
        await open_account(desk_of(unit, self.rules), account_of(body, event.journey_id, current_trace()))

    async def take_deposit_due(self, unit: Unit, timer: Timer, prepared: None) -> None:
        await review_deposit(desk_of(unit, self.rules), timer.key)
