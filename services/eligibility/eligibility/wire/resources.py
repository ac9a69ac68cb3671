"""FHIR R4 resources and the events that carry them, read into a coverage question."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from fhir_r4 import Resource, read_optional
from fhir_r4.elements import identifier_of, identity, read_day, references_of
from fhir_r4.parties import read_members, read_payer_id
from kernel.codes import NPI
from kernel.errors import Unreadable
from kernel.identifiers import npi_valid
from rcm.eligibility.v1.eligibility_pb2 import CheckCoverageRequest, GetCoverageOnRequest
from rcm.engine.v1.engine_pb2 import AppointmentBooked, EncounterStarted

from eligibility.model import PayerRow, Question

_SUBJECTS = uuid.UUID("a25d4399-5cb4-5069-bf9b-b41ade75c951")
_OFF = frozenset({"cancelled", "noshow", "entered-in-error"})


@dataclass(frozen=True, slots=True)
class VisitQuestion:
    """What an appointment or a check-in asks for. `starts_at` is None when the record tells no time."""

    question: Question
    starts_at: datetime | None = None
    off: bool = False


def read_appointment(body: AppointmentBooked, journey_id: str, payers: Mapping[str, PayerRow]) -> VisitQuestion:
    """The check at scheduling. An appointment that will not take place comes back as `off`."""
    appointment = read_optional(body.appointment_json)
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
    patient, coverage = read_optional(carrier.patient_json), read_optional(carrier.coverage_json)
    payor, provider = read_optional(carrier.payor_json), read_optional(carrier.provider_json)
    if not patient:
        raise Unreadable("patient-missing", "patient_json", "a coverage question needs the patient")
    on = read_day(carrier.date, "date")
    subscriber, dependent = read_members(patient, coverage)
    payer_id = read_payer_id(payor, coverage, payers)
    row = payers.get(payer_id)
    question = Question(
        subject_key=_subject_key(patient, coverage),
        patient=identity(patient),
        on=on,
        coverage=identity(coverage),
        payor=identity(payor) or next(iter(references_of(coverage, "payor")), ""),
        provider=identity(provider),
        payer_id=payer_id,
        payer_name=row.name if row is not None else "",
        provider_npi=identifier_of(provider, NPI),
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
    return str(uuid.uuid5(_SUBJECTS, f"{identity(patient)}|{identity(coverage)}"))


def _moment(text: str, path: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise Unreadable("instant-format", path, "an instant has date, time and zone") from error
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _midnight(on: date) -> datetime:
    return datetime(on.year, on.month, on.day, tzinfo=UTC)
