"""A CoverageEligibilityRequest that was submitted -> the line's own question, and the outcome -> its answer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from fhir_r4 import Resource, write
from fhir_r4.elements import codes_in, identity
from fhir_r4.parties import best_name
from fhir_r4.submission import Submission, serviced
from kernel.codes import X12_SERVICE_TYPE
from kernel.errors import Refused, Unreadable
from rcm.eligibility.v1.eligibility_pb2 import CheckCoverageRequest

from eligibility.model import PayerRow, Question, Verification
from eligibility.wire.resources import read_request
from eligibility.wire.response import write_response

REQUEST = "CoverageEligibilityRequest"
# The codes of FHIR's example system are those of X12 data element 1365.
_SERVICE_TYPES = (X12_SERVICE_TYPE, "http://terminology.hl7.org/CodeSystem/ex-benefitcategory")
_MOST_SERVICE_TYPES = 99


def read_submitted(submission: Submission, payers: Mapping[str, PayerRow], today: date) -> Question:
    """What the request asks for, on `today` when it names no day.

    Refused: request-not-active. Unreadable: reference-unresolved, insurance-focal, date-partial, date-format.
    """
    request, path = submission.request, submission.path
    if request.get("status") != "active":
        raise Refused("request-not-active", f"{path}.status is not active")
    days = serviced(request, path)
    coverage = _coverage(submission)
    payor = submission.payor(coverage)
    carrier = CheckCoverageRequest(
        patient_json=write(submission.needed(request.get("patient"), "patient")),
        coverage_json=write(coverage) if coverage else b"",
        payor_json=write(payor) if payor else b"",
        provider_json=write(_provider(submission)),
        date=(days[0] if days else today).isoformat(),
        service_types=_service_types(request),
    )
    return read_request(carrier, payers)


def _coverage(submission: Submission) -> Resource:
    """The focal coverage, or the only one."""
    rows = list(enumerate(submission.request.get("insurance", ())))
    chosen = [(at, row) for at, row in rows if row.get("focal")] or rows
    if not chosen:
        return {}
    if len(chosen) > 1:
        raise Unreadable(
            "insurance-focal", f"{submission.path}.insurance", "one coverage is asked about: the focal one"
        )
    at, row = chosen[0]
    return submission.coverage(row.get("coverage"), f"insurance[{at}].coverage")


def _provider(submission: Submission) -> Resource:
    """Who asks: an organization, else a practitioner under the family name."""
    organization, practitioner = submission.provider(submission.request.get("provider"), "provider")
    if organization:
        return organization
    family = str(best_name(practitioner).get("family", ""))
    return practitioner | {"name": family} if practitioner else {"resourceType": "Organization"}


def _service_types(request: Resource) -> list[str]:
    codes = codes_in((item.get("category") for item in request.get("item", ())), _SERVICE_TYPES)
    return list(dict.fromkeys(codes))[:_MOST_SERVICE_TYPES]


def write_answer(submission: Submission, question: Question, found: Verification) -> Resource:
    """The CoverageEligibilityResponse, in the sender's own references."""
    request = submission.request
    answer = write_response(question, found) | {"purpose": request["purpose"], "request": _request(submission)}
    for name, value in (("requestor", request.get("provider")), ("insurer", request.get("insurer"))):
        if value:
            answer[name] = value
    answer["patient"] = request["patient"]
    if insurance := answer.get("insurance"):
        insurance[0]["coverage"] = _sent_coverage(request)
    return submission.as_sent(answer)


def _sent_coverage(request: Resource) -> dict[str, Any]:
    rows = request["insurance"]
    return next((row["coverage"] for row in rows if row.get("focal")), rows[0]["coverage"])


def _request(submission: Submission) -> dict[str, Any]:
    name = identity(submission.request) if not submission.full_url else submission.full_url
    if name:
        return {"reference": name}
    named = submission.request.get("identifier") or [{"value": submission.digest}]
    return {"type": REQUEST, "identifier": named[0]}
