"""FHIR R4 orders and the events that carry them, read into what is asked of a payer."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from fhir_r4 import read
from kernel.codes import CPT, HCPCS, ICD10CM, NAIC, NPI, POS, canonical_system, icd10cm_plain, is_procedure_code
from kernel.errors import Unreadable
from kernel.identifiers import npi_valid
from rcm.engine.v1.engine_pb2 import OrderPlaced
from rcm.priorauth.v1.priorauth_pb2 import DetermineRequirementRequest, FindAuthorizationRequest

from prior_auth.model import Order, Payers, Person, ServiceQuestion

Resource = Mapping[str, Any]

_SUBJECTS = uuid.UUID("1b8da608-a0a8-517a-ad6e-98ba935423b6")
_AUTHORIZATIONS = uuid.UUID("3baa8b93-aa35-5e99-9670-0a5868fd1985")
_GENDERS = {"male": "M", "female": "F"}
_NAME_USES = ("official", "usual", "")
_SELF = "self"
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
class _Parties:
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
    resource = _resource(body.order_json)
    parties = _Parties(
        *(_resource(data) for data in (body.patient_json, body.coverage_json, body.payor_json)),
        *(_resource(data) for data in (body.provider_json, body.requester_json)),
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
    patient, coverage = _resource(request.patient_json), _resource(request.coverage_json)
    if not patient:
        raise Unreadable("patient-missing", "patient_json", "an authorization is looked up for a patient")
    on = _day(request.date, "date")
    questions = [_service(request, code, on) for code in request.codes]
    return subject_key(patient, coverage), questions


def read_determine(request: DetermineRequirementRequest) -> ServiceQuestion:
    """The question about one code."""
    return _service(request, request.code, _day(request.date, "date"))


def subject_key(patient: Resource, coverage: Resource) -> str:
    """Opaque and stable: from the ids that the repository gave to patient and coverage."""
    return str(uuid.uuid5(_SUBJECTS, f"{_reference(patient)}|{_reference(coverage)}"))


def _service(request: FindAuthorizationRequest | DetermineRequirementRequest, code: str, on: date) -> ServiceQuestion:
    return ServiceQuestion(
        payer_id=request.payer_id,
        code=code,
        on=on,
        place_of_service=request.place_of_service,
        diagnoses=tuple(map(icd10cm_plain, request.diagnoses)),
    )


def _common(
    resource: Resource, body: OrderPlaced, parties: _Parties, payers: Payers, window_days: int
) -> dict[str, Any]:
    """What every code of the order shares."""
    on, until = _days(resource, window_days)
    subscriber, dependent = _people(parties.patient, parties.coverage)
    payer_id = _payer_id(parties.payor, parties.coverage, payers)
    row = payers.get(payer_id)
    requester_npi, requester_name = _requester(parties)
    lacks = (
        ("no-coverage", not parties.coverage),
        ("payer-unknown", row is None or not row.in_force(on)),
        ("member-id-missing", not subscriber.member_id),
        ("name-missing", not subscriber.last),
        ("provider-unknown", not requester_npi),
    )
    return {
        "subject_key": subject_key(parties.patient, parties.coverage),
        "patient": _reference(parties.patient),
        "coverage": _reference(parties.coverage),
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
        "diagnoses": tuple(dict.fromkeys(_codes_of(resource.get("reasonCode", ()), ICD10CM))),
        "place_of_service": next(_codes_of(resource.get("locationCode", ()), POS), ""),
        "urgent": resource.get("priority") in _URGENT,
        "obstacle": next((reason for reason, lacking in lacks if lacking), ""),
        "off": resource.get("status") in _OFF or resource.get("doNotPerform") is True,
    }


def _kind(resource: Resource) -> str:
    return str(resource.get("resourceType", ""))


def _procedure_codes(concept: Resource) -> Iterator[str]:
    for coding in concept.get("coding", ()):
        code = str(coding.get("code", ""))
        if canonical_system(str(coding.get("system", ""))) in (CPT, HCPCS) and is_procedure_code(code):
            yield code


def _codes_of(concepts: Iterable[Resource], system: str) -> Iterator[str]:
    for concept in concepts:
        for coding in concept.get("coding", ()):
            if canonical_system(str(coding.get("system", ""))) == system and "code" in coding:
                yield icd10cm_plain(str(coding["code"]))


def _units(resource: Resource) -> str:
    found: Any = resource
    for step in _QUANTITY_PATH.get(_kind(resource), ("",)):
        found = found.get(step) if isinstance(found, Mapping) else None
    return format(Decimal(found), "f") if found is not None and found > 0 else "1"


def _days(resource: Resource, window_days: int) -> tuple[date, date]:
    """When the service is to take place: the order's own days, else a window from the day of the order."""
    period = resource.get("occurrencePeriod", {})
    start = resource.get("occurrenceDateTime") or period.get("start")
    if start:
        on = _day(str(start)[:10], "occurrence")
        return on, max(on, _day(str(period.get("end", start))[:10], "occurrence"))
    authored = resource.get("authoredOn")
    if not authored:
        raise Unreadable("order-date-missing", "authoredOn", "an order names a day: its own or that of the service")
    on = _day(str(authored)[:10], "authoredOn")
    return on, on + timedelta(days=window_days)


def _requester(parties: _Parties) -> tuple[str, str]:
    """The billing organisation asks; the ordering practitioner where it has no NPI."""
    for resource in (parties.provider, parties.requester):
        npi = _identifier(resource, NPI)
        if npi_valid(npi):
            name = resource.get("name", "")
            return npi, str(name if isinstance(name, str) else _best_name(resource).get("family", ""))
    return "", ""


def _people(patient: Resource, coverage: Resource) -> tuple[Person, Person | None]:
    """The subscriber, and the patient besides when the policy is somebody else's whose data came along."""
    member_id = str(coverage.get("subscriberId") or _typed_identifier(coverage, "MB")).strip()
    holder = _contained_subscriber(coverage)
    if holder is None or _relationship(coverage) in ("", _SELF):
        return _person(patient, member_id), None
    return _person(holder, member_id), _person(patient, "")


def _person(resource: Resource, member_id: str) -> Person:
    name = _best_name(resource)
    given: Sequence[str] = name.get("given") or [""]
    born = resource.get("birthDate")
    return Person(
        last=str(name.get("family", "")).strip(),
        first=str(given[0]).strip(),
        birth_date=_day(born, "birthDate") if isinstance(born, str) and len(born) == len("2000-01-01") else None,
        gender=_GENDERS.get(str(resource.get("gender", "")), ""),
        member_id=member_id,
    )


def _best_name(resource: Resource) -> Resource:
    names = resource.get("name") or []
    names = names if isinstance(names, list) else [names]
    ranked = (name for use in _NAME_USES for name in names if use in ("", name.get("use", "")))
    return next(ranked, {})


def _typed_identifier(resource: Resource, type_code: str) -> str:
    for identifier in resource.get("identifier", ()):
        codings = identifier.get("type", {}).get("coding", ())
        if any(coding.get("code") == type_code for coding in codings):
            return str(identifier.get("value", ""))
    return ""


def _relationship(coverage: Resource) -> str:
    codings = coverage.get("relationship", {}).get("coding", ())
    return next((str(coding["code"]) for coding in codings if "code" in coding), "")


def _contained_subscriber(coverage: Resource) -> Resource | None:
    wanted = coverage.get("subscriber", {}).get("reference", "")
    return next((item for item in coverage.get("contained", ()) if wanted == f"#{item.get('id')}"), None)


def _payer_id(payor: Resource, coverage: Resource, payers: Payers) -> str:
    """The payer's NAIC id; failing that, whichever of its ids the payer table knows, else the first."""
    if naic := _identifier(payor, NAIC):
        return naic
    named = [reference["identifier"] for reference in coverage.get("payor", ()) if "identifier" in reference]
    ids = [str(item["value"]) for item in [*payor.get("identifier", ()), *named] if "value" in item]
    return next((value for value in ids if value in payers), ids[0] if ids else "")


def _identifier(resource: Resource, system: str) -> str:
    found = (item for item in resource.get("identifier", ()) if item.get("system") == system)
    return next((str(item["value"]) for item in found if "value" in item), "")


def _reference(resource: Resource) -> str:
    kind, id = resource.get("resourceType"), resource.get("id")
    return f"{kind}/{id}" if kind and id else ""


def _resource(data: bytes) -> Resource:
    return read(data) if data else {}


def _day(text: str, path: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Unreadable("date-format", path, "a day is YYYY-MM-DD") from error
