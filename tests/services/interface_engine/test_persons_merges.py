"""Merges over a real database: what refers to the one goes to the other, and every change can be taken back."""

from __future__ import annotations

import asyncio
from typing import Any

import hl7v2
from engine_world import World
from interface_engine.entry_persons import keep_persons, take_back_merge
from interface_engine.handlers.channels import arrivals_of
from interface_engine.handlers.intake import keep_arrivals
from interface_engine.handlers.merging import merges_of
from interface_engine.model import Client
from interface_engine.store import Repository
from interface_engine.store.channels import Known
from interface_engine.store.merges import Merges
from interface_engine.store.persons import Persons
from interface_engine.wire.hl7 import Mapped, map_message
from kernel.identifiers import uuid7
from message_feed import feed
from persons_ledger import NOW
from persons_people import coverage, named, numbered, person

CLIENT = Client("tester", "", "default")
Resource = dict[str, Any]


def into(patient: Resource, survivor: str) -> Resource:
    """The Patient as its source tells that it was replaced."""
    link = {"other": {"reference": f"Patient/{survivor}"}, "type": "replaced-by"}
    return patient | {"active": False, "link": [*patient.get("link", []), link]}


async def put(world: World, *resources: Resource) -> None:
    for one in resources:
        answer = await world.send("PUT", f"/{one['resourceType']}/{one['id']}", one)
        assert answer.status_code in (200, 201), answer.text


async def stored(world: World, reference: str) -> Resource:
    found: Resource = (await world.send("GET", f"/{reference}")).json()
    found.pop("meta", None)
    return found


async def persons(world: World, patient: str) -> set[str]:
    async with world.database.unit(world.tenant) as unit:
        found = await Persons(unit).find([patient])
    return {one.patient for one in found.records.values() if one.person == found.records[patient].person}


async def take_back(world: World) -> None:
    async with world.database.unit(world.tenant) as unit:
        (merge,) = await Merges(unit).merges()
        await take_back_merge(unit, CLIENT, merge.id)


async def member_keys(world: World) -> set[str]:
    """The patients who are found by the number of a policy."""
    async with world.database.unit(world.tenant) as unit:
        rows = await unit.conn.fetch("select patient from person_key where kind = 'member'")
    return {row["patient"] for row in rows}


OLD = person("old", name=named("Otherwise", "Anders"), birthDate="1951-02-03", telecom=None, address=None)
PAYER = {"resourceType": "Organization", "id": "payer", "name": "Synthetic Payer A"}


async def test_a_patient_replaced_by_fhir_is_merged_and_comes_back(world: World) -> None:
    await put(world, PAYER, person("new"), OLD, coverage("c", "old"))
    answer = await world.send("PUT", "/Patient/old", into(OLD, "new"))
    assert answer.status_code == 200
    assert answer.headers["ETag"] == 'W/"2"'
    assert (await stored(world, "Coverage/c"))["beneficiary"]["reference"] == "Patient/new"
    assert merges_of("new", await stored(world, "Patient/new")) == [("old", "new")]
    found = (await world.send("GET", "/Coverage?beneficiary=Patient/new")).json()
    assert [entry["resource"]["id"] for entry in found["entry"]] == ["c"]
    assert await persons(world, "old") == {"old", "new"}
    assert await member_keys(world) == {"new"}
    await take_back(world)
    assert await member_keys(world) == {"old"}
    assert await stored(world, "Coverage/c") == coverage("c", "old")
    assert await stored(world, "Patient/old") == OLD and await stored(world, "Patient/new") == person("new")
    assert await persons(world, "old") == {"old"}


async def test_an_answer_carries_the_version_that_the_merge_made(world: World) -> None:
    await put(world, person("new"), OLD)
    link = into(OLD, "new")["link"]
    answer = await world.send("PUT", "/Patient/old", OLD | {"link": link})  # still called active by its sender
    assert (await stored(world, "Patient/old"))["active"] is False
    assert answer.headers["ETag"] == (await world.send("GET", "/Patient/old")).headers["ETag"] == 'W/"3"'


async def test_a_circle_leaves_nothing(world: World) -> None:
    await put(world, person("new"), OLD, into(OLD, "new"))
    answer = await world.send("PUT", "/Patient/new", into(person("new"), "old"))
    assert answer.status_code == 409
    assert merges_of("new", await stored(world, "Patient/new")) == [("old", "new")]


async def test_what_is_merged_is_not_asked_about_and_after_the_undoing_is_two_again(world: World) -> None:
    doubtful = person("old", telecom=None, address=None, identifier=numbered(("https://b.example", "1")))
    await put(world, person("new"), doubtful)
    (opened_work,) = [fact for fact in await world.facts() if fact.type == "work.opened"]
    await put(world, into(doubtful, "new"))
    (closed,) = [fact for fact in await world.facts() if fact.type == "work.closed"]
    assert closed.body.work_id == opened_work.body.work_id
    await put(world, into(doubtful, "new") | {"gender": "female"})
    assert [fact for fact in await world.facts() if fact.type.startswith("work.")] == []
    await take_back(world)
    assert await persons(world, "old") == {"old"}


def a40(mrn: str, prior: str, control: str) -> Mapped:
    text = (
        f"MSH|^~\\&|EHR|CLINIC|RCM|HUB|20260320120000||ADT^A40^ADT_A39|{control}|P|2.5.1\rEVN|A40|20260320120000\r"
        f"PID|1||{mrn}^^^CLINIC^MR||EXAMPLE^QUILLON||19800516|M\rMRG|{prior}^^^CLINIC^MR\r"
    )
    mapped = map_message(feed(), hl7v2.read(text.encode()), NOW)
    assert isinstance(mapped, Mapped)
    return mapped


async def take_in(world: World, mapped: Mapped) -> None:
    """As a feed's message is kept."""
    client = Client("feed", world.tenant, "clinic")
    async with world.database.unit(world.tenant) as unit:
        arrivals = await arrivals_of(Known(unit), mapped, uuid7)
        kept = await keep_arrivals(Repository(unit), client, arrivals, uuid7)
        await keep_persons(unit, client, kept)


async def test_a40_merges_repeatedly_and_is_undone(world: World) -> None:
    for control, prior in enumerate(("P1", "P2", "P1"), 1):
        await take_in(world, a40("S", prior, str(control)))
    async with world.database.unit(world.tenant) as unit:
        merges = await Merges(unit).merges()
    assert len(merges) == 2 and len({one.survivor for one in merges}) == 1
    survivor = merges[0].survivor
    assert {prior for prior, _ in merges_of(survivor, await stored(world, f"Patient/{survivor}"))} == {
        one.prior for one in merges
    }
    assert await persons(world, survivor) == {survivor, *(one.prior for one in merges)}
    assert [fact for fact in await world.facts() if fact.type.startswith("work.")] == []
    for merge in merges:
        async with world.database.unit(world.tenant) as unit:
            await take_back_merge(unit, CLIENT, merge.id)
    prior = await stored(world, f"Patient/{merges[0].prior}")
    assert "link" not in prior and "active" not in prior
    assert await persons(world, survivor) == {survivor}


async def test_two_merges_at_once_make_no_circle(world: World) -> None:
    await put(world, person("new"), OLD)
    answers = await asyncio.gather(
        world.send("PUT", "/Patient/old", into(OLD, "new")),
        world.send("PUT", "/Patient/new", into(person("new"), "old")),
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409]
