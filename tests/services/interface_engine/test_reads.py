"""A read in one statement: the newest version, for its own tenant only, with nothing left on the connection."""

from __future__ import annotations

import asyncio

from engine_records import BASICS, PATIENT
from engine_world import World
from interface_engine.store import read_newest

LONE = {"resourceType": "Patient", "id": "lone"}


async def test_the_newest_version_and_then_its_end(world: World) -> None:
    await world.post(LONE)
    first = await read_newest(world.database, world.tenant, "Patient", LONE["id"])
    await world.post(LONE | {"active": False})
    second = await read_newest(world.database, world.tenant, "Patient", LONE["id"])
    assert first is not None
    assert second is not None
    assert (first.version, second.version, b'"active": false' in second.content) == (1, 2, True)
    await world.send("DELETE", f"/Patient/{LONE['id']}")
    last = await read_newest(world.database, world.tenant, "Patient", LONE["id"])
    assert last is not None
    assert last.deleted
    assert await read_newest(world.database, world.tenant, "Patient", "nobody") is None


async def test_another_tenant_finds_nothing_and_the_tenant_does_not_stay_on_the_connection(world: World) -> None:
    await world.post(*BASICS)
    assert await read_newest(world.database, f"{world.tenant}-other", "Patient", PATIENT["id"]) is None
    found = await asyncio.gather(
        *(read_newest(world.database, world.tenant, "Patient", PATIENT["id"]) for _ in range(30))
    )
    assert all(one is not None for one in found)
    async with world.database.app.acquire() as conn:
        assert await conn.fetchval("select coalesce(current_setting('app.tenant', true), '')") == ""
        assert await conn.fetchval("select count(*) from resource") == 0
