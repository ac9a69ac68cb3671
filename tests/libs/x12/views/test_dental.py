"""The 837D view: what goes out comes back."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from x12 import ViewError, check
from x12.views.claim import DentalClaim, DentalLine, Tooth, build_837d, build_837p, read_837d
from x12_examples import CLAIM, ENVELOPE, one
from x12_more_examples import DENTAL, PREDETERMINATION
from x12_strategies import cents, codes, days, maybe, modifiers, providers, spans, units

_surfaces = st.lists(st.sampled_from("BDFILMO"), max_size=5).map(tuple)
_lines = st.builds(
    DentalLine, code=codes(5, 5), charge_cents=cents, units=maybe(units), modifiers=modifiers,
    place_of_service=maybe(codes(2, 2)), cavities=st.lists(codes(2), max_size=5).map(tuple),
    prosthesis=st.sampled_from(("", "I", "R")), pointers=st.lists(st.integers(1, 4), max_size=4).map(tuple),
    teeth=st.lists(st.builds(Tooth, codes(2), _surfaces), max_size=32).map(tuple), service_date=maybe(days, None),
    prior_placement=maybe(days, None), line_control=maybe(codes(30)), rendering=maybe(providers(True), None),
)  # fmt: skip
_claims = st.builds(
    lambda span, **fields: replace(DENTAL, service_from=span[0], service_to=span[1], **fields),
    span=st.one_of(spans(), st.just((None, None))), control_number=codes(17), total_cents=cents,
    predetermination=st.booleans(), predetermination_number=maybe(codes()), payer_claim_control=maybe(codes()),
    referring=maybe(providers(True), None), rendering=maybe(providers(True), None),
    service_facility=maybe(providers(address=True), None), patient_paid_cents=maybe(cents, None),
    lines=st.lists(_lines, min_size=1, max_size=3).map(tuple),
)  # fmt: skip


@settings(max_examples=25, suppress_health_check=list(HealthCheck), deadline=None)
@given(_claims)
def test_any_claim_comes_back(claim: DentalClaim) -> None:
    assert read_837d(one(build_837d([claim], ENVELOPE))) == [claim]


def test_the_examples_come_back_without_findings() -> None:
    transaction = one(build_837d([DENTAL, PREDETERMINATION], ENVELOPE))
    assert check(transaction) == []
    assert read_837d(transaction) == [DENTAL, PREDETERMINATION]


def test_teeth_and_surfaces() -> None:
    text = build_837d([DENTAL], ENVELOPE)
    assert "SV3*AD:D2393*190*********1~TOO*JP*14*M:O:D~TOO*JP*15~" in text
    assert "SV3*AD:D5214*100**10:20*R*1~" in text


@pytest.mark.parametrize(
    "claim",
    [
        replace(DENTAL, diagnoses=DENTAL.diagnoses * 5),
        replace(DENTAL, lines=(replace(DENTAL.lines[0], teeth=(Tooth("1"),) * 33),)),
        replace(DENTAL, lines=(replace(DENTAL.lines[0], cavities=("10",) * 6),)),
        replace(DENTAL, control_number=""),
    ],
)
def test_what_does_not_fit_is_refused(claim: DentalClaim) -> None:
    with pytest.raises(ViewError):
        build_837d([claim], ENVELOPE)


def test_reading_another_set_is_refused() -> None:
    with pytest.raises(ViewError):
        read_837d(one(build_837p([CLAIM], ENVELOPE)))
