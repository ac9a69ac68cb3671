"""Orders and timers that start an authorization: read, ruled on and asked outside the transaction."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

from bus import Event, Subscription, Timer, TimerHandler, Unit

from prior_auth.handlers import INQUIRE, Payer, Prepared, Work, ask_if_required, determine_order, inquire_again
from prior_auth.model import Exchange, Order, Pending, Policy, ServiceQuestion
from prior_auth.rules import Requirements
from prior_auth.store import read_pending
from prior_auth.wire.resources import read_orders


@dataclass(frozen=True, slots=True)
class EventEntry:
    """Turns what the bus delivers into handler calls. `work_for` opens a transaction of a tenant for a look first."""

    payer: Payer
    requirements: Requirements
    policy: Policy
    window_days: int
    open_work: Callable[[Unit], Work]
    work_for: Callable[[str], AbstractAsyncContextManager[Work]]

    def subscriptions(self) -> tuple[Subscription, ...]:
        return (Subscription("order.placed", self.handle_order, self.prepare_order),)

    def timers(self) -> dict[str, TimerHandler]:
        return {INQUIRE: TimerHandler(self.handle_timer, self.ask_for_timer)}

    async def prepare_order(self, event: Event) -> list[Prepared]:
        body: Any = event.body
        orders = read_orders(body, event.journey_id, event.tenant, self.requirements.payers, self.window_days)
        return [await self._prepare(event.tenant, order) for order in orders]

    async def _prepare(self, tenant: str, order: Order) -> Prepared:
        async with self.work_for(tenant) as work:
            standing = await work.authorization(order.authorization_id)
        ruling = self.requirements.determine(
            ServiceQuestion(
                payer_id=order.payer_id,
                code=order.code,
                on=order.on,
                place_of_service=order.place_of_service,
                diagnoses=order.diagnoses,
            )
        )
        return await ask_if_required(self.payer, order, ruling, standing)

    async def handle_order(self, unit: Unit, event: Event, prepared: list[Prepared]) -> None:
        for each in prepared:
            await determine_order(self.open_work(unit), self.policy, each, event.version)

    async def ask_for_timer(self, timer: Timer) -> tuple[Pending, Exchange]:
        pending = read_pending(timer.payload)
        return pending, await self.payer.ask(pending.order)

    async def handle_timer(self, unit: Unit, timer: Timer, prepared: tuple[Pending, Exchange]) -> None:
        pending, exchange = prepared
        await inquire_again(self.open_work(unit), self.policy, pending, exchange)
