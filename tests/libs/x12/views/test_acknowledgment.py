"""The TA1, 999 and 277CA views."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from x12 import ViewError, check, read
from x12.views.acknowledgment import (
    ClaimAcknowledgment,
    ClaimStatus,
    ElementError,
    GroupAcknowledgment,
    InterchangeAcknowledgment,
    SegmentError,
    SetAcknowledgment,
    Status,
    build_277ca,
    build_999,
    build_ta1,
    read_277ca,
    read_999,
    read_ta1,
)
from x12.views.claim import build_837p
from x12_examples import CLAIM_ANSWER, CLAIMS, ENVELOPE, GROUP_ANSWER, one
from x12_strategies import codes, days, maybe, spans, words

# X12 times have no zone
_EARLIEST, _LATEST = datetime(2000, 1, 1), datetime(2060, 1, 1)  # noqa: DTZ001
_small = st.integers(0, 99)
_elements = st.builds(
    ElementError, position=st.integers(1, 30), code=codes(3), component=_small, repetition=_small,
    reference=maybe(codes(4)),
)  # fmt: skip
_errors = st.builds(
    SegmentError, segment_id=codes(3, 2), position=st.integers(1, 9999), code=codes(3), loop=maybe(codes(4)),
    elements=st.lists(_elements, max_size=3).map(tuple),
)  # fmt: skip
_sets = st.builds(
    SetAcknowledgment, code=codes(3, 3), control=codes(9, 4), status=st.sampled_from("AER"), guide=maybe(codes(12)),
    codes=st.lists(codes(3), max_size=5).map(tuple), errors=st.lists(_errors, max_size=3).map(tuple),
)  # fmt: skip
_groups = st.builds(
    GroupAcknowledgment, functional_code=codes(2, 2), group_control=st.integers(1, 10**9 - 1).map(str),
    guide=codes(12), status=st.sampled_from("AEPR"), included=_small, received=_small, accepted=_small,
    sets=st.lists(_sets, max_size=3).map(tuple), codes=st.lists(codes(3), max_size=5).map(tuple),
)  # fmt: skip
_statuses = st.builds(Status, category=codes(3), code=codes(3), entity=maybe(codes(3, 2)))
_claims = st.builds(
    lambda span, **fields: ClaimStatus(service_from=span[0], service_to=span[1], **fields),
    span=st.one_of(spans(), st.just((None, None))), control_number=codes(38),
    statuses=st.lists(_statuses, min_size=1, max_size=7).map(tuple), status_date=days,
    amount_cents=st.integers(0, 10**9), payer_claim_number=maybe(codes()), clearinghouse_number=maybe(codes()),
    last=maybe(words()), first=maybe(words()), member_id=maybe(codes(20, 2)), provider_npi=maybe(codes(10, 10)),
    provider_name=words(), provider_first=maybe(words()), provider_is_person=st.booleans(), message=maybe(words()),
)  # fmt: skip
_answers = st.builds(
    ClaimAcknowledgment, source_id=codes(20, 2), source_name=words(), submitter_id=codes(20, 2), submitter_name=words(),
    trace_number=codes(30, 8), batch_reference=codes(), received_date=days, processed_date=days,
    batch_status=_statuses, claims=st.lists(_claims, max_size=4).map(tuple), reference=maybe(codes(7)),
    source_entity=st.sampled_from(("PR", "AY")), source_id_qualifier=st.sampled_from(("PI", "46")),
    accepted_cents=maybe(st.integers(0, 10**9), None), rejected_cents=maybe(st.integers(0, 10**9), None),
)  # fmt: skip


@settings(max_examples=30, suppress_health_check=list(HealthCheck), deadline=None)
@given(_groups)
def test_any_999_comes_back(answer: GroupAcknowledgment) -> None:
    assert read_999(one(build_999(answer, ENVELOPE))) == answer


@settings(max_examples=30, suppress_health_check=list(HealthCheck), deadline=None)
@given(_answers)
def test_any_277ca_comes_back(answer: ClaimAcknowledgment) -> None:
    assert read_277ca(one(build_277ca(answer, ENVELOPE))) == answer


@given(st.datetimes(_EARLIEST, _LATEST), st.sampled_from("AER"))
def test_any_ta1_comes_back(created: datetime, status: str) -> None:
    answer = InterchangeAcknowledgment(
        control_number="000000042", created=created.replace(second=0, microsecond=0), status=status, note="022"
    )
    (interchange,) = read(build_ta1(answer, ENVELOPE))
    assert read_ta1(interchange) == [answer]
    assert check(interchange) == []


def test_the_examples_have_no_findings() -> None:
    assert check(one(build_999(GROUP_ANSWER, ENVELOPE))) == []
    assert check(one(build_277ca(CLAIM_ANSWER, ENVELOPE))) == []


def test_rejected_and_accepted_claims_are_told_apart() -> None:
    assert [claim.accepted for claim in CLAIM_ANSWER.claims] == [True, False]
    half = replace(CLAIM_ANSWER.claims[0], statuses=(Status(category="A2", code="20"), Status(category="A7", code="1")))
    assert not half.accepted
    assert not replace(half, statuses=()).accepted
    assert GROUP_ANSWER.rejected_sets == ("0001",)


def test_an_interchange_without_ta1_has_none() -> None:
    (interchange,) = read(build_837p(CLAIMS, ENVELOPE))
    assert read_ta1(interchange) == []


def test_a_claim_without_status_cannot_be_answered() -> None:
    with pytest.raises(ViewError):
        build_277ca(replace(CLAIM_ANSWER, claims=(replace(CLAIM_ANSWER.claims[0], statuses=()),)), ENVELOPE)


def test_samples_read(x12_corpus: Path) -> None:
    (path,) = (x12_corpus / "999").glob("*")
    answer = read_999(one(path.read_text("utf-8")))
    assert (answer.status, answer.included, answer.accepted) == ("P", 3, 1)
    assert answer.rejected_sets == ("0002", "0003")
    assert answer.sets[1].errors[0].elements == (ElementError(position=2, code="1", reference="782"),)
    (path,) = (x12_corpus / "277CA").glob("*")
    claims = read_277ca(one(path.read_text())).claims
    assert [(claim.control_number, claim.accepted, claim.amount_cents) for claim in claims] == [("5781", True, 12_500)]
