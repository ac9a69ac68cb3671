"""What a patient pays: once, never above what is owed, beside the equation; and what a person's appeal leads to."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from kernel.errors import Refused, Unreadable
from remittance.handlers.accounts import open_account
from remittance.handlers.deposits import receive_deposit
from remittance.handlers.disputes import resolve_denial
from remittance.handlers.patients import record_patient_payment
from remittance.handlers.remittances import receive_remittance
from remittance.model import ledger
from remittance.model.events import ClaimDisputed, ClaimSettled, PatientPaid
from remittance.model.ledger import Balance
from remittance.model.patient import PatientPayment
from remittance.model.remittance import Deposit
from remittance.wire.facts import told_of

NOW = datetime(2026, 3, 5, 12, tzinfo=UTC)
PAID_IN_FULL = (("CO", "45", 4000), ("PR", "2", 1200))
DENIED = (("CO", "197", 10000),)
PAID = Balance(10000, 4800, 4000, 1200, contractual_cents=4000)


def pays(cents: int, key: str = "k1", **changes: Any) -> PatientPayment:
    return replace(PatientPayment(claim_id="c1", paid_cents=cents, method="card", key=key), **changes)


async def adjudicated(office: Any, account: Any, readable: Any, payment: Any) -> None:
    await open_account(office.desk, account())
    await receive_remittance(office.desk, readable(payment), "file")


async def test_a_payment_settles_the_share_and_leaves_the_equation(
    office: Any, account: Any, payment: Any, readable: Any
) -> None:
    await adjudicated(office, account, readable, payment(adjustments=PAID_IN_FULL))
    _, balance = await record_patient_payment(office.desk, pays(500))
    assert balance == replace(PAID, patient_paid_cents=500) and balance.holds
    assert balance.patient_open_cents == 700
    assert office.net(ledger.CASH) == 4800 + 500 and office.net(ledger.RECEIVABLE_PATIENT) == 700
    _, balance = await record_patient_payment(office.desk, pays(700, "k2"))
    assert balance.patient_open_cents == 0 and office.net(ledger.RECEIVABLE_PATIENT) == 0
    assert [fact.paid_cents for fact in office.of(PatientPaid)] == [500, 700]
    assert office.open_works() == []


async def test_the_same_key_is_one_payment(office: Any, account: Any, payment: Any, readable: Any) -> None:
    await adjudicated(office, account, readable, payment(adjustments=PAID_IN_FULL))
    first, again = [await record_patient_payment(office.desk, pays(500)) for _ in range(2)]
    assert first == again and len(office.of(PatientPaid)) == 1
    for other in (pays(501), pays(500, method="cash"), pays(500, point_of_service=True)):
        with pytest.raises(Refused, match="idempotency-key-reused"):
            await record_patient_payment(office.desk, other)
    assert len(office.of(PatientPaid)) == 1


@pytest.mark.parametrize("cents", [1201, 10000])
async def test_more_than_is_owed_is_refused(office: Any, account: Any, payment: Any, readable: Any, cents: int) -> None:
    await adjudicated(office, account, readable, payment(adjustments=PAID_IN_FULL))
    for at_visit in (False, True):
        with pytest.raises(Refused, match="patient-payment-exceeds-balance"):
            await record_patient_payment(office.desk, pays(cents, point_of_service=at_visit))
    assert await office.books.balance("c1") == PAID and office.of(PatientPaid) == []


async def test_at_the_visit_the_patient_pays_before_the_payer_decides(
    office: Any, account: Any, payment: Any, readable: Any
) -> None:
    await open_account(office.desk, account())
    with pytest.raises(Refused, match="patient-payment-exceeds-balance"):
        await record_patient_payment(office.desk, pays(1000))
    _, balance = await record_patient_payment(office.desk, pays(1000, point_of_service=True))
    assert (balance.patient_open_cents, balance.patient_cents, balance.open_cents) == (-1000, 0, 10000)
    assert office.open_works() == []
    await receive_remittance(office.desk, readable(payment(adjustments=PAID_IN_FULL)), "file")
    balance = await office.books.balance("c1")
    assert balance == replace(PAID, patient_paid_cents=1000) and balance.patient_open_cents == 200
    assert [fact.next for fact in office.of(ClaimSettled)] == ["patient"] and office.open_works() == []


async def test_what_was_paid_ahead_and_is_not_owed_is_given_back_by_a_person(
    office: Any, account: Any, payment: Any, readable: Any
) -> None:
    await open_account(office.desk, account())
    await record_patient_payment(office.desk, pays(2000, point_of_service=True))
    await receive_remittance(office.desk, readable(payment(adjustments=PAID_IN_FULL)), "file")
    (work,) = office.open_works()
    assert (work.reason, work.dollars_cents) == ("credit-balance", 800)
    assert [fact.next for fact in office.of(ClaimSettled)] == ["none"]


async def test_a_takeback_leaves_what_the_patient_paid(
    office: Any, account: Any, payment: Any, readable: Any, takeback: Any
) -> None:
    paid = payment(adjustments=PAID_IN_FULL)
    await adjudicated(office, account, readable, paid)
    await record_patient_payment(office.desk, pays(1200))
    await receive_remittance(office.desk, readable(takeback(paid), trace="T2", method="NON"), "file")
    balance = await office.books.balance("c1")
    assert balance == Balance(10000, open_cents=10000, patient_paid_cents=1200) and balance.holds
    assert office.open_works() == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"paid_cents": 0}, "paid-cents"),
        ({"paid_cents": -1}, "paid-cents"),
        ({"method": "gold"}, "method-unknown"),
        ({"key": ""}, "idempotency-key-missing"),
    ],
)
def test_a_payment_that_says_nothing_is_unreadable(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(Unreadable, match=code):
        pays(
            **({"cents": 100} | {"cents": changes.pop("paid_cents")} if "paid_cents" in changes else {"cents": 100}),
            **changes,
        )


async def test_a_claim_that_is_not_on_account_takes_no_payment(office: Any) -> None:
    with pytest.raises(Refused, match="claim-unknown"):
        await record_patient_payment(office.desk, pays(100))


async def test_a_patients_payment_is_told_with_the_journey(
    office: Any, account: Any, payment: Any, readable: Any
) -> None:
    await open_account(office.desk, account(payer_class="commercial"))
    await receive_remittance(office.desk, readable(payment(adjustments=PAID_IN_FULL)), "file")
    payment_id, _ = await record_patient_payment(office.desk, pays(500, method="check"))
    told = told_of(office.of(PatientPaid)[0], NOW)
    assert (told.type, told.key, told.journey_id) == ("patient.paid", "Encounter/c1", "f" * 32)
    body: Any = told.body
    assert (body.payment_id, body.claim_id, body.paid_cents, body.patient_open_cents) == (payment_id, "c1", 500, 700)
    assert (body.point_of_service, body.method, body.payer_class) == (False, "check", "commercial")


async def test_an_appeal_is_told_once_and_a_second_835_settles_it(
    office: Any, account: Any, payment: Any, readable: Any
) -> None:
    await adjudicated(office, account, readable, payment(adjustments=DENIED))
    (work,) = office.open_works()
    for _ in range(2):
        await resolve_denial(office.desk, work.work_id, "appeal", "")
    denied, appealed = office.of(ClaimDisputed)
    assert (appealed.kind, appealed.work_id, appealed.cents) == ("appealed", work.work_id, 10000)
    assert (appealed.codes, appealed.carc, denied.kind) == (("99213",), ("197",), "denied")
    told = told_of(appealed, NOW)
    assert (told.type, told.key) == ("claim.appealed", "Encounter/c1")
    assert office.open_works() == [work]  # somebody follows it up
    await receive_remittance(office.desk, readable(payment(adjustments=PAID_IN_FULL), trace="T2"), "file")
    assert office.books.denials[work.work_id].state == "overturned" and office.open_works() == []


async def test_an_appeal_that_is_lost_leaves_the_newer_denial(
    office: Any, account: Any, payment: Any, readable: Any
) -> None:
    await adjudicated(office, account, readable, payment(adjustments=DENIED))
    (first,) = office.open_works()
    await resolve_denial(office.desk, first.work_id, "appeal", "")
    await receive_remittance(office.desk, readable(payment(adjustments=DENIED), trace="T2"), "file")
    (second,) = office.open_works()
    assert second.work_id != first.work_id
    assert office.books.denials[first.work_id].state == "upheld"
    with pytest.raises(Refused):
        await resolve_denial(office.desk, first.work_id, "write_off", "")
    balance = await resolve_denial(office.desk, second.work_id, "write_off", "")
    assert balance.adjusted_cents == 10000 and balance.contractual_cents == 0


async def test_a_write_off_is_by_a_person_and_a_payment_is_not(
    office: Any, account: Any, payment: Any, readable: Any
) -> None:
    await adjudicated(office, account, readable, payment(adjustments=DENIED))
    (work,) = office.open_works()
    await resolve_denial(office.desk, work.work_id, "write_off", "")
    posted, given_up = [told_of(fact, NOW).body for fact in office.of(ClaimSettled)]
    assert (posted.by_person, posted.HasField("received_at")) == (False, True)
    assert (given_up.by_person, given_up.HasField("received_at"), given_up.settlement) == (True, False, "none")


async def test_the_settlement_says_where_the_money_is(office: Any, account: Any, payment: Any, readable: Any) -> None:
    await open_account(office.desk, account("c1"))
    await open_account(office.desk, account("c2"))
    paid, nothing = payment("c1", adjustments=PAID_IN_FULL), payment("c2", adjustments=DENIED)
    await receive_remittance(office.desk, readable(paid, nothing), "file")
    awaited = [told_of(fact, NOW).body for fact in office.of(ClaimSettled)]
    assert [body.settlement for body in awaited] == ["awaited", "none"]
    assert [body.contractual_cents for body in awaited] == [4000, 0]


async def test_money_that_was_there_first_is_matched(office: Any, account: Any, payment: Any, readable: Any) -> None:
    deposit = Deposit(
        deposit_id="d1", trace_number="T1", trace_origin="1999999999", amount_cents=4800, effective_on=None
    )
    await receive_deposit(office.desk, deposit)
    await adjudicated(office, account, readable, payment(adjustments=PAID_IN_FULL))
    (body,) = [told_of(fact, NOW).body for fact in office.of(ClaimSettled)]
    assert body.settlement == "matched" and office.books.remittances["R-T1-"].deposit_id == "d1"


async def test_a_paper_check_waits_for_no_bank(office: Any, account: Any, payment: Any, readable: Any) -> None:
    await open_account(office.desk, account())
    await receive_remittance(office.desk, readable(payment(adjustments=PAID_IN_FULL), method="CHK"), "file")
    (body,) = [told_of(fact, NOW).body for fact in office.of(ClaimSettled)]
    assert body.settlement == "none"
