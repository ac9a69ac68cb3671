"""An answer finds what it answers: by CLP01, by REF*6R, by TRN02, and links to the burst that waited for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from remittance.handlers.accounts import open_account
from remittance.handlers.deposits import receive_deposit
from remittance.handlers.remittances import receive_remittance
from remittance.model.events import ClaimSettled, WorkChanged
from remittance.model.ledger import Balance
from remittance.model.remittance import Deposit
from remittance.wire.era import payment_of

PAID_IN_FULL = (("CO", "45", 4000), ("PR", "2", 1200))


def ours(account: Any, claim_id: str, **changes: Any) -> Any:
    """A claim whose lines are numbered as they go out: CLM01 and two digits."""
    known = account(claim_id)
    lines = tuple(
        replace(line, control_number=f"{known.control_number}{number:02d}")
        for number, line in enumerate(known.lines, 1)
    )
    return replace(known, lines=lines, **changes)


def answered(payment: Any, claim_id: str, control_number: str, line_control: str) -> Any:
    paid = payment_of(payment(claim_id, adjustments=PAID_IN_FULL))
    lines = tuple(replace(line, line_control=line_control) for line in paid.lines)
    return replace(paid, control_number=control_number, lines=lines)


async def test_a_claim_that_comes_back_under_another_number_is_found_by_its_lines(
    office: Any, account: Any, payment: Any, readable: Any
) -> None:
    await open_account(office.desk, ours(account, "c1"))
    await receive_remittance(office.desk, readable(answered(payment, "c1", "PAYERS OWN", "CTLc101")), "file")
    assert [fact.account.claim_id for fact in office.of(ClaimSettled)] == ["c1"] and office.books.waiting == {}


@pytest.mark.parametrize("line_control", ["CTLc102", "CTLc901", "", "01"])
async def test_lines_that_are_not_ours_find_nothing(
    office: Any, account: Any, payment: Any, readable: Any, line_control: str
) -> None:
    await open_account(office.desk, ours(account, "c1"))
    await receive_remittance(office.desk, readable(answered(payment, "c1", "PAYERS OWN", line_control)), "file")
    assert office.of(ClaimSettled) == [] and len(office.books.waiting) == 1


async def test_lines_of_two_claims_belong_to_neither(office: Any, account: Any, payment: Any, readable: Any) -> None:
    for claim_id in ("c1", "c2"):
        await open_account(office.desk, ours(account, claim_id))
    paid = answered(payment, "c1", "PAYERS OWN", "CTLc101")
    mixed = replace(paid, lines=(*paid.lines, replace(paid.lines[0], line_control="CTLc201")))
    await receive_remittance(office.desk, readable(mixed), "file")
    assert office.of(ClaimSettled) == [] and len(office.books.waiting) == 1


OWN, OTHER = "CTLc1", "PAYERS OWN"


@pytest.mark.parametrize("files", [[[OWN, OTHER]], [[OTHER, OWN]], [[OWN], [OTHER]]])
async def test_lines_that_are_paid_under_two_numbers_are_posted_once_and_the_other_is_a_persons(
    office: Any, account: Any, payment: Any, readable: Any, files: list[list[str]]
) -> None:
    await open_account(office.desk, ours(account, "c1"))
    for number, named in enumerate(files):
        reading = readable(*(answered(payment, "c1", name, "CTLc101") for name in named))
        own = replace(reading.remittance, remittance_id=f"r{number}", trace_number=f"T{number}", content=f"{number}")
        await receive_remittance(office.desk, replace(reading, remittance=own), "file")
    assert [fact.payment.control_number for fact in office.of(ClaimSettled)] == [OWN]
    (waiting,) = office.books.waiting.values()
    assert (waiting.reason, waiting.payment.control_number) == ("unknown-claim", OTHER)


async def test_lines_first_and_the_claims_own_number_later_is_money_to_give_back(
    office: Any, account: Any, payment: Any, readable: Any
) -> None:
    await open_account(office.desk, ours(account, "c1"))
    for number, name in enumerate((OTHER, OWN)):
        reading = readable(answered(payment, "c1", name, "CTLc101"))
        own = replace(reading.remittance, remittance_id=f"r{number}", trace_number=f"T{number}", content=f"{number}")
        await receive_remittance(office.desk, replace(reading, remittance=own), "file")
    assert (await office.books.balance("c1")).open_cents == -10000 and office.books.waiting == {}
    assert [fact.work.reason for fact in office.of(WorkChanged)] == ["credit-balance"]


async def test_the_number_of_the_claim_counts_before_that_of_its_lines(
    office: Any, account: Any, payment: Any, readable: Any
) -> None:
    for claim_id in ("c1", "c2"):
        await open_account(office.desk, ours(account, claim_id))
    await receive_remittance(office.desk, readable(answered(payment, "c1", "CTLc2", "CTLc101")), "file")
    assert [fact.account.claim_id for fact in office.of(ClaimSettled)] == ["c2"]


async def test_a_resubmitted_claim_wakes_in_the_burst_that_sent_it_last(
    office: Any, account: Any, payment: Any, readable: Any
) -> None:
    await open_account(office.desk, account(trace="00-" + "1" * 32 + "-" + "1" * 16 + "-01"))
    again = "00-" + "2" * 32 + "-" + "2" * 16 + "-01"
    await open_account(office.desk, account(trace=again))
    await open_account(office.desk, account(trace=""))
    assert await office.books.balance("c1") == Balance(billed_cents=10000, open_cents=10000)
    await receive_remittance(office.desk, readable(payment(adjustments=PAID_IN_FULL)), "file")
    assert office.resumed == [again]


async def test_money_and_advice_link_to_whichever_came_first(office: Any, payment: Any, readable: Any) -> None:
    first, second = "00-" + "3" * 32 + "-" + "3" * 16 + "-01", "00-" + "4" * 32 + "-" + "4" * 16 + "-01"
    advice = readable(payment(adjustments=PAID_IN_FULL))
    advice = replace(advice, remittance=replace(advice.remittance, trace=first))
    await receive_remittance(office.desk, advice, "file")
    deposit = Deposit(
        deposit_id="d1",
        trace_number="T1",
        trace_origin="1999999999",
        amount_cents=4800,
        effective_on=None,
        trace=second,
    )
    await receive_deposit(office.desk, deposit)
    assert office.resumed == [first]
