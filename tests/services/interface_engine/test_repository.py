"""Versions, deletions, histories, compartments and exports of the repository; two units at once; tenants apart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from engine_shelf import CLIENT, Resource, Shelf, draft_of, open_shelf, references
from engine_world import NOW
from hypothesis import given
from hypothesis import strategies as st
from interface_engine.store import Overtaken, Page, Stored
from interface_engine.store.compartments import belonging
from interface_engine.wire.facets import sortable
from kernel.errors import Unreadable
from platform_fixture import Platform

INDEXES = ("token", "string", "day", "number", "uri", "reference")


@pytest.fixture
async def shelf(platform: Platform, tenant: str) -> AsyncIterator[Shelf]:
    async with open_shelf(platform.url_for("interface-engine"), tenant) as opened:
        yield opened


def link(reference: str) -> dict[str, str]:
    return {"reference": reference}


def patient(id: str = "p1", family: str = "Alder", **more: Any) -> Resource:
    names = {"name": [{"family": family}], "birthDate": "1980-05-06"}
    return {"resourceType": "Patient", "id": id, "identifier": [{"system": "urn:mrn", "value": id}]} | names | more


def observation(id: str = "b1", **more: Any) -> Resource:
    made = {"resourceType": "Observation", "id": id, "status": "final", "subject": link("Patient/p1")}
    profile = {"meta": {"profile": ["urn:profile"]}}
    return made | profile | {"valueQuantity": {"value": 7, "code": "kg"}, "effectiveDateTime": "2026-03-16"} | more


async def rows(shelf: Shelf) -> dict[str, int]:
    async with shelf.database.transaction(shelf.tenant) as conn:
        return {table: await conn.fetchval(f"select count(*) from {table}") for table in INDEXES}


# Deletion


async def test_a_deleted_resource_is_nowhere_but_in_its_history(shelf: Shelf) -> None:
    await shelf.put(patient(), observation())
    assert min((await rows(shelf)).values()) > 0
    assert await shelf.delete("Observation/b1") == 2
    async with shelf.open() as repository:
        stored = await repository.read("Observation", "b1")
        assert stored is not None and (stored.deleted, stored.version, stored.content) == (True, 2, b"")
        old = await repository.read("Observation", "b1", 1)
        assert old is not None and not old.deleted and b'"b1"' in old.content
        current = (await repository.current(["Observation/b1"]))["Observation/b1"]
        assert (current.version, current.deleted) == (2, True)
        assert await repository.referrers(["Patient/p1"], 5) == []
        assert await repository.count_by_type() == {"Patient": 1}
    for query in (
        "",
        "?_id=b1",
        "?patient=p1",
        "?value-quantity:missing=true",
        "?status:not=x",
        "?date=2026",
        "?_id:not=x",
    ):
        assert await shelf.ids(f"Observation{query}") == [], query
    assert await shelf.ids("Patient?_has:Observation:patient:status:not=x") == []
    assert await shelf.included("Patient?_revinclude=Observation:subject") == []
    left = await rows(shelf)
    assert (left["number"], left["uri"], left["reference"]) == (0, 0, 0)


async def test_an_update_revives_what_was_deleted(shelf: Shelf) -> None:
    await shelf.put(patient())
    await shelf.delete("Patient/p1")
    assert await shelf.put(patient(family="Birch")) == {"Patient/p1": 3}
    assert await shelf.ids("Patient?family=birch") == ["p1"]
    assert await shelf.ids("Patient?family=alder") == []


async def test_only_the_version_that_is_named_is_deleted_and_only_once(shelf: Shelf) -> None:
    await shelf.put(patient())
    await shelf.put(patient(family="Birch"))
    for reference, expected in (("p1", 1), ("p1", 3), ("none", 1)):
        with pytest.raises(Overtaken):
            async with shelf.open() as repository:
                await repository.delete("Patient", reference, CLIENT, expected)
    await shelf.delete("Patient/p1")
    with pytest.raises(Overtaken):
        await shelf.delete("Patient/p1")
    with pytest.raises(Overtaken):
        async with shelf.open(f"{shelf.tenant}-other") as repository:
            await repository.delete("Patient", "p1", CLIENT, 3)


async def test_an_older_fact_does_not_revive_what_was_deleted(shelf: Shelf) -> None:
    draft = draft_of(observation())
    async with shelf.open() as repository:
        await repository.put([draft], CLIENT, told_at=NOW)
    shelf.clock.advance(seconds=9)
    await shelf.delete("Observation/b1")
    async with shelf.open() as repository:
        assert await repository.put([draft], CLIENT, told_at=NOW + timedelta(seconds=8)) == {}
    assert await shelf.ids("Observation") == []
    async with shelf.open() as repository:
        assert await repository.put([draft], CLIENT, told_at=NOW + timedelta(seconds=10)) == {"Observation/b1": 3}
    assert await shelf.ids("Observation?value-quantity=7") == ["b1"]


# Two at once


async def test_of_two_units_that_write_one_version_one_wins_and_its_rows_alone_stay(shelf: Shelf) -> None:
    await shelf.put(patient())
    before = await rows(shelf)

    async def write(family: str) -> bool:
        try:
            async with shelf.open() as repository:
                current = (await repository.current(["Patient/p1"]))["Patient/p1"]
                await asyncio.sleep(0.05)
                draft = draft_of(patient(family=family))
                made = type(draft)(draft.type, draft.id, draft.content, draft.sha256, draft.resource, draft.facets,
                                   expected=current.version)  # fmt: skip
                await repository.put([made], CLIENT)
        except Overtaken:
            return False
        return True

    won = await asyncio.gather(*(write(f"Name{number}") for number in range(5)))
    assert won.count(True) == 1
    assert await shelf.ids(f"Patient?family=name{won.index(True)}") == ["p1"]
    assert await rows(shelf) == before
    found = [await shelf.ids(f"Patient?family=name{number}") for number in range(5)]
    assert found.count(["p1"]) == 1


async def test_facts_of_one_resource_at_once_leave_the_rows_of_the_last_alone(shelf: Shelf) -> None:
    async def tell(number: int) -> None:
        async with shelf.open() as repository:
            draft = draft_of(observation(valueQuantity={"value": number, "code": "kg"}))
            await repository.put([draft], CLIENT, told_at=NOW + timedelta(seconds=number))

    for _ in range(3):
        await asyncio.gather(*(tell(number) for number in range(8)))
    assert await shelf.ids("Observation?value-quantity=7") == ["b1"]
    assert await shelf.ids("Observation?value-quantity=lt7") == []
    async with shelf.database.transaction(shelf.tenant) as conn:
        for table in INDEXES:
            assert await conn.fetchval(f"select count(distinct version) from {table}") <= 1, table
        assert await conn.fetchval("select count(*) from day") == 1


# History


async def walk(shelf: Shelf, size: int, *named: str, **more: Any) -> list[str]:
    """Every version of a history as "Type/id/version", with a minus sign before a tombstone."""
    seen: list[Stored] = []
    page = Page([], "")
    while True:
        async with shelf.open() as repository:
            page = await repository.history(*named, limit=size, cursor=page.next, **more)
        seen += page.matches
        if not page.next:
            return [f"{'-' if one.deleted else ''}{one.reference}/{one.version}" for one in seen]


@pytest.mark.parametrize("size", [1, 2, 50])
async def test_histories_of_one_of_a_type_and_of_all(shelf: Shelf, size: int) -> None:
    await shelf.put(patient("p1"), patient("p2"))
    await shelf.put(observation())
    shelf.clock.advance(hours=1)
    await shelf.put(patient("p1", "Birch"))
    await shelf.delete("Patient/p2")
    shelf.clock.advance(hours=1)
    await shelf.put(patient("p2", "Cedar"))
    assert await walk(shelf, size, "Patient", "p2") == ["Patient/p2/3", "-Patient/p2/2", "Patient/p2/1"]
    assert await walk(shelf, size, "Patient", "none") == []
    of_type = await walk(shelf, size, "Patient")
    assert of_type[:3] == ["Patient/p2/3", "-Patient/p2/2", "Patient/p1/2"] and len(of_type) == 5
    assert sorted(await walk(shelf, size)) == sorted([*of_type, "Observation/b1/1"])
    late = NOW + timedelta(hours=1)
    assert await walk(shelf, size, since=late) == of_type[:3]
    assert await walk(shelf, size, "Patient", "p1", since=late) == ["Patient/p1/2"]
    assert await walk(shelf, size, at=late) == ["-Patient/p2/2", "Patient/p1/2", "Observation/b1/1"]
    assert await walk(shelf, size, "Patient", "p2", at=NOW) == ["Patient/p2/1"]
    assert await walk(shelf, size, at=NOW - timedelta(seconds=1)) == []
    shelf.tenant += "-other"
    assert await walk(shelf, size) == []


@pytest.mark.parametrize("cursor", ["x", "2026-01-01.x", ".", "1.2", "2026-99-01.4"])
async def test_a_place_of_others_is_refused(shelf: Shelf, cursor: str) -> None:
    async with shelf.open() as repository:
        with pytest.raises(Unreadable):
            await repository.history(cursor=cursor)
        with pytest.raises(Unreadable):
            await repository.everything("Patient", "p1", cursor=cursor)


# Everything and export

RECORD: tuple[Resource, ...] = (
    patient("p1", generalPractitioner=[link("Practitioner/d1")]),
    patient("p2"),
    {"resourceType": "Practitioner", "id": "d1"},
    {"resourceType": "Practitioner", "id": "d2"},
    {"resourceType": "Organization", "id": "o1"},
    {"resourceType": "Medication", "id": "m1"},
    {"resourceType": "Encounter", "id": "e1", "subject": link("Patient/p1"),
     "serviceProvider": link("Organization/o1")},
    {"resourceType": "Encounter", "id": "e2", "subject": link("Patient/p2")},
    observation("b1", encounter=link("Encounter/e1")),
    observation("b2", subject=link("Patient/p2"), performer=[link("Patient/p1")]),
    {"resourceType": "MedicationRequest", "id": "r1", "subject": link("Patient/p1"),
     "medicationReference": link("Medication/m1"), "encounter": link("Encounter/e1")},
    {"resourceType": "Coverage", "id": "c1", "beneficiary": link("Patient/p1"), "payor": [link("Organization/o1")]},
    {"resourceType": "Group", "id": "g1", "type": "person", "member": [{"entity": link("Patient/p1")}]},
)  # fmt: skip


async def all_of(shelf: Shelf, type_name: str, identity: str, size: int = 50, **more: Any) -> list[str]:
    seen: list[str] = []
    page = Page([], "")
    while True:
        async with shelf.open() as repository:
            page = await repository.everything(type_name, identity, limit=size, cursor=page.next, **more)
        seen += references(page.matches)
        if not page.next:
            return seen


@pytest.mark.parametrize("size", [1, 3, 50])
async def test_everything_of_a_patient_and_of_a_visit(shelf: Shelf, size: int) -> None:
    await shelf.put(*RECORD)
    found = await all_of(shelf, "Patient", "p1", size)
    assert found[0] == "Patient/p1" and len(found) == len(set(found))
    assert set(found) == {
        *("Patient/p1", "Encounter/e1", "Observation/b1", "Observation/b2", "MedicationRequest/r1", "Coverage/c1"),
        *("Group/g1", "Practitioner/d1", "Organization/o1", "Medication/m1", "Patient/p2"),
    }
    assert await all_of(shelf, "Patient", "p1", size, types=("Observation", "Practitioner")) == [
        "Observation/b1",
        "Observation/b2",
        "Practitioner/d1",
    ]
    visit = await all_of(shelf, "Encounter", "e1", size)
    assert visit[0] == "Encounter/e1"
    assert set(visit[1:]) == {
        "Observation/b1", "MedicationRequest/r1", "Patient/p1", "Organization/o1", "Medication/m1",
    }  # fmt: skip
    shelf.clock.advance(hours=1)
    await shelf.put(observation("b1", status="amended"))
    await shelf.delete("Coverage/c1")
    assert await all_of(shelf, "Patient", "p1", size, since=NOW + timedelta(minutes=1)) == ["Observation/b1"]
    assert "Coverage/c1" not in await all_of(shelf, "Patient", "p1", size)
    assert await all_of(shelf, "Patient", "none", size) == []


def test_what_belongs_to_a_patient_is_found_by_paths_that_references_have() -> None:
    pairs = belonging("Patient")
    assert {("Claim", "Claim.patient"), ("Appointment", "Appointment.participant.actor")} <= set(pairs)
    assert all(path.startswith(f"{name}.") for name, path in pairs)
    assert ("Encounter", "Encounter.serviceProvider") not in pairs
    assert ("Claim", "Claim.item.encounter") in belonging("Encounter")


async def exported(shelf: Shelf, type_name: str, size: int, **more: Any) -> list[str]:
    seen: list[str] = []
    while True:
        async with shelf.open() as repository:
            after = seen[-1] if seen else ""
            found = await repository.export_page(type_name, after=after, limit=size, **more)
            if not found:
                assert await repository.export_count(type_name, **more) == len(seen)
                return seen
        seen += [one.id for one in found]


@pytest.mark.parametrize("size", [1, 2, 100])
async def test_an_export_has_each_once(shelf: Shelf, size: int) -> None:
    await shelf.put(*RECORD)
    assert await exported(shelf, "Patient", size) == ["p1", "p2"]
    assert await exported(shelf, "Patient", size, group="g1") == ["p1"]
    assert await exported(shelf, "Observation", size, group="g1") == ["b1", "b2"]
    assert await exported(shelf, "Encounter", size, group="g1") == ["e1"]
    assert await exported(shelf, "Organization", size, group="g1") == []
    assert await exported(shelf, "Patient", size, group="none") == []
    shelf.clock.advance(hours=1)
    await shelf.put(patient("p2", "Birch"))
    await shelf.delete("Observation/b2")
    late = NOW + timedelta(minutes=1)
    assert await exported(shelf, "Patient", size, since=late) == ["p2"]
    assert await exported(shelf, "Patient", size, until=late) == ["p1"]
    assert await exported(shelf, "Observation", size) == ["b1"]
    assert await exported(shelf, "Patient", size, group="g1", since=late) == []


# Numbers as texts


@given(st.lists(st.decimals(allow_nan=False, allow_infinity=False, places=None), min_size=2, max_size=6))
def test_texts_stand_in_the_order_of_their_numbers(numbers: list[Decimal]) -> None:
    small = [one for one in numbers if abs(one.adjusted()) < 4000]
    for one in small:
        for other in small:
            assert (sortable(one) < sortable(other)) == (one < other)
            assert (sortable(one) == sortable(other)) == (one == other)


@pytest.mark.parametrize("text", ["0", "-0.00", "1", "-1", "1.10", "1.1", "-1.2", "-1.23", "1e30", "1e-30", "99.995"])
def test_numbers_around_zero(text: str) -> None:
    number = Decimal(text)
    assert sortable(number) == sortable(number.normalize())
    assert sortable(number - 1) < sortable(number) < sortable(number + 1) or abs(number) > 10**27
