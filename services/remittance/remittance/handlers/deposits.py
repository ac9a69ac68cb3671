"""Money at the bank and the remittance that explains it find each other by trace number and amount, in either order."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time

from remittance.handlers.ports import DEPOSIT_DUE, Desk
from remittance.handlers.work import close_work, deposit_work, missing_deposit_work, open_work
from remittance.model.events import DepositSeen
from remittance.model.identity import derived_id
from remittance.model.remittance import (
    AMBIGUOUS,
    AMOUNT_DIFFERS,
    NO_DEPOSIT,
    NO_REMITTANCE,
    Deposit,
    ReceivedRemittance,
)

# EFT and ERA arrive within three business days of each other (CAQH CORE, 45 CFR 162.1603).
BUSINESS_DAYS = 3


async def receive_deposit(desk: Desk, deposit: Deposit) -> None:
    """Matches a deposit or waits three business days for its remittance; the same again changes nothing."""
    await desk.books.lock([f"trace:{deposit.trace_number}"])
    if not await desk.books.add_deposit(deposit):
        return
    candidates = await desk.books.remittances_by_trace(deposit.trace_number)
    remittance, reason = _choose(deposit, [item for item in candidates if not item.deposit_id])
    if remittance is not None:
        await _match(desk, deposit, remittance, remittance.trace)
        return
    await desk.tell(DepositSeen(deposit=deposit, reason=reason))
    if reason == NO_REMITTANCE:
        await _wait(desk, f"deposit:{deposit.deposit_id}")
    else:
        await open_work(desk, deposit_work(deposit, reason))


def _choose(deposit: Deposit, candidates: list[ReceivedRemittance]) -> tuple[ReceivedRemittance | None, str]:
    """The one remittance of that amount; two payers may use one trace number, then TRN03 tells them apart."""
    if not candidates:
        return None, NO_REMITTANCE
    fitting = [item for item in candidates if item.paid_cents == deposit.amount_cents]
    if len(fitting) > 1:
        fitting = [item for item in fitting if item.trace_origin == deposit.trace_origin] or fitting
    if len(fitting) == 1:
        return fitting[0], ""
    return None, AMBIGUOUS if fitting else AMOUNT_DIFFERS


async def find_deposit(desk: Desk, remittance: ReceivedRemittance) -> Deposit | None:
    """The deposit that came before its remittance."""
    if not remittance.awaits_deposit:
        return None
    waiting = [item for item in await desk.books.deposits_by_trace(remittance.trace_number) if not item.remittance_id]
    fitting = [item for item in waiting if item.amount_cents == remittance.paid_cents]
    if len(fitting) > 1:
        fitting = [item for item in fitting if item.trace_origin == remittance.trace_origin]
    return fitting[0] if len(fitting) == 1 else None


async def expect_deposit(desk: Desk, remittance: ReceivedRemittance, deposit: Deposit | None) -> None:
    """A remittance came: its money is there already, as `find_deposit` says, or has three business days."""
    if deposit is not None:
        await _match(desk, deposit, remittance, deposit.trace)
    elif remittance.awaits_deposit:
        await _wait(desk, f"remittance:{remittance.remittance_id}")


async def _match(desk: Desk, deposit: Deposit, remittance: ReceivedRemittance, first: str) -> None:
    """`first` is the burst that took in whichever came first and has waited for the other."""
    matched = replace(deposit, remittance_id=remittance.remittance_id)
    await desk.books.settle_deposit(deposit.deposit_id, remittance.remittance_id)
    await desk.books.settle_remittance(remittance.remittance_id, deposit.deposit_id)
    await desk.cancel(DEPOSIT_DUE, f"deposit:{deposit.deposit_id}")
    await desk.cancel(DEPOSIT_DUE, f"remittance:{remittance.remittance_id}")
    with desk.resume(first, ""):
        await desk.tell(DepositSeen(deposit=matched))
        await close_work(desk, derived_id("work", "deposit", deposit.deposit_id), "resolved")
        await close_work(desk, derived_id("work", "no-deposit", remittance.remittance_id), "resolved")


async def _wait(desk: Desk, key: str) -> None:
    due_on = desk.rules.business_days_after(desk.today, BUSINESS_DAYS)
    await desk.schedule(DEPOSIT_DUE, key, datetime.combine(due_on, time(23, 59, 59), UTC))


async def review_deposit(desk: Desk, key: str) -> None:
    """Three business days are over: what is still alone is a person's. `key` is deposit:<id> or remittance:<id>."""
    side, _, subject = key.partition(":")
    if side == "deposit":
        deposit = await desk.books.deposit(subject)
        if deposit is not None and not deposit.remittance_id:
            await open_work(desk, deposit_work(deposit, NO_REMITTANCE))
        return
    remittance = await desk.books.remittance(subject)
    if remittance is not None and not remittance.deposit_id:
        await open_work(desk, missing_deposit_work(remittance, NO_DEPOSIT))
