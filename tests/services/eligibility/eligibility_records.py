"""Synthetic resources for the eligibility tests: one patient, one coverage, payer A, one clinic."""

from fhir_r4 import write
from rcm.eligibility.v1.eligibility_pb2 import GetCoverageOnRequest
from rcm.engine.v1.engine_pb2 import AppointmentBooked, EncounterStarted

PATIENT = {
    "resourceType": "Patient",
    "id": "p1",
    "name": [
        {"use": "old", "family": "Sample-Oak", "given": ["Nora"]},
        {"use": "official", "family": "Sample-Alder", "given": ["Nora", "Mae"]},
    ],
    "birthDate": "1980-05-17",
    "gender": "female",
}
COVERAGE = {
    "resourceType": "Coverage",
    "id": "c1",
    "status": "active",
    "subscriberId": "TST100000001",
    "beneficiary": {"reference": "Patient/p1"},
    "relationship": {"coding": [{"code": "self"}]},
    "payor": [{"reference": "Organization/payer-a"}],
}
PAYOR = {
    "resourceType": "Organization",
    "id": "payer-a",
    "name": "Synthetic Payer A",
    "identifier": [{"system": "urn:oid:2.16.840.1.113883.6.300", "value": "SYNPA"}],
}
PROVIDER = {
    "resourceType": "Organization",
    "id": "clinic",
    "name": "Sample Clinic",
    "identifier": [{"system": "http://hl7.org/fhir/sid/us-npi", "value": "1234567893"}],
}
APPOINTMENT = {
    "resourceType": "Appointment",
    "id": "a1",
    "status": "booked",
    "start": "2026-03-10T09:30:00-05:00",
    "participant": [{"actor": {"reference": "Patient/p1"}, "status": "accepted"}],
}


def carried(**changes):
    """The JSON fields that every message carries; a value of None leaves the resource out."""
    parts = {"patient": PATIENT, "coverage": COVERAGE, "payor": PAYOR, "provider": PROVIDER} | changes
    return {f"{name}_json": write(resource) if resource is not None else b"" for name, resource in parts.items()}


def appointment_booked(date="2026-03-10", appointment=None, **changes):
    appointment_json = write(APPOINTMENT | (appointment or {}))
    return AppointmentBooked(
        appointment="Appointment/a1", date=date, appointment_json=appointment_json, **carried(**changes)
    )


def encounter_started(date="2026-03-10", encounter="Encounter/e1", **changes):
    return EncounterStarted(encounter=encounter, date=date, **carried(**changes))


def coverage_on(date="2026-03-10", **changes):
    return GetCoverageOnRequest(date=date, journey_id="a" * 32, **carried(**changes))
