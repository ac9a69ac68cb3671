"""The requests that Da Vinci PAS publishes are read: what they ask, and what keeps a payer of ours from being asked."""

import os
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from fhir_r4 import read, validate
from fhir_r4.submission import read_submission
from kernel.errors import Unreadable
from prior_auth.model import Exchange, PayerRow, Requirement, Ruling
from prior_auth.rules import decide
from prior_auth.wire.claim_response import Standing, write_bundle, write_claim_response
from prior_auth.wire.submitted import read_inquiry, read_submitted

CORPORA = Path(os.environ.get("RCM_CORPORA", Path(__file__).parents[4] / "shared" / "corpora"))
EXAMPLES = CORPORA / "fhir" / "pas" / "examples"
INSURER = "1234567893"
NOW = datetime(2026, 3, 10, tzinfo=UTC)
PAYERS = {INSURER: PayerRow(id=INSURER, name="Insurer", effective_from=date(2000, 1, 1))}

pytestmark = pytest.mark.skipif(not EXAMPLES.is_dir(), reason="the corpora are not here")


def submission_of(name):
    return read_submission((EXAMPLES / f"{name}.json").read_bytes(), b"", "Claim", "client-1")


def orders_of(name):
    return read_submitted(submission_of(name), "tenant", PAYERS, 90).items


def test_the_request_for_medical_services():
    (item,) = orders_of("Bundle-MedicalServicesAuthorizationBundleExample")
    order = item.order
    assert (item.sequence, order.code, order.on, order.units) == (1, "99212", date(2005, 5, 10), "1")
    assert (order.payer_id, order.place_of_service) == (INSURER, "11")
    assert order.subscriber.member_id == "1122334455"
    assert order.obstacle == "provider-unknown"  # the published NPI fails its check digit


def test_the_request_for_a_referral():
    (item,) = orders_of("Bundle-ReferralAuthorizationBundleExample")
    order = item.order
    assert (order.urgent, order.diagnoses) == (True, ("G894",))
    assert order.obstacle
    assert not order.order.startswith("ServiceRequest/")  # what came in the Bundle is no order of ours


def test_the_inquiry():
    inquiry = read_inquiry(submission_of("Bundle-PASClaimInquiryBundleExample"), PAYERS)
    assert inquiry.identifiers == ("http://example.org/PATIENT_EVENT_TRACE_NUMBER|111099",)
    assert inquiry.codes == ("G0154", "B4184")
    assert inquiry.member_key


def test_request_and_inquiry_name_the_same_member():
    name = "Bundle-MedicalServicesAuthorizationBundleExample"
    submitted = read_submitted(submission_of(name), "tenant", PAYERS, 90)
    assert submitted.member_key == read_inquiry(submission_of("Bundle-PASClaimInquiryBundleExample"), PAYERS).member_key


@pytest.mark.parametrize(
    "name", ["Bundle-MedicalServicesAuthorizationBundleExample", "Bundle-ReferralAuthorizationBundleExample"]
)
def test_the_answer_carries_the_fullurls_that_came(name):
    submission = submission_of(name)
    submitted = read_submitted(submission, "tenant", PAYERS, 90)
    standings = [
        Standing(item.sequence, decide(item.order, Ruling(requirement=Requirement.REQUIRED), Exchange(), NOW, 0))
        for item in submitted.items
    ]
    response = write_claim_response(submission, submitted.request_id, standings, NOW)
    answer = write_bundle([(submission, response)], submitted.request_id, NOW)
    assert validate(answer) == []
    sent = {entry["fullUrl"] for entry in submission.bundle["entry"]}
    assert {entry["fullUrl"] for entry in answer["entry"][1:]} <= sent
    assert submission.full_url in {entry["fullUrl"] for entry in answer["entry"]}


def test_a_response_is_no_request():
    sent = (EXAMPLES / "Bundle-ReferralAuthorizationResponseBundleExample.json").read_bytes()
    assert read(sent)["type"] == "collection"
    with pytest.raises(Unreadable) as unreadable:
        read_submission(sent, b"", "Claim", "client-1")
    assert unreadable.value.code == "entry-first"
