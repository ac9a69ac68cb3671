"""Denials and underpayments: opened at posting, answered by a person, over when the payer gives way."""

from __future__ import annotations

from dataclasses import replace

from kernel.errors import Refused

from remittance.handlers.adjudicate import denied_codes, remarks_of
from remittance.handlers.ports import Desk
from remittance.handlers.work import close_work, denial_work, open_work, review_credit, underpayment_work
from remittance.model.advice import ClaimPayment
from remittance.model.claim import DENIED as OUTCOME_DENIED
from remittance.model.claim import PARTLY_PAID, Adjudication, ClaimAccount, Shortfall
from remittance.model.denial import ACTIONS, APPEALED, OVERTURNED, TRANSITIONS, UPHELD, WRITTEN_OFF, Denial
from remittance.model.events import APPEALED as TOLD_APPEALED
from remittance.model.events import DENIED, UNDERPAID, ClaimDisputed, ClaimSettled
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
    for earlier in await desk.books.denials_of(account.claim_id):
        await _uphold(desk, earlier)
    denial = Denial(
        work_id=derived_id("work", "denial", posting_id),
        claim_id=account.claim_id,
        posting_id=posting_id,
        category=category,
        carc=tuple(dict.fromkeys(item.adjustment.reason for item in denials)),
        rarc=remarks,
        cents=denied_cents,
        due_on=desk.rules.appeal_by(account.payer_id, category, remarks, remittance.payment_date),
        payer_id=account.payer_id,
        remittance_id=remittance.remittance_id,
        codes=denied_codes(payment, account.payer_id, desk.rules, remittance.payment_date),
    )
    await desk.books.add_denial(denial)
    await desk.tell(_disputed(account, denial, DENIED))
    await open_work(desk, denial_work(account, denial))


def _disputed(account: ClaimAccount, denial: Denial, kind: str) -> ClaimDisputed:
    return ClaimDisputed(
        account=account,
        category=denial.category,
        cents=denial.cents,
        due_on=denial.due_on,
        carc=denial.carc,
        rarc=denial.rarc,
        work_id=denial.work_id,
        codes=denial.codes,
        kind=kind,
    )


async def dispute_shortfall(
    desk: Desk, account: ClaimAccount, posting_id: str, remittance: ReceivedRemittance, shortfall: Shortfall
) -> None:
    """Tells that a payer allowed less than its contract says."""
    due_on = desk.rules.appeal_by(account.payer_id, UNDERPAYMENT, (), remittance.payment_date)
    work = underpayment_work(account, posting_id, shortfall, due_on)
    disputed = ClaimDisputed(
        account=account,
        category=UNDERPAYMENT,
        cents=shortfall.short_cents,
        due_on=due_on,
        work_id=work.work_id,
        codes=tuple(dict.fromkeys(line.code for line in account.lines)),
        kind=UNDERPAID,
    )
    await desk.tell(disputed)
    await open_work(desk, work)


async def _uphold(desk: Desk, denial: Denial) -> None:
    """The payer's answer to an appeal is another denial: that one is fought from here on."""
    if denial.state == APPEALED:
        await desk.books.set_denial_state(denial.work_id, UPHELD)
        await close_work(desk, denial.work_id, "resolved")


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
        with desk.resume(account.trace, account.journey_id):
            if state == WRITTEN_OFF:
                await _write_off(desk, account, replace(denial, state=state), reason)
            else:
                await desk.tell(_disputed(account, denial, TOLD_APPEALED))
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
    await desk.books.post(posting)
    balance = await desk.books.balance(denial.claim_id)
    outcome = PARTLY_PAID if balance.paid_cents or balance.patient_cents else OUTCOME_DENIED
    await desk.tell(
        ClaimSettled(
            account=account,
            posting_id=posting.posting_id,
            balance=balance,
            outcome=outcome,
            next="patient" if balance.patient_open_cents > 0 else "none",
        )
    )
    await close_work(desk, denial.work_id, "resolved")
    await review_credit(desk, account, balance)
