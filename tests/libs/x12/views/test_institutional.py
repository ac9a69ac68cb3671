"""The 837I view: what goes out comes back, in the structure of the guide."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from x12 import ViewError, check
from x12.views.claim import (
    Admission,
    Drug,
    InstitutionalClaim,
    InstitutionalLine,
    LineAdjudication,
    Occurrence,
    Procedure,
    ValueCode,
    build_837i,
    build_837p,
    read_837i,
)
from x12.views.parties import Diagnosis
from x12_examples import CLAIM, ENVELOPE, one
from x12_more_examples import INPATIENT, OUTPATIENT
from x12_strategies import adjustment_lists, cents, codes, days, maybe, modifiers, providers, spans, units, words

_hours = st.builds(time, st.integers(0, 23), st.integers(0, 59))
_adjudications = st.builds(
    LineAdjudication, payer_id=codes(10, 2), paid_cents=cents, code=codes(5, 5), paid_date=days, modifiers=modifiers,
    units=units, adjustments=adjustment_lists, remaining_cents=maybe(cents, None),
)  # fmt: skip
_procedures = st.tuples(codes(5, 5), modifiers, maybe(words()))
_lines = st.builds(
    lambda span, procedure, **fields: InstitutionalLine(
        date_from=span[0], date_to=span[1], **fields,
        **(dict(zip(("code", "modifiers", "description"), procedure, strict=True)) if procedure else {}),
    ),
    span=st.one_of(st.just((None, None)), spans()), procedure=maybe(_procedures, None), revenue_code=codes(4, 4),
    charge_cents=cents, units=units, unit=st.sampled_from(("UN", "DA")), non_covered_cents=maybe(cents, None),
    line_control=maybe(codes(30)), drug=maybe(st.just(Drug(ndc="00026063512", quantity="1", unit="ML")), None),
    adjudications=st.lists(_adjudications, max_size=2).map(tuple),
)  # fmt: skip
_several = {"min_size": 0, "max_size": 14}
_others = st.builds(Diagnosis, codes(7, 3), st.just("ABF"), maybe(st.sampled_from("YNUW")))
_occurrences = st.tuples(
    st.lists(spans().filter(lambda span: span[1] is not None), max_size=14), st.lists(days, max_size=14)
).map(lambda found: (*(Occurrence("70", *span) for span in found[0]), *(Occurrence("11", day) for day in found[1])))
_claims = st.builds(
    lambda span, principal, others, **fields: replace(
        INPATIENT, statement_from=span[0], statement_to=span[1] or span[0], diagnoses=(principal, *others), **fields
    ),
    span=spans(), principal=st.builds(Diagnosis, codes(7, 3), st.just("ABK"), maybe(st.sampled_from("YN"))),
    others=st.lists(_others, **_several), control_number=codes(17), total_cents=cents, facility_type=codes(2, 2),
    patient_status=codes(2, 2), frequency=st.sampled_from("123478"), discharge_time=maybe(_hours, None),
    admission=maybe(st.builds(Admission, date=days, time=maybe(_hours, None), type=codes(1), source=codes(1)), None),
    admitting_diagnosis=maybe(codes(7, 3)), visit_reasons=st.lists(codes(7, 3), max_size=3).map(tuple),
    external_causes=st.lists(st.builds(Diagnosis, codes(7, 3), st.just("ABN")), max_size=12).map(tuple),
    drg=maybe(codes(4, 3)), principal_procedure=maybe(st.builds(Procedure, codes(7, 7), maybe(days, None)), None),
    procedures=st.lists(st.builds(Procedure, codes(7, 7), maybe(days, None)), **_several).map(tuple),
    occurrences=_occurrences, values=st.lists(st.builds(ValueCode, codes(2, 2), cents), **_several).map(tuple),
    conditions=st.lists(codes(2, 2), **_several).map(tuple), treatments=st.lists(codes(2, 2), **_several).map(tuple),
    attending=maybe(providers(True), None), operating=maybe(providers(), None), rendering=maybe(providers(), None),
    other_operating=maybe(providers(), None), referring=maybe(providers(), None),
    service_facility=maybe(providers(address=True), None), payer_claim_control=maybe(codes()),
    referral_number=maybe(codes()), medical_record=maybe(codes()), accident_state=maybe(codes(2, 2)),
    estimated_due_cents=maybe(cents, None), note=maybe(words()),
    lines=st.lists(_lines, min_size=1, max_size=3).map(tuple),
)  # fmt: skip


@settings(max_examples=25, suppress_health_check=list(HealthCheck), deadline=None)
@given(_claims)
def test_any_claim_comes_back(claim: InstitutionalClaim) -> None:
    assert read_837i(one(build_837i([claim], ENVELOPE))) == [claim]


def test_the_examples_come_back_without_findings() -> None:
    transaction = one(build_837i([INPATIENT, OUTPATIENT], ENVELOPE))
    assert check(transaction) == []
    assert read_837i(transaction) == [INPATIENT, OUTPATIENT]


def test_the_codes_stand_in_the_order_of_the_guide() -> None:
    transaction = one(build_837i([INPATIENT], ENVELOPE))
    kinds = [segment.get(1).split(":")[0] for segment in transaction.segments if segment.id == "HI"]
    assert kinds == ["ABK", "ABJ", "ABN", "DR", "ABF", "BBR", "BBQ", "BI", "BH", "BE", "BG"]
    assert "HI*ABK:I2510:::::::Y~" in build_837i([INPATIENT], ENVELOPE)


def test_a_type_of_bill_and_an_admission_hour() -> None:
    text = build_837i([INPATIENT], ENVELOPE)
    assert "CLM*CTRL0101*1500***11:A:1**A*Y*Y~" in text
    assert "DTP*435*DT*202601020815~CL1*1*1*01~" in text


@pytest.mark.parametrize(
    "claim",
    [
        replace(INPATIENT, control_number="X" * 18),
        replace(INPATIENT, diagnoses=()),
        replace(INPATIENT, visit_reasons=("R079",) * 4),
        replace(INPATIENT, conditions=("C1",) * 25),
        replace(INPATIENT, lines=(replace(OUTPATIENT.lines[0], modifiers=("25",) * 5),)),
        replace(INPATIENT, note="TIL~DE"),
    ],
)
def test_what_does_not_fit_is_refused(claim: InstitutionalClaim) -> None:
    with pytest.raises(ViewError):
        build_837i([claim], ENVELOPE)


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ("DTP*434*RD8*20260102", "DTP*434*RD8*20261302", "837I/2300/DTP*434"),
        ("DTP*096*TM*1130", "DTP*096*TM*2530", "837I/2300/DTP*096"),
        ("DTP*435*DT*202601020815", "DTP*435*DT*2026010X", "837I/2300/DTP*435"),
        ("0120**900*", "0120**900.005*", "837I/2400/SV203"),
        ("BE:80:::3", "BE:80:::X", "837I/2300/HI-5"),
    ],
)
def test_bad_amounts_and_dates_are_refused_with_their_path(old: str, new: str, path: str) -> None:
    text = build_837i([INPATIENT], ENVELOPE)
    assert old in text
    with pytest.raises(ViewError) as caught:
        read_837i(one(text.replace(old, new)))
    assert caught.value.path == path


def test_reading_a_professional_claim_is_refused() -> None:
    with pytest.raises(ViewError):
        read_837i(one(build_837p([CLAIM], ENVELOPE)))


def test_a_period_of_one_day_keeps_both_ends() -> None:
    claim = replace(INPATIENT, statement_from=date(2026, 1, 5))
    (found,) = read_837i(one(build_837i([claim], ENVELOPE)))
    assert (found.statement_from, found.statement_to) == (date(2026, 1, 5), date(2026, 1, 5))
