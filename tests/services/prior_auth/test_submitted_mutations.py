"""Whatever is missing or out of place in a submitted request: orders or a named refusal, never another error."""

from datetime import UTC, date, datetime

from fhir_r4 import validate, write
from fhir_r4.submission import read_submission
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel.errors import Refused, Unreadable
from one_place_wrong import VALUES, changed, places
from prior_auth.handlers import standing_of
from prior_auth.model import PayerRow
from prior_auth.wire.claim_response import Standing, write_bundle, write_claim_response
from prior_auth.wire.submitted import read_inquiry, read_submitted
from prior_auth_submissions import bundle, claim, item

WHOLE = bundle(claim([item(1), item(2, "J0897")]))
PAYERS = {"SYNPA": PayerRow(id="SYNPA", name="Payer", effective_from=date(2020, 1, 1))}
NOW = datetime(2026, 3, 10, tzinfo=UTC)

PLACES = [path for path in places(WHOLE) if path != ("resourceType",)]


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(PLACES), st.sampled_from(VALUES))
def test_one_place_of_a_request_is_wrong(path, value):
    try:
        submission = read_submission(write(changed(WHOLE, path, value)), b"", "Claim", "client-1")
        read_inquiry(submission, PAYERS)
        submitted = read_submitted(submission, "tenant", PAYERS, 90)
    except (Refused, Unreadable) as error:
        assert error.code
        assert error.reason
        return
    standings = [Standing(one.sequence, standing_of(one.order, None, NOW)) for one in submitted.items]
    response = write_claim_response(submission, submitted.request_id, standings, NOW)
    assert [issue for issue in validate(response) if issue.severity == "error"] == []
    assert write(write_bundle([(submission, response)], submitted.request_id, NOW))
