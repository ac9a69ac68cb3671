"""Puts the codes that a claim needs beside a sender's own, and says which billing resources lack one."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from kernel import codes

from interface_engine.model import Resource
from interface_engine.rules.source import BILLING_TYPES, Source

# Where the concept is that bills, and the systems of which a claim wants a code.
_SERVICE = frozenset({codes.CPT, codes.HCPCS})
_DIAGNOSIS = frozenset({codes.ICD10CM})
_CONCEPT: Mapping[str, tuple[str, frozenset[str]]] = {
    "ChargeItem": ("code", _SERVICE),
    "Condition": ("code", _DIAGNOSIS),
    "DeviceRequest": ("codeCodeableConcept", _SERVICE),
    "Encounter": ("type", _SERVICE),
    "Immunization": ("vaccineCode", _SERVICE),
    "Medication": ("code", _SERVICE),
    "MedicationAdministration": ("medicationCodeableConcept", _SERVICE),
    "Procedure": ("code", _SERVICE),
    "ServiceRequest": ("code", _SERVICE),
}
_REASON = "reason"  # of a ChargeItem: its line points to these diagnoses
CODED_TYPES = frozenset(_CONCEPT)
_UNFOUNDED = ("refuted", "entered-in-error")


@dataclass(frozen=True, slots=True)
class Mapped:
    """A resource with what was added to it: the same object when nothing was. `unmapped`: its charge must hold."""

    resource: Resource
    unmapped: bool


def map_codes(source: Source, resource: Resource, on: date | None, medication: Resource | None = None) -> Mapped:
    """The resource with mapped codings appended. `medication` is what a medicationReference leads to."""
    type_name = resource["resourceType"]
    element, systems = _CONCEPT[type_name]
    concept = resource.get(element)
    made = _defaulted(source, type_name, _extended(source, concept, systems, on), systems, on)
    mapped = resource if made is concept else resource | {element: made}
    reasons = resource.get(_REASON) if type_name == "ChargeItem" else None
    told = _extended(source, reasons, _DIAGNOSIS, on)
    mapped = mapped if told is reasons else mapped | {_REASON: told}
    if type_name not in BILLING_TYPES or not source.holds(type_name) or not _counts(resource):
        return Mapped(mapped, unmapped=False)
    bearer = _extended(source, medication.get("code"), systems, on) if medication is not None else made
    return Mapped(mapped, unmapped=not _has(bearer, systems) and not _not_billable(source, bearer, on))


def _extended(source: Source, concept: Any, systems: Collection[str], on: date | None) -> Any:
    """A concept, or a list of them, with the codings that the map adds."""
    if isinstance(concept, list):
        made = [_extended(source, one, systems, on) for one in concept]
        return concept if all(new is old for new, old in zip(made, concept, strict=True)) else made
    if not isinstance(concept, dict) or _has(concept, systems):
        return concept
    added = [
        {"system": row.target_system, "code": row.target_code}
        for row in _rows(source, concept, on)
        if row.billable and row.target_system in systems
    ]
    unique = [coding for index, coding in enumerate(added) if coding not in added[:index]]
    return concept | {"coding": [*concept.get("coding", ()), *unique]} if unique else concept


def _defaulted(source: Source, type_name: str, concept: Any, systems: Collection[str], on: date | None) -> Any:
    """The concept with the code that stands in for every unmapped one, where the source has such a code."""
    row = source.default(type_name)
    if row is None or not isinstance(concept, dict) or row.target_system not in systems or not concept.get("coding"):
        return concept
    if _has(concept, systems) or _not_billable(source, concept, on):
        return concept
    return concept | {"coding": [*concept["coding"], {"system": row.target_system, "code": row.target_code}]}


def _rows(source: Source, concept: Resource, on: date | None) -> Iterator[Any]:
    for coding in concept.get("coding", ()):
        yield from source.rows(str(coding.get("system", "")), str(coding.get("code", "")), on)


def _has(concept: Any, systems: Collection[str]) -> bool:
    codings = concept.get("coding", ()) if isinstance(concept, dict) else ()
    return any(
        coding.get("code") and codes.canonical_system(str(coding.get("system", ""))) in systems for coding in codings
    )


def _not_billable(source: Source, concept: Any, on: date | None) -> bool:
    return isinstance(concept, dict) and any(not row.billable for row in _rows(source, concept, on))


def _counts(resource: Resource) -> bool:
    """Whether it was done, or for a condition whether it holds."""
    if resource["resourceType"] == "ChargeItem":
        return resource.get("status") in ("billable", "billed")
    if resource["resourceType"] != "Condition":
        return resource.get("status") == "completed"
    status = resource.get("verificationStatus") or {}
    return not any(coding.get("code") in _UNFOUNDED for coding in status.get("coding", ()))
