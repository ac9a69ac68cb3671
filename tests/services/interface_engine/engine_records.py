"""A synthetic visit, resource by resource; tests change what they are about."""

from __future__ import annotations

from typing import Any

from engine_world import reference

Resource = dict[str, Any]
CPT = "http://www.ama-assn.org/go/cpt"
ICD10 = "http://hl7.org/fhir/sid/icd-10-cm"
LOCAL = "https://ehr.example/codes"

CLINIC: Resource = {"resourceType": "Organization", "id": "clinic", "name": "Synthetic Clinic"}
PAYER: Resource = {"resourceType": "Organization", "id": "payer", "name": "Synthetic Payer A"}
DOCTOR: Resource = {"resourceType": "Practitioner", "id": "doctor", "name": [{"family": "Example"}]}
PATIENT: Resource = {
    "resourceType": "Patient",
    "id": "p1",
    "name": [{"family": "Sample-Alder", "given": ["Testa"]}],
    "gender": "female",
    "birthDate": "1980-05-06",
    "managingOrganization": reference(CLINIC),
}
COVERAGE: Resource = {
    "resourceType": "Coverage",
    "id": "c1",
    "status": "active",
    "subscriberId": "SYN000111222",
    "beneficiary": reference(PATIENT),
    "payor": [reference(PAYER)],
    "order": 1,
}
SECOND: Resource = COVERAGE | {"id": "a-second", "order": 2}
ROOM: Resource = {
    "resourceType": "Location",
    "id": "room",
    "status": "active",
    "managingOrganization": reference(CLINIC),
}
CONDITION: Resource = {
    "resourceType": "Condition",
    "id": "d1",
    "clinicalStatus": {
        "coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]
    },
    "code": {"coding": [{"system": ICD10, "code": "J30.9"}]},
    "subject": reference(PATIENT),
    "encounter": {"reference": "Encounter/e1"},
}
BASICS = (CLINIC, PAYER, DOCTOR, PATIENT, COVERAGE, ROOM)


def encounter(status: str = "finished", **more: Any) -> Resource:
    return {
        "resourceType": "Encounter",
        "id": "e1",
        "identifier": [{"system": "https://ehr.example/visit", "value": "V1"}],
        "status": status,
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
        "type": [{"coding": [{"system": CPT, "code": "99213"}]}],
        "subject": reference(PATIENT),
        "participant": [{"individual": reference(DOCTOR)}],
        "period": {"start": "2026-03-16T09:00:00+00:00", "end": "2026-03-16T09:25:00+00:00"},
        "serviceProvider": reference(CLINIC),
        "location": [{"location": reference(ROOM)}],
    } | more


def procedure(id: str = "s1", code: str = "90471", system: str = CPT, **more: Any) -> Resource:
    return {
        "resourceType": "Procedure",
        "id": id,
        "status": "completed",
        "code": {"coding": [{"system": system, "code": code}]},
        "subject": reference(PATIENT),
        "encounter": {"reference": "Encounter/e1"},
        "performedDateTime": "2026-03-16T09:10:00+00:00",
        "reasonReference": [reference(CONDITION)],
    } | more


def order(status: str = "active", **more: Any) -> Resource:
    return {
        "resourceType": "ServiceRequest",
        "id": "r1",
        "status": status,
        "intent": "order",
        "code": {"coding": [{"system": CPT, "code": "72148"}]},
        "subject": reference(PATIENT),
        "requester": reference(DOCTOR),
        "insurance": [reference(COVERAGE)],
    } | more


def appointment(status: str = "booked", **more: Any) -> Resource:
    return {
        "resourceType": "Appointment",
        "id": "a1",
        "status": status,
        "start": "2026-03-16T09:00:00+00:00",
        "end": "2026-03-16T09:30:00+00:00",
        "participant": [
            {"actor": reference(PATIENT), "status": "accepted"},
            {"actor": reference(ROOM), "status": "accepted"},
        ],
    } | more
