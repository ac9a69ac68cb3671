"""What must be accepted is, what must be refused is, at the exact place and by the expected rule, without any PHI."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from fhir_r4 import Issue, Resource, has_errors, read, validate
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

URN = "urn:uuid:c757873d-ec9a-4326-a141-556f43239520"
CLAIM = read(b"""{
  "resourceType": "Claim", "id": "c1", "status": "active", "use": "claim", "created": "2026-03-01",
  "type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/claim-type", "code": "professional"}]},
  "patient": {"reference": "Patient/p1"}, "provider": {"reference": "Organization/o1"},
  "insurer": {"reference": "#payer"}, "priority": {"coding": [{"code": "normal"}]},
  "contained": [{"resourceType": "Organization", "id": "payer", "name": "Acme Health"}],
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
  "resourceType": "Patient", "gender": "female", "birthDate": "1980-02-29", "active": true,
  "_birthDate": {"extension": [{"url": "http://a.example/x", "valueDateTime": "1980-02-29T10:00:00Z"}]},
  "name": [{"given": ["Zebulon", null], "_given": [null, {"extension": [{"url": "http://a.example/x",
    "valueCode": "masked"}]}]}]
}""")
CONDITION = read(b"""{
  "resourceType": "Condition", "subject": {"reference": "Patient/1"},
  "clinicalStatus": {"coding": [
    {"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]}
}""")
BASES = {"Claim": CLAIM, "Patient": PATIENT, "Condition": CONDITION}
GONE = object()


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


def _found(issues: list[Issue]) -> list[tuple[str, str]]:
    return [(issue.rule_id, issue.fhirpath) for issue in issues]


@pytest.mark.parametrize("name", BASES)
def test_sound_resources_have_no_issues(name: str) -> None:
    assert validate(BASES[name]) == []


REFUSALS: list[tuple[str, str, object, str, str]] = [
    # base, place, value, rule, FHIRPath of the issue
    ("Claim", "status", "banana", "fhir-binding", "Claim.status"),
    ("Claim", "status", ["active"], "fhir-cardinality", "Claim.status"),
    ("Claim", "status", 1, "fhir-type", "Claim.status"),
    ("Claim", "status", None, "fhir-type", "Claim.status"),
    ("Claim", "status", GONE, "fhir-required", "Claim.status"),
    ("Claim", "insurance", [], "fhir-cardinality", "Claim.insurance"),
    ("Claim", "insurance", GONE, "fhir-required", "Claim.insurance"),
    ("Claim", "insurance", {}, "fhir-cardinality", "Claim.insurance"),
    ("Claim", "insurance.0.coverage", GONE, "fhir-required", "Claim.insurance[0].coverage"),
    ("Claim", "insurance.0.coverage", {}, "ele-1", "Claim.insurance[0].coverage"),
    ("Claim", "insurance.0.coverage", {"id": "a"}, "ele-1", "Claim.insurance[0].coverage"),
    ("Claim", "insurance.0.focal", "true", "fhir-type", "Claim.insurance[0].focal"),
    ("Claim", "item.0.sequence", 0, "fhir-format", "Claim.item[0].sequence"),
    ("Claim", "item.0.sequence", Decimal("1.0"), "fhir-type", "Claim.item[0].sequence"),
    ("Claim", "item.0.sequence", True, "fhir-type", "Claim.item[0].sequence"),
    ("Claim", "item.0.net", "125.00", "fhir-type", "Claim.item[0].net"),
    ("Claim", "item.0.net", [{"value": 1}], "fhir-cardinality", "Claim.item[0].net"),
    ("Claim", "item.0.net.value", "125.00", "fhir-type", "Claim.item[0].net.value"),
    ("Claim", "item.0.net.value", 125.0, "fhir-type", "Claim.item[0].net.value"),
    ("Claim", "item.0.net.value", Decimal("125.005"), "fhir-money-decimals", "Claim.item[0].net.value"),
    ("Claim", "item.0.net.value", Decimal("125.000"), "fhir-money-decimals", "Claim.item[0].net.value"),
    ("Claim", "item.0.net.currency", "XYZ", "fhir-binding", "Claim.item[0].net.currency"),
    ("Claim", "item.0.servicedDate", "2026-02-30", "fhir-format", "Claim.item[0].serviced.ofType(date)"),
    ("Claim", "item.0.servicedPeriod", {"start": "2026"}, "fhir-choice", "Claim.item[0].serviced"),
    ("Claim", "item.0.servicedTime", "10:00:00", "fhir-unknown-element", "Claim.item[0]"),
    ("Claim", "item.0.serviced", "2026-02-27", "fhir-unknown-element", "Claim.item[0]"),
    ("Claim", "item.0.diagnosisSequence", [2], "fhir-sequence-known", "Claim.item"),
    ("Claim", "item.0.diagnosisSequence", [None], "fhir-type", "Claim.item[0].diagnosisSequence[0]"),
    ("Claim", "item.0.diagnosisSequence", 1, "fhir-cardinality", "Claim.item[0].diagnosisSequence"),
    ("Claim", "diagnosis.0.diagnosisCodeableConcept", GONE, "fhir-required", "Claim.diagnosis[0].diagnosis"),
    ("Claim", "surprise", 1, "fhir-unknown-element", "Claim"),
    ("Claim", "_surprise", {"id": "a"}, "fhir-unknown-element", "Claim"),
    ("Claim", "_patient", {"id": "a"}, "fhir-unknown-element", "Claim"),
    ("Claim", "_created", {}, "ele-1", "Claim.created"),
    ("Claim", "_created", [], "fhir-type", "Claim.created"),
    ("Claim", "_created", {"value": "a"}, "fhir-unknown-element", "Claim.created"),
    ("Claim", "patient.reference", "Practitioner/1", "fhir-reference-target", "Claim.patient"),
    ("Claim", "patient.reference", "Practitioner?identifier=a", "fhir-reference-target", "Claim.patient"),
    ("Claim", "patient.reference", "http://a.example/Practitioner/1", "fhir-reference-target", "Claim.patient"),
    ("Claim", "patient.reference", "#payer", "fhir-reference-target", "Claim.patient"),
    ("Claim", "patient.reference", "#", "fhir-reference-target", "Claim.patient"),
    ("Claim", "patient.reference", "#nobody", "ref-1", "Claim.patient"),
    ("Claim", "patient.type", "Practitioner", "fhir-reference-type", "Claim.patient"),
    ("Claim", "insurer.reference", "Organization/o2", "dom-3", "Claim.contained[0]"),
    ("Claim", "contained.0.name", GONE, "org-1", "Claim.contained[0]"),
    ("Claim", "contained.0.resourceType", "Banana", "fhir-resource-type", "Claim.contained[0]"),
    ("Claim", "contained.0.resourceType", GONE, "fhir-resource", "Claim.contained[0]"),
    ("Claim", "contained.0.meta", {"versionId": "1"}, "dom-4", "Claim"),
    ("Claim", "id", "a b", "fhir-format", "Claim.id"),
    ("Claim", "text", {"status": "empty", "div": "<p/>"}, "fhir-format", "Claim.text.div"),
    ("Claim", "extension", [{"url": "http://a.example"}], "ext-1", "Claim.extension[0]"),
    ("Claim", "extension", [{"valueString": "a"}], "fhir-required", "Claim.extension[0].url"),
    ("Claim", "extension", [{"url": "a", "valueBanana": 1}], "fhir-unknown-element", "Claim.extension[0]"),
    (
        "Claim",
        "extension",
        [{"url": "a", "valueReference": {"reference": "#x"}}],
        "ref-1",
        "Claim.extension[0].value.ofType(Reference)",
    ),
    ("Patient", "birthDate", "1980-02-30", "fhir-format", "Patient.birthDate"),
    ("Patient", "gender", "Female", "fhir-binding", "Patient.gender"),
    ("Patient", "name.0.given", ["", None], "fhir-format", "Patient.name[0].given[0]"),
    ("Patient", "name.0._given", GONE, "fhir-type", "Patient.name[0].given[1]"),
    ("Patient", "name.0._given", {}, "fhir-cardinality", "Patient.name[0].given"),
    ("Patient", "deceasedString", "no", "fhir-unknown-element", "Patient"),
    ("Patient", "telecom", [{"value": "1"}], "cpt-2", "Patient.telecom[0]"),
    ("Condition", "clinicalStatus.coding.0.code", "banana", "fhir-binding", "Condition.clinicalStatus"),
    ("Condition", "clinicalStatus", {"text": "active"}, "fhir-binding", "Condition.clinicalStatus"),
    (
        "Condition",
        "clinicalStatus.coding.0.code",
        ["active"],
        "fhir-cardinality",
        "Condition.clinicalStatus.coding[0].code",
    ),
    ("Condition", "abatementString", "gone", "con-4", "Condition"),
]


@pytest.mark.parametrize(("base", "place", "value", "rule", "path"), REFUSALS)
def test_refusals_name_the_rule_and_the_place(base: str, place: str, value: object, rule: str, path: str) -> None:
    issues = validate(_changed(BASES[base], place, value))
    assert (rule, path) in _found(issues)
    assert has_errors(issues)


ACCEPTED: list[tuple[str, str, object]] = [
    ("Claim", "patient.reference", "https://a.example/fhir/Patient/1/_history/2"),
    ("Claim", "patient.reference", "Patient?identifier=a|b"),
    ("Claim", "patient.reference", URN),
    ("Claim", "patient.reference", "https://a.example/page"),
    ("Claim", "patient", {"identifier": {"value": "1"}, "type": "Patient"}),
    ("Claim", "patient.type", "http://hl7.org/fhir/StructureDefinition/Patient"),
    ("Claim", "_status", {"id": "a"}),
    ("Claim", "item.0.net.value", 125),
    ("Claim", "item.0.net.currency", "EUR"),
    ("Patient", "birthDate", GONE),
    ("Patient", "deceasedBoolean", False),
    ("Patient", "contained", [{"resourceType": "Provenance", "id": "a", "recorded": "2026-01-01T00:00:00Z",
                               "target": [{"reference": "#"}], "agent": [{"who": {"reference": "Device/1"}}]}]),
    ("Condition", "clinicalStatus.text", "active"),
    ("Condition", "clinicalStatus", GONE),
]  # fmt: skip


@pytest.mark.parametrize(("base", "place", "value"), ACCEPTED)
def test_it_stays_silent_where_it_must(base: str, place: str, value: object) -> None:
    assert validate(_changed(BASES[base], place, value)) == []


def test_a_required_primitive_may_be_an_extension_only() -> None:
    absent = {"extension": [{"url": "http://a.example/absent", "valueCode": "unknown"}]}
    assert validate(_changed(_changed(CLAIM, "created", GONE), "_created", absent)) == []


@pytest.mark.parametrize("thing", [{}, {"resourceType": 1}, {"resourceType": "Banana"}, {"resourceType": "ClaimItem"}])
def test_what_is_no_known_resource(thing: Resource) -> None:
    assert len(validate(thing)) == 1 and has_errors(validate(thing))


def _bundle(kind: str, *entries: Resource) -> Resource:
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def _post(full_url: str, resource: Resource) -> Resource:
    return {
        "fullUrl": full_url,
        "resource": resource,
        "request": {"method": "POST", "url": resource["resourceType"]},
    }


def test_entries_of_a_bundle_are_validated_with_their_references() -> None:
    claim = _changed(CLAIM, "patient.reference", URN)
    other = "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"
    good = _bundle("transaction", _post(URN, PATIENT), _post(other, claim))
    assert validate(good) == []
    wrong = _bundle("transaction", _post(URN, CONDITION), _post(other, claim))
    assert _found(validate(wrong)) == [("fhir-reference-target", "Bundle.entry[1].resource.patient")]
    lost = _bundle("transaction", _post(other, claim))
    assert _found(validate(lost)) == [("fhir-reference-unresolved", "Bundle.entry[0].resource.patient")]
    assert has_errors(validate(lost))
    collection = _bundle("collection", {"fullUrl": other, "resource": claim})
    assert [issue.severity for issue in validate(collection)] == ["warning"]


def test_faults_inside_entries_have_their_whole_path() -> None:
    bundle = _bundle("collection", {"resource": PATIENT}, {"resource": _changed(CLAIM, "item.0.net.value", "1")})
    assert _found(validate(bundle)) == [("fhir-type", "Bundle.entry[1].resource.item[0].net.value")]


def test_contained_resources_of_one_entry_are_not_those_of_another() -> None:
    stray = _changed(CONDITION, "subject.reference", "#payer")
    assert ("ref-1", "Bundle.entry[1].resource.subject") in _found(
        validate(_bundle("collection", {"resource": CLAIM}, {"resource": stray}))
    )


def test_statements_of_the_past_get_warnings_for_unrounded_amounts(samples: dict[str, Resource]) -> None:
    statement = copy.deepcopy(samples["r4-examples/ExplanationOfBenefit-EB3500.json"])
    statement["total"][0]["amount"]["value"] = Decimal("1.005")
    assert [(one.rule_id, one.severity) for one in validate(statement)] == [("fhir-money-decimals", "warning")]


def test_issues_end_somewhere_and_warnings_hide_no_error() -> None:
    flood = _changed(CLAIM, "insurance", [{}] * 500)
    assert len(validate(flood)) == 100
    lost = {"reference": "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"}
    condition = _changed(CONDITION, "evidence", [{"detail": [lost] * 300}])
    issues = validate(_bundle("collection", {"resource": condition}, {"resource": _changed(CLAIM, "status", "banana")}))
    assert sum(issue.severity == "warning" for issue in issues) == 100
    assert ("fhir-binding", "Bundle.entry[1].resource.status") in _found(issues)


CANARY = "Zebulon Quagmire 1980-02-29"


def _marked(node: Any) -> Iterator[Callable[[], None]]:
    """One change for every value of a resource: the mark put in its place, and beside it as an unknown name."""
    places = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in list(places):
        yield lambda key=key: node.__setitem__(key, CANARY)  # type: ignore[misc]
        if isinstance(value, (dict, list)):
            yield from _marked(value)
    if isinstance(node, dict):
        yield lambda: node.__setitem__(CANARY, 1)


@pytest.mark.parametrize("name", BASES)
def test_issues_never_repeat_a_value(name: str) -> None:
    refused = 0
    for index in range(len(list(_marked(copy.deepcopy(BASES[name]))))):
        resource = copy.deepcopy(BASES[name])
        list(_marked(resource))[index]()
        issues = validate(resource)
        refused += bool(issues)
        assert "Zebulon" not in repr(issues) and "1980" not in repr(issues)
    assert refused > 10


# The published example refers to a Practitioner where R4 allows an Organization only.
KNOWN_WARNINGS = {"r4-examples/MedicationRequest-medrx0301.json": ["fhir-reference-target"]}


def test_published_examples_are_accepted(samples: dict[str, Resource]) -> None:
    assert len(samples) > 340
    for name, resource in samples.items():
        issues = validate(resource)
        assert not has_errors(issues), (name, issues[:3])
        if name.startswith("r4-examples/"):
            assert [one.rule_id for one in issues] == KNOWN_WARNINGS.get(name, []), name


def test_warnings_on_generated_bundles_are_only_about_payers_statements(samples: dict[str, Resource]) -> None:
    bundles = [one for name, one in samples.items() if name.startswith("synthea/")]
    entries = [entry["resource"] for bundle in bundles for entry in bundle["entry"]]
    assert {one["resourceType"] for one in entries if validate(one)} == {"ExplanationOfBenefit"}


WRONG = [{"surprise": 1}, [[]], "", True, -1, Decimal("0.5"), None, {}, [], "banana\x00"]


def _somewhere(data: st.DataObject, resource: Resource) -> Resource:
    made = copy.deepcopy(resource)
    node: Any = made
    while True:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        key = data.draw(st.sampled_from(keys))
        if isinstance(node[key], (dict, list)) and node[key] and data.draw(st.booleans()):
            node = node[key]
            continue
        node[key] = data.draw(st.sampled_from(WRONG))
        return made


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_damage_makes_it_stumble(official: dict[str, Resource], data: st.DataObject) -> None:
    resource = _somewhere(data, official[data.draw(st.sampled_from(sorted(official)))])
    issues = validate(resource)
    assert all(issue.fhirpath or issue.rule_id.startswith("fhir-resource") for issue in issues)
