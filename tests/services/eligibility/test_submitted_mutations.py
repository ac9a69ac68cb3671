"""Whatever is missing or out of place in a submitted request: a question or a named refusal, never another error."""

from datetime import UTC, date, datetime

import eligibility_records as records
from eligibility.model import PayerRow, Status, Verification
from eligibility.wire.submitted import read_submitted, write_answer
from fhir_r4 import validate, write
from fhir_r4.submission import read_submission
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel.errors import Refused, Unreadable
from one_place_wrong import VALUES, changed, places

REQUEST = {
    "resourceType": "CoverageEligibilityRequest",
    "identifier": [{"system": "https://clinic.example/requests", "value": "r-1"}],
    "status": "active",
    "purpose": ["benefits"],
    "patient": {"reference": "Patient/p1"},
    "servicedPeriod": {"start": "2026-03-10", "end": "2026-03-11"},
    "created": "2026-03-10",
    "provider": {"reference": "Organization/clinic"},
    "insurer": {"reference": "Organization/payer-a"},
    "insurance": [{"focal": True, "coverage": {"reference": "Coverage/c1"}}],
    "item": [{"category": {"coding": [{"system": "https://codesystem.x12.org/005010/1365", "code": "98"}]}}],
}
PEOPLE = (records.PATIENT, records.COVERAGE, records.PAYOR, records.PROVIDER)
WHOLE = {
    "resourceType": "Bundle",
    "identifier": {"value": "b1"},
    "type": "collection",
    "timestamp": "2026-03-10T10:00:00Z",
    "entry": [
        {"fullUrl": f"https://ehr.example/{one['resourceType']}/{one.get('id', 'r1')}", "resource": one}
        for one in (REQUEST, *PEOPLE)
    ],
}
PAYERS = {"SYNPA": PayerRow(id="SYNPA", name="Payer", effective_from=date(2020, 1, 1))}
NOW = datetime(2026, 3, 10, tzinfo=UTC)

PLACES = [path for path in places(WHOLE) if path != ("resourceType",)]


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(PLACES), st.sampled_from(VALUES))
def test_one_place_of_a_request_is_wrong(path, value):
    try:
        submission = read_submission(write(changed(WHOLE, path, value)), b"", "CoverageEligibilityRequest", "client-1")
        question = read_submitted(submission, PAYERS, NOW.date())
    except (Refused, Unreadable) as error:
        assert error.code
        assert error.reason
        return
    found = Verification(
        verification_id="v1",
        subject_key=question.subject_key,
        on=question.on,
        checked_at=NOW,
        status=Status.UNKNOWN,
        reason=question.obstacle or "timeout",
    )
    answer = write_answer(submission, question, found)
    assert [issue for issue in validate(answer) if issue.severity == "error"] == []
    assert answer["outcome"] == "error"
