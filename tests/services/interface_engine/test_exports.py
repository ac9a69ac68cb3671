"""Bulk export over a real database: begun, written, resumed, fetched, cancelled and expired, as of one moment."""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest
from engine_records import BASICS, CLINIC, PATIENT, encounter
from engine_world import SITE, TokenGate, transaction
from interface_engine.entry_exports import ExportWorker
from interface_engine.entry_http.exports import export_routes
from interface_engine.handlers.exporting import Rules
from notices_world import House, open_house
from platform_fixture import Platform

RULES = Rules(page=7, file_resources=20)


class OneTenantsWorker(ExportWorker):
    """Leaves the tenants of other tests alone."""

    tenant = ""

    async def _tenants(self) -> dict[str, int]:
        return {self.tenant: 1}


@asynccontextmanager
async def opened(platform: Platform, tenant: str, rules: Rules = RULES) -> AsyncIterator[House]:
    async with open_house(platform.url_for("interface-engine"), tenant, export_routes(rules)) as house:
        await house.post(*BASICS)
        yield house


@pytest.fixture
async def house(platform: Platform, tenant: str) -> AsyncIterator[House]:
    async with opened(platform, tenant) as one:
        yield one


def worker(house: House, rules: Rules = RULES) -> OneTenantsWorker:
    made = OneTenantsWorker(house.database, rules, house.log)
    made.tenant = house.tenant
    return made


async def begin(house: House, url: str = "/$export", token: str = "default", **more: str) -> httpx.Response:
    return await house.send("GET", url, token=token, **({"Prefer": "respond-async"} | more))


async def place_of(house: House, url: str = "/$export") -> str:
    answer = await begin(house, url)
    assert answer.status_code == 202, answer.text
    return answer.headers["content-location"].removeprefix(SITE)


async def write_all(house: House) -> None:
    house.clock.advance(seconds=2)
    for _ in range(3):
        await worker(house).work()
        house.clock.advance(seconds=1)


async def fetched(house: House, place: str) -> dict[str, list[dict[str, Any]]]:
    """The resources of a finished export by type, from all of its files."""
    answer = await house.send("GET", place)
    assert answer.status_code == 200 and answer.headers["content-type"] == "application/json"
    found: dict[str, list[dict[str, Any]]] = {}
    for one in answer.json()["output"]:
        file = await house.send("GET", one["url"].removeprefix(SITE))
        assert (file.status_code, file.headers["content-type"]) == (200, "application/fhir+ndjson")
        rows = [json.loads(line) for line in file.content.splitlines()]
        assert len(rows) == one["count"] and all(row["resourceType"] == one["type"] for row in rows)
        found.setdefault(one["type"], []).extend(rows)
    return found


def visits(count: int, start: int = 0, status: str = "finished") -> list[dict[str, Any]]:
    made = [encounter(status) | {"id": f"m{number:04}"} for number in range(start, start + count)]
    return [{name: value for name, value in one.items() if name != "identifier"} for one in made]


async def test_an_export_has_everything_once_in_several_files(house: House) -> None:
    await house.send("POST", "", transaction(*visits(50)))
    place = await place_of(house)
    first = await house.send("GET", place)
    assert first.status_code == 202 and first.headers["retry-after"] == "2" and "of" in first.headers["x-progress"]
    await write_all(house)
    manifest = (await house.send("GET", place)).json()
    assert manifest["requiresAccessToken"] is True and manifest["error"] == []
    assert manifest["request"] == f"{SITE}/$export" and manifest["transactionTime"] == "2026-03-20T12:00:00.000Z"
    assert [one["count"] for one in manifest["output"] if one["type"] == "Encounter"] == [20, 20, 10]
    found = await fetched(house, place)
    assert [one["id"] for one in found["Encounter"]] == [f"m{number:04}" for number in range(50)]
    assert {name: len(rows) for name, rows in found.items() if name != "Encounter"} == {
        "Coverage": 1, "Location": 1, "Organization": 2, "Patient": 1, "Practitioner": 1,
    }  # fmt: skip
    assert found["Patient"][0]["meta"]["versionId"] == "1"


async def test_what_changes_meanwhile_is_exported_as_it_was(house: House) -> None:
    await house.send("POST", "", transaction(*visits(30)))
    place = await place_of(house)
    house.clock.advance(seconds=2)
    one = worker(house)
    async with house.database.unit(house.tenant) as unit:
        await unit.conn.execute("update export set lease = 'mine', leased_until = now() where true")
    identity = place.rpartition("/")[2]
    written = 0
    while await one.write_next(house.tenant, identity, "mine"):
        written += 1
        number = written % 30
        changed = visits(1, number, "cancelled")[0]
        assert (await house.send("PUT", f"/Encounter/{changed['id']}", changed)).status_code in (200, 201)
        await house.send("PUT", f"/Encounter/n{written}", visits(1)[0] | {"id": f"n{written}"})
        gone = visits(1, 29 - number)[0]["id"]
        assert (await house.send("DELETE", f"/Encounter/{gone}")).status_code == 204
    assert written > 5
    found = (await fetched(house, place))["Encounter"]
    assert [(row["id"], row["status"]) for row in found] == [(f"m{n:04}", "finished") for n in range(30)]


async def test_an_open_transaction_of_before_is_waited_for(house: House) -> None:
    async with house.database.unit(house.tenant) as unit:
        await unit.conn.fetchval("select 1")
        place = await place_of(house, "/$export?_type=Patient")
        house.clock.advance(seconds=2)
        await worker(house).work()
        assert (await house.send("GET", place)).status_code == 202
    house.clock.advance(seconds=1)
    await worker(house).work()
    assert (await house.send("GET", place)).status_code == 200


async def test_another_worker_goes_on_where_one_has_died(house: House) -> None:
    await house.send("POST", "", transaction(*visits(50)))
    place = await place_of(house, "/$export?_type=Encounter,Patient")
    house.clock.advance(seconds=2)

    class Killed(BaseException):
        pass

    dying = worker(house)
    going, steps = dying.write_next, iter(range(10))

    async def write_two(*arguments: str) -> bool:
        if next(steps) == 2:
            raise Killed
        return await going(*arguments)

    dying.write_next = write_two  # type: ignore[method-assign]
    with pytest.raises(Killed):
        await dying.work()
    assert await house.count("export_file") == 2
    await worker(house).work()
    assert await house.count("export_file") == 2  # the lease still holds
    house.clock.advance(minutes=3)
    await worker(house).work()
    found = await fetched(house, place)
    assert [row["id"] for row in found["Encounter"]] == [f"m{number:04}" for number in range(50)]
    assert len(found["Patient"]) == 1


async def test_types_since_and_what_cannot_be_asked(house: House) -> None:
    house.clock.advance(minutes=1)
    await house.send("PUT", "/Organization/clinic", CLINIC | {"name": "Another Synthetic Clinic"})
    place = await place_of(house, "/$export?_type=Organization,Patient&_since=2026-03-20T12:00:30Z")
    await write_all(house)
    found = await fetched(house, place)
    assert {name: [row["id"] for row in rows] for name, rows in found.items()} == {"Organization": ["clinic"]}
    assert (await begin(house, Prefer="")).status_code == 400
    assert (await begin(house, "/$export?nonsense=1")).status_code == 400
    assert (await begin(house, "/$export?_type=Nonsense")).status_code == 400
    assert (await begin(house, "/$export?_since=yesterday")).status_code == 400
    assert (await begin(house, "/$export?_outputFormat=text/csv")).status_code == 400
    assert (await begin(house, "/Group/none/$export")).status_code == 404
    lenient = await begin(house, "/$export?nonsense=1&_type=Patient", Prefer="respond-async, handling=lenient")
    assert lenient.status_code == 202


async def test_the_patients_of_a_group_and_all_patients(house: House) -> None:
    for number in (2, 3):
        await house.send("PUT", f"/Patient/p{number}", PATIENT | {"id": f"p{number}"})
    made = visits(6)
    for number, one in enumerate(made):
        one["subject"] = {"reference": f"Patient/p{number % 3 + 1}"}
    await house.send("POST", "", transaction(*made))
    group = {"resourceType": "Group", "id": "g", "type": "person", "actual": True,
             "member": [{"entity": {"reference": f"Patient/p{number}"}} for number in (1, 3)]}  # fmt: skip
    assert (await house.send("PUT", "/Group/g", group)).status_code == 201
    of_group, of_all = await place_of(house, "/Group/g/$export"), await place_of(house, "/Patient/$export")
    await write_all(house)
    found = await fetched(house, of_group)
    assert [row["id"] for row in found["Patient"]] == ["p1", "p3"] and "Organization" not in found
    assert [row["id"] for row in found["Encounter"]] == ["m0000", "m0002", "m0003", "m0005"]
    assert [row["id"] for row in found["Coverage"]] == ["c1"]
    everyone = await fetched(house, of_all)
    assert len(everyone["Patient"]) == 3 and len(everyone["Encounter"]) == 6 and "Practitioner" not in everyone


async def test_an_export_is_its_clients_alone(house: House) -> None:
    place = await place_of(house, "/$export?_type=Patient")
    await write_all(house)
    file = (await house.send("GET", place)).json()["output"][0]["url"].removeprefix(SITE)
    for token in ("synthea", "stranger"):
        for method, url in (("GET", place), ("DELETE", place), ("GET", file)):
            assert (await house.send(method, url, token=token)).status_code == 404
    assert (await house.send("GET", file)).status_code == 200
    assert (await house.send("GET", file + "9")).status_code == 404


async def test_scopes_are_kept(platform: Platform, tenant: str) -> None:
    async with opened(platform, tenant) as house:
        house.door.gate = TokenGate(tenant, "system/Patient.r system/Coverage.s")
        place = await place_of(house)
        await write_all(house)
        assert list(await fetched(house, place)) == ["Patient"]
        assert (await begin(house, "/$export?_type=Coverage")).status_code == 403
        house.door.gate = TokenGate(tenant, "system/Coverage.r")
        file = (await house.send("GET", place)).json()["output"][0]["url"].removeprefix(SITE)
        assert (await house.send("GET", file)).status_code == 403


async def test_cancelled_and_expired_ones_are_gone(house: House) -> None:
    running, done = await place_of(house), await place_of(house, "/$export?_type=Patient")
    assert (await house.send("DELETE", running)).status_code == 202
    assert (await house.send("GET", running)).status_code == 404
    await write_all(house)
    assert (await house.send("GET", done)).headers["expires"].endswith("GMT")
    assert await house.count("export") == 1 and await house.count("export_file") == 1
    house.clock.advance(timedelta(hours=24))
    assert (await house.send("GET", done)).status_code == 404
    await worker(house).prune({house.tenant: 1})
    assert await house.count("export") == 0 and await house.count("export_file") == 0


async def test_files_go_out_packed_as_they_are_stored(house: House) -> None:
    place = await place_of(house, "/$export?_type=Organization")
    await write_all(house)
    url = (await house.send("GET", place)).json()["output"][0]["url"].removeprefix(SITE)
    packed = await house.send("GET", url, Accept_Encoding="gzip")
    assert packed.headers["content-encoding"] == "gzip" and len(packed.content.splitlines()) == 2
    plain = await house.send("GET", url, Accept_Encoding="identity")
    assert "content-encoding" not in plain.headers and plain.content == packed.content
    async with house.database.transaction(house.tenant) as conn:
        assert gzip.decompress(await conn.fetchval("select packed from export_file")) == plain.content


async def test_lines_are_single_and_decimals_exact(house: House) -> None:
    text = b'{\n "resourceType": "ChargeItem", "id": "x", "status": "billable",\n "code": {"text": "a"},'
    text += b' "subject": {"reference": "Patient/p1"}, "factorOverride": 1.10\n}'
    assert (await house.send("PUT", "/ChargeItem/x", text)).status_code == 201
    place = await place_of(house, "/$export?_type=ChargeItem")
    await write_all(house)
    url = (await house.send("GET", place)).json()["output"][0]["url"].removeprefix(SITE)
    content = (await house.send("GET", url)).content
    assert content.count(b"\n") == 1 and b"1.10" in content


async def test_posted_parameters_and_too_many_at_once(house: House) -> None:
    body = {"resourceType": "Parameters", "parameter": [{"name": "_type", "valueString": "Patient"}]}
    answer = await house.send("POST", "/$export", body, Prefer="respond-async")
    assert answer.status_code == 202
    for _ in range(4):
        await place_of(house)
    assert (await begin(house)).status_code == 429
    await write_all(house)
    found = await fetched(house, answer.headers["content-location"].removeprefix(SITE))
    assert list(found) == ["Patient"]
