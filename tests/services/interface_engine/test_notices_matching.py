"""What is seen in a resource itself is what a search finds, so that a filter and a search never differ."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import parse_qsl

import pytest
from engine_records import BASICS, PATIENT, encounter
from engine_world import SITE, transaction
from fhir_r4.search import parse_query
from interface_engine.handlers.matching import Subject, needs_repository
from interface_engine.model import Draft
from interface_engine.store import Repository
from interface_engine.wire.facets import facets_of
from notices_world import House, open_house
from platform_fixture import Platform


@pytest.fixture
async def house(platform: Platform, tenant: str) -> AsyncIterator[House]:
    async with open_house(platform.url_for("interface-engine"), tenant) as opened:
        await opened.post(*BASICS)
        yield opened


# What a search finds and what is seen in the resource itself must be the same.
_QUERIES = (
    "status=finished", "status=finished,planned", "status:not=finished", "status:missing=true", "class=AMB",
    "class=http://terminology.hl7.org/CodeSystem/v3-ActCode|AMB", "class=|AMB", "class=urn:other|",
    "patient=p1", "patient=Patient/p1", f"patient={SITE}/Patient/p1", "patient=https://other.example/fhir/Patient/p1",
    "patient=Patient/p2", "subject:Patient=p1", "subject=p1", "patient:missing=false", "location:missing=true",
    "date=2026-03-16", "date=ge2026-03-16", "date=gt2026-03-16", "date=lt2026-03-17", "date=le2026-03-16T09:10:00Z",
    "date=sa2026-03-15", "date=eb2026-03-17", "date=ne2026-03-16", "date=ap2026-03-16", "date=2026",
    "identifier=V1", "identifier=https://ehr.example/visit|V1", "identifier=|V1", "identifier:missing=true",
    "type=99213", "service-provider=Organization/clinic", "participant=doctor", "_id=e1", "_id=e1,e2",
    "length=gt10", "length=25|http://unitsofmeasure.org|min", "length=lt30||min", "length:missing=true",
    "service-provider.name=Synthetic", "service-provider.name:exact=synthetic", "status=planned&date=2026-03-16",
)  # fmt: skip


async def test_what_is_seen_in_a_resource_is_what_a_search_finds(house: House) -> None:
    minutes = {"value": 25, "unit": "min", "system": "http://unitsofmeasure.org", "code": "min"}
    made = [
        encounter(),
        encounter("planned", length=minutes) | {"id": "e2"},
        {"resourceType": "Encounter", "id": "e3", "status": "in-progress", "class": {"code": "IMP"}},
        encounter(period={"start": "2026-03-16T09:05:00+00:00"}, identifier=[{"value": "V1"}]) | {"id": "e4"},
    ]
    assert (await house.send("POST", "", transaction(*made))).status_code == 200
    seen = 0
    for text in _QUERIES:
        query = parse_query("Encounter", parse_qsl(text, keep_blank_values=True))
        async with house.database.unit(house.tenant) as unit:
            found = set(await Repository(unit, SITE).find_ids(query, 10))
        if needs_repository(query.terms):
            continue
        drafts = [Draft("Encounter", str(one["id"]), b"", b"", one, facets_of(one)) for one in made]
        assert {one.id for one in drafts if Subject(one, SITE).matches(query.terms)} == found, text
        seen += bool(found)
    assert seen > 25


async def test_names_are_matched_as_a_search_does(house: House) -> None:
    made = [
        PATIENT,
        PATIENT | {"id": "p2", "name": [{"family": "sample"}]},
        PATIENT | {"id": "p3", "name": [{"text": "Ä"}]},
    ]
    assert (await house.send("POST", "", transaction(*made))).status_code == 200
    for text in (
        "family=sample",
        "family:exact=sample",
        "name:contains=ALDER",
        "name=a",
        "birthdate=1980",
        "gender=female",
    ):
        query = parse_query("Patient", parse_qsl(text))
        async with house.database.unit(house.tenant) as unit:
            found = set(await Repository(unit, SITE).find_ids(query, 10))
        drafts = [Draft("Patient", str(one["id"]), b"", b"", one, facets_of(one)) for one in made]
        assert {one.id for one in drafts if Subject(one, SITE).matches(query.terms)} == found and found, text
