"""How claims are decided: every reason to deny where it holds and where it must not, and amounts that add up."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel.period import Period
from simulator.adjudicate import adjudicate, half_up, reverse, service_key, share_line
from simulator_world import RULES, TODAY, Memory, a_case, a_claim, a_line, a_member
from x12.views.claim import Drug
from x12.views.parties import Provider

A, B = RULES.payers["SYNPA"], RULES.payers["SYNPB"]
NDC = Drug(ndc="99999330101", quantity="4", unit="ML")


def reasons(case) -> list[list[str]]:
    payment = adjudicate(case, "A1").payment
    return [[f"{a.group}-{a.reason}" for a in line.adjustments] for line in payment.lines]


def test_an_office_visit_of_payer_a_costs_the_patient_copay_and_coinsurance() -> None:
    payment = adjudicate(a_case(a_claim()), "A1").payment
    (line,) = payment.lines
    assert line.allowed_cents == 9300  # 60 % of 155.00
    assert [(a.group, a.reason, a.amount_cents) for a in line.adjustments] == [
        ("CO", "45", 6200),
        ("PR", "2", 1360),
        ("PR", "3", 2500),
    ]
    assert (payment.paid_cents, payment.patient_responsibility_cents, payment.status) == (5440, 3860, "1")


def test_a_laboratory_line_has_no_copay() -> None:
    assert share_line(A, "80053", 6000).copay_cents == 0


def test_payer_b_takes_the_deductible_of_members_whose_id_ends_in_seven() -> None:
    first = adjudicate(a_case(a_claim(letter="B", digit="7")), "B1")
    assert first.deductible_cents == 7750  # all of 50 % of 155.00
    assert first.payment.paid_cents == 0
    second = adjudicate(a_case(a_claim(letter="B", digit="7"), Memory(deductible=7750)), "B2")
    assert second.deductible_cents == 2250
    assert adjudicate(a_case(a_claim(letter="B", digit="0")), "B3").deductible_cents == 0
    assert adjudicate(a_case(a_claim(letter="A", digit="7")), "A4").deductible_cents == 0


def test_the_deductible_is_shared_by_the_lines_of_a_claim() -> None:
    claim = a_claim(a_line(), a_line("80053", 20000), letter="B", digit="7")
    decided = adjudicate(a_case(claim), "B1")
    assert decided.deductible_cents == 10000


def test_every_behaviour_of_a_member_id() -> None:
    both = (a_line(), a_line("80053", 6000))
    assert reasons(a_case(a_claim(*both, digit="9"))) == [["CO-50"], ["CO-50"]]
    assert reasons(a_case(a_claim(*both, digit="6"))) == [["CO-45", "PR-2", "PR-3"], ["CO-50"]]
    assert reasons(a_case(a_claim(digit="6"))) == [["CO-45", "PR-2", "PR-3"]]  # a single line is paid
    for digit in "0123457":
        assert ["CO-50"] not in reasons(a_case(a_claim(*both, digit=digit)))


def test_the_smallest_line_is_refused_wherever_it_stands() -> None:
    swapped = a_claim(a_line("80053", 6000), a_line(), digit="6")
    assert reasons(a_case(swapped))[0] == ["CO-50"]


def test_authorization_is_asked_for_where_the_payer_wants_it() -> None:
    memory = Memory()
    member = a_member().member_id
    span = Period(TODAY - timedelta(days=1), TODAY + timedelta(days=1))
    given = memory.grant("SYNPA", member, "72148", span)
    spine = a_line("72148", 135000)
    assert reasons(a_case(a_claim(spine), memory)) == [["CO-197"]]
    good = a_claim(spine, prior_authorization=given.number)
    assert reasons(a_case(good, memory)) == [["CO-45", "PR-2"]]
    assert reasons(a_case(replace(good, prior_authorization="AUTH99999999"), memory)) == [["CO-197"]]
    assert reasons(a_case(replace(good, lines=(a_line("74177", 165000),)), memory)) == [["CO-197"]]
    other = replace(good, subscriber=a_member(index=2))
    assert reasons(a_case(other, memory)) == [["CO-197"]]
    later = replace(good, lines=(replace(spine, date_from=TODAY - timedelta(days=9)),))
    assert reasons(a_case(later, memory)) == [["CO-197"]]
    assert reasons(a_case(a_claim(spine, letter="B"), memory)) == [["CO-45", "PR-2"]]  # B wants none for the spine


def test_coverage_must_be_in_force() -> None:
    assert reasons(a_case(a_claim(subscriber=a_member(lapsed=True)))) == [["CO-27"]]
    then = a_line(date_from=date(2014, 5, 1))
    assert reasons(a_case(a_claim(then), received=date(2014, 5, 2))) == [["CO-27"]]


@pytest.mark.parametrize(("letter", "days"), [("A", 180), ("B", 365)])
def test_late_claims(letter: str, days: int) -> None:
    at_the_limit = a_claim(a_line(date_from=TODAY - timedelta(days=days)), letter=letter)
    assert ["CO-29"] not in reasons(a_case(at_the_limit))
    late = a_claim(a_line(date_from=TODAY - timedelta(days=days + 1)), letter=letter)
    assert reasons(a_case(late)) == [["CO-29"]]


def test_the_same_service_under_another_number_is_a_duplicate() -> None:
    claim = a_claim()
    key = ("SYNPA", claim.subscriber.member_id, service_key(claim, claim.lines[0]))
    memory = Memory(services={key: "B0000"})
    assert reasons(a_case(claim, memory)) == [["CO-18"]]
    assert ["CO-18"] not in reasons(a_case(replace(claim, control_number="B0000"), memory))
    assert ["CO-18"] not in reasons(a_case(replace(claim, frequency="7"), memory))
    assert ["CO-18"] not in reasons(a_case(a_claim(a_line(modifiers=("25",))), memory))


def test_a_drug_needs_its_ndc() -> None:
    bare, labelled = a_line("J3301", 1600), a_line("J3301", 1600, drug=NDC)
    payment = adjudicate(a_case(a_claim(bare)), "A1").payment
    assert (reasons(a_case(a_claim(bare))), payment.lines[0].remark_codes) == ([["CO-16"]], ("M119",))
    assert reasons(a_case(a_claim(labelled))) == [["CO-45", "PR-2"]]


def test_somebody_must_have_rendered_the_service() -> None:
    claim = a_claim(rendering=Provider(""))
    assert adjudicate(a_case(claim), "A1").payment.lines[0].remark_codes == ("N290",)
    assert adjudicate(a_case(a_claim()), "A1").payment.lines[0].remark_codes == ()


def test_an_evaluation_beside_a_procedure_needs_modifier_25() -> None:
    injection = a_line("96372", 6000)
    assert reasons(a_case(a_claim(a_line(), injection)))[0] == ["CO-97"]
    assert reasons(a_case(a_claim(a_line(modifiers=("25",)), injection)))[0] == ["CO-45", "PR-2", "PR-3"]
    assert reasons(a_case(a_claim(a_line(), a_line("80053", 6000))))[0] == ["CO-45", "PR-2", "PR-3"]


LINES = st.lists(
    st.tuples(st.sampled_from(["99213", "80053", "96372", "J3301", "70551", "71046"]), st.integers(1, 500_000)),
    min_size=1,
    max_size=6,
)


@given(LINES, st.sampled_from("AB"), st.sampled_from("0123456789"), st.integers(0, 12_000))
def test_paid_and_taken_off_always_make_the_charge(rows, letter, digit, used) -> None:
    claim = a_claim(*(a_line(code, cents) for code, cents in rows), letter=letter, digit=digit)
    payment = adjudicate(a_case(claim, Memory(deductible=used)), "X1").payment
    for line, billed in zip(payment.lines, claim.lines, strict=True):
        assert line.paid_cents >= 0
        assert billed.charge_cents == line.paid_cents + sum(a.amount_cents for a in line.adjustments)
        assert all(a.amount_cents for a in line.adjustments)
    assert payment.paid_cents == sum(line.paid_cents for line in payment.lines)
    taken = [a.amount_cents for line in payment.lines for a in line.adjustments if a.group == "PR"]
    assert payment.patient_responsibility_cents == sum(taken)


@given(LINES)
def test_a_reversal_takes_back_exactly(rows) -> None:
    payment = adjudicate(a_case(a_claim(*(a_line(code, cents) for code, cents in rows))), "X1").payment
    back = reverse(payment)
    assert (back.status, back.control_number, back.is_reversal) == ("22", payment.control_number, True)
    assert back.charge_cents + payment.charge_cents == back.paid_cents + payment.paid_cents == 0
    for line, original in zip(back.lines, payment.lines, strict=True):
        sums = [sum(a.amount_cents for a in part.adjustments) for part in (line, original)]
        assert sum(sums) == 0


@pytest.mark.parametrize(
    ("cents", "percent", "expected"), [(1, 50, 1), (1, 49, 0), (155, 60, 93), (5, 10, 1), (4, 10, 0)]
)
def test_half_a_cent_goes_up(cents: int, percent: int, expected: int) -> None:
    assert half_up(cents, percent) == expected
