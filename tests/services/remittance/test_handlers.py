"""Posting, denials, takebacks, what cannot be matched, and deposits, each with what must not happen."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from kernel.errors import Refused
from remittance.handlers.accounts import open_account
from remittance.handlers.deposits import receive_deposit, review_deposit
from remittance.handlers.disputes import resolve_denial
from remittance.handlers.ports import DEPOSIT_DUE
from remittance.handlers.remittances import receive_remittance
from remittance.model import ledger
from remittance.model.events import (
    ClaimDisputed,
    ClaimSettled,
    DepositSeen,
    RemittanceQuarantined,
    RemittanceTaken,
    WorkChanged,
)
from remittance.model.ledger import Balance
from remittance.model.remittance import Broken, Deposit

PAID_IN_FULL = (("CO", "45", 4000), ("PR", "2", 1200))
DENIED = (("CO", "197", 10000),)


async def submit_and_post(office: Any, account: Any, readable: Any, *payments: Any, **changes: Any) -> None:
    await open_account(office.desk, account())
    await receive_remittance(office.desk, readable(*payments, **changes), "file")


def deposit(trace: str = "T1", amount_cents: int = 4800, **changes: Any) -> Deposit:
    known: dict[str, Any] = {"deposit_id": f"D-{trace}-{amount_cents}", "trace_origin": "1999999999"}
    return Deposit(trace_number=trace, amount_cents=amount_cents, effective_on=date(2026, 3, 5), **(known | changes))


async def test_a_claim_is_billed_once_whatever_is_sent_twice(office: Any, account: Any) -> None:
    for _ in range(2):
        await open_account(office.desk, account())
    assert await office.books.balance("c1") == Balance(billed_cents=10000, open_cents=10000)
    assert len(office.books.postings) == 1
    assert office.told == []


async def test_a_correction_sent_again_bills_the_difference(office: Any, account: Any) -> None:
    await open_account(office.desk, account())
    await open_account(office.desk, account(billed_cents=8000, control_number="CTL2", trace=""))
    assert await office.books.balance("c1") == Balance(billed_cents=8000, open_cents=8000)
    assert office.books.accounts["c1"].trace.startswith("00-")


async def test_a_payment_is_posted_with_its_parts(office: Any, account: Any, payment: Any, readable: Any) -> None:
    await submit_and_post(office, account, readable, payment(adjustments=PAID_IN_FULL))
    wanted = Balance(
        billed_cents=10000,
        paid_cents=4800,
        adjusted_cents=4000,
        contractual_cents=4000,
        patient_cents=1200,
        open_cents=0,
    )
    (settled,) = office.of(ClaimSettled)
    assert (settled.balance, settled.outcome, settled.next, settled.reversed) == (wanted, "paid", "patient", False)
    assert office.of(ClaimDisputed) == [] and office.open_works() == []
    assert office.net(ledger.CASH) == 4800 and office.net(ledger.UNAPPLIED) == 0
    assert office.resumed == [account().trace]


async def test_an_unpaid_denial_is_not_posted_as_a_write_off(
    office: Any, account: Any, payment: Any, readable: Any
) -> None:
    await submit_and_post(office, account, readable, payment(adjustments=DENIED, line_remarks=("N54",)))
    assert await office.books.balance("c1") == Balance(billed_cents=10000, open_cents=10000)
    (settled,) = office.of(ClaimSettled)
    (denied,) = office.of(ClaimDisputed)
    (work,) = office.open_works()
    assert settled.outcome == "denied"
    assert (denied.category, denied.carc, denied.rarc, denied.cents) == ("authorization", ("197",), ("N54",), 10000)
    assert denied.due_on == date(2026, 8, 31) and denied.kind == "denied"
    assert (work.kind, work.reason, work.due_on, work.dollars_cents) == ("denial", "carc-197", denied.due_on, 10000)


async def test_all_to_the_deductible_is_paid_and_no_denial(
    office: Any, account: Any, payment: Any, readable: Any
) -> None:
    await submit_and_post(office, account, readable, payment(adjustments=(("CO", "45", 4000), ("PR", "1", 6000))))
    (settled,) = office.of(ClaimSettled)
    assert settled.outcome == "paid" and settled.balance.patient_cents == 6000
    assert office.open_works() == []


async def test_a_denied_part_leaves_the_claim_partly_paid(
    office: Any, account: Any, payment: Any, readable: Any
) -> None:
    await submit_and_post(office, account, readable, payment(adjustments=(("CO", "97", 3000), ("PR", "2", 1000))))
    (settled,) = office.of(ClaimSettled)
    assert (settled.outcome, settled.balance.open_cents) == ("partly_paid", 3000)
    assert office.of(ClaimDisputed)[0].category == "bundling"


async def test_the_largest_denial_is_the_cause_and_the_others_are_tags(
    office: Any, account: Any, payment: Any, readable: Any
) -> None:
    await submit_and_post(office, account, readable, payment(adjustments=(("CO", "16", 1000), ("CO", "50", 9000))))
    denied = office.of(ClaimDisputed)[0]
    assert (denied.category, denied.carc) == ("medical-necessity", ("50", "16"))


async def test_a_code_that_nobody_knows_stays_open(office: Any, account: Any, payment: Any, readable: Any) -> None:
    await submit_and_post(office, account, readable, payment(adjustments=(("CO", "999", 10000),)))
    assert (await office.books.balance("c1")).open_cents == 10000
    assert office.of(ClaimDisputed)[0].category == "unclassified"


async def test_a_duplicate_denial_of_a_paid_claim_denies_nothing(
    office: Any, account: Any, payment: Any, readable: Any
) -> None:
    await submit_and_post(office, account, readable, payment(adjustments=PAID_IN_FULL))
    await receive_remittance(office.desk, readable(payment(adjustments=(("OA", "18", 10000),)), trace="T2"), "file")
    assert [fact.outcome for fact in office.of(ClaimSettled)] == ["paid", "paid"]
    assert office.of(ClaimDisputed) == []


async def test_allowed_below_the_contract_is_told(office: Any, account: Any, payment: Any, readable: Any) -> None:
    await submit_and_post(office, account, readable, payment(adjustments=(("CO", "45", 5000), ("PR", "2", 1000))))
    (fact,) = office.of(ClaimDisputed)
    assert (fact.kind, fact.cents, fact.category) == ("underpaid", 1000, "underpayment")
    assert [work.kind for work in office.open_works()] == ["underpayment"]


@pytest.mark.parametrize("changes", [{"status": "2"}, {"adjustments": (("CO", "45", 4003), ("PR", "2", 1200))}])
async def test_a_secondary_payer_or_a_few_cents_are_no_underpayment(
    office: Any, account: Any, payment: Any, readable: Any, changes: dict[str, Any]
) -> None:
    whole = {"adjustments": (("CO", "45", 9000),)} | changes
    await submit_and_post(office, account, readable, payment(**whole))
    assert office.of(ClaimDisputed) == []


async def test_the_same_remittance_again_changes_nothing(
    office: Any, account: Any, payment: Any, readable: Any
) -> None:
    reading = readable(payment(adjustments=PAID_IN_FULL))
    await submit_and_post(office, account, lambda *_: reading)
    told, postings = list(office.told), dict(office.books.postings)
    answer = await receive_remittance(office.desk, reading, "again")
    assert isinstance(answer, RemittanceTaken) and answer.known
    assert (answer.claims, answer.unmatched) == (1, 0)
    assert (office.told, office.books.postings) == (told, postings)


async def test_another_payment_under_the_same_trace_is_quarantined(
    office: Any, account: Any, payment: Any, readable: Any
) -> None:
    await submit_and_post(office, account, readable, payment(adjustments=PAID_IN_FULL))
    before = dict(office.books.postings)
    answer = await receive_remittance(office.desk, readable(payment(adjustments=DENIED), content="other"), "file")
    assert isinstance(answer, RemittanceQuarantined) and answer.rule == "835-trace-reused"
    assert office.books.postings == before


async def test_two_payers_may_use_one_trace_number(office: Any, account: Any, payment: Any, readable: Any) -> None:
    await submit_and_post(office, account, readable, payment(adjustments=PAID_IN_FULL))
    other = readable(payment("c2", adjustments=DENIED), payer_id="SYNPB", content="other")
    assert isinstance(await receive_remittance(office.desk, other, "file"), RemittanceTaken)


async def test_what_is_broken_is_quarantined_once_and_posts_nothing(office: Any) -> None:
    broken = Broken(content="x", rule="835-claim-balance", segment="CLP[3]", paid_cents=500)
    for _ in range(2):
        await receive_remittance(office.desk, broken, "file")
    (fact,) = office.of(RemittanceQuarantined)
    assert (fact.rule, fact.segment) == ("835-claim-balance", "CLP[3]")
    assert [work.kind for work in office.open_works()] == ["unmatched-remittance"]
    assert office.books.postings == {}


async def test_a_remittance_before_its_claim_waits_and_is_never_lost(
    office: Any, account: Any, payment: Any, readable: Any
) -> None:
    answer = await receive_remittance(office.desk, readable(payment(adjustments=PAID_IN_FULL)), "file")
    assert answer.unmatched == 1
    assert office.net(ledger.UNAPPLIED) == -4800
    assert [(work.kind, work.reason) for work in office.open_works()] == [("unmatched-remittance", "unknown-claim")]
    await open_account(office.desk, account())
    assert office.net(ledger.UNAPPLIED) == 0 and office.books.waiting == {} and office.open_works() == []
    assert (await office.books.balance("c1")).paid_cents == 4800
    assert [fact.outcome for fact in office.of(WorkChanged)] == ["", "resolved"]


async def test_a_payment_for_another_charge_is_not_posted(
    office: Any, account: Any, payment: Any, readable: Any
) -> None:
    await submit_and_post(office, account, readable, payment(charge_cents=9000, adjustments=(("CO", "45", 4000),)))
    assert (await office.books.balance("c1")).paid_cents == 0
    assert [work.reason for work in office.open_works()] == ["charge-differs"]


async def test_a_predetermination_moves_no_money(office: Any, account: Any, payment: Any, readable: Any) -> None:
    await submit_and_post(office, account, readable, payment(status="25", adjustments=(("OA", "101", 10000),)))
    assert await office.books.balance("c1") == Balance(billed_cents=10000, open_cents=10000)
    assert office.of(ClaimSettled) == []


async def test_a_takeback_mirrors_the_original_exactly(
    office: Any, account: Any, payment: Any, readable: Any, takeback: Any
) -> None:
    paid = payment(adjustments=PAID_IN_FULL)
    await submit_and_post(office, account, readable, paid)
    await receive_remittance(office.desk, readable(takeback(paid), trace="T2", method="NON"), "file")
    assert await office.books.balance("c1") == Balance(billed_cents=10000, open_cents=10000)
    assert [fact.reversed for fact in office.of(ClaimSettled)] == [False, True]
    assert office.net(ledger.UNAPPLIED) == 0


async def test_a_takeback_that_negates_nothing_waits_for_its_original(
    office: Any, account: Any, payment: Any, readable: Any, takeback: Any
) -> None:
    paid = payment(adjustments=PAID_IN_FULL)
    await submit_and_post(office, account, readable, takeback(paid), method="NON")
    assert [work.reason for work in office.open_works()] == ["reversal-without-original"]
    await receive_remittance(office.desk, readable(paid, trace="T2"), "file")
    assert await office.books.balance("c1") == Balance(billed_cents=10000, open_cents=10000)
    assert office.open_works() == [] and office.books.waiting == {}


async def test_a_payment_is_taken_back_once(
    office: Any, account: Any, payment: Any, readable: Any, takeback: Any
) -> None:
    paid = payment(adjustments=PAID_IN_FULL)
    await submit_and_post(office, account, readable, paid)
    for trace in ("T2", "T3"):
        await receive_remittance(office.desk, readable(takeback(paid), trace=trace, method="NON"), "file")
    assert await office.books.balance("c1") == Balance(billed_cents=10000, open_cents=10000)
    assert [work.reason for work in office.open_works()] == ["reversal-without-original"]


async def test_a_write_off_closes_the_denial_once(office: Any, account: Any, payment: Any, readable: Any) -> None:
    await submit_and_post(office, account, readable, payment(adjustments=DENIED))
    (work,) = office.open_works()
    for _ in range(2):
        balance = await resolve_denial(office.desk, work.work_id, "write_off", "not worth an appeal")
        assert balance == Balance(billed_cents=10000, adjusted_cents=10000)
    assert office.open_works() == []
    assert [fact.outcome for fact in office.of(ClaimSettled)] == ["denied", "denied"]


async def test_a_write_off_gives_up_no_more_than_is_open(
    office: Any, account: Any, payment: Any, readable: Any
) -> None:
    await submit_and_post(office, account, readable, payment(adjustments=DENIED))
    (work,) = office.open_works()
    await receive_remittance(office.desk, readable(payment(adjustments=(("CO", "97", 7000),)), trace="T2"), "file")
    balance = await resolve_denial(office.desk, work.work_id, "write_off", "")
    assert balance == Balance(billed_cents=10000, paid_cents=3000, adjusted_cents=7000)


async def test_a_denied_line_is_not_also_underpaid(office: Any, account: Any, payment: Any, readable: Any) -> None:
    await submit_and_post(office, account, readable, payment(adjustments=(("CO", "45", 5000), ("CO", "50", 5000))))
    assert [fact.category for fact in office.of(ClaimDisputed)] == ["medical-necessity"]


async def test_an_appeal_keeps_it_open(office: Any, account: Any, payment: Any, readable: Any) -> None:
    await submit_and_post(office, account, readable, payment(adjustments=DENIED))
    (work,) = office.open_works()
    balance = await resolve_denial(office.desk, work.work_id, "appeal", "")
    assert balance.open_cents == 10000 and office.open_works() == [work]


async def test_an_appeal_that_wins_ends_the_denial(
    office: Any, account: Any, payment: Any, readable: Any, takeback: Any
) -> None:
    denied = payment(adjustments=DENIED)
    await submit_and_post(office, account, readable, denied, method="NON")
    (work,) = office.open_works()
    correction = readable(takeback(denied), payment(adjustments=PAID_IN_FULL), trace="T2")
    await receive_remittance(office.desk, correction, "file")
    assert office.books.denials[work.work_id].state == "overturned" and office.open_works() == []
    assert (await office.books.balance("c1")).open_cents == 0
    with pytest.raises(Refused, match="transition_refused"):
        await resolve_denial(office.desk, work.work_id, "write_off", "")


async def test_a_denial_taken_back_after_the_write_off_takes_that_back_too(
    office: Any, account: Any, payment: Any, readable: Any, takeback: Any
) -> None:
    denied = payment(adjustments=DENIED)
    await submit_and_post(office, account, readable, denied, method="NON")
    await resolve_denial(office.desk, office.open_works()[0].work_id, "write_off", "")
    correction = readable(takeback(denied), payment(adjustments=PAID_IN_FULL), trace="T2")
    await receive_remittance(office.desk, correction, "file")
    wanted = Balance(
        billed_cents=10000, paid_cents=4800, adjusted_cents=4000, contractual_cents=4000, patient_cents=1200
    )
    assert await office.books.balance("c1") == wanted


@pytest.mark.parametrize(("action", "code"), [("forgive", "action-unknown"), ("write_off", "denial-unknown")])
async def test_what_cannot_be_resolved_is_refused(office: Any, action: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        await resolve_denial(office.desk, "nothing", action, "")
    assert refused.value.code == code


async def test_paid_twice_is_a_credit_balance(office: Any, account: Any, payment: Any, readable: Any) -> None:
    await submit_and_post(office, account, readable, payment(adjustments=PAID_IN_FULL))
    await receive_remittance(office.desk, readable(payment(adjustments=PAID_IN_FULL), trace="T2"), "file")
    assert (await office.books.balance("c1")).open_cents == -10000
    assert [(work.reason, work.dollars_cents) for work in office.open_works()] == [("credit-balance", 10000)]


async def test_provider_adjustments_go_to_their_own_account(
    office: Any, account: Any, payment: Any, readable: Any
) -> None:
    changes = {"provider_adjustments": (("L6", -150), ("WO", 1000))}
    await submit_and_post(office, account, readable, payment(adjustments=PAID_IN_FULL), **changes)
    assert office.net(ledger.CASH) == 4800 - 850 and office.net(ledger.PLB) == 850
    assert (await office.books.balance("c1")).holds


async def test_a_deposit_meets_its_remittance_in_either_order(
    office: Any, account: Any, payment: Any, readable: Any
) -> None:
    await submit_and_post(office, account, readable, payment(adjustments=PAID_IN_FULL))
    assert list(office.timers) == [(DEPOSIT_DUE, "remittance:R-T1-")]
    await receive_deposit(office.desk, deposit())
    await receive_deposit(office.desk, deposit("T2"))
    assert office.timers[DEPOSIT_DUE, "deposit:D-T2-4800"] == datetime(2026, 3, 10, 23, 59, 59, tzinfo=UTC)
    await receive_remittance(office.desk, readable(payment("c2", adjustments=PAID_IN_FULL), trace="T2"), "file")
    seen = [(fact.deposit.deposit_id, fact.deposit.remittance_id, fact.reason) for fact in office.of(DepositSeen)]
    assert seen == [
        ("D-T1-4800", "R-T1-", ""),
        ("D-T2-4800", "", "no-remittance"),
        ("D-T2-4800", "R-T2-", ""),
    ]
    assert office.timers == {}


async def test_a_deposit_of_another_amount_is_a_persons(office: Any, account: Any, payment: Any, readable: Any) -> None:
    await submit_and_post(office, account, readable, payment(adjustments=PAID_IN_FULL))
    await receive_deposit(office.desk, deposit(amount_cents=4799))
    assert [work.reason for work in office.open_works()] == ["amount-differs"]
    assert office.books.remittances["R-T1-"].deposit_id == ""


async def test_a_deposit_reported_twice_is_one(office: Any) -> None:
    for _ in range(2):
        await receive_deposit(office.desk, deposit())
    assert len(office.of(DepositSeen)) == 1


async def test_after_three_business_days_both_sides_are_looked_at(
    office: Any, account: Any, payment: Any, readable: Any
) -> None:
    await submit_and_post(office, account, readable, payment(adjustments=PAID_IN_FULL))
    await receive_deposit(office.desk, deposit("T9"))
    for _, key in list(office.timers):
        await review_deposit(office.desk, key)
    assert sorted(work.reason for work in office.open_works()) == ["no-deposit", "no-remittance"]
    await receive_deposit(office.desk, deposit())
    assert [work.reason for work in office.open_works()] == ["no-remittance"]


async def test_a_deposit_that_was_matched_is_not_looked_at(
    office: Any, account: Any, payment: Any, readable: Any
) -> None:
    await submit_and_post(office, account, readable, payment(adjustments=PAID_IN_FULL))
    await receive_deposit(office.desk, deposit())
    await review_deposit(office.desk, "deposit:D-T1-4800")
    await review_deposit(office.desk, "remittance:R-T1-")
    assert office.open_works() == []


async def test_no_money_means_no_deposit_to_wait_for(office: Any, account: Any, payment: Any, readable: Any) -> None:
    await submit_and_post(office, account, readable, payment(adjustments=DENIED))
    assert office.timers == {}
