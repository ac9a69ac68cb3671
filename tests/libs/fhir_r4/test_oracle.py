"""fhir.resources R4B as the oracle: where the two readers agree, and for each fault where they do not, why."""

from __future__ import annotations

import copy
import importlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
from fhir_r4 import Resource, has_errors, read, validate, write
from fhir_r4.types import Element, known_types, shape
from pydantic import ValidationError


def _oracle_refuses(resource: Resource) -> bool:
    name = resource["resourceType"]
    model = getattr(importlib.import_module(f"fhir.resources.R4B.{name.lower()}"), name)
    try:
        model.model_validate(json.loads(write(resource)))
    except (ValidationError, TypeError, KeyError):
        return True
    return False


def test_both_accept_everything_that_was_published(samples: dict[str, Resource]) -> None:
    """R4's own examples and those of US Core, PAS and CRD, and generated Bundles: no row of differences is needed."""
    ours = {name for name, resource in samples.items() if has_errors(validate(resource))}
    theirs = {name for name, resource in samples.items() if _oracle_refuses(resource)}
    assert len(samples) > 340
    assert (ours, theirs) == (set(), set())


# ---- single faults ----

CLAIM = read(b"""{
  "resourceType": "Claim", "id": "c1", "status": "active", "use": "claim", "created": "2026-03-01",
  "contained": [{"resourceType": "Organization", "id": "payer", "name": "Acme Health"}],
  "identifier": [{"system": "http://a.example/claims", "value": "1"}],
  "type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/claim-type", "code": "professional"}]},
  "patient": {"reference": "Patient/p1"}, "provider": {"reference": "Organization/o1"},
  "insurer": {"reference": "#payer"}, "priority": {"coding": [{"code": "normal"}]},
  "billablePeriod": {"start": "2026-02-27", "end": "2026-02-28"},
  "careTeam": [{"sequence": 1, "provider": {"reference": "Practitioner/d1"}}],
  "diagnosis": [{"sequence": 1, "diagnosisCodeableConcept": {"coding": [{"code": "I10"}]}}],
  "insurance": [{"sequence": 1, "focal": true, "coverage": {"reference": "Coverage/v1"}}],
  "item": [{
    "sequence": 1, "careTeamSequence": [1], "diagnosisSequence": [1], "servicedDate": "2026-02-27",
    "productOrService": {"coding": [{"system": "http://www.ama-assn.org/go/cpt", "code": "99213"}]},
    "quantity": {"value": 1}, "unitPrice": {"value": 125.00, "currency": "USD"},
    "net": {"value": 125.00, "currency": "USD"}
  }],
  "total": {"value": 125.00, "currency": "USD"}
}""")
PATIENT = read(b"""{
  "resourceType": "Patient", "active": true, "gender": "female", "birthDate": "1980-02-29",
  "name": [{"family": "Orchard", "given": ["Alma"]}], "telecom": [{"system": "phone", "value": "555"}],
  "contact": [{"name": {"text": "Finn"}}], "photo": [{"contentType": "image/png", "data": "AAAA"}],
  "text": {"status": "generated", "div": "<div xmlns=\\"http://www.w3.org/1999/xhtml\\">Alma</div>"},
  "extension": [{"url": "http://a.example/x", "valueString": "a"}], "meta": {"lastUpdated": "2026-03-01T10:00:00Z"}
}""")
CONDITION = read(b"""{
  "resourceType": "Condition", "subject": {"reference": "Patient/1"}, "onsetDateTime": "2026-01-01T10:00:00Z",
  "clinicalStatus": {"coding": [
    {"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]}
}""")
BUNDLE = read(b"""{
  "resourceType": "Bundle", "type": "transaction",
  "entry": [{"fullUrl": "urn:uuid:c757873d-ec9a-4326-a141-556f43239520", "resource": {"resourceType": "Basic",
    "code": {"text": "a"}}, "request": {"method": "POST", "url": "Basic"}}]
}""")
BASES = {one["resourceType"]: one for one in (CLAIM, PATIENT, CONDITION, BUNDLE)}
GONE = object()
BOTH, OURS = True, False
BOTH_KINDS = [{"url": "a", "valueString": "b", "extension": [{"url": "c", "valueString": "d"}]}]

# base, place, value put there, our rule, whether the oracle refuses too. R4 refuses every row: where the oracle does
# not, it is wrong, and the group says why.
FAULTS: list[tuple[str, str, object, str, bool]] = [
    # structure: both see it
    ("Claim", "status", GONE, "fhir-required", BOTH),
    ("Claim", "patient", GONE, "fhir-required", BOTH),
    ("Claim", "insurance", GONE, "fhir-required", BOTH),
    ("Claim", "insurance.0.coverage", GONE, "fhir-required", BOTH),
    ("Claim", "diagnosis.0.diagnosisCodeableConcept", GONE, "fhir-required", BOTH),
    ("Claim", "item.0.servicedPeriod", {"start": "2026"}, "fhir-choice", BOTH),
    ("Claim", "item.0.servicedTime", "10:00:00", "fhir-unknown-element", BOTH),
    ("Claim", "surprise", 1, "fhir-unknown-element", BOTH),
    ("Claim", "status", ["active"], "fhir-cardinality", BOTH),
    ("Claim", "item", {"sequence": 1}, "fhir-cardinality", BOTH),
    ("Claim", "patient", "Patient/p1", "fhir-type", BOTH),
    ("Claim", "status", 1, "fhir-type", BOTH),
    ("Claim", "item.0.sequence", "first", "fhir-type", BOTH),
    ("Claim", "item.0.sequence", 0, "fhir-format", BOTH),
    ("Claim", "item.0.net.value", "many", "fhir-type", BOTH),
    ("Claim", "created", "2026-02-30", "fhir-format", BOTH),
    ("Claim", "created", "03/01/2026", "fhir-format", BOTH),
    ("Claim", "id", "a b", "fhir-format", BOTH),
    ("Claim", "contained.0.resourceType", "Banana", "fhir-resource-type", BOTH),
    ("Patient", "active", "maybe", "fhir-type", BOTH),
    ("Patient", "birthDate", "1980-02-29T10:00:00Z", "fhir-format", BOTH),
    ("Patient", "meta.lastUpdated", "2026-03-01", "fhir-format", BOTH),
    ("Patient", "photo.0.data", "AAA", "fhir-format", BOTH),
    ("Patient", "extension.0.url", GONE, "fhir-required", BOTH),
    ("Condition", "subject", GONE, "fhir-required", BOTH),
    ("Bundle", "type", GONE, "fhir-required", BOTH),
    ("Bundle", "entry.0.request.method", GONE, "fhir-required", BOTH),
    # required value sets: the oracle names the codes in its documentation and looks at none
    ("Claim", "status", "banana", "fhir-binding", OURS),
    ("Claim", "total.currency", "XYZ", "fhir-binding", OURS),
    ("Patient", "gender", "Female", "fhir-binding", OURS),
    ("Condition", "clinicalStatus.coding.0.code", "banana", "fhir-binding", OURS),
    ("Bundle", "entry.0.request.method", "post", "fhir-binding", OURS),
    # references: the oracle knows the targets and looks at none
    ("Claim", "patient.reference", "Practitioner/1", "fhir-reference-target", OURS),
    ("Claim", "patient.type", "Practitioner", "fhir-reference-type", OURS),
    ("Claim", "insurer.reference", "#nobody", "ref-1", OURS),
    # emptiness: the oracle takes an empty array or object for an absent one, or for a present one, as it comes
    ("Claim", "insurance", [], "fhir-cardinality", OURS),
    ("Claim", "insurance.0.coverage", {}, "ele-1", OURS),
    ("Patient", "name.0.given", [], "fhir-cardinality", OURS),
    # leniency: the oracle makes a value of the right type out of the wrong one
    ("Patient", "active", "true", "fhir-type", OURS),
    ("Claim", "item.0.sequence", "1", "fhir-type", OURS),
    ("Claim", "item.0.net.value", "125.00", "fhir-type", OURS),
    # invariants: the oracle has none
    ("Patient", "extension.0.valueString", GONE, "ext-1", OURS),
    ("Patient", "extension", BOTH_KINDS, "ext-1", OURS),
    ("Patient", "telecom.0.system", GONE, "cpt-2", OURS),
    ("Patient", "contact.0.name", GONE, "ele-1", OURS),
    ("Patient", "photo.0.contentType", GONE, "att-1", OURS),
    ("Patient", "text.div", "<p>Alma</p>", "fhir-format", OURS),
    ("Claim", "billablePeriod.end", "2026-02-26", "per-1", OURS),
    ("Claim", "contained.0.id", "other", "ref-1", OURS),
    ("Claim", "contained.0.name", GONE, "org-1", OURS),
    ("Claim", "item.0.diagnosisSequence", [2], "fhir-sequence-known", OURS),
    ("Condition", "abatementString", "gone", "con-4", OURS),
    ("Bundle", "entry.0.request", GONE, "bdl-3", OURS),
]


def _changed(resource: Resource, path: str, value: object) -> Resource:
    made = copy.deepcopy(resource)
    *way, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    node: Any = made
    for step in way:
        node = node[step]
    if value is GONE:
        del node[last]
    else:
        node[last] = value
    return made


@pytest.mark.parametrize("name", BASES)
def test_the_bases_are_sound(name: str) -> None:
    assert validate(BASES[name]) == [] and not _oracle_refuses(BASES[name])


@pytest.mark.parametrize(("base", "place", "value", "rule", "both"), FAULTS)
def test_we_see_every_fault_and_the_oracle_those_of_its_rows(
    base: str, place: str, value: object, rule: str, both: bool
) -> None:
    damaged = _changed(BASES[base], place, value)
    issues = validate(damaged)
    assert has_errors(issues) and rule in {issue.rule_id for issue in issues}
    assert _oracle_refuses(damaged) == both


def test_r4_lets_an_extension_hold_meta_and_the_oracle_does_not() -> None:
    held = _changed(PATIENT, "extension", [{"url": "http://a.example", "valueMeta": {"source": "a"}}])
    assert validate(held) == [] and _oracle_refuses(held)


def test_every_missing_required_element_is_refused_by_us_and_by_the_oracle(official: dict[str, Resource]) -> None:
    seen: set[tuple[str, str]] = set()
    for resource in official.values():
        name = resource["resourceType"]
        for element, variants in shape(name).required:
            if (name, element) in seen:
                continue
            seen.add((name, element))
            lacking = {k: v for k, v in resource.items() if k.removeprefix("_") not in variants}
            assert ("fhir-required", f"{name}.{element}") in {(one.rule_id, one.fhirpath) for one in validate(lacking)}
            assert _oracle_refuses(lacking), (name, element)
    assert len(seen) > 80


# ---- definitions ----


def _elements() -> Iterator[tuple[str, str, Element, dict[str, Any]]]:
    """Type, name, our element and the oracle's facts, for every element that is reached from a resource."""
    waiting, seen = [(name, name.lower()) for name in sorted(known_types())], set()
    while waiting:
        name, module = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        models = importlib.import_module(f"fhir.resources.R4B.{module}")
        theirs = {str(one.alias): one.json_schema_extra or {} for one in getattr(models, name).model_fields.values()}
        for key, element in shape(name).elements.items():
            if not element.primitive and element.type != "Resource":
                waiting.append((element.type, module if hasattr(models, element.type) else element.type.lower()))
            if key != "resourceType":
                yield name, key, element, theirs.get(key, {})


# The oracle takes its codes from the one-line summaries of the specification: "+" says that there are more, and these
# two summarise a value set that is no closed list.
SUMMARIES = {("Expression", "language"), ("CapabilityStatement", "format")}


def test_the_oracle_agrees_on_required_codes() -> None:
    compared = 0
    for name, key, element, theirs in _elements():
        codes = set(theirs.get("enum_values", ()))
        if not codes or (name, key) in SUMMARIES or element.concept is not None:
            continue
        compared += 1
        assert element.codes is not None, (name, key)
        assert codes - {"+"} <= element.codes and ("+" in codes or codes == element.codes), (name, key)
    assert compared > 150


def test_the_oracle_agrees_on_reference_targets() -> None:
    compared = 0
    for name, key, element, theirs in _elements():
        if element.type == "Reference":
            compared += 1
            anything = ["Resource"] if "enum_reference_types" in theirs else []
            assert (element.targets or set(anything)) == set(theirs.get("enum_reference_types", ())), (name, key)
    assert compared > 500
