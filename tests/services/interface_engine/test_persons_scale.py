"""A hundred thousand patients: whoever is like one of them is found by indexes alone, and a write costs little."""

from __future__ import annotations

import json
from typing import Any

import pytest
from bus import Unit
from engine_shelf import draft_of
from engine_world import World
from interface_engine.handlers.persons import identify
from interface_engine.store.persons import FIND, MOST_SHARING, Persons
from persons_people import FEED_B, named, numbered, person

PATIENTS = 100_000
MOST_PAGES = 400  # of about twenty thousand
_FILL = """
with p as (select 'n' || n as patient, n from generate_series($1::int, $2::int) n), r as (
    insert into person_record (patient, home, person, traits) select patient, patient, patient, '{}' from p
)
insert into person_key (source, patient, kind, key)
select 'Patient/' || patient, patient, k.kind, hashtextextended(k.kind || '|' || k.value, 0)
from p cross join lateral (values ('number', n::text), ('ssn', n::text), ('phone', (n / 3)::text),
    ('family-birth', (n / 4)::text), ('given-birth', (n / 5)::text), ('name-place', (n / 2)::text), ('email', n::text)
) as k(kind, value)
"""


class Counted:
    """A connection that counts statements."""

    def __init__(self, conn: Any) -> None:
        self._conn = conn
        self.statements = 0

    def __getattr__(self, name: str) -> Any:
        if name in ("fetch", "fetchrow", "fetchval", "execute", "executemany"):
            self.statements += 1
        return getattr(self._conn, name)


async def cost(world: World, *resources: dict[str, Any]) -> int:
    """How many statements it takes to find out who these are."""
    async with world.database.unit(world.tenant) as unit:
        counted = Counted(unit.conn)
        index = Persons(Unit(counted, unit.tenant, unit.now, None))  # type: ignore[arg-type]
        await identify(index, [draft_of(one) for one in resources])
        return counted.statements


@pytest.fixture
async def crowd(world: World) -> World:
    """A full index, that was small when the database made its first plans."""
    for number in range(12):
        await cost(world, person(f"w{number}", name=named(f"Early {number}", "Anders"), telecom=None, address=None))
    for first in range(1, PATIENTS, 10_000):
        async with world.database.transaction(world.tenant) as conn:
            await conn.execute(_FILL, first, first + 9_999)
    return world


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for part in plan.get("Plans", ()) for node in nodes(part))]


async def explained(world: World, patient: str) -> tuple[int, list[str]]:
    """How many pages of the database are looked at, and the tables that are read from end to end."""
    async with world.database.transaction(world.tenant) as conn:
        (row,) = await conn.fetch(f"explain (analyze, buffers, format json) {FIND}", [patient])
    plan = json.loads(row[0])[0]["Plan"]
    whole = [node["Relation Name"] for node in nodes(plan) if node["Node Type"] == "Seq Scan"]
    return plan["Shared Hit Blocks"] + plan["Shared Read Blocks"], whole


async def test_among_a_hundred_thousand_the_same_is_found_by_a_few_pages(crowd: World) -> None:
    await cost(crowd, person("me"))
    assert await cost(crowd, person("twice", identifier=numbered((FEED_B, "1")))) == 3
    pages, whole = await explained(crowd, "twice")
    assert not {"person_key", "person_record"} & set(whole)
    assert pages < MOST_PAGES
    async with crowd.database.unit(crowd.tenant) as unit:
        found = await Persons(unit).find(["n50000"])
    assert len(found.records) > 3 and "n50001" in found.records
    await _crowded(crowd)


async def _crowded(world: World) -> None:
    """A number of everybody's costs nothing and says nothing."""
    async with world.database.transaction(world.tenant) as conn:
        await conn.execute("update person_key set key = 4711 where kind = 'phone' and patient <= 'n2'")
    pages, _ = await explained(world, "n1")
    async with world.database.unit(world.tenant) as unit:
        found = await Persons(unit).find(["n1"])
    assert pages < MOST_PAGES and 1 < len(found.records) < MOST_SHARING
    assert all("phone" not in kinds for kinds in found.shared.values())


async def test_a_write_costs_two_statements_at_most_until_somebody_is_found(world: World) -> None:
    me = person("me")
    assert await cost(world, me) == 2
    assert await cost(world, me | {"maritalStatus": {"text": "x"}}) == 1
    assert await cost(world, person("x", name=named("Otherwise", "Anders"), birthDate="1951-02-03")) == 2
    assert await cost(world, {"resourceType": "Encounter", "id": "e"}) == 0
    many = [person(f"m{n}", name=named(f"Family{n}", f"Given{n}"), telecom=None, address=None) for n in range(40)]
    assert await cost(world, *many) == 2
