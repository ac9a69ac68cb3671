"""The record of accesses: kept before the answer goes out, and read as AuditEvents."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from bus import Database
from fhir_r4 import has_errors, validate
from fhir_r4.search import parse_query
from interface_engine.entry_gate import AuditTrail
from interface_engine.model import Client, Rejected
from interface_engine.model_access import Access, Caller, Scopes
from interface_engine.store.audit import AuditLog
from interface_engine.wire.audit import audit_event, outcome_code
from kernel.clock import FixedClock
from kernel.errors import Unavailable, Unreadable
from platform_fixture import Platform

NOW = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)


@dataclass
class Door:
    tenant: str
    database: Database


@pytest.fixture
async def door(platform: Platform, tenant: str) -> AsyncIterator[Door]:
    database = Database(platform.url_for("interface-engine"), "interface_engine", FixedClock(NOW))
    await database.open()
    yield Door(tenant, database)
    await database.close()


def access(number: int, tenant: str = "t", **changes: Any) -> Access:
    return Access(tenant, "epic", NOW, "R", "read", "Patient", f"p{number}", **changes)


async def test_an_answer_waits_until_its_access_is_kept(door: Door) -> None:
    trail = AuditTrail(door.database)
    await asyncio.gather(*(trail.record(access(number, door.tenant)) for number in range(50)))
    async with door.database.transaction(door.tenant) as conn:
        rows = await conn.fetch("select resource_id from access_event")
    assert {row["resource_id"] for row in rows} == {f"p{number}" for number in range(50)}


async def test_what_cannot_be_recorded_is_not_answered(door: Door) -> None:
    trail = AuditTrail(door.database)
    async with door.database.transaction(door.tenant) as conn:
        await conn.execute("select 1")
    await door.database.close()
    with pytest.raises(Unavailable):
        await trail.record(access(1, door.tenant))
    await door.database.open()
    await trail.record(access(2, door.tenant))


async def test_one_who_stops_waiting_does_not_take_the_others_along(door: Door) -> None:
    trail = AuditTrail(door.database)
    waiting = [asyncio.create_task(trail.record(access(number, door.tenant))) for number in range(5)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    done = await asyncio.gather(*waiting, return_exceptions=True)
    assert [isinstance(one, BaseException) for one in done] == [True, False, False, False, False]


@pytest.mark.parametrize(("status", "code"), [(200, "0"), (304, "0"), (404, "4"), (403, "4"), (503, "8")])
def test_an_access_reads_as_a_good_audit_event(status: int, code: str) -> None:
    row = {"client": "epic", "action": "E", "interaction": "search-type", "type": "Patient", "resource_id": "p1",
           "status": status, "query": "family=Example", "trace": "0" * 32}  # fmt: skip
    event = audit_event("e1", NOW, row)
    assert not has_errors(validate(event)), validate(event)
    assert event["outcome"] == outcome_code(status) == code
    assert event["entity"][0]["what"] == {"reference": "Patient/p1"}
    assert "Example" not in json.dumps(event)  # a query is kept as base64, as R4 has it


def test_a_caller_may_do_what_its_scopes_say_and_nothing_else() -> None:
    caller = Caller(Client("c", "t", "default"), Scopes.read("system/Patient.r"), NOW)
    caller.require("Patient", "r")
    for type_name, letter in (("Patient", "s"), ("Claim", "r")):
        with pytest.raises(Rejected):
            caller.require(type_name, letter)


async def found(door: Door, query: str, count: int = 50) -> list[str]:
    """The resources that the accesses were to, of all pages."""
    pairs = [tuple(one.split("=")) for one in query.split("&") if one]
    names: list[str] = []
    cursor = ""
    while True:
        asked = parse_query("AuditEvent", [*pairs, ("_cursor", cursor)] if cursor else pairs)  # type: ignore[list-item]
        async with door.database.unit(door.tenant) as unit:
            page = await AuditLog(unit).search(asked, count)
        names += [json.loads(one.content)["entity"][0]["what"]["reference"] for one in page.matches]
        cursor = page.next
        if not cursor:
            return names


async def test_accesses_are_found_by_who_when_what_and_how_it_ended(door: Door) -> None:
    trail = AuditTrail(door.database)
    rows = [
        access(1, door.tenant),
        access(2, door.tenant, status=404),
        Access(door.tenant, "other", NOW - timedelta(days=2), "U", "update", "Claim", "c1"),
    ]
    for row in rows:
        await trail.record(row)
    assert await found(door, "") == ["Patient/p2", "Patient/p1", "Claim/c1"]
    assert await found(door, "", 1) == ["Patient/p2", "Patient/p1", "Claim/c1"]
    assert await found(door, "entity=Claim/c1") == ["Claim/c1"]
    assert await found(door, "patient=p1") == ["Patient/p1"]
    assert await found(door, "outcome=4") == ["Patient/p2"]
    assert await found(door, "agent-name=other") == ["Claim/c1"]
    assert await found(door, "action=U") == await found(door, "subtype=update") == ["Claim/c1"]
    assert await found(door, "date=lt2026-03-19") == ["Claim/c1"]
    assert await found(door, "date=ge2026-03-20&action=R") == ["Patient/p2", "Patient/p1"]
    with pytest.raises(Unreadable):
        await found(door, "policy=x")
    with pytest.raises(Unreadable):
        await found(door, "_cursor=nonsense")


async def test_an_access_is_read_by_its_id_in_its_own_tenant_only(door: Door) -> None:
    await AuditTrail(door.database).record(access(1, door.tenant))
    async with door.database.unit(door.tenant) as unit:
        (one,) = (await AuditLog(unit).search(parse_query("AuditEvent", []), 10)).matches
        assert (await AuditLog(unit).read(one.id)) == one
        assert await AuditLog(unit).read("nonsense") is None
    async with door.database.unit(f"{door.tenant}-other") as unit:
        assert await AuditLog(unit).read(one.id) is None


async def test_accesses_are_only_ever_added(door: Door) -> None:
    await AuditTrail(door.database).record(access(1, door.tenant))
    for sql in ("delete from access_event", "update access_event set client = 'somebody'"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with door.database.transaction(door.tenant) as conn:
                await conn.execute(sql)
    async with door.database.transaction(door.tenant) as conn:
        assert await conn.fetchval("select client from access_event") == "epic"
