"""The error families on HTTP: a status code and a FHIR OperationOutcome for each (house table of errors)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kernel.errors import LineError, Refused, Unavailable, Unreadable

MEDIA_TYPE = "application/fhir+json"
ERROR_SYSTEM = "https://throughline.example/fhir/CodeSystem/error"

# kind of refusal -> (HTTP status, FHIR issue type: https://hl7.org/fhir/R4/valueset-issue-type.html)
REFUSED_ANSWER: Mapping[str, tuple[int, str]] = {
    "failed_precondition": (409, "business-rule"),
    "not_found": (404, "not-found"),
    "already_exists": (409, "duplicate"),
}
STATUS_ISSUE: Mapping[int, str] = {
    401: "login",
    403: "forbidden",
    404: "not-found",
    405: "not-supported",
    406: "not-supported",
    409: "conflict",
    410: "deleted",
    413: "too-long",
    415: "not-supported",
    429: "throttled",
    503: "transient",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back over HTTP for an error."""

    status: int
    body: dict[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)


def operation_outcome(issue: str, code: str, text: str, path: str = "") -> dict[str, Any]:
    """An OperationOutcome with one error. `path` becomes its expression where there is one."""
    details = {"coding": [{"system": ERROR_SYSTEM, "code": code}], "text": text}
    found: dict[str, Any] = {"severity": "error", "code": issue, "details": details}
    if path:
        found["expression"] = [path]
    return {"resourceType": "OperationOutcome", "issue": [found]}


def answer_for(error: LineError) -> Answer:
    """Status, OperationOutcome and headers for one of our errors."""
    match error:
        case Refused():
            status, issue = REFUSED_ANSWER[error.kind]
            return Answer(status, operation_outcome(issue, error.code, error.reason))
        case Unreadable():
            return Answer(400, operation_outcome("invalid", error.code, error.reason, error.path))
        case Unavailable():
            seconds = max(1, round(error.retry_after_s or 1))
            body = operation_outcome("transient", error.code, error.reason)
            return Answer(503, body, {"Retry-After": str(seconds)})
    return unexpected()


def answer_for_status(status: int, headers: Mapping[str, str] | None = None) -> Answer:
    """An answer for a bare HTTP status, in our own words."""
    issue = STATUS_ISSUE.get(status, "processing" if status < 500 else "exception")
    return Answer(status, operation_outcome(issue, f"http_{status}", f"HTTP {status}"), headers or {})


def unexpected() -> Answer:
    """The answer for an error of our own making: it says nothing about it."""
    return Answer(500, operation_outcome("exception", "internal", "an unexpected error; it has been logged"))
