"""Every invariant says yes where it must and no where it must; a row without a case here fails."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from fhir_r4.invariants import INVARIANTS, not_after

Nodes = list[dict[str, Any]]


def _status(clinical: str | None, verification: str | None = None) -> dict[str, Any]:
    given = {"clinicalStatus": clinical, "verificationStatus": verification}
    return {name: {"coding": [{"code": code}]} for name, code in given.items() if code}


def _claim(*diagnosis: int, item: list[int] | None = None) -> dict[str, Any]:
    return {
        "diagnosis": [{"sequence": number} for number in diagnosis],
        "item": [{"sequence": 1, "diagnosisSequence": item if item is not None else [1]}],
    }


def _bundle(kind: str, *entries: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": kind, "entry": list(entries), **more}


def _code(code: str) -> dict[str, Any]:
    return {"coding": [{"system": "s", "code": code}]}


SEQUENCE_CASES: dict[str, tuple[Nodes, Nodes]] = {
    "fhir-sequence-unique": ([_claim(1, 2), {}], [_claim(1, 1), {"item": [{"sequence": 1}, {"sequence": 1}]}]),
    "fhir-sequence-known": ([_claim(1, 2), _claim(1, item=[]), {}], [_claim(2), {"item": [{"careTeamSequence": [1]}]}]),
}
RESPONSE = {"response": {"status": "200"}}
REQUEST = {"request": {"method": "GET", "url": "a"}}
CASES: dict[tuple[str, str], tuple[Nodes, Nodes]] = {
    ("Period", "per-1"): (
        [
            {"start": "2026", "end": "2026"},
            {"start": "2026-02", "end": "2026-02-01"},
            {"start": "2026-01-02"},
            {"end": "2026"},
            {"start": "2026-01-01T23:00:00-05:00", "end": "2026-01-02T04:00:00Z"},
            {"start": "2026-01-01T00:00:60Z", "end": "2026-01-01T00:00:00Z"},
        ],
        [
            {"start": "2026", "end": "2025"},
            {"start": "2026-02-02", "end": "2026-02-01"},
            {"start": "2026-01-01T23:00:00-05:00", "end": "2026-01-02T03:59:59Z"},
        ],
    ),
    ("Quantity", "qty-3"): ([{"code": "mg", "system": "s"}, {"value": 1}], [{"code": "mg"}]),
    ("Range", "rng-2"): (
        [
            {"low": {"value": 1}, "high": {"value": 1}},
            {"low": {"value": 2, "unit": "g"}, "high": {"value": 1}},
            {"low": {}},
        ],
        [{"low": {"value": 2}, "high": {"value": Decimal("1.9")}}],
    ),
    ("Ratio", "rat-1"): (
        [{"numerator": {}, "denominator": {}}, {"extension": []}],
        [{"numerator": {}}, {"denominator": {}}, {"id": "a"}],
    ),
    ("ContactPoint", "cpt-2"): ([{"value": "1", "system": "phone"}, {"use": "home"}], [{"value": "1"}]),
    ("Attachment", "att-1"): ([{"data": "a", "contentType": "b"}, {"url": "a"}], [{"data": "a"}]),
    ("Extension", "ext-1"): (
        [{"url": "a", "valueString": "b"}, {"url": "a", "extension": []}, {"url": "a", "_valueString": {}}],
        [{"url": "a"}, {"url": "a", "valueString": "b", "extension": []}],
    ),
    ("Money", "fhir-money-decimals"): (
        [
            {"value": Decimal("100.00")},
            {"value": Decimal("1.5"), "currency": "USD"},
            {"value": 3},
            {"currency": "USD"},
            {"value": Decimal("1.125"), "currency": "KWD"},
            {"value": Decimal("1E+2"), "currency": "USD"},
        ],
        [{"value": Decimal("100.000"), "currency": "USD"}, {"value": Decimal("0.125")}, {"value": Decimal("1E-3")}],
    ),
    ("TimingRepeat", "tim-1"): ([{"duration": 1, "durationUnit": "d"}], [{"duration": 1}]),
    ("TimingRepeat", "tim-2"): ([{"period": 1, "periodUnit": "d"}], [{"period": 1}]),
    ("TimingRepeat", "tim-4"): ([{"duration": 0}, {}], [{"duration": Decimal("-0.1")}]),
    ("TimingRepeat", "tim-5"): ([{"period": 0}, {}], [{"period": -1}]),
    ("TimingRepeat", "tim-6"): ([{"period": 1, "periodMax": 2}], [{"periodMax": 2}]),
    ("TimingRepeat", "tim-7"): ([{"duration": 1, "durationMax": 2}], [{"durationMax": 2}]),
    ("TimingRepeat", "tim-8"): ([{"count": 1, "countMax": 2}], [{"countMax": 2}]),
    ("TimingRepeat", "tim-9"): ([{"offset": 1, "when": ["HS"]}, {}], [{"offset": 1}, {"offset": 1, "when": ["C"]}]),
    ("TimingRepeat", "tim-10"): ([{"timeOfDay": []}, {"when": []}], [{"timeOfDay": [], "when": []}]),
    ("DomainResource", "dom-2"): ([{}, {"contained": [{"id": "a"}]}], [{"contained": [{"contained": []}]}]),
    ("DomainResource", "dom-4"): (
        [{"contained": [{"meta": {"profile": []}}]}],
        [{"contained": [{"meta": {"versionId": "1"}}]}, {"contained": [{}, {"meta": {"lastUpdated": "a"}}]}],
    ),
    ("DomainResource", "dom-5"): ([{"contained": [{"meta": {}}]}], [{"contained": [{"meta": {"security": []}}]}]),
    ("Bundle", "bdl-1"): ([_bundle("searchset", total=0), _bundle("batch")], [_bundle("batch", total=0)]),
    ("Bundle", "bdl-2"): (
        [_bundle("searchset", {"search": {}}), _bundle("collection", {})],
        [_bundle("collection", {"search": {}})],
    ),
    ("Bundle", "bdl-3"): (
        [_bundle("transaction", REQUEST), _bundle("collection", {}), _bundle("batch")],
        [_bundle("transaction", REQUEST, {}), _bundle("collection", REQUEST)],
    ),
    ("Bundle", "bdl-4"): (
        [_bundle("batch-response", RESPONSE), _bundle("collection", {})],
        [_bundle("transaction-response", {}), _bundle("searchset", RESPONSE)],
    ),
    ("Bundle", "bdl-7"): (
        [
            _bundle("collection", {"fullUrl": "a"}, {"fullUrl": "b"}, {}, {}),
            _bundle("history", {"fullUrl": "a"}, {"fullUrl": "a"}),
            _bundle("collection", {"fullUrl": "a", "resource": {"meta": {"versionId": "1"}}}, {"fullUrl": "a"}),
        ],
        [_bundle("collection", {"fullUrl": "a"}, {"fullUrl": "a"})],
    ),
    ("Bundle", "bdl-9"): (
        [_bundle("document", identifier={"system": "a", "value": "b"}), _bundle("batch")],
        [_bundle("document"), _bundle("document", identifier={"value": "b"})],
    ),
    ("Bundle", "bdl-10"): ([_bundle("document", timestamp="a"), _bundle("batch")], [_bundle("document")]),
    ("Bundle", "bdl-11"): (
        [_bundle("document", {"resource": {"resourceType": "Composition"}}), _bundle("batch")],
        [_bundle("document"), _bundle("document", {"resource": {"resourceType": "Patient"}})],
    ),
    ("Bundle", "bdl-12"): (
        [_bundle("message", {"resource": {"resourceType": "MessageHeader"}}), _bundle("batch")],
        [_bundle("message"), _bundle("message", {})],
    ),
    ("BundleEntry", "bdl-5"): ([REQUEST, RESPONSE, {"resource": {}}], [{"fullUrl": "a"}]),
    ("BundleEntry", "bdl-8"): ([{"fullUrl": "a/Patient/1"}, {}], [{"fullUrl": "a/Patient/1/_history/2"}]),
    ("ParametersParameter", "inv-1"): (
        [{"name": "a", "valueString": "b"}, {"name": "a", "resource": {}}, {"name": "a", "part": []}],
        [{"name": "a"}, {"name": "a", "valueString": "b", "part": []}, {"name": "a", "value": 1}],
    ),
    ("PatientContact", "pat-1"): ([{"name": {}}, {"organization": {}}], [{"gender": "male"}]),
    ("Organization", "org-1"): ([{"name": "a"}, {"identifier": []}], [{"active": True}]),
    ("Organization", "org-2"): ([{"address": [{"use": "work"}, {}]}, {}], [{"address": [{}, {"use": "home"}]}]),
    ("Organization", "org-3"): ([{"telecom": [{"use": "work"}]}, {}], [{"telecom": [{"use": "home"}]}]),
    ("AppointmentParticipant", "app-1"): ([{"type": []}, {"actor": {}}], [{"status": "accepted"}]),
    ("Appointment", "app-2"): ([{"start": "a", "end": "b"}, {}], [{"start": "a"}, {"end": "b"}]),
    ("Appointment", "app-3"): (
        [{"start": "a", "end": "b", "status": "booked"}, {"status": "waitlist"}],
        [{"status": "booked"}, {"start": "a", "status": "arrived"}, {}],
    ),
    ("Appointment", "app-4"): (
        [{"cancelationReason": {}, "status": "noshow"}, {"status": "booked"}],
        [{"cancelationReason": {}, "status": "booked"}],
    ),
    ("Condition", "con-4"): (
        [{"abatementString": "a", **_status("resolved")}, _status("active"), {}],
        [{"abatementString": "a", **_status("active")}, {"abatementDateTime": "a"}],
    ),
    ("Condition", "con-5"): (
        [_status("active", "confirmed"), _status(None, "entered-in-error")],
        [_status("active", "entered-in-error")],
    ),
    ("ConditionStage", "con-1"): ([{"summary": {}}, {"assessment": []}], [{"type": {}}]),
    ("ConditionEvidence", "con-2"): ([{"code": []}, {"detail": []}], [{"id": "a"}]),
    ("AllergyIntolerance", "ait-1"): (
        [_status("active"), _status(None, "entered-in-error")],
        [{}, _status(None, "confirmed")],
    ),
    ("AllergyIntolerance", "ait-2"): ([_status("active"), {}], [_status("active", "entered-in-error")]),
    ("Observation", "obs-6"): (
        [{"dataAbsentReason": {}}, {"valueString": "a"}],
        [{"dataAbsentReason": {}, "valueQuantity": {}}],
    ),
    ("Observation", "obs-7"): (
        [
            {"code": _code("a"), "valueString": "b", "component": [{"code": _code("b")}]},
            {"code": _code("a"), "component": [{"code": _code("a")}]},
            {"code": {"text": "a"}, "valueString": "b", "component": [{"code": {"text": "a"}}]},
        ],
        [{"code": _code("a"), "valueString": "b", "component": [{"code": _code("b")}, {"code": _code("a")}]}],
    ),
    ("ObservationReferenceRange", "obs-3"): ([{"low": {}}, {"text": "a"}], [{"age": {}}]),
    ("ImmunizationEducation", "imm-1"): ([{"documentType": "a"}, {"reference": "a"}], [{"publicationDate": "2026"}]),
    ("CarePlanActivity", "cpl-3"): ([{"detail": {}}, {"reference": {}}], [{"detail": {}, "reference": {}}]),
    ("GoalTarget", "gol-1"): ([{"detailString": "a", "measure": {}}, {"dueDate": "a"}], [{"detailString": "a"}]),
    ("ServiceRequest", "prr-1"): ([{"orderDetail": [], "code": {}}, {"code": {}}], [{"orderDetail": []}]),
    ("Task", "inv-1"): (
        [{"authoredOn": "2026-01-01", "lastModified": "2026-01-01T00:00:00Z"}, {"lastModified": "2026"}],
        [{"authoredOn": "2026-01-02", "lastModified": "2026-01-01T00:00:00Z"}],
    ),
    ("MedicationAdministrationDosage", "mad-1"): ([{"dose": {}}, {"rateRatio": {}}], [{"text": "a"}]),
    ("MedicationDispense", "mdd-1"): (
        [{"whenPrepared": "2026-01-01", "whenHandedOver": "2026-01-01"}, {}],
        [{"whenPrepared": "2026-01-02", "whenHandedOver": "2026-01-01"}],
    ),
    ("QuestionnaireResponseItem", "qrs-1"): ([{"answer": []}, {"item": []}], [{"answer": [], "item": []}]),
    ("CompositionSection", "cmp-1"): ([{"text": {}}, {"entry": []}], [{"title": "a"}]),
    ("CompositionSection", "cmp-2"): ([{"emptyReason": {}}, {"entry": []}], [{"emptyReason": {}, "entry": []}]),
    ("AuditEventEntity", "sev-1"): ([{"name": "a"}, {"query": "a"}], [{"name": "a", "query": "a"}]),
    ("Group", "grp-1"): ([{"member": [], "actual": True}, {"actual": False}], [{"member": [], "actual": False}]),
    ("InsurancePlan", "ipn-1"): ([{"name": "a"}, {"identifier": []}], [{"status": "active"}]),
    **{(name, rule): case for name in ("Claim", "ExplanationOfBenefit") for rule, case in SEQUENCE_CASES.items()},
}


def test_every_row_has_a_case() -> None:
    assert CASES.keys() == {(name, rule.rule_id) for name, rules in INVARIANTS.items() for rule in rules}


@pytest.mark.parametrize(("name", "rule_id"), CASES)
def test_invariants(name: str, rule_id: str) -> None:
    (rule,) = (one for one in INVARIANTS[name] if one.rule_id == rule_id)
    good, bad = CASES[name, rule_id]
    for node in good:
        assert rule.kept_by(node), node
    for node in bad:
        assert not rule.kept_by(node), node


def test_moments_compare_as_far_as_both_are_precise() -> None:
    assert not_after("2026", "2026-01-01") and not_after("2026-12-31", "2026")
    assert not_after("2026-01-01T10:00:00.5Z", "2026-01-01T10:00:00.6Z")
    assert not not_after("2026-01-01T10:00:00.6Z", "2026-01-01T10:00:00.5Z")
    assert not not_after("2027", "2026-12-31T00:00:00Z")
