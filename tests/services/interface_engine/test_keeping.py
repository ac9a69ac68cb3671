"""Mapped messages into a real repository, and what the line is told of them."""

from __future__ import annotations

import asyncio

import hl7v2
import pytest
from engine_world import NOW, SITE, World
from interface_engine.handlers.announcing import Channel as Facts
from interface_engine.handlers.announcing import announce_changes
from interface_engine.handlers.channels import arrivals_of
from interface_engine.handlers.intake import keep_arrivals
from interface_engine.model import Client
from interface_engine.rules import Channel, load_channels
from interface_engine.rules.loading import SYSTEMS
from interface_engine.store import Repository, Visits
from interface_engine.store.channels import Known
from interface_engine.wire.hl7 import Mapped, map_message
from kernel.identifiers import uuid7

EPIC = load_channels(SYSTEMS / "epic")["epic"]


async def keep(world: World, channel: Channel, raw: bytes) -> list[str]:
    """One message in one transaction; the names of what changed."""
    mapped = map_message(channel, hl7v2.read(raw), NOW)
    assert isinstance(mapped, Mapped)
    client = Client(f"feed-{channel.name}", world.tenant, channel.name)
    facts = Facts({channel.name: channel.source, "default": channel.source}, SITE)
    async with world.database.unit(world.tenant) as unit:
        arrivals = await arrivals_of(Known(unit), mapped, uuid7)
        kept = await keep_arrivals(Repository(unit), client, arrivals, uuid7)
        drafts = [one.draft for one in kept if one.changed and one.draft is not None]
        await announce_changes(Visits(unit), facts, client, drafts)
    return [f"{draft.type}" for draft in drafts]


def samples() -> list[bytes]:
    return [file.read_bytes() for file in sorted((EPIC_FOLDER / "samples").iterdir())]


EPIC_FOLDER = SYSTEMS / "epic"


async def test_a_registration_and_its_charges_finish_the_visit_on_the_line(world: World) -> None:
    admit, charge, credit = samples()
    first = await keep(world, EPIC, admit)
    assert {"Patient", "Encounter", "Coverage", "Organization", "Practitioner"} <= set(first)
    assert [event.type for event in await world.facts()] == ["encounter.started"]
    second = await keep(world, EPIC, charge)
    assert second.count("ChargeItem") == 3 and "Patient" not in second
    (finished,) = await world.facts()
    assert finished.type == "encounter.finished" and not finished.body.unmapped
    assert b"99214" in finished.body.facts.snapshot
    assert await keep(world, EPIC, charge) == [] and await world.facts() == []
    assert await keep(world, EPIC, credit) == ["ChargeItem"]
    (amended,) = await world.facts()
    assert amended.type == "encounter.amended"
    assert await keep(world, EPIC, credit) == []


async def test_charges_before_the_registration_end_the_same(world: World) -> None:
    admit, charge, _ = samples()
    await keep(world, EPIC, charge)
    events = await world.facts()
    assert [event.type for event in events] == ["encounter.finished"]
    assert await keep(world, EPIC, admit) == []
    assert await world.facts() == []


@pytest.mark.parametrize("times", [5])
async def test_the_same_message_many_times_at_once_makes_one_of_each(world: World, times: int) -> None:
    admit = samples()[0]
    await asyncio.gather(*(keep(world, EPIC, admit) for _ in range(times)))
    answer = await world.send("GET", "/Patient?identifier=https://epic.example/mrn|E7001")
    assert answer.json()["total"] == 1
    found = await world.send("GET", "/Encounter?identifier=https://epic.example/csn|500123")
    assert found.json()["total"] == 1
