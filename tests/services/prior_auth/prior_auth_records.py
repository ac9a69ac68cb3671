"""Synthetic resources for the prior-auth tests: one patient of payer A with an order for imaging."""

from decimal import Decimal

from fhir_r4 import write
from rcm.engine.v1.engine_pb2 import OrderPlaced
from rcm.priorauth.v1.priorauth_pb2 import FindAuthorizationRequest

CPT, HCPCS = "http://www.ama-assn.org/go/cpt", "https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"
ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm"
PATIENT = {
    "resourceType": "Patient",
    "id": "p1",
    "name": [{"use": "official", "family": "Sample-Alder", "given": ["Nora"]}],
    "birthDate": "1980-05-17",
    "gender": "female",
}
COVERAGE = {
    "resourceType": "Coverage",
    "id": "c1",
    "status": "active",
    "subscriberId": "TST100000001",
    "beneficiary": {"reference": "Patient/p1"},
    "payor": [{"reference": "Organization/payer-a"}],
}
PAYOR = {
    "resourceType": "Organization",
    "id": "payer-a",
    "identifier": [{"system": "urn:oid:2.16.840.1.113883.6.300", "value": "SYNPA"}],
}
PROVIDER = {
    "resourceType": "Organization",
    "id": "clinic",
    "name": "Sample Clinic",
    "identifier": [{"system": "http://hl7.org/fhir/sid/us-npi", "value": "1234567893"}],
}
REQUESTER = {
    "resourceType": "Practitioner",
    "id": "doc",
    "name": [{"family": "Test-Birch", "given": ["Ada"]}],
    "identifier": [{"system": "http://hl7.org/fhir/sid/us-npi", "value": "1003000126"}],
}
IMAGING = {
    "resourceType": "ServiceRequest",
    "id": "o1",
    "status": "active",
    "intent": "order",
    "code": {"coding": [{"system": "http://loinc.org", "code": "24590-2"}, {"system": CPT, "code": "70553"}]},
    "subject": {"reference": "Patient/p1"},
    "occurrenceDateTime": "2026-03-20T10:00:00-05:00",
    "authoredOn": "2026-03-10",
    "reasonCode": [{"coding": [{"system": ICD10CM, "code": "R51.9"}]}],
}
DRUG = {
    "resourceType": "MedicationRequest",
    "id": "o2",
    "status": "active",
    "intent": "order",
    "medicationCodeableConcept": {"coding": [{"system": HCPCS, "code": "J0897"}]},
    "subject": {"reference": "Patient/p1"},
    "authoredOn": "2026-03-10T09:00:00Z",
    "dispenseRequest": {"quantity": {"value": Decimal("60")}},
}


def order_placed(order=IMAGING, encounter="", **changes):
    parts = {"patient": PATIENT, "coverage": COVERAGE, "payor": PAYOR, "provider": PROVIDER, "requester": REQUESTER}
    carried = {f"{name}_json": write(item) if item is not None else b"" for name, item in (parts | changes).items()}
    reference = f"{order['resourceType']}/{order['id']}"
    return OrderPlaced(order=reference, encounter=encounter, order_json=write(order), **carried)


def find(codes=("70553",), date="2026-03-20", payer_id="SYNPA", coverage=COVERAGE, **changes):
    return FindAuthorizationRequest(
        patient_json=write(PATIENT), coverage_json=write(coverage), payer_id=payer_id, date=date, codes=codes, **changes
    )
