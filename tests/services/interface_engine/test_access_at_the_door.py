"""Scopes and the audit at the door: who may do what, and that every access is recorded before it is answered."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from engine_records import BASICS, CLINIC, CONDITION, PATIENT, encounter
from engine_world import TokenGate, World, open_world
from fhir_r4 import read
from interface_engine.entry_http import audits
from interface_engine.entry_http.table import places_of
from interface_engine.model_access import Access
from kernel.errors import Unavailable
from platform_fixture import Platform


@dataclass
class Record:
    """An audit that tells what it was told."""

    kept: list[Access] = field(default_factory=list)
    away: bool = False

    async def record(self, access: Access) -> None:
        if self.away:
            raise Unavailable("audit-away", "the access cannot be recorded now", 1.0)
        self.kept.append(access)

    def take(self) -> list[tuple[str, str, str, str, int]]:
        """Action, interaction, type, id and status of each since the last time."""
        found = [(one.action, one.interaction, one.type, one.id, one.status) for one in self.kept]
        self.kept.clear()
        return found


@pytest.fixture
def record() -> Record:
    return Record()


@pytest.fixture
async def watched(platform: Platform, tenant: str, record: Record) -> AsyncIterator[World]:
    async with open_world(platform.url_for("interface-engine"), tenant, audit=record) as world:
        await world.post(*BASICS, encounter(), CONDITION)
        record.take()
        yield world


async def narrow(platform: Platform, tenant: str, scopes: str, *asks: tuple[str, str, Any]) -> list[int]:
    """The statuses of requests of a client with these scopes."""
    gate = TokenGate(tenant, scopes)
    async with open_world(platform.url_for("interface-engine"), tenant, gate=gate) as world:
        return [(await world.send(*one)).status_code for one in asks]


async def test_scopes_are_asked_for_each_interaction(platform: Platform, tenant: str, watched: World) -> None:
    form = "system/Patient.rs system/Organization.c"
    asks = (
        ("GET", "/Patient/p1", None),
        ("GET", "/Patient", None),
        ("GET", "/Patient/p1/_history", None),
        ("POST", "/Organization", CLINIC),
        ("POST", "/Patient/$validate", PATIENT),
        ("GET", "/Encounter/e1", None),
        ("GET", "/Organization/clinic", None),
        ("PUT", "/Patient/p1", PATIENT),
        ("PATCH", "/Patient/p1", {"active": True}),
        ("DELETE", "/Patient/p1", None),
        ("DELETE", "/Patient?_id=p1", None),
        ("GET", "/Encounter/e1/$everything", None),
    )
    allowed, refused = [200, 200, 200, 201, 200], [403] * 7
    assert await narrow(platform, tenant, form, *asks) == allowed + refused


async def test_a_bundle_may_do_no_more_than_its_entries_may(platform: Platform, tenant: str, watched: World) -> None:
    def bundle(kind: str, method: str, url: str, resource: Any = None) -> dict[str, Any]:
        body = {"resource": resource} if resource else {}
        entries = [
            {"request": {"method": "GET", "url": "Patient/p1"}},
            body | {"request": {"method": method, "url": url}},
        ]
        return {"resourceType": "Bundle", "type": kind, "entry": entries}

    for method, url, resource in (
        ("GET", "Encounter/e1", None),
        ("PUT", "Patient/p1", PATIENT | {"active": True}),
        ("DELETE", "Patient/p1", None),
        ("POST", "Patient", PATIENT),
    ):
        asks = ("POST", "", bundle("transaction", method, url, resource))
        assert await narrow(platform, tenant, "system/Patient.rs", asks) == [403]
    gate = TokenGate(tenant, "system/Patient.r")
    async with open_world(platform.url_for("interface-engine"), tenant, gate=gate) as world:
        answer = await world.send("POST", "", bundle("batch", "DELETE", "Patient/p1"))
        assert [one["response"]["status"][:3] for one in answer.json()["entry"]] == ["200", "403"]


async def test_what_a_client_may_not_read_is_left_out(platform: Platform, tenant: str, watched: World) -> None:
    gate = TokenGate(tenant, "system/Encounter.rs system/Patient.rs")
    async with open_world(platform.url_for("interface-engine"), tenant, gate=gate) as world:
        found = (await world.send("GET", "/Encounter?_include=Encounter:subject&_include=Encounter:participant")).json()
        assert [one["resource"]["resourceType"] for one in found["entry"]] == ["Encounter", "Patient"]
        whole = (await world.send("GET", "/Patient/p1/$everything")).json()["entry"]
        assert {one["resource"]["resourceType"] for one in whole} == {"Encounter", "Patient"}
        versions = (await world.send("GET", "/_history")).json()["entry"]
        assert {one["request"]["url"].split("/")[0] for one in versions} == {"Encounter", "Patient"}


async def test_every_access_is_recorded_without_what_was_asked(watched: World, record: Record) -> None:
    await watched.send("GET", "/Patient/p1")
    await watched.send("GET", "/Patient?name=Sample-Alder&gender=female&gender=male")
    assert [one.query for one in record.kept] == ["", "name&gender"]
    assert record.take() == [("R", "read", "Patient", "p1", 200), ("E", "search-type", "Patient", "", 200)]
    made = await watched.send("POST", "/Organization", CLINIC)
    await watched.send("GET", "/Patient/none")
    await watched.send("PUT", "/Patient/p1", PATIENT | {"gender": "x"})
    await watched.send("DELETE", "/Patient/p1")
    assert record.take() == [
        ("C", "create", "Organization", made.json()["id"], 201),
        ("R", "read", "Patient", "none", 404),
        ("U", "update", "Patient", "p1", 422),
        ("D", "delete", "Patient", "p1", 409),
    ]
    await watched.send("GET", "/metadata")
    await watched.http.get("/fhir/Patient/p1")
    assert record.take() == []


@pytest.mark.parametrize(
    ("kind", "rest"), [("transaction", []), ("batch", [("U", "update", "Organization", "payer", 200)])]
)
async def test_what_a_bundle_tells_is_recorded_too(
    watched: World, record: Record, kind: str, rest: list[tuple[str, str, str, str, int]]
) -> None:
    entries = [
        {"request": {"method": "GET", "url": "Patient/p1"}},
        {"request": {"method": "GET", "url": "Encounter?patient=p1"}},
        {
            "resource": CLINIC | {"id": "payer", "active": True},
            "request": {"method": "PUT", "url": "Organization/payer"},
        },
    ]
    assert (
        await watched.send("POST", "", {"resourceType": "Bundle", "type": kind, "entry": entries})
    ).status_code == 200
    told = [("R", "read", "Patient", "p1", 200), ("E", "search-type", "Encounter", "", 200)]
    assert record.take() == [*told, *rest, ("E", "transaction", "", "", 200)]


async def test_what_cannot_be_recorded_is_not_answered(watched: World, record: Record) -> None:
    record.away = True
    answer = await watched.send("GET", "/Patient/p1")
    assert answer.status_code == 503 and "Sample" not in answer.text


async def test_a_type_with_rows_of_its_own_has_those_alone(watched: World) -> None:
    places = places_of(watched.door, audits.routes())
    found = places.find("/fhir/AuditEvent/x")
    assert found is not None and found[0].allow == "GET, HEAD"
    statement = places.find("/fhir/metadata")
    assert statement is not None
    told = read((await statement[0].by_method["GET"].handle(watched.door, None)).body)  # type: ignore[arg-type]
    by_type = {one["type"]: {row["code"] for row in one["interaction"]} for one in told["rest"][0]["resource"]}
    assert "create" in by_type["Patient"] and "delete" in by_type["Patient"]
    assert not by_type["AuditEvent"] & {"create", "update", "patch", "delete"} and "read" in by_type["AuditEvent"]


async def test_an_access_has_one_version(platform: Platform, tenant: str) -> None:
    async with open_world(platform.url_for("interface-engine"), tenant, smart=True) as world:
        world.door.gate = TokenGate(tenant)
        await world.send("GET", "/Patient/nobody")
        listed = (await world.send("GET", "/AuditEvent/_history?_count=1")).json()
        one = listed["entry"][0]["resource"]
        again = (await world.send("GET", f"/AuditEvent/{one['id']}/_history")).json()
        assert again["entry"][0]["resource"] == one
        assert (await world.send("GET", f"/AuditEvent/{one['id']}/_history/1")).json()["id"] == one["id"]
        assert (await world.send("GET", f"/AuditEvent/{one['id']}/_history/2")).status_code == 404
        assert (await world.send("GET", "/AuditEvent/no-such/_history")).status_code == 404
