"""FHIR R4 resources as this EHR writes them: plain dicts, one small function per type."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any

from fhir_r4 import write
from kernel import codes
from x12.views.parties import Address

from simulator.model import Payer, Person

Resource = dict[str, Any]

BASE = "https://ehr.example/fhir"
LOCAL_PROCEDURES = "https://ehr.example/codes/procedure"
LINE = "https://throughline.example/fhir"
EM_SYSTEM = f"{LINE}/CodeSystem/em"
UNITS_EXTENSION = f"{LINE}/StructureDefinition/units"
MODIFIER_EXTENSION = f"{LINE}/StructureDefinition/procedure-modifier"
_OFFICE_HOURS = time(15, 0, tzinfo=UTC)


def coding(code: str, system: str = "") -> Resource:
    """A CodeableConcept with one coding; procedure codes find their own system."""
    return {"coding": [{"system": system or (codes.CPT if codes.is_cpt(code) else codes.HCPCS), "code": code}]}


def reference(resource: Resource) -> Resource:
    return {"reference": f"{resource['resourceType']}/{resource['id']}"}


def instant(day: date) -> str:
    """The hour of every visit on a day, in UTC."""
    return datetime.combine(day, _OFFICE_HOURS).isoformat()


def bundle(resources: Iterable[Resource]) -> bytes:
    """A transaction that puts every resource in its place."""
    entries = [
        {
            "fullUrl": f"{BASE}/{resource['resourceType']}/{resource['id']}",
            "resource": resource,
            "request": {"method": "PUT", "url": f"{resource['resourceType']}/{resource['id']}"},
        }
        for resource in resources
    ]
    return write({"resourceType": "Bundle", "type": "transaction", "entry": entries})


def _address(address: Address) -> list[Resource]:
    return [
        {
            "line": [address.line1],
            "city": address.city,
            "state": address.state,
            "postalCode": f"{address.postal_code[:5]}-{address.postal_code[5:]}",
            "country": "US",
        }
    ]


def patient(id: str, person: Person, clinic: Resource, *, birth_date: date, last: str) -> Resource:
    """The person as the EHR knows them, which may differ from the payer's books."""
    return {
        "resourceType": "Patient",
        "id": id,
        "identifier": [
            {
                "type": {"coding": [{"system": codes.IDENTIFIER_TYPE, "code": "MR"}]},
                "system": "https://ehr.example/mrn",
                "value": f"MRN-{id.removeprefix('p-')[:10]}",
            }
        ],
        "active": True,
        "name": [{"use": "official", "family": last, "given": [person.first]}],
        "telecom": [{"system": "phone", "value": "5125550100", "use": "home"}],
        "gender": "male" if person.gender == "M" else "female",
        "birthDate": birth_date.isoformat(),
        "address": _address(person.address),
        "managingOrganization": reference(clinic),
    }


def coverage(id: str, patient: Resource, payor: Resource, member_id: str, begin: date) -> Resource:
    return {
        "resourceType": "Coverage",
        "id": id,
        "identifier": [
            {"type": {"coding": [{"system": codes.IDENTIFIER_TYPE, "code": "MB"}]}, "value": member_id},
        ],
        "status": "active",
        "subscriber": reference(patient),
        "subscriberId": member_id,
        "beneficiary": reference(patient),
        "relationship": {
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/subscriber-relationship", "code": "self"}]
        },
        "period": {"start": begin.isoformat()},
        "payor": [reference(payor)],
        "order": 1,
    }


def payor(payer: Payer) -> Resource:
    return _organization(f"payer-{payer.id.lower()}", payer.name, "ins", payer.address) | {
        "identifier": [{"system": codes.NAIC, "value": payer.id}]
    }


def clinic(id: str, name: str, npi: str, tax_id: str, address: Address) -> Resource:
    return _organization(id, name, "prov", address) | {
        "identifier": [{"system": codes.NPI, "value": npi}, {"system": codes.TAX_ID, "value": tax_id}],
        "telecom": [{"system": "phone", "value": "5125550111", "use": "work"}],
    }


def _organization(id: str, name: str, kind: str, address: Address) -> Resource:
    return {
        "resourceType": "Organization",
        "id": id,
        "active": True,
        "type": [coding(kind, "http://terminology.hl7.org/CodeSystem/organization-type")],
        "name": name,
        "address": _address(address),
    }


def practitioner(id: str, npi: str, last: str, first: str) -> Resource:
    return {
        "resourceType": "Practitioner",
        "id": id,
        "identifier": [{"system": codes.NPI, "value": npi}],
        "active": True,
        "name": [{"family": last, "given": [first]}],
    }


def location(id: str, name: str, place_of_service: str, clinic: Resource) -> Resource:
    return {
        "resourceType": "Location",
        "id": id,
        "status": "active",
        "name": name,
        "mode": "instance",
        "type": [coding(place_of_service, codes.POS)],
        "managingOrganization": reference(clinic),
    }


def appointment(id: str, who: Sequence[Resource], day: date) -> Resource:
    """A visit to come; `who` are patient, practitioner and room."""
    end = datetime.combine(day, time(15, 30, tzinfo=UTC)).isoformat()
    people = [{"actor": reference(actor), "status": "accepted"} for actor in who]
    return {
        "resourceType": "Appointment",
        "id": id,
        "status": "booked",
        "start": instant(day),
        "end": end,
        "participant": people,
    }


def encounter(id: str, context: Mapping[str, Resource], kind: str, day: date, status: str) -> Resource:
    """A visit without its diagnoses and type. `context` has patient, practitioner, clinic and perhaps room."""
    visit: Resource = {
        "resourceType": "Encounter",
        "id": id,
        "identifier": [{"system": "https://ehr.example/visit", "value": f"V{id.removeprefix('e-')}"}],
        "status": status,
        "class": {"system": codes.ENCOUNTER_CLASS, "code": kind},
        "subject": reference(context["patient"]),
        "participant": [{"individual": reference(context["practitioner"])}],
        "period": {"start": instant(day)},
        "serviceProvider": reference(context["clinic"]),
    }
    return visit | ({"location": [{"location": reference(context["room"])}]} if "room" in context else {})


def condition(id: str, patient: Resource, encounter: Resource, code: str, day: date) -> Resource:
    return {
        "resourceType": "Condition",
        "id": id,
        "clinicalStatus": coding("active", "http://terminology.hl7.org/CodeSystem/condition-clinical"),
        "verificationStatus": coding("confirmed", "http://terminology.hl7.org/CodeSystem/condition-ver-status"),
        "category": [coding("encounter-diagnosis", "http://terminology.hl7.org/CodeSystem/condition-category")],
        "code": coding(code, codes.ICD10CM),
        "subject": reference(patient),
        "encounter": reference(encounter),
        "recordedDate": day.isoformat(),
    }


def order(id: str, context: Mapping[str, Resource], concept: Resource, day: date) -> Resource:
    """A service asked for, not yet performed. `context` has patient, practitioner, clinic and perhaps coverage."""
    request: Resource = {
        "resourceType": "ServiceRequest",
        "id": id,
        "status": "active",
        "intent": "order",
        "code": concept,
        "subject": reference(context["patient"]),
        "authoredOn": instant(day),
        "requester": reference(context["practitioner"]),
        "performer": [reference(context["clinic"])],
    }
    return request | ({"insurance": [reference(context["coverage"])]} if "coverage" in context else {})


def performed(order: Resource, encounter: Resource, reasons: Sequence[Resource], day: date) -> Resource:
    """The same order once it was carried out at an encounter."""
    return order | {
        "status": "completed",
        "encounter": reference(encounter),
        "occurrenceDateTime": instant(day),
        "reasonReference": [reference(reason) for reason in reasons],
    }


def procedure(id: str, context: Mapping[str, Resource], concept: Resource, day: date, **more: Any) -> Resource:
    """A procedure done. `context` has patient, encounter, practitioner, reason; `more` are further elements."""
    return {
        "resourceType": "Procedure",
        "id": id,
        "status": "completed",
        "code": concept,
        "subject": reference(context["patient"]),
        "encounter": reference(context["encounter"]),
        "performedDateTime": instant(day),
        "performer": [{"actor": reference(context["practitioner"])}],
        "reasonReference": [reference(context["reason"])],
        **more,
    }


def administration(id: str, context: Mapping[str, Resource], code: str, ndc: str, units: int, day: date) -> Resource:
    """A drug given: HCPCS and NDC side by side, the dose in billing units."""
    return {
        "resourceType": "MedicationAdministration",
        "id": id,
        "status": "completed",
        "medicationCodeableConcept": {"coding": [{"system": codes.HCPCS, "code": code}, *_ndc(ndc)]},
        "subject": reference(context["patient"]),
        "context": reference(context["encounter"]),
        "effectiveDateTime": instant(day),
        "performer": [{"actor": reference(context["practitioner"])}],
        "reasonReference": [reference(context["reason"])],
        "dosage": {"dose": {"value": units, "unit": "{unit}"}},
    }


def _ndc(code: str) -> list[Resource]:
    return [{"system": codes.NDC, "code": code}] if code else []


def immunization(id: str, context: Mapping[str, Resource], code: str, cvx: str, day: date) -> Resource:
    return {
        "resourceType": "Immunization",
        "id": id,
        "status": "completed",
        "vaccineCode": {"coding": [{"system": codes.CVX, "code": cvx}, {"system": codes.CPT, "code": code}]},
        "patient": reference(context["patient"]),
        "encounter": reference(context["encounter"]),
        "occurrenceDateTime": instant(day),
        "primarySource": True,
        "performer": [{"actor": reference(context["practitioner"])}],
        "reasonReference": [reference(context["reason"])],
    }


def observation(id: str, patient: Resource, encounter: Resource, code: str, value: Resource, day: date) -> Resource:
    """A piece of the evaluation's documentation. `value` is the value[x] element."""
    return {
        "resourceType": "Observation",
        "id": id,
        "status": "final",
        "code": coding(code, EM_SYSTEM),
        "subject": reference(patient),
        "encounter": reference(encounter),
        "effectiveDateTime": instant(day),
        **value,
    }
