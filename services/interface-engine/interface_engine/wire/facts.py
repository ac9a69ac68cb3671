"""The messages that tell the line of appointments, orders and visits, from the neighbourhood of a resource."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from rcm.billing.v1 import billing_pb2
from rcm.engine.v1 import engine_pb2

from interface_engine.model import Draft, Graph, Visit
from interface_engine.rules import Source
from interface_engine.wire.snapshot import make_snapshot

_DAY_LENGTH = len("2026-01-31")
_OFF = ("cancelled", "entered-in-error")


class _Coverage(msgspec.Struct):
    status: str = ""
    order: int = 1_000_000


_COVERAGE = msgspec.json.Decoder(_Coverage)


def coverages_of(graph: Graph, patient: str) -> list[str]:
    """The patient's coverages: by their `order`, and those that were called off last."""
    found = [
        edge.source
        for edge in graph.incoming.get(patient, ())
        if edge.path == "Coverage.beneficiary" and graph.text(edge.source)
    ]
    ranked = []
    for reference in dict.fromkeys(found):
        coverage = _COVERAGE.decode(graph.text(reference))
        ranked.append((coverage.status in _OFF, coverage.order, reference))
    return [reference for _, _, reference in sorted(ranked)]


def uncovered(graph: Graph) -> list[str]:
    """The patients of whom no coverage is known."""
    patients = dict.fromkeys(edge.target for edge in graph.edges if edge.target.startswith("Patient/"))
    return [one for one in patients if graph.text(one) and not coverages_of(graph, one)]


def appointment_message(draft: Draft, graph: Graph, now: datetime) -> engine_pb2.AppointmentBooked | None:
    """None when no patient of ours takes part."""
    patient = draft.leads_to("Patient", "participant")
    if not graph.text(patient):
        return None
    return engine_pb2.AppointmentBooked(
        appointment=draft.reference,
        date=_day(draft.resource.get("start"), now),
        appointment_json=draft.content,
        patient_json=graph.text(patient),
        **_insurance(graph, next(iter(coverages_of(graph, patient)), "")),
        provider_json=graph.text(provider_of(graph, draft.reference, patient)),
    )


def started_message(draft: Draft, graph: Graph, now: datetime) -> engine_pb2.EncounterStarted | None:
    """None for a visit without a patient of ours."""
    patient = draft.leads_to("Patient", "subject")
    if not graph.text(patient):
        return None
    return engine_pb2.EncounterStarted(
        encounter=draft.reference,
        date=_day((draft.resource.get("period") or {}).get("start"), now),
        patient_json=graph.text(patient),
        **_insurance(graph, next(iter(coverages_of(graph, patient)), "")),
        provider_json=graph.text(provider_of(graph, draft.reference, patient)),
    )


def order_message(draft: Draft, graph: Graph) -> engine_pb2.OrderPlaced | None:
    """None for an order for anything but a patient of ours."""
    patient = draft.leads_to("Patient", "subject")
    if not graph.text(patient):
        return None
    encounter = draft.leads_to("Encounter", "encounter")
    named = draft.leads_to("Coverage", "insurance")
    return engine_pb2.OrderPlaced(
        order=draft.reference,
        encounter=encounter,
        order_json=draft.content,
        patient_json=graph.text(patient),
        **_insurance(graph, named or next(iter(coverages_of(graph, patient)), "")),
        provider_json=graph.text(provider_of(graph, encounter or draft.reference, patient)),
        requester_json=graph.text(_requester(graph, draft)),
    )


def finished_message(
    visit: Visit, graph: Graph, source: Source, base_url: str, changed: tuple[str, ...] = ()
) -> engine_pb2.EncounterFinished:
    """What is known of a visit; `changed` for what came after its end."""
    patient = next(iter(graph.out(visit.encounter, "Patient", "Encounter.subject")), "")
    snapshot = make_snapshot(visit.encounter, patient, coverages_of(graph, patient), graph, source, base_url)
    facts = billing_pb2.EncounterFacts(
        encounter=visit.encounter, encounter_key=visit.encounter_key, snapshot=snapshot.bundle, source=visit.source
    )
    return engine_pb2.EncounterFinished(facts=facts, unmapped=snapshot.unmapped, changed=changed)


def cancelled_message(visit: Visit) -> engine_pb2.EncounterCancelled:
    return engine_pb2.EncounterCancelled(encounter=visit.encounter, encounter_key=visit.encounter_key)


def provider_of(graph: Graph, reference: str, patient: str) -> str:
    """The billing Organization: the visit's or the order's own, else that of the place, else the patient's."""
    kind = reference.partition("/")[0]
    places = [place for place in graph.out(reference, "Location") if place]
    candidates = [
        *graph.out(reference, "Organization", f"{kind}.serviceProvider"),
        *graph.out(reference, "Organization", f"{kind}.performer"),
        *(found for place in places for found in graph.out(place, "Organization", "Location.managingOrganization")),
        *graph.out(patient, "Organization", "Patient.managingOrganization"),
    ]
    return next((one for one in candidates if graph.text(one)), "")


def _requester(graph: Graph, draft: Draft) -> str:
    """The Practitioner behind `requester`, through a PractitionerRole where that is named."""
    direct = draft.leads_to("Practitioner", "requester")
    role = draft.leads_to("PractitionerRole", "requester")
    return direct or next(iter(graph.out(role, "Practitioner")), "")


def _insurance(graph: Graph, coverage: str) -> dict[str, Any]:
    payor = next(iter(graph.out(coverage, "Organization", "Coverage.payor")), "")
    return {"coverage_json": graph.text(coverage), "payor_json": graph.text(payor)}


def _day(text: object, now: datetime) -> str:
    """The calendar day as the sender wrote it; today when none was told."""
    return text[:_DAY_LENGTH] if isinstance(text, str) and len(text) >= _DAY_LENGTH else now.date().isoformat()
