"""Whatever is missing or out of place in a submitted Claim: a draft or a named refusal, never another error."""

from __future__ import annotations

from typing import Any

import fhir_r4
from claims_gateway.wire.submitted import read_submitted
from fhir_r4.submission import read_submission
from gateway_world import JOURNEY
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel.errors import Refused, Unreadable
from one_place_wrong import VALUES, changed, places
from submit_world import NDC, claim, concept, context, item

VISIT = {"reference": "Encounter/e1"}
DRUG = {"sequence": 1, "productOrService": concept(NDC, "00093-0001-01"), "quantity": {"value": 2, "unit": "mL"}}
STAY = {"sequence": 1, "category": {"coding": [{"code": "hospitalized"}]}, "timingPeriod": {"start": "2026-03-16"}}
WHOLE = claim(
    item=[
        item(1, "99213", "155.00", encounter=[{"reference": "Encounter/e1"}]),
        item(2, "J1885", "60.00", detail=[DRUG]),
    ],
    supportingInfo=[STAY],
    billablePeriod={"start": "2026-03-16", "end": "2026-03-16"},
)
CONTEXT = context()
PLACES = [path for path in places(WHOLE) if path[0] != "resourceType"]


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(PLACES), st.sampled_from(VALUES))
def test_one_place_of_a_claim_is_wrong(path: tuple[Any, ...], value: Any) -> None:
    content = fhir_r4.write(changed(WHOLE, path, value))
    try:
        submission = read_submission(content, CONTEXT, "Claim", "client-1")
        submitted = read_submitted(submission, "tenant", JOURNEY, "")
    except (Refused, Unreadable) as error:
        assert error.code
        assert error.reason
    else:
        assert submitted.draft.total_cents == sum(line.charge_cents for line in submitted.draft.lines)
        assert len(submitted.draft.lines) == len(submission.request["item"])


def test_the_claim_is_read_when_nothing_is_wrong() -> None:
    submitted = read_submitted(
        read_submission(fhir_r4.write(WHOLE), CONTEXT, "Claim", "client-1"), "tenant", JOURNEY, ""
    )
    assert submitted.draft.encounter == "Encounter/e1"
    assert [line.ndc for line in submitted.draft.lines] == ["", "00093000101"]
