"""What is wrong with a resource, and how that is said to a client, without any of the patient's data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

Severity = Literal["error", "warning", "information"]

# Names our own rules (fhir-...); the invariants among them keep the keys that the FHIR pages give them.
RULE_SYSTEM = "urn:throughline:fhir-rule"
_ALL_WELL_TEXT = "All OK"


@dataclass(frozen=True, slots=True)
class Issue:
    """One finding. `code` is an OperationOutcome issue type, `fhirpath` says where, `rule_id` which rule.

    Texts name elements, types and rules; they never repeat a value of the resource.
    """

    severity: Severity
    code: str
    fhirpath: str
    rule_id: str
    text: str


def has_errors(issues: Iterable[Issue]) -> bool:
    return any(issue.severity == "error" for issue in issues)


def outcome(issues: Iterable[Issue] | Issue) -> dict[str, Any]:
    """An OperationOutcome with one entry per issue; for none, the informational one that all is well."""
    listed = [issues] if isinstance(issues, Issue) else list(issues)
    entries = [_entry(issue) for issue in listed] or [
        {"severity": "information", "code": "informational", "details": {"text": _ALL_WELL_TEXT}}
    ]
    return {"resourceType": "OperationOutcome", "issue": entries}


def outcome_of(code: str, text: str, severity: Severity = "error", fhirpath: str = "") -> dict[str, Any]:
    """An OperationOutcome for one thing that is no rule of a resource, such as "not-found"."""
    entry: dict[str, Any] = {"severity": severity, "code": code, "details": {"text": text}}
    if fhirpath:
        entry["expression"] = [fhirpath]
    return {"resourceType": "OperationOutcome", "issue": [entry]}


def _entry(issue: Issue) -> dict[str, Any]:
    details = {"coding": [{"system": RULE_SYSTEM, "code": issue.rule_id}], "text": issue.text}
    entry: dict[str, Any] = {"severity": issue.severity, "code": issue.code, "details": details}
    if issue.fhirpath:
        entry["expression"] = [issue.fhirpath]
    return entry
