"""What we found as FHIR R4: a CoverageEligibilityResponse."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from fhir_r4.compose import concept, instant, money, own_concept
from kernel.codes import LINE, NAIC, X12_REJECT_REASON, X12_SERVICE_TYPE

from eligibility.model import Benefit, Mismatch, Question, Status, Verification

Json = dict[str, Any]

_DIFFERENCES = f"{LINE}/CodeSystem/coverage-difference"
_REQUESTS = f"{LINE}/NamingSystem/eligibility-request"
_BENEFIT_TYPE = "http://terminology.hl7.org/CodeSystem/benefit-type"
_NETWORK = "http://terminology.hl7.org/CodeSystem/benefit-network"
# Our kinds that FHIR's example system has a code for; the others stand under our own system.
_FHIR_KINDS = {"copay": "copay", "coinsurance": "copay-percent", "deductible": "deductible"}
_WORDS = {
    Status.ACTIVE: "The coverage is active on the day.",
    Status.INACTIVE: "The coverage is not active on the day.",
    Status.REJECTED: "The payer refused the question; see what to correct.",
    Status.UNKNOWN: "The coverage could not be verified.",
}


def write_response(question: Question, found: Verification) -> Json:
    """A CoverageEligibilityResponse. It says `inforce` only when the payer said it."""
    response: Json = {
        "resourceType": "CoverageEligibilityResponse",
        "id": found.verification_id,
        "status": "active",
        "purpose": ["validation", "benefits"],
        "patient": {"reference": question.patient},
        "servicedDate": found.on.isoformat(),
        "created": instant(found.checked_at),
        "request": {
            "type": "CoverageEligibilityRequest",
            "identifier": {"system": _REQUESTS, "value": found.verification_id},
        },
        "outcome": _outcome(found),
        "disposition": _WORDS[found.status],
        "insurer": _insurer(question),
    }
    if question.provider:
        response["requestor"] = {"reference": question.provider}
    if question.coverage:
        response["insurance"] = [_insurance(question, found)]
    if errors := [*_errors(found)]:
        response["error"] = errors
    return response


def _outcome(found: Verification) -> str:
    if found.status in (Status.ACTIVE, Status.INACTIVE):
        return "complete"
    return "queued" if found.retriable else "error"


def _insurer(question: Question) -> Json:
    if question.payor and not question.payor.startswith("#"):
        return {"reference": question.payor}
    if question.payer_id:
        return {"type": "Organization", "identifier": {"system": NAIC, "value": question.payer_id}}
    return {"display": "No payer is on file"}


def _insurance(question: Question, found: Verification) -> Json:
    insurance: Json = {"coverage": {"reference": question.coverage}}
    if found.status in (Status.ACTIVE, Status.INACTIVE):
        insurance["inforce"] = found.status is Status.ACTIVE
    ends = (("start", found.plan_begin), ("end", found.plan_end))
    if period := {name: day.isoformat() for name, day in ends if day is not None}:
        insurance["benefitPeriod"] = period
    if items := [*_items(question, found)]:
        insurance["item"] = items
    return insurance


def _items(question: Question, found: Verification) -> Iterator[Json]:
    def place(benefit: Benefit) -> tuple[str, str]:
        return benefit.service_type, benefit.network

    for (service_type, network), benefits in groupby(sorted(found.benefits, key=place), key=place):
        item: Json = {"category": concept(X12_SERVICE_TYPE, service_type or question.service_types[0])}
        if network in ("in", "out"):
            item["network"] = concept(_NETWORK, network)
        yield item | {"benefit": [*map(_benefit, benefits)]} | _authorization(found)


def _authorization(found: Verification) -> Json:
    return {"authorizationRequired": True} if found.authorization else {}


def _benefit(benefit: Benefit) -> Json:
    known = _FHIR_KINDS.get(benefit.kind)
    written: Json = {"type": concept(_BENEFIT_TYPE, known) if known else own_concept("benefit", benefit.kind)}
    if benefit.amount_cents is not None:
        written["allowedMoney"] = money(benefit.amount_cents)
    elif benefit.percent:
        written["allowedString"] = f"{benefit.percent} %"
    return written


def _errors(found: Verification) -> Iterator[Json]:
    if found.reason and not found.mismatches:
        yield {"code": own_concept("coverage-reason", found.reason)}
    yield from _mismatch_errors(found.mismatches)


def _mismatch_errors(mismatches: Iterable[Mismatch]) -> Iterator[Json]:
    for mismatch in mismatches:
        codings = [{"system": _DIFFERENCES, "code": mismatch.field}]
        if mismatch.aaa:
            codings.insert(0, {"system": X12_REJECT_REASON, "code": mismatch.aaa})
        yield {"code": {"coding": codings, "text": mismatch.remedy}}
