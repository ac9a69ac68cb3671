"""Denials and underpayments: opened at posting, answered by a person, over when the payer gives way."""

from __future__ import annotations

from dataclasses import replace

from kernel.errors import Refused

from remittance.handlers.adjudicate import remarks_of
from remittance.handlers.ports import Desk
from remittance.handlers.work import close_work, denial_work, open_work, underpayment_work
from remittance.model.advice import ClaimPayment
from remittance.model.claim import DENIED, PARTLY_PAID, Adjudication, ClaimAccount, Shortfall
from remittance.model.denial import ACTIONS, OVERTURNED, TRANSITIONS, WRITTEN_OFF, Denial
from remittance.model.events import ClaimDisputed, ClaimSettled
from remittance.model.identity import derived_id
from remittance.model.ledger import WRITE_OFF, Balance, Posting, write_off
from remittance.model.remittance import ReceivedRemittance

UNDERPAYMENT = "underpayment"


async def dispute(
    desk: Desk,
    account: ClaimAccount,
    posting_id: str,
    remittance: ReceivedRemittance,
    payment: ClaimPayment,
    adjudication: Adjudication,
    denied_cents: int,
) -> None:
    """Opens the denial of a posting: the largest denied adjustment is its cause, the others are its tags."""
    denials = adjudication.denials
    category = denials[0].category
    remarks = remarks_of(payment)
    denial = Denial(
        work_id=derived_id("work", "denial", posting_id),
        claim_id=account.claim_id,
        posting_id=posting_id,
        category=category,
        carc=tuple(dict.fromkeys(item.adjustment.reason for item in denials)),
        rarc=remarks,
        cents=denied_cents,
        due_on=desk.rules.appeal_by(account.payer_id, category, remarks, remittance.payment_date),
    )
    await desk.books.add_denial(denial)
    await desk.tell(
        ClaimDisputed(
            account=account,
            category=category,
            cents=denied_cents,
            due_on=denial.due_on,
            carc=denial.carc,
            rarc=remarks,
        )
    )
    await open_work(desk, denial_work(account, denial))


async def dispute_shortfall(
    desk: Desk, account: ClaimAccount, posting_id: str, remittance: ReceivedRemittance, shortfall: Shortfall
) -> None:
    """Tells that a payer allowed less than its contract says."""
    due_on = desk.rules.appeal_by(account.payer_id, UNDERPAYMENT, (), remittance.payment_date)
    disputed = ClaimDisputed(
        account=account, category=UNDERPAYMENT, cents=shortfall.short_cents, due_on=due_on, underpaid=True
    )
    await desk.tell(disputed)
    await open_work(desk, underpayment_work(account, posting_id, shortfall, due_on))


async def overturn(desk: Desk, denial: Denial, outcome: str) -> None:
    """The payer gave way or took the denial back. One that is over stays as it ended."""
    if not TRANSITIONS.allows(denial.state, OVERTURNED) or (denial.state == WRITTEN_OFF and outcome == "resolved"):
        return
    await desk.books.set_denial_state(denial.work_id, OVERTURNED)
    await close_work(desk, denial.work_id, outcome)


async def resolve_denial(desk: Desk, work_id: str, action: str, reason: str) -> Balance:
    """A person appeals a denial or writes its open amount off; the same again changes nothing.

    Returns the claim's balance. Refused: `denial-unknown` (not found), `action-unknown`, `transition_refused`.
    """
    if action not in ACTIONS:
        raise Refused("action-unknown", f"an action is one of {', '.join(sorted(ACTIONS))}")
    account = await _locked_account(desk, await _denial(desk, work_id))
    denial = await _denial(desk, work_id)
    state = ACTIONS[action]
    if denial.state != state:
        TRANSITIONS.check(denial.state, state)
        await desk.books.set_denial_state(work_id, state)
        if state == WRITTEN_OFF:
            await _write_off(desk, account, replace(denial, state=state), reason)
    return await desk.books.balance(denial.claim_id)


async def _denial(desk: Desk, work_id: str) -> Denial:
    denial = await desk.books.denial(work_id)
    if denial is None:
        raise Refused("denial-unknown", "no denial has this work id", kind="not_found")
    return denial


async def _locked_account(desk: Desk, denial: Denial) -> ClaimAccount:
    account = await desk.books.account(denial.claim_id)
    assert account is not None
    await desk.books.lock([f"claim:{account.control_number}"])
    return account


async def _write_off(desk: Desk, account: ClaimAccount, denial: Denial, reason: str) -> None:
    """Gives up what is still open of the denial, and says so: the balance has changed though no payer paid."""
    before = await desk.books.balance(denial.claim_id)
    cents = min(denial.cents, max(before.open_cents, 0))
    posting = Posting(
        posting_id=derived_id("write-off", denial.work_id),
        kind=WRITE_OFF,
        entries=write_off(cents),
        claim_id=account.claim_id,
        payer_id=account.payer_id,
        reason=reason or "write-off",
        concerns=denial.posting_id,
    )
    with desk.resume(account.trace):
        await desk.books.post(posting)
        balance = await desk.books.balance(denial.claim_id)
        outcome = PARTLY_PAID if balance.paid_cents or balance.patient_cents else DENIED
        await desk.tell(
            ClaimSettled(
                account=account,
                posting_id=posting.posting_id,
                balance=balance,
                outcome=outcome,
                next="patient" if balance.patient_cents > 0 else "none",
            )
        )
        await close_work(desk, denial.work_id, "resolved")
