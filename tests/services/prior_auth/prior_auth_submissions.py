"""The order of the prior-auth tests as a Claim for preauthorization, alone and as a Da Vinci PAS Bundle."""

from fhir_r4 import write
from prior_auth_records import COVERAGE, CPT, HCPCS, ICD10CM, PATIENT, PAYOR, PROVIDER
from rcm.priorauth.v1 import priorauth_pb2 as pb

PAS = "http://hl7.org/fhir/us/davinci-pas/StructureDefinition"
PEOPLE = (PATIENT, COVERAGE, PAYOR, PROVIDER)


def concept(system, code):
    return {"coding": [{"system": system, "code": code}]}


def item(sequence, code="70553", **changes):
    made = {
        "sequence": sequence,
        "diagnosisSequence": [1],
        "productOrService": concept(CPT if code[0].isdigit() else HCPCS, code),
        "servicedDate": "2026-03-20",
        "quantity": {"value": 1},
    }
    return {name: value for name, value in (made | changes).items() if value is not None}


def claim(items=None, **changes):
    made = {
        "resourceType": "Claim",
        "id": "pa1",
        "identifier": [{"system": "https://clinic.example/requests", "value": "R-1"}],
        "status": "active",
        "type": concept("http://terminology.hl7.org/CodeSystem/claim-type", "professional"),
        "use": "preauthorization",
        "patient": {"reference": "Patient/p1"},
        "created": "2026-03-10",
        "insurer": {"reference": "Organization/payer-a"},
        "provider": {"reference": "Organization/clinic"},
        "priority": concept("http://terminology.hl7.org/CodeSystem/processpriority", "normal"),
        "diagnosis": [{"sequence": 1, "diagnosisCodeableConcept": concept(ICD10CM, "R51.9")}],
        "insurance": [{"sequence": 1, "focal": True, "coverage": {"reference": "Coverage/c1"}}],
        "item": items or [item(3)],
    }
    return {name: value for name, value in (made | changes).items() if value is not None}


def entries(base, *resources):
    return [{"fullUrl": f"{base}/{one['resourceType']}/{one['id']}", "resource": one} for one in resources]


def context(people=PEOPLE):
    return write(
        {"resourceType": "Bundle", "type": "collection", "entry": entries("https://line.example/fhir", *people)}
    )


def bundle(content=None, people=PEOPLE, **changes):
    return {
        "resourceType": "Bundle",
        "identifier": {"system": "https://ehr.example/transactions", "value": "B-1"},
        "type": "collection",
        "timestamp": "2026-03-10T10:00:00Z",
        "entry": entries("https://ehr.example/fhir", content or claim(), *people),
    } | changes


def alone(content=None, people=PEOPLE, **fields):
    return pb.SubmitFhirRequest(
        resource=write(content or claim()), context=context(people), **({"client_id": "client-1"} | fields)
    )


def whole(content=None, **fields):
    return pb.SubmitFhirRequest(resource=write(content or bundle()), **({"client_id": "client-1"} | fields))
