"""What became of a submitted claim, as the FHIR R4 ClaimResponse that its sender gets at once."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from fhir_r4.compose import concept, instant, money, own_concept
from fhir_r4.submission import Submission
from kernel.errors import Refused

from claims_gateway.model import HELD, Claim, Finding
from claims_gateway.wire.submitted import Submitted

_ANSWERS = uuid.UUID("f2a0c8b7-6cc2-5c0b-8c7c-0a5d5d9a3e11")
_ADJUDICATION = "http://terminology.hl7.org/CodeSystem/adjudication"
_LINE = re.compile(r"lines\[(\d+)\]")
_WORDS = {
    "queued": "The claim has passed its edits and goes to the payer.",
    "error": "The claim is held: see what to correct.",
}


def claim_exists(standing: Claim | None) -> Refused:
    """The refusal of a second claim, which names the first."""
    reason = f"claim {standing.claim_id if standing else 'of the line'} stands for this encounter or identifier already"
    return Refused("claim-exists", reason, kind="already_exists")


def outcome_of(claim: Claim) -> str:
    """`error` while findings hold the claim, `queued` from then on: the payer's own answer comes as a remittance."""
    return "error" if claim.state == HELD else "queued"


def write_claim_response(submission: Submission, submitted: Submitted, claim: Claim, now: datetime) -> dict[str, Any]:
    """The ClaimResponse. Errors name the edit and the item by the sender's own sequence."""
    request, outcome = submission.request, outcome_of(claim)
    response: dict[str, Any] = {
        "resourceType": "ClaimResponse",
        "id": str(uuid.uuid5(_ANSWERS, claim.claim_id)),
        "identifier": request.get("identifier", []),
        "status": "active",
        "type": request["type"],
        "use": "claim",
        "patient": request["patient"],
        "created": instant(now),
        "insurer": _insurer(request, claim),
        "requestor": request["provider"],
        "request": {"reference": f"Claim/{claim.claim_id}"},
        "outcome": outcome,
        "disposition": _WORDS[outcome],
        "total": [{"category": concept(_ADJUDICATION, "submitted"), "amount": money(claim.total_cents)}],
        "processNote": _notes(submitted, claim),
        "error": [_error(finding, request) for finding in claim.errors] if claim.state == HELD else [],
    }
    return submission.as_sent({name: value for name, value in response.items() if value != []})


def _insurer(request: dict[str, Any], claim: Claim) -> dict[str, Any]:
    if insurer := request.get("insurer"):
        return dict(insurer)
    insurance = claim.draft.visit.insurance
    if insurance and insurance.payer_reference:
        return {"reference": insurance.payer_reference}
    return {"display": "No payer is on file"}


def _notes(submitted: Submitted, claim: Claim) -> list[dict[str, Any]]:
    texts = [*_findings(claim), *(f"{path} is kept and does not go to the payer" for path in submitted.kept_back)]
    return [{"number": number, "type": "display", "text": text} for number, text in enumerate(texts, 1)]


def _findings(claim: Claim) -> Iterator[str]:
    for finding in claim.findings:
        yield f"{finding.edit_id} ({finding.severity}) at {finding.path}: {finding.because}"


def _error(finding: Finding, request: dict[str, Any]) -> dict[str, Any]:
    error: dict[str, Any] = {"code": own_concept("claim-edit", finding.edit_id)}
    if match := _LINE.match(finding.path):
        error["itemSequence"] = request["item"][int(match[1])]["sequence"]
    return error
