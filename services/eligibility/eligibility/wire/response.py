"""What we found as FHIR R4: CoverageEligibilityResponse for the outcome, Task for what a person must do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any

from kernel.codes import NAIC, X12_REJECT_REASON, X12_SERVICE_TYPE
from kernel.money import from_cents

from eligibility.model import Benefit, GapClosed, GapOpened, Mismatch, Question, Status, Verification

Json = dict[str, Any]

_REASONS = "https://throughline.example/fhir/CodeSystem/coverage-reason"
_DIFFERENCES = "https://throughline.example/fhir/CodeSystem/coverage-difference"
_WORK = "https://throughline.example/fhir/CodeSystem/work"
_WORK_REASONS = "https://throughline.example/fhir/CodeSystem/work-reason"
_REQUESTS = "https://throughline.example/fhir/NamingSystem/eligibility-request"
_BENEFIT_TYPE = "http://terminology.hl7.org/CodeSystem/benefit-type"
_NETWORK = "http://terminology.hl7.org/CodeSystem/benefit-network"
_OURS = "https://throughline.example/fhir/CodeSystem/benefit"
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
        "created": _instant(found.checked_at),
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


def write_opened(fact: GapOpened, now: datetime) -> Json:
    """The Task that asks a person to mend a coverage before the day of service."""
    return _task(fact.work_id, "requested", fact.question, now) | {
        "businessStatus": _coded(_WORK_REASONS, fact.reason),
        "restriction": {"period": {"end": fact.question.on.isoformat()}},
    }


def write_closed(fact: GapClosed, now: datetime) -> Json:
    """The same Task, done or not needed any more."""
    return _task(fact.work_id, "completed" if fact.outcome == "resolved" else "cancelled", fact.question, now)


def _task(work_id: str, status: str, question: Question, now: datetime) -> Json:
    task: Json = {
        "resourceType": "Task",
        "id": work_id,
        "status": status,
        "intent": "order",
        "code": _coded(_WORK, "coverage-gap"),
        "focus": {"reference": question.coverage or question.patient},
        "for": {"reference": question.patient},
        "lastModified": _instant(now),
    }
    if question.encounter:
        task["encounter"] = {"reference": question.encounter}
    return task


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
        item: Json = {"category": _coded(X12_SERVICE_TYPE, service_type or question.service_types[0])}
        if network in ("in", "out"):
            item["network"] = _coded(_NETWORK, network)
        yield item | {"benefit": [*map(_benefit, benefits)]} | _authorization(found)


def _authorization(found: Verification) -> Json:
    return {"authorizationRequired": True} if found.authorization else {}


def _benefit(benefit: Benefit) -> Json:
    known = _FHIR_KINDS.get(benefit.kind)
    written: Json = {"type": _coded(_BENEFIT_TYPE, known) if known else _coded(_OURS, benefit.kind)}
    if benefit.amount_cents is not None:
        written["allowedMoney"] = {"value": Decimal(from_cents(benefit.amount_cents)), "currency": "USD"}
    elif benefit.percent:
        written["allowedString"] = f"{benefit.percent} %"
    return written


def _errors(found: Verification) -> Iterator[Json]:
    if found.reason and not found.mismatches:
        yield {"code": _coded(_REASONS, found.reason)}
    yield from _mismatch_errors(found.mismatches)


def _mismatch_errors(mismatches: Iterable[Mismatch]) -> Iterator[Json]:
    for mismatch in mismatches:
        codings = [{"system": _DIFFERENCES, "code": mismatch.field}]
        if mismatch.aaa:
            codings.insert(0, {"system": X12_REJECT_REASON, "code": mismatch.aaa})
        yield {"code": {"coding": codings, "text": mismatch.remedy}}


def _coded(system: str, code: str) -> Json:
    return {"coding": [{"system": system, "code": code}]}


def _instant(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
