"""Posting what an 835 says about one claim: a payment, a denial, a takeback; or keeping it until its claim is known."""

from __future__ import annotations

from dataclasses import dataclass

from remittance.handlers.adjudicate import adjudicate, mark_of, shortfall_of
from remittance.handlers.disputes import dispute, dispute_shortfall, overturn
from remittance.handlers.ports import Desk
from remittance.handlers.work import close_work, open_work, review_credit, unmatched_work
from remittance.model.advice import ClaimPayment
from remittance.model.claim import (
    ADJUSTED,
    CONTRACTUAL,
    DENIAL,
    PAID,
    PATIENT,
    PREDETERMINATION,
    Adjudication,
    ClaimAccount,
    outcome_of,
)
from remittance.model.events import ClaimSettled
from remittance.model.identity import derived_id
from remittance.model.ledger import PAYMENT, REVERSAL, Balance, Posting, apply_payment, mirror
from remittance.model.remittance import (
    CHARGE_DIFFERS,
    PREDETERMINATION_PAID,
    REVERSAL_WITHOUT_ORIGINAL,
    UNKNOWN_CLAIM,
    ReceivedRemittance,
    UnmatchedPayment,
)


@dataclass(frozen=True, slots=True)
class Part:
    """One claim payment of a remittance. `ordinal` is its place in it, from 1."""

    remittance: ReceivedRemittance
    ordinal: int
    payment: ClaimPayment

    @property
    def id(self) -> str:
        return derived_id("payment", self.remittance.remittance_id, self.ordinal)


async def settle(desk: Desk, part: Part, account: ClaimAccount | None) -> str:
    """Posts the part and returns the claim's id, or keeps it for later and returns an empty string."""
    reason = await _post(desk, part, account)
    if reason:
        await _keep(desk, part, reason)
        return ""
    assert account is not None
    await settle_waiting(desk, account)
    return account.claim_id


async def settle_waiting(desk: Desk, account: ClaimAccount) -> None:
    """Posts what waited for this claim. A takeback may have waited for a payment that waited too, so until rest."""
    moved = True
    while moved:
        moved = False
        for waiting in await desk.books.unmatched(account.control_number):
            remittance = await desk.books.remittance(waiting.remittance_id)
            assert remittance is not None
            if not await _post(desk, Part(remittance, waiting.ordinal, waiting.payment), account):
                await desk.books.settle_unmatched(waiting.payment_id)
                await close_work(desk, derived_id("work", "unmatched", waiting.payment_id), "resolved")
                moved = True


async def _keep(desk: Desk, part: Part, reason: str) -> None:
    waiting = UnmatchedPayment(
        payment_id=part.id,
        remittance_id=part.remittance.remittance_id,
        ordinal=part.ordinal,
        reason=reason,
        payment=part.payment,
    )
    await desk.books.add_unmatched(waiting)
    await open_work(desk, unmatched_work(waiting))


async def _post(desk: Desk, part: Part, account: ClaimAccount | None) -> str:
    """Posts the part; the reason why not, when it cannot be."""
    if account is None or await _repeats_lines(desk, part.payment, account):
        return UNKNOWN_CLAIM
    if part.payment.status == PREDETERMINATION:
        return PREDETERMINATION_PAID if part.payment.paid_cents else ""
    if part.payment.is_reversal:
        return await _take_back(desk, part, account)
    if part.payment.charge_cents != account.billed_cents:
        return CHARGE_DIFFERS
    with desk.resume(account.trace, account.journey_id):
        await _post_payment(desk, part, account)
    return ""


async def _repeats_lines(desk: Desk, payment: ClaimPayment, account: ClaimAccount) -> bool:
    """Lines alone name a claim only as long as nothing is posted for it: the same lines again may be the same money."""
    if payment.control_number == account.control_number or payment.is_reversal:
        return False
    return any(posting.kind == PAYMENT for posting in await desk.books.unreversed(account.claim_id))


async def _post_payment(desk: Desk, part: Part, account: ClaimAccount) -> None:
    day = part.remittance.payment_date
    adjudication = adjudicate(part.payment, account.payer_id, desk.rules, day)
    await desk.books.post(_payment_posting(part, account, adjudication))
    balance = await desk.books.balance(account.claim_id)
    denied_cents = min(adjudication.cents_of(DENIAL), max(balance.open_cents, 0))
    outcome = outcome_of(adjudication, denied_cents)
    await desk.tell(_settled(part, account, adjudication, balance, outcome))
    if denied_cents > 0:
        await dispute(desk, account, part.id, part.remittance, part.payment, adjudication, denied_cents)
    shortfall = shortfall_of(part.payment, account.payer_id, desk.rules, day)
    if shortfall is not None:
        await dispute_shortfall(desk, account, part.id, part.remittance, shortfall)
    await _after(desk, account, balance)


def _payment_posting(part: Part, account: ClaimAccount, adjudication: Adjudication) -> Posting:
    """What was denied is left out: it stays open with the payer until a person decides."""
    return Posting(
        posting_id=part.id,
        kind=PAYMENT,
        entries=apply_payment(
            adjudication.paid_cents,
            adjudication.cents_of(CONTRACTUAL),
            adjudication.cents_of(ADJUSTED),
            adjudication.cents_of(PATIENT),
        ),
        claim_id=account.claim_id,
        payer_id=account.payer_id,
        remittance_id=part.remittance.remittance_id,
        reason=f"status-{part.payment.status}",
        mark=mark_of(part.payment),
    )


def _settled(
    part: Part, account: ClaimAccount, adjudication: Adjudication, balance: Balance, outcome: str
) -> ClaimSettled:
    return ClaimSettled(
        account=account,
        posting_id=part.id,
        balance=balance,
        outcome=outcome,
        next=next_payer(balance, part.payment),
        reversed=part.payment.is_reversal,
        adjudication=adjudication,
        payment=part.payment,
        remittance=part.remittance,
    )


def next_payer(balance: Balance, payment: ClaimPayment | None) -> str:
    """Who is asked next: another payer that it crossed over to, the patient, or nobody."""
    if payment is not None and payment.crossover_payer_id:
        return "secondary"
    return "patient" if balance.patient_open_cents > 0 else "none"


async def _after(desk: Desk, account: ClaimAccount, balance: Balance) -> None:
    """A denial is over when nothing is open any more; money above what was billed is somebody's to give back."""
    if balance.open_cents <= 0:
        for denial in await desk.books.denials_of(account.claim_id):
            await overturn(desk, denial, "resolved")
    await review_credit(desk, account, balance)


async def _take_back(desk: Desk, part: Part, account: ClaimAccount) -> str:
    """Reverses the original posting entry by entry, with whatever a person had written off because of it."""
    standing = await desk.books.unreversed(account.claim_id)
    wanted = mark_of(part.payment, taken_back=True)
    original = next((posting for posting in reversed(standing) if posting.mark == wanted), None)
    if original is None:
        return REVERSAL_WITHOUT_ORIGINAL
    with desk.resume(account.trace, account.journey_id):
        await _post_reversal(desk, part, account, original)
        for posting in standing:
            if posting.concerns == original.posting_id:
                await desk.books.post(_reversal(derived_id("taken-back", posting.posting_id), part, posting))
        for denial in await desk.books.denials_of(account.claim_id):
            if denial.posting_id == original.posting_id:
                await overturn(desk, denial, "cancelled")
        await close_work(desk, derived_id("work", "underpayment", original.posting_id), "cancelled")
        await _tell_reversed(desk, part, account)
    return ""


def _reversal(posting_id: str, part: Part, original: Posting) -> Posting:
    return Posting(
        posting_id=posting_id,
        kind=REVERSAL,
        entries=mirror(original.entries),
        claim_id=original.claim_id,
        payer_id=original.payer_id,
        remittance_id=part.remittance.remittance_id,
        reason="takeback",
        concerns=original.posting_id,
    )


async def _post_reversal(desk: Desk, part: Part, account: ClaimAccount, original: Posting) -> None:
    await desk.books.post(_reversal(part.id, part, original))


async def _tell_reversed(desk: Desk, part: Part, account: ClaimAccount) -> None:
    adjudication = adjudicate(part.payment, account.payer_id, desk.rules, part.remittance.payment_date)
    balance = await desk.books.balance(account.claim_id)
    await desk.tell(_settled(part, account, adjudication, balance, PAID))
    await _after(desk, account, balance)
