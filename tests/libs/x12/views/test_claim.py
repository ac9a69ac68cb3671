"""The 837P view: what goes out comes back, in the structure of the guide."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from x12 import Delimiters, ViewError, check
from x12.views.claim import (
    Accident,
    BillingProvider,
    Claim837,
    ClaimLine,
    Coverage,
    Drug,
    LineAdjudication,
    OtherCoverage,
    Receiver,
    Submitter,
    build_837p,
    read_837p,
)
from x12.views.eligibility import build_270
from x12.views.parties import Member
from x12_examples import CLAIM, CLAIMS, DEPENDENT_CLAIM, ENVELOPE, INQUIRY, SECONDARY_CLAIM, one
from x12_strategies import (
    addresses,
    adjustment_lists,
    cents,
    codes,
    contacts,
    days,
    diagnoses,
    maybe,
    members,
    modifiers,
    payers,
    providers,
    spans,
    units,
    words,
)

_coverages = st.builds(
    Coverage, responsibility=st.sampled_from("PST"), filing_indicator=st.sampled_from(("CI", "MB")),
    group_number=maybe(codes()), group_name=maybe(words()), insurance_type=maybe(st.just("12")),
)  # fmt: skip
_billing = st.builds(
    BillingProvider, npi=codes(10, 10), tax_id=codes(9, 9), name=words(), address=addresses, taxonomy=maybe(codes(10)),
    first=maybe(words()), is_person=st.booleans(), contact=maybe(contacts, None),
    tax_id_qualifier=st.sampled_from(("EI", "SY")),
)  # fmt: skip
_adjudications = st.builds(
    LineAdjudication, payer_id=codes(10, 2), paid_cents=cents, code=codes(5, 5), paid_date=days, modifiers=modifiers,
    units=units, adjustments=adjustment_lists, remaining_cents=maybe(cents, None),
)  # fmt: skip
_drugs = st.builds(Drug, ndc=codes(11, 11), quantity=units, unit=st.just("ML"), prescription=maybe(codes()))
_lines = st.builds(
    lambda span, **fields: ClaimLine(date_from=span[0], date_to=span[1], **fields),
    span=spans(), code=codes(5, 5), charge_cents=cents, units=units,
    pointers=st.lists(st.integers(1, 12), min_size=1, max_size=4).map(tuple), line_control=maybe(codes(30)),
    modifiers=modifiers, unit=st.sampled_from(("UN", "MJ")), place_of_service=maybe(codes(2, 2)),
    emergency=st.booleans(), description=maybe(words()), note=maybe(words()), rendering=maybe(providers(True), None),
    ordering=maybe(providers(address=True), None), referring=maybe(providers(), None),
    drug=maybe(_drugs, None),
    adjudications=st.lists(_adjudications, max_size=2).map(tuple),
)  # fmt: skip
_payer_members = st.builds(Member, words(), maybe(words()), codes(20, 2), address=maybe(addresses, None))
_others = st.builds(
    OtherCoverage, payer=payers, subscriber=_payer_members, coverage=_coverages, relationship=st.just("01"),
    adjustments=adjustment_lists, paid_cents=maybe(cents, None), remaining_cents=maybe(cents, None),
    non_covered_cents=maybe(cents, None), assignment=st.sampled_from("YNW"), release=st.sampled_from("YI"),
    paid_date=maybe(days, None), claim_control=maybe(codes()),
)  # fmt: skip
_accidents = st.builds(
    Accident, date=days, auto=st.booleans(), employment=st.booleans(), other=st.booleans(), state=maybe(codes(2, 2))
)
_claims = st.builds(
    Claim837, control_number=codes(17), total_cents=cents, place_of_service=codes(2, 2),
    submitter=st.just(CLAIM.submitter), receiver=st.just(CLAIM.receiver), billing=_billing, subscriber=members(),
    payer=payers,
    diagnoses=st.lists(diagnoses, min_size=1, max_size=11).map(lambda found: (CLAIM.diagnoses[0], *found)),
    lines=st.lists(_lines, min_size=1, max_size=3).map(tuple), frequency=st.sampled_from("178"), coverage=_coverages,
    patient=maybe(members(member_id=False, related=True), None), prior_authorization=maybe(codes()),
    referral_number=maybe(codes()), payer_claim_control=maybe(codes()), clia=maybe(codes()),
    rendering=maybe(providers(True), None), referring=maybe(providers(), None), supervising=maybe(providers(), None),
    service_facility=maybe(providers(address=True), None), accident=maybe(_accidents, None),
    onset_date=maybe(days, None), admission_date=maybe(days, None), discharge_date=maybe(days, None),
    patient_paid_cents=maybe(cents, None), other_coverages=st.lists(_others, max_size=2).map(tuple),
    assignment=st.sampled_from("ABC"), benefits_assigned=st.sampled_from("YNW"), release=st.sampled_from("YI"),
    signature_on_file=st.booleans(), note=maybe(words()),
)  # fmt: skip


@settings(max_examples=25, suppress_health_check=list(HealthCheck), deadline=None)
@given(_claims)
def test_any_claim_comes_back(claim: Claim837) -> None:
    assert read_837p(one(build_837p([claim], ENVELOPE))) == [claim]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from(CLAIMS), min_size=1, max_size=6), st.lists(st.integers(0, 2), min_size=6, max_size=6))
def test_many_claims_come_back_grouped(chosen: list[Claim837], owners: list[int]) -> None:
    """Claims of several billing providers and subscribers, in any order, all come back once."""
    claims = [
        replace(claim, control_number=f"N{at}", subscriber=replace(claim.subscriber, member_id=f"MEM{owner}"))
        for at, (claim, owner) in enumerate(zip(chosen, owners, strict=False))
    ]
    found = read_837p(one(build_837p(claims, ENVELOPE)))
    assert sorted(found, key=lambda claim: claim.control_number) == claims


def test_the_examples_have_no_findings() -> None:
    assert check(one(build_837p(CLAIMS, ENVELOPE))) == []


def test_hierarchy_of_one_provider_two_levels() -> None:
    transaction = one(build_837p(CLAIMS, ENVELOPE))
    levels = [segment.elements for segment in transaction.segments if segment.id == "HL"]
    assert levels == [
        ("1", "", "20", "1"),
        ("2", "1", "22", "0"),
        ("3", "1", "22", "1"),
        ("4", "3", "23", "0"),
        ("5", "1", "22", "0"),
    ]


def test_two_other_payers_both_come_back() -> None:
    (claim,) = read_837p(one(build_837p([SECONDARY_CLAIM], ENVELOPE)))
    assert [other.payer.id for other in claim.other_coverages] == ["PAYER02", "PAYER03"]


def test_modifiers_are_never_dropped() -> None:
    line = replace(CLAIM.lines[0], modifiers=("25", "59", "LT", "GT"))
    (claim,) = read_837p(one(build_837p([replace(CLAIM, lines=(line,))], ENVELOPE)))
    assert claim.lines[0].modifiers == ("25", "59", "LT", "GT")


@pytest.mark.parametrize("mark", "*~:^")
def test_a_delimiter_in_a_name_is_refused_and_not_shown(mark: str) -> None:
    hostile = replace(CLAIM, subscriber=replace(CLAIM.subscriber, last=f"OR{mark}CHARD"))
    with pytest.raises(ViewError) as caught:
        build_837p([hostile], ENVELOPE)
    assert caught.value.path == "837P NM103"
    assert "CHARD" not in str(caught.value)


@pytest.mark.parametrize("value", ["LINE\nBREAK", "\u4e2d", "\x00", "TAB\t"])
def test_what_x12_cannot_carry_is_refused(value: str) -> None:
    with pytest.raises(ViewError):
        build_837p([replace(CLAIM, note=value)], ENVELOPE)


def test_other_delimiters_allow_other_characters() -> None:
    marks = Delimiters("|", ">", "!", "\x1e")
    claim = replace(CLAIM, note="A*B~C:D^E")
    text = build_837p([claim], replace(ENVELOPE, delimiters=marks))
    assert read_837p(one(text)) == [claim]


def test_accents_are_folded() -> None:
    claim = replace(CLAIM, subscriber=replace(CLAIM.subscriber, last="Núñez"))
    (found,) = read_837p(one(build_837p([claim], ENVELOPE)))
    assert found.subscriber.last == "Nunez"


@pytest.mark.parametrize(
    "claim",
    [
        replace(CLAIM, control_number="X" * 18),
        replace(CLAIM, control_number=""),
        replace(CLAIM, diagnoses=CLAIM.diagnoses * 7),
        replace(CLAIM, lines=(replace(CLAIM.lines[0], modifiers=("25",) * 5),)),
        replace(CLAIM, lines=(replace(CLAIM.lines[0], pointers=(1, 2, 3, 4, 5)),)),
        replace(CLAIM, note="X" * 81),
    ],
)
def test_what_does_not_fit_is_refused(claim: Claim837) -> None:
    with pytest.raises(ViewError):
        build_837p([claim], ENVELOPE)


def test_one_set_has_one_submitter_and_receiver_and_at_least_one_claim() -> None:
    for claims in ([], [CLAIM, replace(CLAIM, submitter=Submitter(id="B", name="B", contact=CLAIM.submitter.contact))],
                   [CLAIM, replace(CLAIM, receiver=Receiver(id="B", name="B"))]):  # fmt: skip
        with pytest.raises(ViewError):
            build_837p(claims, ENVELOPE)


def test_reading_another_set_is_refused() -> None:
    with pytest.raises(ViewError):
        read_837p(one(build_270(INQUIRY, ENVELOPE)))


def test_bad_amounts_and_dates_are_refused_with_their_path() -> None:
    text = build_837p([DEPENDENT_CLAIM], ENVELOPE)
    with pytest.raises(ViewError) as amount:
        read_837p(one(text.replace("*125.5*", "*125.555*")))
    assert amount.value.path == "837P/2300/CLM02"
    with pytest.raises(ViewError) as when:
        read_837p(one(text.replace("DTP*472*D8*20260105", "DTP*472*D8*20261305")))
    assert when.value.path == "837P/2400/DTP*472"
