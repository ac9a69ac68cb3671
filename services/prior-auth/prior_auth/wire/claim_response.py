"""Where the items of a submitted request stand, as FHIR R4: a ClaimResponse, and the Bundles of Da Vinci PAS 2.2.1."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from fhir_r4.compose import concept, instant, own_concept
from fhir_r4.submission import Submission
from kernel.codes import CPT, HCPCS, LINE, X12_REJECT_REASON, X12_REVIEW_ACTION, X12_REVIEW_REASON, is_cpt

from prior_auth.model import Authorization, Decision, Requirement
from prior_auth.wire.submitted import PAS, REQUEST

Json = dict[str, Any]

_TRANSACTIONS = f"{LINE}/NamingSystem/pas-transaction"
_ADJUDICATION = "http://terminology.hl7.org/CodeSystem/adjudication"
_GRANTED = (Decision.APPROVED, Decision.PARTIAL)
_ACTIONS = {Decision.APPROVED: "A1", Decision.PARTIAL: "A2", Decision.DENIED: "A3", Decision.PENDED: "A4"}
_PENDED, _NOT_NEEDED = "A4", "NA"
_REJECTED = "aaa-"
# What answers carry of what came along: who and what, never documents.
_ECHOED = frozenset(
    {"Claim", "Patient", "RelatedPerson", "Organization", "Practitioner", "PractitionerRole", "Coverage", "Location",
     "Encounter", "Condition", "ServiceRequest", "DeviceRequest", "MedicationRequest", "NutritionOrder"}
)  # fmt: skip
_WORDS = {
    "complete": "The payer has decided.",
    "queued": "The payer has not decided yet; the request is pended.",
    "partial": "Some of the items could not be decided.",
    "error": "The payer could not be asked; see what to correct.",
    "none": "No request matches.",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """One item: the sender's sequence and where it stands."""

    sequence: int
    authorization: Authorization

    @property
    def action(self) -> str:
        """HCR01 (X12 306) for the item: the payer's own code, A4 while nobody has decided, "" when nobody could."""
        found = self.authorization
        if found.requirement is Requirement.NOT_REQUIRED:
            return _NOT_NEEDED
        if found.decision is Decision.UNKNOWN:
            return found.action or (_PENDED if found.retriable else "")
        return found.action or _ACTIONS.get(found.decision, "")


def status_of(standings: Sequence[Standing]) -> str:
    """complete, queued (something is pended), partial (some could not be asked) or error (none could)."""
    actions = [standing.action for standing in standings]
    if not any(actions):
        return "error"
    if _PENDED in actions:
        return "queued"
    return "complete" if all(actions) else "partial"


def write_claim_response(submission: Submission, request_id: str, standings: Sequence[Standing], now: datetime) -> Json:
    """The ClaimResponse. In a Bundle a pended one is `partial`: PAS allows complete, error and partial."""
    status = status_of(standings)
    outcome = "partial" if status == "queued" and submission.bundle is not None else status
    said: Json = {
        "identifier": submission.request.get("identifier"),
        "outcome": outcome,
        "disposition": _WORDS[status],
        **_number(standings),
        "item": [_item(standing) for standing in standings] if status != "error" else [],
        "error": [_error(standing) for standing in standings if not standing.action],
    }
    return _response(submission, request_id, said, now)


def write_no_match(submission: Submission, request_id: str, now: datetime) -> Json:
    """The ClaimResponse of an inquiry that nothing matches, where one Bundle must be given (PAS 2.0.1)."""
    return _response(submission, request_id, {"outcome": "complete", "disposition": _WORDS["none"]}, now)


def _response(submission: Submission, request_id: str, said: Json, now: datetime) -> Json:
    claim = submission.request
    response: Json = {
        "resourceType": "ClaimResponse",
        "id": request_id,
        "status": "active",
        "type": claim["type"],
        "use": "preauthorization",
        "patient": claim["patient"],
        "created": instant(now),
        "insurer": claim.get("insurer") or {"display": "The insurer of the coverage"},
        "requestor": claim["provider"],
        "request": _request(submission),
    }
    return submission.as_sent(response | {name: value for name, value in said.items() if value})


def _request(submission: Submission) -> Json:
    if submission.full_url:
        return {"reference": submission.full_url}
    id = submission.request.get("id")
    if id:
        return {"reference": f"{REQUEST}/{id}"}
    named = submission.request.get("identifier") or [{"value": submission.digest}]
    return {"type": REQUEST, "identifier": named[0]}


def _number(standings: Sequence[Standing]) -> Json:
    """preAuthRef and preAuthPeriod of the whole, when all that was granted has one number."""
    granted = [one.authorization for one in standings if one.authorization.decision in _GRANTED]
    numbers = {found.number for found in granted if found.number}
    if len(numbers) != 1:
        return {}
    period = _period(granted[0]) if len({(one.valid_from, one.valid_to) for one in granted}) == 1 else {}
    return {"preAuthRef": numbers.pop()} | ({"preAuthPeriod": period} if period else {})


def _item(standing: Standing) -> Json:
    found = standing.authorization
    item: Json = {"itemSequence": standing.sequence}
    if extensions := [*_item_extensions(found)]:
        item["extension"] = extensions
    adjudication: Json = {"category": concept(_ADJUDICATION, "submitted")}
    if standing.action:
        adjudication["extension"] = [_review(standing)]
    return item | {"adjudication": [adjudication]}


def _review(standing: Standing) -> Json:
    found = standing.authorization
    parts: list[Json] = [{"url": "number", "valueString": found.number}] if found.number else []
    for reason in found.review_reasons:
        parts.append({"url": "reasonCode", "valueCodeableConcept": concept(X12_REVIEW_REASON, reason)})
    code = concept(X12_REVIEW_ACTION, standing.action)
    parts.append({"url": f"{PAS}/extension-reviewActionCode", "valueCodeableConcept": code})
    return {"url": f"{PAS}/extension-reviewAction", "extension": parts}


def _item_extensions(found: Authorization) -> Iterator[Json]:
    if found.decision not in _GRANTED:
        return
    if found.asked_at is not None:
        yield {"url": f"{PAS}/extension-itemPreAuthIssueDate", "valueDate": found.asked_at.date().isoformat()}
    if period := _period(found):
        yield {"url": f"{PAS}/extension-itemPreAuthPeriod", "valuePeriod": period}
    code = concept(CPT if is_cpt(found.code) else HCPCS, found.code)
    detail: list[Json] = [{"url": "productOrServiceCode", "valueCodeableConcept": code}]
    if found.units:
        detail.append({"url": "quantity", "valueQuantity": {"value": Decimal(found.units)}})
    yield {"url": f"{PAS}/extension-itemAuthorizedDetail", "extension": detail}


def _period(found: Authorization) -> dict[str, str]:
    ends = (("start", found.valid_from), ("end", found.valid_to))
    return {name: day.isoformat() for name, day in ends if day is not None}


def _error(standing: Standing) -> Json:
    """The payer's own reject reason where it gave one, and ours."""
    reason = standing.authorization.reason or "unknown"
    code = own_concept("authorization-reason", reason)
    if reason.startswith(_REJECTED):
        rejected = concept(X12_REJECT_REASON, reason.removeprefix(_REJECTED).upper())
        code = {"coding": [*rejected["coding"], *code["coding"]]}
    return {"itemSequence": standing.sequence, "code": code}


def write_bundle(responses: Iterable[tuple[Submission, Json]], transaction: str, now: datetime) -> Json:
    """One collection: the ClaimResponses first, then whom and what they name, under the fullUrls that came."""
    pairs = list(responses)
    entries = [{"fullUrl": f"urn:uuid:{response['id']}", "resource": response} for _, response in pairs]
    echoed = {entry["fullUrl"]: entry for submission, _ in pairs for entry in _echoed(submission)}
    return {
        "resourceType": "Bundle",
        "id": transaction,
        "identifier": {"system": _TRANSACTIONS, "value": transaction},
        "type": "collection",
        "timestamp": instant(now),
        "entry": [*entries, *echoed.values()],
    }


def _echoed(submission: Submission) -> Iterator[Json]:
    for entry in (submission.bundle or submission.context).get("entry", ()):
        if entry.get("fullUrl") and entry.get("resource", {}).get("resourceType") in _ECHOED:
            yield {"fullUrl": entry["fullUrl"], "resource": entry["resource"]}


def write_parameters(bundles: Iterable[Json]) -> Json:
    """PAS 2.2.1 answers an inquiry with zero or more Bundles."""
    parameters = [{"name": "responseBundle", "resource": bundle} for bundle in bundles]
    return {"resourceType": "Parameters"} | ({"parameter": parameters} if parameters else {})
