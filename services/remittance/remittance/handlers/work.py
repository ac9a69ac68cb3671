"""The work items of remittance: each id is derived from its kind and subject, so a replay opens nothing twice."""

from __future__ import annotations

from datetime import date

from remittance.handlers.ports import Desk
from remittance.model.claim import ClaimAccount, Shortfall
from remittance.model.denial import Denial
from remittance.model.events import WorkChanged
from remittance.model.identity import derived_id
from remittance.model.ledger import Balance
from remittance.model.remittance import Deposit, ReceivedRemittance, UnmatchedPayment, Work

UNMATCHED_REMITTANCE = "unmatched-remittance"
UNMATCHED_DEPOSIT = "unmatched-deposit"
CREDIT_BALANCE = "credit-balance"


async def open_work(desk: Desk, work: Work) -> None:
    """Tells of it once."""
    if await desk.books.open_work(work):
        await desk.tell(WorkChanged(work=work))


async def close_work(desk: Desk, work_id: str, outcome: str) -> None:
    """Tells that it is over, when it was open. `outcome` is resolved or cancelled."""
    work = await desk.books.close_work(work_id)
    if work is not None:
        await desk.tell(WorkChanged(work=work, outcome=outcome))


def denial_work(account: ClaimAccount, denial: Denial) -> Work:
    """A denial to answer before its deadline."""
    return _claim_work(account, denial.work_id, "denial", f"carc-{denial.carc[0]}", denial.cents, denial.due_on)


def underpayment_work(account: ClaimAccount, posting_id: str, shortfall: Shortfall, due_on: date) -> Work:
    """An allowed amount below the contract."""
    work_id = derived_id("work", "underpayment", posting_id)
    return _claim_work(account, work_id, "underpayment", "allowed-below-contract", shortfall.short_cents, due_on)


def credit_balance_work(account: ClaimAccount, balance: Balance) -> Work:
    """More was settled than billed, or paid than owed: find out whose money it is (42 CFR 401.305 runs from there)."""
    work_id = derived_id("work", CREDIT_BALANCE, account.claim_id)
    return _claim_work(account, work_id, UNMATCHED_REMITTANCE, CREDIT_BALANCE, balance.credit_cents, None)


async def review_credit(desk: Desk, account: ClaimAccount, balance: Balance) -> None:
    """Money that is somebody's to give back is work, for as long as it is there."""
    if balance.credit_cents > 0:
        await open_work(desk, credit_balance_work(account, balance))
    else:
        await close_work(desk, derived_id("work", CREDIT_BALANCE, account.claim_id), "resolved")


def _claim_work(
    account: ClaimAccount, work_id: str, kind: str, reason: str, dollars_cents: int, due_on: date | None
) -> Work:
    return Work(
        work_id=work_id,
        kind=kind,
        reason=reason,
        owner="biller",
        dollars_cents=dollars_cents,
        due_on=due_on,
        encounter=account.encounter,
        patient=account.patient,
        focus=f"Claim/{account.claim_id}",
        journey_id=account.journey_id,
        key=account.encounter or account.claim_id,
    )


def unmatched_work(waiting: UnmatchedPayment) -> Work:
    """A payment that found no claim."""
    return Work(
        work_id=derived_id("work", "unmatched", waiting.payment_id),
        kind=UNMATCHED_REMITTANCE,
        reason=waiting.reason,
        owner="payment",
        dollars_cents=abs(waiting.payment.paid_cents),
        key=waiting.remittance_id,
    )


def quarantine_work(quarantine_id: str, rule: str, dollars_cents: int) -> Work:
    """A file or an 835 that cannot be posted as it is."""
    return Work(
        work_id=derived_id("work", "quarantine", quarantine_id),
        kind=UNMATCHED_REMITTANCE,
        reason=rule,
        owner="payment",
        dollars_cents=abs(dollars_cents),
        key=quarantine_id,
    )


def deposit_work(deposit: Deposit, reason: str) -> Work:
    """Money at the bank that no remittance explains."""
    return Work(
        work_id=derived_id("work", "deposit", deposit.deposit_id),
        kind=UNMATCHED_DEPOSIT,
        reason=reason,
        owner="payment",
        dollars_cents=deposit.amount_cents,
        key=deposit.deposit_id,
    )


def missing_deposit_work(remittance: ReceivedRemittance, reason: str) -> Work:
    """A remittance whose money has not come."""
    return Work(
        work_id=derived_id("work", "no-deposit", remittance.remittance_id),
        kind=UNMATCHED_DEPOSIT,
        reason=reason,
        owner="payment",
        dollars_cents=remittance.paid_cents,
        focus=f"PaymentReconciliation/{remittance.remittance_id}",
        key=remittance.remittance_id,
    )
