"""The encounter's snapshot Bundle to the documented facts of a visit."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import fhir_r4
from fhir_r4.bundle import resources_of
from fhir_r4.elements import (
    code_in,
    day_of,
    extension_values,
    has_code,
    identifier_of,
    identity,
    reference_of,
    references_of,
)
from fhir_r4.references import Index
from kernel import codes
from kernel.errors import Unreadable
from rcm.engine.v1 import engine_pb2

from coding.model import Visit
from coding.wire.elements import Resource, first_npi, same, target
from coding.wire.services import read_services

_EM_SYSTEM = f"{codes.LINE}/CodeSystem/em"
_EM_ELEMENTS = ("problems", "data", "risk")
_MINUTES = "total-minutes"
_TELEHEALTH_ELSEWHERE = "02"
# ICD-10-CM guideline IV.H: an uncertain diagnosis is not coded for an outpatient.
_NOT_A_DIAGNOSIS = ("refuted", "entered-in-error", "unconfirmed", "provisional", "differential")
_NOT_AN_OBSERVATION = ("entered-in-error", "cancelled")
_RENDERING = ("PPRF", "ATND")


def read_visit(body: engine_pb2.EncounterFinished) -> Visit:
    """Facts of the visit. Unreadable when the snapshot is no Bundle, or does not hold the encounter that it names."""
    bundle = fhir_r4.read(body.facts.snapshot)
    index = Index(bundle)
    encounter = target(index, body.facts.encounter)
    if encounter is None or encounter["resourceType"] != "Encounter":
        raise Unreadable("snapshot-encounter", "EncounterFacts.snapshot", "the Bundle does not hold its encounter")
    resources = resources_of(bundle)
    unmapped = frozenset(body.unmapped)
    services, without_code = read_services(encounter, resources, index, unmapped)
    em, minutes = _em_documentation(encounter, resources, index)
    return Visit(
        encounter=body.facts.encounter,
        encounter_key=body.facts.encounter_key,
        visit_class=str((encounter.get("class") or {}).get("code", "")),
        date=day_of(str((encounter.get("period") or {}).get("start") or "")),
        place=_place(encounter, index),
        payer=_payer(resources, index),
        diagnoses=tuple(_diagnoses(encounter, resources, index, unmapped)),
        services=tuple(services),
        em=em,
        minutes=minutes,
        rendering_npi=_rendering(encounter, index),
        unmapped=tuple(body.unmapped),
        without_code=tuple(without_code),
        patient=reference_of(encounter.get("subject")),
    )


def _diagnoses(
    encounter: Resource, resources: list[Resource], index: Index, unmapped: frozenset[str]
) -> list[tuple[str, str]]:
    """(Condition, ICD-10-CM): first by the encounter's own rank, then whatever else names the encounter."""
    ranked = sorted(encounter.get("diagnosis", ()), key=_rank)
    listed = [target(index, reference_of(entry.get("condition"))) for entry in ranked]
    others = [one for one in resources if one["resourceType"] == "Condition" and _belongs(one, encounter, index)]
    found: dict[str, str] = {}
    for condition in (*listed, *others):
        if condition is None or condition["resourceType"] != "Condition" or identity(condition) in unmapped:
            continue
        code = code_in(condition.get("code"), (codes.ICD10CM,))
        if code and not has_code(condition.get("verificationStatus"), _NOT_A_DIAGNOSIS):
            found.setdefault(identity(condition), code)
    return list(found.items())


def _rank(entry: dict[str, Any]) -> tuple[bool, int]:
    rank = entry.get("rank")
    return rank is None, int(rank or 0)


def _belongs(resource: Resource, encounter: Resource, index: Index) -> bool:
    return same(index, reference_of(resource.get("encounter")), encounter)


def _em_documentation(encounter: Resource, resources: list[Resource], index: Index) -> tuple[dict[str, str], int]:
    """The MDM words by element and the total minutes; the last observation of each wins."""
    words: dict[str, str] = {}
    minutes = 0
    for resource in resources:
        element = code_in(resource.get("code"), (_EM_SYSTEM,)) if resource["resourceType"] == "Observation" else ""
        if not element or resource.get("status") in _NOT_AN_OBSERVATION or not _belongs(resource, encounter, index):
            continue
        if element in _EM_ELEMENTS:
            words[element] = _word(resource)
        if element == _MINUTES:
            minutes = _minutes(resource)
    return words, minutes


def _word(observation: Resource) -> str:
    value = observation.get("valueCodeableConcept") or {}
    return next((str(coding["code"]) for coding in value.get("coding", ()) if coding.get("code")), "")


def _minutes(observation: Resource) -> int:
    """Whole minutes; a part of a minute does not count towards a level."""
    quantity = observation.get("valueQuantity") or {}
    return int(Decimal(observation.get("valueInteger", quantity.get("value", 0))))


def _place(encounter: Resource, index: Index) -> str:
    """Place of service of the location; "02" for telehealth away from home; "" when only the class says it."""
    for entry in encounter.get("location", ()):
        location = target(index, reference_of(entry.get("location"))) or {}
        for concept in location.get("type", ()):
            if code := code_in(concept, (codes.POS,)):
                return code
    elsewhere = any(extension_values(encounter, "telehealth-elsewhere"))
    return _TELEHEALTH_ELSEWHERE if elsewhere else ""


def _payer(resources: list[Resource], index: Index) -> str:
    """The primary coverage's payer id, "" when none is on file."""
    coverages = [one for one in resources if one["resourceType"] == "Coverage" and one.get("status") == "active"]
    for coverage in sorted(coverages, key=lambda one: int(one.get("order", 1)))[:1]:
        payors = (target(index, reference) for reference in references_of(coverage, "payor"))
        return next(filter(None, (identifier_of(payor, codes.NAIC) for payor in payors)), "")
    return ""


def _rendering(encounter: Resource, index: Index) -> str:
    """The participant who performed or attended; without such a role the first who has an NPI."""
    people = encounter.get("participant", ())
    leading = [one for one in people if any(has_code(role, _RENDERING) for role in one.get("type", ()))]
    found = [reference_of(one.get("individual")) for one in (*leading, *people)]
    return first_npi(index, found)
