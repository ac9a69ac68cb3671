"""Taking in an 835: once, whole or not at all, its money booked before its claims are looked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from remittance.handlers.deposits import expect_deposit, find_deposit
from remittance.handlers.payments import Part, settle
from remittance.handlers.ports import Desk
from remittance.handlers.work import open_work, quarantine_work
from remittance.model.claim import find_account
from remittance.model.events import RemittanceQuarantined, RemittanceTaken
from remittance.model.identity import derived_id
from remittance.model.ledger import TRANSFER, Posting, transfer
from remittance.model.remittance import Broken, Readable, Reading, ReceivedRemittance

TRACE_REUSED = "835-trace-reused"


async def receive_remittances(
    desk: Desk, readings: Sequence[Reading], file_id: str
) -> list[RemittanceTaken | RemittanceQuarantined]:
    """Takes in what a file holds, in its order. One file at a time: files may name the same claims in any order."""
    await desk.books.lock(["intake"])
    return [await receive_remittance(desk, reading, file_id) for reading in readings]


async def receive_remittance(desk: Desk, reading: Reading, file_id: str) -> RemittanceTaken | RemittanceQuarantined:
    """Posts or quarantines one reading of a file; the same content again changes nothing and gets the same answer."""
    if isinstance(reading, Broken):
        return await _quarantine(desk, reading, file_id)
    remittance = reading.remittance
    await desk.books.lock([f"trace:{remittance.trace_number}"])
    for known in await desk.books.remittances_by_trace(remittance.trace_number):
        if known.payer_id == remittance.payer_id:
            return await _absorb(desk, known, reading, file_id)
    return await _post(desk, reading)


async def _absorb(
    desk: Desk, known: ReceivedRemittance, reading: Readable, file_id: str
) -> RemittanceTaken | RemittanceQuarantined:
    """The same payment again is known; another one under the same trace number is a person's to explain."""
    told = reading.remittance
    if known.content == told.content:
        waiting = await desk.books.count_unmatched(known.remittance_id)
        return RemittanceTaken(remittance=known, claims=len(reading.payments), unmatched=waiting, known=True)
    broken = Broken(
        content=told.content,
        rule=TRACE_REUSED,
        segment="TRN",
        payer_id=told.payer_id,
        paid_cents=told.paid_cents,
        claims=len(reading.payments),
        zero_paid=told.zero_paid,
        received_at=told.received_at,
    )
    return await _quarantine(desk, broken, file_id)


async def _quarantine(desk: Desk, broken: Broken, file_id: str) -> RemittanceQuarantined:
    quarantine_id = derived_id("quarantine", broken.content, broken.rule)
    fact = RemittanceQuarantined(
        remittance_id=quarantine_id,
        payer_id=broken.payer_id,
        paid_cents=broken.paid_cents,
        claims=broken.claims,
        rule=broken.rule,
        segment=broken.segment,
        zero_paid=broken.zero_paid,
        received_at=broken.received_at or desk.now,
    )
    if await desk.books.add_quarantine(fact, file_id):
        await desk.tell(fact)
        await open_work(desk, quarantine_work(quarantine_id, broken.rule, broken.paid_cents))
    return fact


async def _post(desk: Desk, reading: Readable) -> RemittanceTaken:
    await desk.books.add_remittance(reading.remittance)
    await desk.books.post(_transfer(reading))
    payments = reading.payments
    numbers = sorted({number for item in payments for number in (item.control_number, *item.line_claims)})
    await desk.books.lock([f"claim:{number}" for number in numbers])
    accounts = await desk.books.accounts_by_control(numbers)
    deposit = await find_deposit(desk, reading.remittance)
    remittance = replace(reading.remittance, deposit_id=deposit.deposit_id if deposit else "")
    named = {payment.control_number for payment in payments}
    settled = []
    for ordinal, payment in enumerate(payments, 1):
        part = Part(remittance, ordinal, payment)
        claim_id = await settle(desk, part, find_account(payment, accounts, named))
        settled += [(claim_id, payment.paid_cents)] if claim_id else []
    taken = RemittanceTaken(
        remittance=remittance,
        claims=len(payments),
        unmatched=await desk.books.count_unmatched(remittance.remittance_id),
        settled=tuple(settled),
        provider_adjustments=reading.provider_adjustments,
    )
    await desk.tell(taken)
    await expect_deposit(desk, remittance, deposit)
    return taken


def _transfer(reading: Readable) -> Posting:
    remittance = reading.remittance
    claims_cents = sum(payment.paid_cents for payment in reading.payments)
    provider_cents = sum(adjustment.amount_cents for adjustment in reading.provider_adjustments)
    return Posting(
        posting_id=derived_id("transfer", remittance.remittance_id),
        kind=TRANSFER,
        entries=transfer(remittance.paid_cents, claims_cents, provider_cents),
        payer_id=remittance.payer_id,
        remittance_id=remittance.remittance_id,
        reason="remittance-received",
    )
