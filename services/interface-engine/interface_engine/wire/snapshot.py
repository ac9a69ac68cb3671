"""The snapshot of a visit: a collection Bundle of the original texts, with mapped codes beside the senders' own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from fhir_r4 import read, write

from interface_engine.model import Graph, Resource
from interface_engine.rules import Source, map_codes
from interface_engine.rules.coding import CODED_TYPES

# What refers to a visit and belongs to its billing, and whom and what all of that needs.
VISIT_TYPES = (
    "Condition", "Procedure", "ServiceRequest", "DeviceRequest", "MedicationRequest", "MedicationAdministration",
    "Immunization", "Observation", "ChargeItem",
)  # fmt: skip
_NEEDED_TYPES = frozenset(
    {"Patient", "Organization", "Practitioner", "PractitionerRole", "Location", "Condition", "ServiceRequest",
     "DeviceRequest", "MedicationRequest", "Medication"}
)  # fmt: skip
_THROUGH = frozenset({"PractitionerRole", "ServiceRequest", "DeviceRequest", "MedicationRequest"})
_PEOPLE = frozenset({"Practitioner", "PractitionerRole", "Organization"})
_ORDER = (
    "Encounter", "Patient", "Coverage", "RelatedPerson", "Organization", "Practitioner", "PractitionerRole", "Location",
    *VISIT_TYPES, "Medication",
)  # fmt: skip
_RANK = {name: rank for rank, name in enumerate(_ORDER)}
_DAY_LENGTH = len("2026-01-31")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`unmapped`: "Procedure/<id>" of this visit that no code of a claim is known for."""

    bundle: bytes
    unmapped: tuple[str, ...]


def make_snapshot(
    encounter: str, patient: str, coverages: list[str], graph: Graph, source: Source, base_url: str
) -> Snapshot:
    """Encounter, patient, coverages in their order, and all else by type; entries' addresses begin with base_url."""
    own = [encounter, *(one for one in graph.into(encounter) if _type(one) in VISIT_TYPES)]
    diagnoses = graph.out(encounter, "Condition")
    chosen = dict.fromkeys(one for one in _chosen(own, patient, coverages, graph) if graph.text(one))
    ordered = sorted(chosen, key=lambda one: _RANK[_type(one)])
    on = _day(read(graph.text(encounter)))
    entries: list[bytes] = []
    unmapped: list[str] = []
    for reference in ordered:
        text, lacks_code = _coded(reference, graph, source, on)
        entries.append(b'{"fullUrl":"' + f"{base_url}/{reference}".encode() + b'","resource":' + text + b"}")
        if lacks_code and (reference in own or reference in diagnoses):
            unmapped.append(reference)
    bundle = b'{"resourceType":"Bundle","type":"collection","entry":[' + b",".join(entries) + b"]}"
    return Snapshot(bundle, tuple(unmapped))


def _chosen(own: list[str], patient: str, coverages: list[str], graph: Graph) -> Iterator[str]:
    yield from own
    yield patient
    yield from coverages
    for coverage in coverages:
        yield from graph.out(coverage, "Organization", "Coverage.payor")
        yield from graph.out(coverage, "RelatedPerson", "Coverage.subscriber")
    needed = [one for reference in own for one in graph.out(reference) if _type(one) in _NEEDED_TYPES]
    yield from needed
    for reference in dict.fromkeys((*own, *needed)):
        if _type(reference) in _THROUGH:
            yield from (one for one in graph.out(reference) if _type(one) in _PEOPLE)


def _coded(reference: str, graph: Graph, source: Source, on: date | None) -> tuple[bytes, bool]:
    """The text, written anew only when a code was added; and whether it bills and has no code of a claim."""
    text = graph.text(reference)
    if _type(reference) not in CODED_TYPES:
        return text, False
    resource = read(text)
    given = graph.out(reference, "Medication") if _type(reference) == "MedicationAdministration" else []
    medication = graph.text(given[0]) if given else b""
    mapped = map_codes(source, resource, on, read(medication) if medication else None)
    return (text if mapped.resource is resource else write(mapped.resource)), mapped.unmapped


def _day(encounter: Resource) -> date | None:
    """The first day of the visit, when it is told."""
    start = (encounter.get("period") or {}).get("start")
    return date.fromisoformat(start[:_DAY_LENGTH]) if isinstance(start, str) and len(start) >= _DAY_LENGTH else None


def _type(reference: str) -> str:
    return reference.partition("/")[0]
