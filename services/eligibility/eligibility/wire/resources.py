"""FHIR R4 resources and the events that carry them, read into a coverage question."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from fhir_r4 import read
from kernel.codes import NAIC, NPI
from kernel.errors import Unreadable
from kernel.identifiers import npi_valid
from rcm.eligibility.v1.eligibility_pb2 import CheckCoverageRequest, GetCoverageOnRequest
from rcm.engine.v1.engine_pb2 import AppointmentBooked, EncounterStarted

from eligibility.model import PayerRow, Person, Question

Resource = Mapping[str, Any]

_SUBJECTS = uuid.UUID("a25d4399-5cb4-5069-bf9b-b41ade75c951")
_GENDERS = {"male": "M", "female": "F"}
_OFF = frozenset({"cancelled", "noshow", "entered-in-error"})
_NAME_USES = ("official", "usual", "")
_SELF = "self"


@dataclass(frozen=True, slots=True)
class VisitQuestion:
    """What an appointment or a check-in asks for. `starts_at` is None when the record tells no time."""

    question: Question
    starts_at: datetime | None = None
    off: bool = False


def read_appointment(body: AppointmentBooked, journey_id: str, payers: Mapping[str, PayerRow]) -> VisitQuestion:
    """The check at scheduling. An appointment that will not take place comes back as `off`."""
    appointment = _resource(body.appointment_json)
    question = replace(_question(body, payers), appointment=body.appointment, journey_id=journey_id)
    start = appointment.get("start")
    starts_at = _moment(start, "Appointment.start") if isinstance(start, str) else _midnight(question.on)
    return VisitQuestion(question, starts_at, appointment.get("status") in _OFF)


def read_check_in(body: EncounterStarted, journey_id: str, payers: Mapping[str, PayerRow]) -> VisitQuestion:
    """The check at check-in."""
    return VisitQuestion(replace(_question(body, payers), encounter=body.encounter, journey_id=journey_id))


def read_request(request: CheckCoverageRequest | GetCoverageOnRequest, payers: Mapping[str, PayerRow]) -> Question:
    """What another service asks for."""
    question = replace(_question(request, payers), journey_id=request.journey_id)
    types = tuple(request.service_types) if isinstance(request, CheckCoverageRequest) else ()
    return replace(question, service_types=types) if types else question


def _question(carrier: Any, payers: Mapping[str, PayerRow]) -> Question:
    """`carrier` is any message with patient_json, coverage_json, payor_json, provider_json and date."""
    patient, coverage = _resource(carrier.patient_json), _resource(carrier.coverage_json)
    payor, provider = _resource(carrier.payor_json), _resource(carrier.provider_json)
    if not patient:
        raise Unreadable("patient-missing", "patient_json", "a coverage question needs the patient")
    on = _day(carrier.date, "date")
    subscriber, dependent = _people(patient, coverage)
    payer_id = _payer_id(payor, coverage, payers)
    row = payers.get(payer_id)
    question = Question(
        subject_key=_subject_key(patient, coverage),
        patient=_reference(patient),
        on=on,
        coverage=_reference(coverage),
        payor=_reference(payor) or _payor_reference(coverage),
        provider=_reference(provider),
        payer_id=payer_id,
        payer_name=row.name if row is not None else "",
        provider_npi=_identifier(provider, NPI),
        provider_name=str(provider.get("name", "")),
        subscriber=subscriber,
        dependent=dependent,
    )
    known = row is not None and row.in_force(on)
    return replace(question, obstacle=_obstacle(question, bool(coverage), known))


def _obstacle(question: Question, covered: bool, payer_known: bool) -> str:
    """The first thing that keeps us from asking, in the order in which a registrar would mend them."""
    lacks = (
        ("no-coverage", not covered),
        ("payer-unknown", not payer_known),
        ("member-id-missing", not question.subscriber.member_id),
        ("name-missing", not question.subscriber.last),
        ("provider-unknown", not npi_valid(question.provider_npi)),
    )
    return next((reason for reason, lacking in lacks if lacking), "")


def _subject_key(patient: Resource, coverage: Resource) -> str:
    """Opaque and stable: from the ids that the repository gave to patient and coverage."""
    return str(uuid.uuid5(_SUBJECTS, f"{_reference(patient)}|{_reference(coverage)}"))


def _people(patient: Resource, coverage: Resource) -> tuple[Person, Person | None]:
    """The subscriber, and the patient besides when the policy is somebody else's whose data came along.

    A patient with an id of their own on somebody else's policy is asked for as a subscriber: payers that number
    every member want it so, and the rest answer with a refusal that says what is missing.
    """
    own = _person(patient, _member_id(coverage))
    holder = _contained_subscriber(coverage)
    if holder is None or _relationship(coverage) in ("", _SELF):
        return own, None
    return _person(holder, own.member_id), replace(own, member_id="")


def _person(resource: Resource, member_id: str) -> Person:
    name = _best_name(resource)
    given = name.get("given") or [""]
    born = resource.get("birthDate")
    return Person(
        last=str(name.get("family", "")).strip(),
        first=str(given[0]).strip(),
        birth_date=_full_date(born),
        gender=_GENDERS.get(str(resource.get("gender", "")), ""),
        member_id=member_id,
    )


def _best_name(resource: Resource) -> Resource:
    names = resource.get("name") or []
    names = names if isinstance(names, list) else [names]
    ranked = (name for use in _NAME_USES for name in names if use in ("", name.get("use", "")))
    return next(ranked, {})


def _member_id(coverage: Resource) -> str:
    return str(coverage.get("subscriberId") or _typed_identifier(coverage, "MB")).strip()


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
    found = (item for item in coverage.get("contained", ()) if wanted == f"#{item.get('id')}")
    return next(found, None)


def _payer_id(payor: Resource, coverage: Resource, payers: Mapping[str, PayerRow]) -> str:
    """The payer's NAIC id; failing that, whichever of its ids the payer table knows, else the first."""
    if naic := _identifier(payor, NAIC):
        return naic
    ids = [str(item["value"]) for item in _payor_identifiers(payor, coverage) if "value" in item]
    return next((value for value in ids if value in payers), ids[0] if ids else "")


def _payor_identifiers(payor: Resource, coverage: Resource) -> Iterator[Resource]:
    yield from payor.get("identifier", ())
    for reference in coverage.get("payor", ()):
        if "identifier" in reference:
            yield reference["identifier"]


def _payor_reference(coverage: Resource) -> str:
    return next((str(item["reference"]) for item in coverage.get("payor", ()) if "reference" in item), "")


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


def _full_date(text: object) -> date | None:
    """A partial birth date (year, or year and month) is none that a payer could compare."""
    return _day(text, "birthDate") if isinstance(text, str) and len(text) == len("2000-01-01") else None


def _moment(text: str, path: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise Unreadable("instant-format", path, "an instant has date, time and zone") from error
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _midnight(on: date) -> datetime:
    return datetime(on.year, on.month, on.day, tzinfo=UTC)
