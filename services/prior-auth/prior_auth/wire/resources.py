"""FHIR R4 orders and the events that carry them, read into what is asked of a payer."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from fhir_r4 import Resource, read_optional
from fhir_r4.elements import codes_in, identifier_of, identity, read_day, when
from fhir_r4.parties import best_name, read_members, read_payer_id
from kernel.codes import CPT, HCPCS, ICD10CM, NPI, POS, icd10cm_plain, is_procedure_code
from kernel.errors import Unreadable
from kernel.identifiers import npi_valid
from kernel.person import Person
from rcm.engine.v1.engine_pb2 import OrderPlaced
from rcm.priorauth.v1.priorauth_pb2 import DetermineRequirementRequest, FindAuthorizationRequest

from prior_auth.model import Order, Payers, ServiceQuestion

_SUBJECTS = uuid.UUID("1b8da608-a0a8-517a-ad6e-98ba935423b6")
_MEMBERS = uuid.UUID("0a5f9a34-0f51-5a0e-a4cb-3b7e4c1f2d90")
_AUTHORIZATIONS = uuid.UUID("3baa8b93-aa35-5e99-9670-0a5868fd1985")
_OFF = frozenset({"revoked", "cancelled", "stopped", "entered-in-error"})
_DONE = "completed"
_URGENT = frozenset({"urgent", "asap", "stat"})
# What was ordered, by resource type: the element that holds the code, and the path to the quantity.
_CODE_ELEMENT = {
    "ServiceRequest": "code",
    "MedicationRequest": "medicationCodeableConcept",
    "DeviceRequest": "codeCodeableConcept",
}
_QUANTITY_PATH = {
    "ServiceRequest": ("quantityQuantity", "value"),
    "MedicationRequest": ("dispenseRequest", "quantity", "value"),
}


@dataclass(frozen=True, slots=True)
class Parties:
    """The resources around an order."""

    patient: Resource
    coverage: Resource
    payor: Resource
    provider: Resource
    requester: Resource


def read_orders(body: OrderPlaced, journey_id: str, tenant: str, payers: Payers, window_days: int) -> tuple[Order, ...]:
    """One Order for each CPT or HCPCS code of the request; none when it has no such code.

    `window_days` is asked for when the order names no day of its own. An order that has been carried out gives none:
    what was granted before stands, and nobody asks for leave afterwards.
    """
    resource = read_optional(body.order_json)
    parties = Parties(
        *(read_optional(data) for data in (body.patient_json, body.coverage_json, body.payor_json)),
        *(read_optional(data) for data in (body.provider_json, body.requester_json)),
    )
    if not resource or not parties.patient:
        raise Unreadable("order-incomplete", "order_json", "an order needs its resource and its patient")
    if resource.get("status") == _DONE:
        return ()
    codes = dict.fromkeys(_procedure_codes(resource.get(_CODE_ELEMENT.get(_kind(resource), ""), {})))
    common = _common(resource, body, parties, payers, window_days) | {"journey_id": journey_id}
    return tuple(
        Order(authorization_id=str(uuid.uuid5(_AUTHORIZATIONS, f"{tenant}|{body.order}|{code}")), code=code, **common)
        for code in codes
    )


def read_find(request: FindAuthorizationRequest) -> tuple[str, list[ServiceQuestion]]:
    """The subject and a question for each code that a claim asks about."""
    patient, coverage = read_optional(request.patient_json), read_optional(request.coverage_json)
    if not patient:
        raise Unreadable("patient-missing", "patient_json", "an authorization is looked up for a patient")
    on = read_day(request.date, "date")
    questions = [_service(request, code, on) for code in request.codes]
    return subject_key(patient, coverage), questions


def read_member_key(request: FindAuthorizationRequest) -> str:
    """Under which key the payer's member has what was submitted for it from elsewhere; "" without a member id."""
    patient, coverage = read_optional(request.patient_json), read_optional(request.coverage_json)
    return member_key(request.payer_id, *read_members(patient, coverage))


def read_determine(request: DetermineRequirementRequest) -> ServiceQuestion:
    """The question about one code."""
    return _service(request, request.code, read_day(request.date, "date"))


def subject_key(patient: Resource, coverage: Resource) -> str:
    """Opaque and stable: from the ids that the repository gave to patient and coverage."""
    return str(uuid.uuid5(_SUBJECTS, f"{identity(patient)}|{identity(coverage)}"))


def member_key(payer_id: str, subscriber: Person, dependent: Person | None) -> str:
    """Opaque, and the same for one member of a payer under whatever ids the record came; "" without a member id."""
    person = dependent or subscriber
    if not (payer_id and subscriber.member_id):
        return ""
    who = (payer_id, subscriber.member_id.upper(), person.last.upper(), person.first.upper(), str(person.birth_date))
    return str(uuid.uuid5(_MEMBERS, "|".join(who)))


def _service(request: FindAuthorizationRequest | DetermineRequirementRequest, code: str, on: date) -> ServiceQuestion:
    return ServiceQuestion(
        payer_id=request.payer_id,
        code=code,
        on=on,
        place_of_service=request.place_of_service,
        diagnoses=tuple(map(icd10cm_plain, request.diagnoses)),
    )


def _common(
    resource: Resource, body: OrderPlaced, parties: Parties, payers: Payers, window_days: int
) -> dict[str, Any]:
    """What every code of the order shares."""
    on, until = _days(resource, window_days)
    subscriber, dependent = read_members(parties.patient, parties.coverage)
    payer_id = read_payer_id(parties.payor, parties.coverage, payers)
    row = payers.get(payer_id)
    requester_npi, requester_name = read_requester(parties)
    return {
        "subject_key": subject_key(parties.patient, parties.coverage),
        "patient": identity(parties.patient),
        "coverage": identity(parties.coverage),
        "order": body.order,
        "encounter": body.encounter,
        "on": on,
        "until": until,
        "payer_id": payer_id,
        "payer_name": row.name if row is not None else "",
        "requester_npi": requester_npi,
        "requester_name": requester_name,
        "subscriber": subscriber,
        "dependent": dependent,
        "units": _units(resource),
        "diagnoses": tuple(dict.fromkeys(map(icd10cm_plain, codes_in(resource.get("reasonCode", ()), (ICD10CM,))))),
        "place_of_service": next(codes_in(resource.get("locationCode", ()), (POS,)), ""),
        "urgent": resource.get("priority") in _URGENT,
        "obstacle": obstacle_of(parties, row is not None and row.in_force(on), subscriber, requester_npi),
        "off": resource.get("status") in _OFF or resource.get("doNotPerform") is True,
    }


def obstacle_of(parties: Parties, payer_known: bool, subscriber: Person, requester_npi: str) -> str:
    """The first thing that keeps us from asking, in the order in which it would be mended."""
    lacks = (
        ("no-coverage", not parties.coverage),
        ("payer-unknown", not payer_known),
        ("member-id-missing", not subscriber.member_id),
        ("name-missing", not subscriber.last),
        ("provider-unknown", not requester_npi),
    )
    return next((reason for reason, lacking in lacks if lacking), "")


def _kind(resource: Resource) -> str:
    return str(resource.get("resourceType", ""))


def _procedure_codes(concept: Resource) -> Iterator[str]:
    return filter(is_procedure_code, codes_in((concept,), (CPT, HCPCS)))


def _units(resource: Resource) -> str:
    found: Any = resource
    for step in _QUANTITY_PATH.get(_kind(resource), ("",)):
        found = found.get(step) if isinstance(found, Mapping) else None
    return format(Decimal(found), "f") if found is not None and found > 0 else "1"


def _days(resource: Resource, window_days: int) -> tuple[date, date]:
    """When the service is to take place: the order's own days, else a window from the day of the order."""
    start, end = when(resource, "occurrence")
    if start:
        on = read_day(start[:10], "occurrence")
        return on, max(on, read_day(end[:10], "occurrence"))
    authored = resource.get("authoredOn")
    if not authored:
        raise Unreadable("order-date-missing", "authoredOn", "an order names a day: its own or that of the service")
    on = read_day(str(authored)[:10], "authoredOn")
    return on, on + timedelta(days=window_days)


def read_requester(parties: Parties) -> tuple[str, str]:
    """(NPI, name). The billing organisation asks; the ordering practitioner where it has no NPI."""
    for resource in (parties.provider, parties.requester):
        npi = identifier_of(resource, NPI)
        if npi_valid(npi):
            name = resource.get("name", "")
            return npi, str(name if isinstance(name, str) else best_name(resource).get("family", ""))
    return "", ""
