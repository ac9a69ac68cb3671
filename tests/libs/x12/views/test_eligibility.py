"""The 270 and 271 views."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from x12 import ViewError, check
from x12.views.eligibility import (
    Benefit,
    EligibilityInquiry,
    EligibilityReply,
    OtherPayer,
    build_270,
    build_271,
    read_270,
    read_271,
)
from x12.views.parties import Rejection
from x12_examples import DEPENDENT, ENVELOPE, INQUIRY, REPLY, one
from x12_strategies import cents, codes, days, maybe, members, spans, words

_identity = {
    "payer_id": codes(20, 2), "payer_name": words(), "provider_npi": codes(10, 10), "provider_name": words(),
    "provider_first": maybe(words()), "provider_is_person": st.booleans(), "trace_number": codes(30, 8),
    "reference": maybe(codes(7, 2)), "trace_origin": codes(10, 10), "payer_id_qualifier": st.sampled_from(("PI", "XV")),
}  # fmt: skip
_inquiries = st.builds(
    lambda span, **fields: EligibilityInquiry(service_date=span[0], service_date_to=span[1], **fields),
    span=st.one_of(spans(), st.just((None, None))), subscriber=members(group=True),
    dependent=maybe(members(member_id=False, group=True, related=True), None),
    service_types=st.lists(codes(2), min_size=1, max_size=4).map(tuple), **_identity,
)  # fmt: skip
_others = st.builds(
    OtherPayer, name=words(), id=codes(20, 2), responsibility=st.sampled_from(("", "P", "S", "T")),
    member_id=maybe(codes(20, 2)),
)  # fmt: skip


def _benefit(
    span: tuple[date | None, date | None], procedure: tuple[str, str], other: OtherPayer | None, **fields: object
) -> Benefit:
    code = {"code": "R"} if other else {}
    return Benefit(
        **{**fields, **code},  # type: ignore[arg-type]
        date_from=span[0], date_to=span[1], procedure_qualifier=procedure[0], procedure=procedure[1], other_payer=other,
    )  # fmt: skip


_benefits = st.builds(
    _benefit, span=st.one_of(spans(), st.just((None, None))), other=maybe(_others, None),
    procedure=st.one_of(st.just(("", "")), st.tuples(st.just("HC"), codes(5, 5))), code=codes(2),
    service_types=st.lists(codes(2), max_size=4).map(tuple), level=maybe(codes(3, 3)), insurance_type=maybe(codes(2)),
    plan=maybe(words()), period=maybe(codes(2)), amount_cents=maybe(cents, None), percent=maybe(st.just("0.2")),
    quantity_qualifier=maybe(st.just("VS")), quantity=maybe(st.just("12")), authorization=maybe(st.sampled_from("YNU")),
    network=maybe(st.sampled_from("YNUW")), messages=st.lists(words(), max_size=3).map(tuple),
)  # fmt: skip
_LEVELS = ("2000A", "2100A", "2100B", "2100C", "2100D")


def _rejections(levels: tuple[str, ...]) -> st.SearchStrategy[tuple[Rejection, ...]]:
    one_rejection = st.builds(Rejection, st.sampled_from(levels), codes(2, 2), maybe(codes(1)), st.booleans())
    return st.lists(one_rejection, max_size=4).map(
        lambda found: tuple(sorted(found, key=lambda item: _LEVELS.index(item.level)))
    )


_replies = st.builds(
    EligibilityReply, subscriber=members(group=True), benefits=st.lists(_benefits, max_size=4).map(tuple),
    dependent=st.none(), rejections=_rejections(_LEVELS[:4]), plan_begin=maybe(days, None), plan_end=maybe(days, None),
    service_date=maybe(days, None), **_identity,
)  # fmt: skip
_dependent_replies = st.builds(
    EligibilityReply, subscriber=members(group=True), benefits=st.lists(_benefits, max_size=4).map(tuple),
    dependent=members(member_id=False, related=True), rejections=_rejections(_LEVELS), **_identity,
)  # fmt: skip


@settings(max_examples=30, suppress_health_check=list(HealthCheck), deadline=None)
@given(_inquiries)
def test_any_question_comes_back(inquiry: EligibilityInquiry) -> None:
    assert read_270(one(build_270(inquiry, ENVELOPE))) == [inquiry]


@settings(max_examples=30, suppress_health_check=list(HealthCheck), deadline=None)
@given(st.one_of(_replies, _dependent_replies))
def test_any_answer_comes_back(reply: EligibilityReply) -> None:
    assert read_271(one(build_271(reply, ENVELOPE))) == [reply]


def test_the_examples_have_no_findings() -> None:
    for inquiry in (INQUIRY, replace(INQUIRY, dependent=DEPENDENT)):
        assert check(one(build_270(inquiry, ENVELOPE))) == []
    for reply in (REPLY, replace(REPLY, dependent=DEPENDENT)):
        assert check(one(build_271(reply, ENVELOPE))) == []


@pytest.mark.parametrize("level", ["2000A", "2100A", "2100B"])
def test_a_refusal_above_the_subscriber_has_no_people(level: str) -> None:
    refused = replace(
        REPLY, subscriber=None, benefits=(), plan_begin=None, trace_number="", reference="REF1",
        rejections=(Rejection(level, "42", "R"),),
    )  # fmt: skip
    transaction = one(build_271(refused, ENVELOPE))
    assert read_271(transaction) == [refused]
    assert [item for item in check(transaction) if item.is_error] == []


def test_active_says_yes_no_and_nothing() -> None:
    assert REPLY.active() is True
    assert REPLY.active("98") is True
    assert REPLY.active("35") is True  # the plan's own status stands for types that the payer does not mention
    inactive = replace(REPLY, benefits=(Benefit(code="6", service_types=("30",)),))
    assert inactive.active() is False
    assert replace(REPLY, benefits=()).active() is None
    assert replace(REPLY, benefits=(Benefit(code="B", service_types=("30",)),)).active() is None


def test_copay_and_other_payers_are_found() -> None:
    assert [benefit.amount_cents for benefit in REPLY.of("B")] == [2_500]
    assert REPLY.of("G") == ()
    assert [payer.id for payer in REPLY.other_payers] == ["PAYER02"]


def test_repeats_need_a_repetition_separator() -> None:
    plain = replace(ENVELOPE, delimiters=replace(ENVELOPE.delimiters, repetition=""))
    with pytest.raises(ViewError) as caught:
        build_271(REPLY, plain)
    assert caught.value.path == "271 EB03"


def test_samples_read(x12_corpus: Path) -> None:
    (path,) = (x12_corpus / "270").glob("stupidedi*")
    (inquiry,) = read_270(one(path.read_text()))
    assert inquiry.dependent is not None
    assert inquiry.service_types == ("30",)
    (path,) = (x12_corpus / "271").glob("stupidedi*")
    (reply,) = read_271(one(path.read_text()))
    assert reply.subscriber is None
    assert reply.rejections == (Rejection("2100B", "50", "N", True),)
