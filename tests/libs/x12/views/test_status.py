"""Claim status, question and answer: what goes out comes back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from x12 import ViewError, check, transaction_sets
from x12.views.acknowledgment import Status
from x12.views.parties import Member
from x12.views.status import (
    LineInquiry,
    LineStatus,
    StatusInfo,
    StatusInquiry,
    build_276,
    build_277,
    read_276,
    read_277,
)
from x12_examples import ENVELOPE, one
from x12_more_examples import DEPENDENT_INQUIRY, PENDED_INFO, STATUS_INFO, STATUS_INQUIRY
from x12_strategies import cents, codes, days, maybe, modifiers, spans, units, words

_statuses = st.builds(
    Status, category=st.sampled_from(("F1", "P3", "A4")), code=st.integers(0, 799).map(str), entity=maybe(codes(2, 2))
)
_many = st.lists(_statuses, min_size=1, max_size=5).map(tuple)
_dependents = st.builds(Member, words(), maybe(words()), st.just(""), maybe(days, None), maybe(st.sampled_from("FMU")))
_named = st.builds(Member, words(), maybe(words()), codes(20, 2))
_inquiry_lines = st.builds(
    lambda span, **fields: LineInquiry(date_from=span[0], date_to=span[1], **fields), span=spans(), code=codes(5, 5),
    charge_cents=cents, modifiers=modifiers, units=units, line_control=maybe(codes()),
)  # fmt: skip
_inquiries = st.builds(
    lambda span, **fields: replace(STATUS_INQUIRY, service_from=span[0], service_to=span[1], **fields),
    span=st.one_of(spans(), st.just((None, None))), dependent=maybe(_dependents, None), trace_number=codes(30),
    control_number=maybe(codes()), payer_claim_number=maybe(codes()), clearinghouse_number=maybe(codes()),
    charge_cents=maybe(cents, None), reference=maybe(codes(31, 31)),
    lines=st.lists(_inquiry_lines, max_size=2).map(tuple),
)  # fmt: skip
_info_lines = st.builds(
    lambda span, **fields: LineStatus(date_from=span[0], date_to=span[1], **fields), span=spans(), code=codes(5, 5),
    charge_cents=cents, paid_cents=cents, modifiers=modifiers, units=units, line_control=maybe(codes()),
    statuses=_many, status_date=days,
)  # fmt: skip
_infos = st.builds(
    lambda span, **fields: replace(STATUS_INFO, service_from=span[0], service_to=span[1], **fields),
    span=st.one_of(spans(), st.just((None, None))), dependent=maybe(st.builds(Member, words(), maybe(words())), None),
    subscriber=_named, statuses=_many, status_date=days, charge_cents=maybe(cents, None),
    paid_cents=maybe(cents, None), adjudicated=maybe(days, None), payment_date=maybe(days, None),
    payment_number=maybe(codes()), bill_type=maybe(codes(3, 3)), lines=st.lists(_info_lines, max_size=2).map(tuple),
)  # fmt: skip


@settings(max_examples=25, suppress_health_check=list(HealthCheck), deadline=None)
@given(_inquiries)
def test_any_question_comes_back(inquiry: StatusInquiry) -> None:
    assert read_276(one(build_276(inquiry, ENVELOPE))) == [inquiry]


@settings(max_examples=25, suppress_health_check=list(HealthCheck), deadline=None)
@given(_infos)
def test_any_answer_comes_back(info: StatusInfo) -> None:
    assert read_277(one(build_277(info, ENVELOPE))) == [info]


@pytest.mark.parametrize("inquiry", [STATUS_INQUIRY, DEPENDENT_INQUIRY], ids=["subscriber", "dependent"])
def test_example_questions_have_no_findings(inquiry: StatusInquiry) -> None:
    assert check(one(build_276(inquiry, ENVELOPE))) == []


@pytest.mark.parametrize("info", [STATUS_INFO, PENDED_INFO], ids=["paid", "pended"])
def test_example_answers_have_no_findings(info: StatusInfo) -> None:
    assert check(one(build_277(info, ENVELOPE))) == []


def test_final_and_unknown() -> None:
    assert (STATUS_INFO.is_final, STATUS_INFO.is_unknown) == (True, False)
    assert (PENDED_INFO.is_final, PENDED_INFO.is_unknown) == (False, False)
    lost = replace(STATUS_INFO, statuses=(Status(category="A4", code="35"),))
    assert (lost.is_final, lost.is_unknown) == (False, True)


def test_an_answer_needs_a_status() -> None:
    with pytest.raises(ViewError):
        build_277(replace(STATUS_INFO, statuses=()), ENVELOPE)


def test_question_and_answer_are_told_apart() -> None:
    with pytest.raises(ViewError):
        read_277(one(build_276(STATUS_INQUIRY, ENVELOPE)))
    with pytest.raises(ViewError):
        read_276(one(build_277(STATUS_INFO, ENVELOPE)))


def test_the_published_sample_is_read(x12_corpus: Path) -> None:
    (transaction,) = transaction_sets((x12_corpus / "277" / "stupidedi--1.era").read_bytes())
    (info,) = read_277(transaction)
    assert info.statuses == (Status(category="P5", code="3"),)
    assert (info.charge_cents, info.provider_is_person) == (21_100, False)
    assert info.service_to is None
