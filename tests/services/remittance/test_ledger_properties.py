"""Whatever comes in whatever order: every posting sums to zero and billed = paid + adjusted + patient + open."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel.errors import Refused
from remittance.handlers.accounts import open_account
from remittance.handlers.disputes import resolve_denial
from remittance.handlers.patients import record_patient_payment
from remittance.handlers.remittances import receive_remittance
from remittance.handlers.work import CREDIT_BALANCE
from remittance.model import denial, ledger
from remittance.model.events import PatientPaid
from remittance.model.identity import derived_id
from remittance.model.ledger import Balance, Entry, Posting, balance_of, entries_of, mirror, transfer
from remittance.model.patient import PatientPayment

CLAIMS = ("c1", "c2", "c3")
CENTS = st.integers(-(10**9), 10**9)

# What a payer may decide on a claim of 100.00: contractual, denied, patient, paid.
VARIANTS = (
    (("CO", "45", 4000), ("PR", "2", 1200)),
    (("CO", "197", 10000),),
    (("CO", "45", 4000), ("CO", "97", 2000), ("PR", "1", 500)),
    (("CO", "45", 10000),),
    (("CO", "999", 1), ("OA", "23", 99), ("CO", "144", -50)),
    (),
)

steps = st.one_of(
    st.tuples(st.just("submit"), st.sampled_from(CLAIMS)),
    st.tuples(st.just("pay"), st.sampled_from(CLAIMS), st.sampled_from(VARIANTS), st.integers(-300, 300)),
    st.tuples(st.just("again"), st.integers(0, 20)),
    st.tuples(st.just("take back"), st.integers(0, 20)),
    st.tuples(st.just("write off"), st.integers(0, 20)),
    st.tuples(st.just("appeal"), st.integers(0, 20)),
    st.tuples(
        st.just("patient"), st.sampled_from(CLAIMS), st.integers(1, 3000), st.booleans(), st.sampled_from("abcdef")
    ),
)


class Run:
    """One sequence at one desk, with the readings it has sent."""

    def __init__(self, office: Any, account: Any, payment: Any, takeback: Any, readable: Any) -> None:
        self.office, self.account, self.payment = office, account, payment
        self.takeback, self.readable = takeback, readable
        self.sent: list[Any] = []
        self.patients: dict[str, int] = {}

    async def step(self, name: str, *details: Any) -> None:
        if name == "submit":
            await open_account(self.office.desk, self.account(details[0]))
        elif name == "pay":
            claim_id, variant, plb = details
            await self._send((self.payment(claim_id, adjustments=variant),), plb)
        elif name in ("again", "take back"):
            await self._repeat(name, details[0])
        elif name == "patient":
            await self._pay(*details)
        else:
            await self._resolve(name.replace(" ", "_"), details[0])

    async def _send(self, payments: tuple[Any, ...], plb: int = 0) -> None:
        pairs = (("WO", plb),) if plb else ()
        reading = self.readable(*payments, trace=f"T{len(self.sent)}", provider_adjustments=pairs)
        self.sent.append(reading)
        await receive_remittance(self.office.desk, reading, "file")

    async def _repeat(self, name: str, index: int) -> None:
        if not self.sent:
            return
        reading = self.sent[index % len(self.sent)]
        if name == "again":
            await receive_remittance(self.office.desk, reading, "file")
        elif not reading.payments[0].is_reversal:
            await self._send((self.takeback(reading.payments[0]),))

    async def _pay(self, claim_id: str, cents: int, at_visit: bool, key: str) -> None:
        """Taken whole or refused whole, and never above what the patient owes or can come to owe."""
        books = self.office.books
        before = await books.balance(claim_id)
        known = books.postings.get(derived_id("patient-payment", key))
        paid = PatientPayment(claim_id=claim_id, paid_cents=cents, method="card", key=key, point_of_service=at_visit)
        limit = before.patient_limit_cents if at_visit else before.patient_open_cents
        try:
            _, after = await record_patient_payment(self.office.desk, paid)
        except Refused:
            assert await books.balance(claim_id) == before
            assert claim_id not in books.accounts or cents > limit or (known and known.mark != paid.mark)
            return
        if known is None:
            assert cents <= limit
            self.patients[key] = cents
        assert after.patient_paid_cents == before.patient_paid_cents + (0 if known else cents)
        assert replace(after, patient_paid_cents=0) == replace(before, patient_paid_cents=0)

    async def _resolve(self, action: str, index: int) -> None:
        found = [item for item in self.office.books.denials.values() if item.state == denial.OPEN]
        if found:
            await resolve_denial(self.office.desk, found[index % len(found)].work_id, action, "")

    async def check(self) -> None:
        books = self.office.books
        entries = [entry for posting in books.postings.values() for entry in posting.entries]
        assert all(sum(e.net_cents for e in posting.entries) == 0 for posting in books.postings.values())
        balances = [await books.balance(claim_id) for claim_id in CLAIMS]
        assert all(balance.holds for balance in balances)
        tenant = Balance()
        for balance in balances:
            tenant = tenant.plus(balance)
        claims_only = [e for p in books.postings.values() if p.claim_id for e in p.entries]
        assert tenant == balance_of(claims_only) and tenant.holds
        assert sum(e.net_cents for e in entries) == 0
        transferred = sum(r.paid_cents for r in books.remittances.values())
        assert self.office.net(ledger.CASH) == transferred + sum(self.patients.values())
        assert tenant.patient_paid_cents == sum(self.patients.values())
        assert len(self.office.of(PatientPaid)) == len(self.patients)
        owed_back = {
            work.focus: work.dollars_cents for work in self.office.open_works() if work.reason == CREDIT_BALANCE
        }
        credits = {f"Claim/{c}" for c, b in zip(CLAIMS, balances, strict=True) if b.credit_cents}
        assert set(owed_back) == credits and all(cents > 0 for cents in owed_back.values())
        waiting = sum(item.payment.paid_cents for item in books.waiting.values())
        assert self.office.net(ledger.UNAPPLIED) == -waiting
        assert [b.billed_cents for b in balances] == [10000 * (c in books.accounts) for c in CLAIMS]


@settings(max_examples=150, deadline=None)
@given(sequence=st.lists(steps, max_size=25))
def test_any_sequence_keeps_the_books(
    new_office: Callable[[], Any], account: Any, payment: Any, takeback: Any, readable: Any, sequence: list[Any]
) -> None:
    async def run() -> None:
        running = Run(new_office(), account, payment, takeback, readable)
        for step in sequence:
            await running.step(*step)
            await running.check()

    asyncio.run(run())


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_order_of_arrival_does_not_matter(
    new_office: Callable[[], Any], account: Any, payment: Any, takeback: Any, readable: Any, variant: Any
) -> None:
    first = readable(payment(adjustments=variant), trace="T1")
    back = readable(takeback(first.payments[0]), trace="T2")
    second = readable(payment(adjustments=(("CO", "45", 4000), ("PR", "3", 2500))), trace="T3")

    async def run(order: tuple[Any, ...]) -> tuple[Balance, int]:
        office = new_office()
        for item in order:
            if item is None:
                await open_account(office.desk, account())
            else:
                await receive_remittance(office.desk, item, "file")
        return await office.books.balance("c1"), len(office.books.waiting)

    wanted = Balance(
        billed_cents=10000, paid_cents=3500, adjusted_cents=4000, contractual_cents=4000, patient_cents=2500
    )
    orders = permutations((None, first, back, second))
    assert {asyncio.run(run(order)) for order in orders} == {(wanted, 0)}


@given(moves=st.lists(st.tuples(st.sampled_from(ledger.ACCOUNTS), CENTS), max_size=6))
def test_a_posting_is_refused_exactly_when_it_does_not_sum_to_zero(moves: list[tuple[str, int]]) -> None:
    entries = entries_of(*moves)
    if sum(cents for _, cents in moves):
        with pytest.raises(ValueError, match="sums to zero"):
            Posting(posting_id="p", kind=ledger.PAYMENT, entries=entries)
    else:
        Posting(posting_id="p", kind=ledger.PAYMENT, entries=entries)
    assert sum(entry.net_cents for entry in (*entries, *mirror(entries))) == 0


@pytest.mark.parametrize(("debit", "credit"), [(0, 0), (1, 1), (-1, 0), (0, -5), (5, -5)])
def test_an_entry_has_one_positive_side(debit: int, credit: int) -> None:
    with pytest.raises(ValueError, match="debit or a credit"):
        Entry(ledger.CASH, debit, credit)


def test_there_are_no_other_accounts_and_kinds() -> None:
    with pytest.raises(ValueError, match="account"):
        Entry("slush", 1)
    with pytest.raises(ValueError, match="kind"):
        Posting(posting_id="p", kind="plug", entries=())


def test_a_transfer_is_never_plugged() -> None:
    with pytest.raises(ValueError, match="balances"):
        transfer(100, 99, 0)
    assert sum(entry.net_cents for entry in transfer(100, 150, 50)) == 0


def test_the_denial_table_is_exhaustive() -> None:
    legal = {(a, b) for a, b, allowed in denial.TRANSITIONS.every_pair() if allowed}
    assert legal == {
        ("open", "appealed"),
        ("open", "written_off"),
        ("open", "overturned"),
        ("appealed", "written_off"),
        ("appealed", "overturned"),
        ("appealed", "upheld"),
        ("upheld", "overturned"),
        ("written_off", "overturned"),
    }
    assert denial.TRANSITIONS.terminal == {"overturned"}
