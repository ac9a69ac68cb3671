"""Searches over a real database: each kind of parameter and modifier, where it says yes and where it says no."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from engine_shelf import Resource, Shelf, open_shelf, query_of
from engine_world import SITE
from kernel.errors import Unreadable
from platform_fixture import Platform

MRN = "https://ehr.example/mrn"
LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"


@pytest.fixture
async def shelf(platform: Platform, tenant: str) -> AsyncIterator[Shelf]:
    async with open_shelf(platform.url_for("interface-engine"), tenant) as opened:
        yield opened


def patient(id: str, family: str = "Alder", born: str | None = "1980-05-06", **more: Any) -> Resource:
    made = {"resourceType": "Patient", "id": id, "name": [{"family": family, "given": ["Testa"]}]}
    return made | ({"birthDate": born} if born else {}) | more


def observation(id: str, value: str | float | None = None, **more: Any) -> Resource:
    made: Resource = {
        "resourceType": "Observation",
        "id": id,
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": "8867-4"}]},
        "subject": {"reference": "Patient/p1"},
    }
    if value is not None:
        made["valueQuantity"] = {"value": value, "unit": "beats", "system": UCUM, "code": "/min"}
    return made | more


def encounter(id: str, start: str, end: str | None = None, subject: str = "Patient/p1", **more: Any) -> Resource:
    return {
        "resourceType": "Encounter",
        "id": id,
        "status": "finished",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
        "subject": {"reference": subject},
        "period": {"start": start} | ({"end": end} if end else {}),
    } | more


def identified(system: str | None, value: str) -> Resource:
    return {"identifier": [{"value": value} | ({"system": system} if system else {})]}


PEOPLE = (
    patient("p1", "Alder", **identified(MRN, "M1"), gender="female"),
    patient("p2", "Älder-Muñoz", "1980", **identified(None, "M1"), gender="male", active=True),
    patient(
        "p3", "Baker", "1981-01-01", **identified("urn:other", "M3"), telecom=[{"system": "email", "value": "a@b"}]
    ),
    patient("p4", "McAlder", None),
)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("Patient", "p1 p2 p3 p4"),
        ("Patient?_id=p2,p3,none", "p2 p3"),
        ("Patient?_id:not=p2", "p1 p3 p4"),
        # tokens
        (f"Patient?identifier={MRN}|M1", "p1"),
        ("Patient?identifier=M1", "p1 p2"),
        ("Patient?identifier=|M1", "p2"),
        ("Patient?identifier=urn:other|", "p3"),
        (f"Patient?identifier={MRN}|M1,urn:other|M3", "p1 p3"),
        (f"Patient?identifier={MRN}|M1,urn:other|", "p1 p3"),
        (f"Patient?identifier={MRN}|M3", ""),
        ("Patient?identifier=m1", ""),
        ("Patient?gender=female,male", "p1 p2"),
        ("Patient?gender:not=female", "p2 p3 p4"),
        ("Patient?gender:missing=true", "p3 p4"),
        ("Patient?gender:missing=false", "p1 p2"),
        ("Patient?active=true", "p2"),
        ("Patient?email=a@b", "p3"),
        ("Patient?phone=a@b", ""),
        # strings
        ("Patient?family=alder", "p1 p2"),
        ("Patient?family=ALD", "p1 p2"),
        ("Patient?family:exact=Alder", "p1"),
        ("Patient?family:exact=alder", ""),
        ("Patient?family:contains=alder", "p1 p2 p4"),
        ("Patient?family:contains=%25", ""),
        ("Patient?family=_lder", ""),
        ("Patient?name=testa", "p1 p2 p3 p4"),
        ("Patient?family=mu", ""),
        ("Patient?family=alder,baker", "p1 p2 p3"),
        # days
        ("Patient?birthdate=1980-05-06", "p1"),
        ("Patient?birthdate=1980", "p1 p2"),
        ("Patient?birthdate=ne1980", "p3"),
        ("Patient?birthdate=lt1981", "p1 p2"),
        ("Patient?birthdate=ge1980-05-06", "p1 p2 p3"),
        ("Patient?birthdate=gt1980-05-06", "p2 p3"),
        ("Patient?birthdate=sa1980", "p3"),
        ("Patient?birthdate=eb1981", "p1 p2"),
        ("Patient?birthdate=le1980-05-06", "p1 p2"),
        ("Patient?birthdate:missing=true", "p4"),
        # and
        ("Patient?family=alder&gender=female", "p1"),
        ("Patient?family=alder&family:contains=mu", "p2"),
        ("Patient?identifier=M1&gender=female&birthdate=1980", "p1"),
        ("Patient?identifier=M1&birthdate=1981", ""),
        ("Patient?_id=p1,p2&gender:not=female", "p2"),
    ],
)
async def test_people(shelf: Shelf, url: str, expected: str) -> None:
    await shelf.put(*PEOPLE)
    assert await shelf.ids(url) == expected.split()
    assert await shelf.ids(url, tenant=f"{shelf.tenant}-other") == []
    async with shelf.open() as repository:
        assert await repository.count(query_of(url)) == len(expected.split())
        assert await repository.find_ids(query_of(url), 2) == expected.split()[:2]


CARE = (
    patient("p1", **identified(MRN, "M1")),
    patient("p2", "Baker", **identified(MRN, "M2")),
    {"resourceType": "Organization", "id": "o1", "name": "Clinic"},
    {"resourceType": "Practitioner", "id": "d1", "name": [{"family": "Example"}]},
    encounter("e1", "2026-03-16T09:00:00Z", "2026-03-16T09:25:00Z", serviceProvider={"reference": "Organization/o1"}),
    encounter(
        "e2",
        "2026-03-18T09:00:00Z",
        None,
        "Patient/p2",
        status="in-progress",
        participant=[{"individual": {"reference": "Practitioner/d1"}}],
    ),
    encounter("e3", "2025-01-01", "2025-01-02", "https://elsewhere.example/fhir/Patient/p1"),
    observation("b1", 100.0, encounter={"reference": "Encounter/e1"}),
    observation("b2", 99.4, subject={"reference": "Patient/p2"}),
    observation("b3", -0.5, subject={"identifier": {"system": MRN, "value": "M9"}}),
    observation("b4", status="amended"),
)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        # references
        ("Encounter?patient=p1", "e1"),
        ("Encounter?patient=Patient/p1,Patient/p2", "e1 e2"),
        (f"Encounter?patient={SITE}/Patient/p1", "e1"),
        ("Encounter?patient=https://elsewhere.example/fhir/Patient/p2", ""),
        ("Encounter?subject:Patient=p2", "e2"),
        ("Encounter?subject=Group/p2", ""),
        ("Encounter?service-provider=o1", "e1"),
        ("Encounter?service-provider:missing=true", "e2 e3"),
        ("Encounter?practitioner=d1&patient=p2", "e2"),
        ("Encounter?practitioner=d1&patient=p1", ""),
        ("Observation?patient:identifier=" + MRN + "|M9", "b3"),
        ("Observation?subject:identifier=M1", ""),
        # chains
        (f"Encounter?patient.identifier={MRN}|M2", "e2"),
        ("Encounter?patient.name=baker", "e2"),
        ("Encounter?subject:Patient.name=alder", "e1"),
        ("Encounter?patient.gender=female", ""),
        ("Encounter?patient._id=p1", "e1"),
        ("Encounter?practitioner.family=exa&status=in-progress", "e2"),
        ("Encounter?service-provider.name=clinic", "e1"),
        ("Patient?_has:Encounter:patient:status=finished", "p1"),
        ("Patient?_has:Encounter:patient:status=planned", ""),
        ("Patient?_has:Observation:patient:code=8867-4&_id=p2", "p2"),
        # periods
        ("Encounter?date=2026-03-16", "e1"),
        ("Encounter?date=ge2026-03", "e1 e2"),
        ("Encounter?date=ge2026-03-01&date=lt2026-03-17", "e1"),
        ("Encounter?date=gt2026-03-17", "e2"),
        ("Encounter?date=lt2026", "e3"),
        ("Encounter?date=eb2026", "e3"),
        ("Encounter?date=sa2026-03-17", "e2"),
        ("Encounter?date=le2026-03-16T09:00:00Z", "e3"),
        ("Encounter?date=le2026-03-16T09:00:01Z", "e1 e3"),
        # quantities
        ("Observation?value-quantity=100", "b1"),
        ("Observation?value-quantity=99", "b2"),
        ("Observation?value-quantity=1e2", "b1 b2"),
        ("Observation?value-quantity=100.00", "b1"),
        ("Observation?value-quantity=100.01", ""),
        ("Observation?value-quantity=gt99.4", "b1"),
        ("Observation?value-quantity=ge99.4", "b1 b2"),
        ("Observation?value-quantity=lt0", "b3"),
        ("Observation?value-quantity=le-0.5", "b3"),
        ("Observation?value-quantity=ne100", "b2 b3"),
        ("Observation?value-quantity=ap95", "b1 b2"),
        (f"Observation?value-quantity=100|{UCUM}|/min", "b1"),
        (f"Observation?value-quantity=100|{UCUM}|kg", ""),
        ("Observation?value-quantity=100||beats", "b1"),
        ("Observation?value-quantity:missing=true", "b4"),
        # uris
        ("Observation?_profile=http://a", ""),
    ],
)
async def test_care(shelf: Shelf, url: str, expected: str) -> None:
    await shelf.put(*CARE)
    assert await shelf.ids(url) == expected.split()
    assert await shelf.ids(url, tenant=f"{shelf.tenant}-other") == []


async def test_several_conditions_at_once_find_what_each_finds_alone(shelf: Shelf) -> None:
    await shelf.put(*PEOPLE, *CARE[2:])
    urls = (
        "Patient?identifier=M1",
        f"Patient?identifier={MRN}|M1",
        "Patient?identifier=|M1",
        "Patient?identifier=none",
        "Patient?family=baker",
        "Patient?identifier=M1,M3",
        "Patient?identifier=M1&gender=female",
        "Encounter?identifier=M1",
        "Patient?identifier=urn:other|",
        "Patient?identifier=M1",
    )
    queries = [query_of(url) for url in urls]
    async with shelf.open() as repository:
        alone = [await repository.find_ids(query, 2) for query in queries]
        assert await repository.find_all(queries, 2) == alone
        assert await repository.find_all([], 2) == []
    assert alone[:4] == [["p1", "p2"], ["p1"], ["p2"], []]
    async with shelf.open(f"{shelf.tenant}-other") as repository:
        assert await repository.find_all(queries, 2) == [[] for _ in urls]
    await shelf.delete("Patient/p1")
    async with shelf.open() as repository:
        assert (await repository.find_all(queries, 2))[:2] == [["p2"], []]


async def test_tags_and_addresses(shelf: Shelf) -> None:
    profile = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient"
    await shelf.put(
        patient("p1", meta={"profile": [profile], "tag": [{"system": "urn:t", "code": "x"}]}), patient("p2")
    )
    assert await shelf.ids(f"Patient?_profile={profile}") == ["p1"]
    assert await shelf.ids(f"Patient?_profile={profile}/") == []
    assert await shelf.ids("Patient?_tag=urn:t|x") == ["p1"]
    assert await shelf.ids("Patient?_tag:not=x") == ["p2"]


async def test_when_it_was_stored_and_not_what_the_sender_says(shelf: Shelf) -> None:
    await shelf.put(patient("p1", meta={"lastUpdated": "2001-01-01T00:00:00Z"}))
    shelf.clock.advance(days=1)
    await shelf.put(patient("p2"))
    assert await shelf.ids("Patient?_lastUpdated=2026-03-20") == ["p1"]
    assert await shelf.ids("Patient?_lastUpdated=gt2026-03-20") == ["p2"]
    assert await shelf.ids("Patient?_lastUpdated=ne2026-03-20") == ["p2"]
    assert await shelf.ids("Patient?_lastUpdated=2001") == []
    assert await shelf.ids("Patient?_lastUpdated=ge2026-03-20T12:00:00Z&_sort=-_lastUpdated") == ["p2", "p1"]


async def test_an_update_is_found_by_what_it_says_now(shelf: Shelf) -> None:
    await shelf.put(patient("p1", "Alder", **identified(MRN, "M1")), *CARE[2:])
    await shelf.put(patient("p1", "Cedar", None, **identified(MRN, "M7")))
    for url in ("family=alder", "identifier=M1", "birthdate=1980", "family:exact=Alder"):
        assert await shelf.ids(f"Patient?{url}") == []
    for url in ("family=cedar", "identifier=M7", "birthdate:missing=true"):
        assert await shelf.ids(f"Patient?{url}") == ["p1"]
    await shelf.put(encounter("e1", "2024-01-01", None, "Patient/p2"))
    assert await shelf.ids("Encounter?patient=p1") == []
    assert await shelf.ids("Encounter?service-provider=o1") == []


async def test_a_value_is_never_part_of_the_statement(shelf: Shelf) -> None:
    await shelf.put(*PEOPLE)
    nasty = "x' or '1'='1"
    for url in (
        "family",
        "identifier",
        "family:contains",
        "family:exact",
        "_id",
        "_tag",
        "_profile",
        "_has:Claim:patient:identifier",
    ):
        assert await shelf.ids(f"Patient?{url}={nasty}") == []
    with pytest.raises(Unreadable):
        await shelf.ids("Patient?_has:Claim'--:patient:status=active")


async def test_every_parameter_of_every_type_can_be_asked_and_sorted_by(shelf: Shelf) -> None:
    """The tables of the search and ours fit together, whatever is added to the former."""
    from fhir_r4.search import parameters
    from fhir_r4.types import known_types

    values = {"date": "2026", "number": "1", "quantity": "1", "reference": "x", "uri": "urn:x"}
    for type_name in sorted(known_types()):
        async with shelf.open() as repository:
            for name, parameter in parameters(type_name).items():
                query = query_of(f"{type_name}?{name}={values.get(parameter.kind, 'x')}&_sort=-{name}")
                assert (await repository.search(query, 1)).matches == []
                assert await repository.count(query_of(f"{type_name}?{name}:missing=false")) == 0
