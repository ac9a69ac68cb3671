"""Transactions with every verb, all or nothing; one resource however many engines are asked for it at once."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import pytest
from engine_records import BASICS, CLINIC, CONDITION, DOCTOR, PATIENT, encounter
from engine_world import World, open_world
from fhir_r4 import read, validate
from platform_fixture import Platform

PARALLEL = 100
TABLES = ("resource", "resource_version", "outbox", "received")


def entry(method: str, url: str, resource: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """An entry; `full` is its fullUrl, all else belongs to the request."""
    full = {"fullUrl": more.pop("full")} if "full" in more else {}
    body = {"resource": resource} if resource is not None else {}
    return full | body | {"request": {"method": method, "url": url} | more}


def bundle(*entries: dict[str, Any], kind: str = "transaction") -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def patch(*rows: dict[str, Any], kind: str = "application/json-patch+json") -> dict[str, Any]:
    data = base64.b64encode(json.dumps(list(rows)).encode()).decode()
    return {"resourceType": "Binary", "contentType": kind, "data": data}


def statuses(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    assert validate(read(answer.content)) == []
    return [one["response"]["status"] for one in answer.json()["entry"]]


async def test_every_verb_in_one_transaction_in_the_order_of_the_standard(world: World) -> None:
    old = CLINIC | {"id": "old", "identifier": [{"system": "s", "value": "1"}]}
    await world.post(old, CLINIC, DOCTOR)
    rename = patch({"op": "replace", "path": "/name", "value": "Renamed"})
    sent = bundle(
        entry("GET", "Organization?identifier=s|1"),
        entry("GET", "Organization/clinic"),
        entry("PUT", "Practitioner/doctor", DOCTOR | {"active": True}, ifMatch='W/"1"'),
        entry("PATCH", "Organization/clinic", rename),
        entry("POST", "Organization", old | {"id": "any"}, ifNoneExist="identifier=s|1", full="urn:uuid:1"),
        entry("POST", "Location", {"resourceType": "Location", "managingOrganization": {"reference": "urn:uuid:1"}}),
        entry("DELETE", "Organization?identifier=s|1"),
    )
    answer = await world.send("POST", "", sent)
    assert statuses(answer) == ["200 OK", "200 OK", "200 OK", "200 OK", "201 Created", "201 Created", "204 No Content"]
    entries = answer.json()["entry"]
    made = entries[4]["response"]["location"].split("/_history")[0]
    assert made != "Organization/old" and (await world.send("GET", "/Organization/old")).status_code == 410
    found = entries[0]["resource"]["entry"]
    assert [f"Organization/{one['resource']['id']}" for one in found] == [made]
    assert (entries[1]["resource"]["name"], entries[1]["response"]["etag"]) == ("Renamed", 'W/"2"')
    room = (await world.send("GET", "/" + entries[5]["response"]["location"])).json()
    assert room["managingOrganization"]["reference"] == made


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        (entry("DELETE", "Patient/p1", ifMatch='W/"9"'), (412, "fhir-if-match", "Bundle.entry[2]")),
        (entry("DELETE", "Organization/payer"), (409, "fhir-referenced", "Bundle.entry[2]")),
        (entry("PATCH", "Patient/none", patch()), (404, "fhir-not-found", "Bundle.entry[2]")),
        (entry("PATCH", "Patient?identifier=none", patch()), (404, "fhir-condition", "Bundle.entry[2]")),
        (
            entry("PATCH", "Patient/p1", patch({"op": "remove", "path": "/none"})),
            (400, "patch_operation", "Bundle.entry[2]"),
        ),
        (
            entry("PATCH", "Patient/p1", patch({"op": "add", "path": "/gender", "value": "x"})),
            (422, "fhir-binding", "Bundle.entry[2].gender"),
        ),
        (entry("PATCH", "Patient/p1", PATIENT), (400, "patch_shape", "Bundle.entry[2].resource")),
        (
            entry("PUT", "Organization/clinic", CLINIC, ifNoneMatch="*"),
            (412, "fhir-if-none-match", "Bundle.entry[2].resource"),
        ),
        (entry("GET", "Patient/none"), (404, "fhir-not-found", "")),
        (entry("GET", "Patient?color=red"), (400, "search_parameter", "color")),
        (entry("GET", "Patient/p1/$everything"), (400, "fhir-interaction", "Bundle.entry[2].request")),
        (entry("POST", "Organization", CLINIC, ifNoneExist="color=red"), (400, "search_parameter", "color")),
        (
            entry("POST", "Organization", CLINIC, ifNoneExist="_count=1"),
            (400, "search_parameter", "Bundle.entry[2].resource"),
        ),
    ],
)
async def test_one_that_cannot_be_done_undoes_the_rest(
    world: World, wrong: dict[str, Any], expected: tuple[int, str, str]
) -> None:
    await world.post(*BASICS)
    before = [await world.count(table) for table in TABLES]
    fresh = entry("POST", "Organization", CLINIC | {"id": "x"}, full="urn:uuid:1")
    answer = await world.send("POST", "", bundle(entry("DELETE", "Location/room"), fresh, wrong))
    issue = answer.json()["issue"][0]
    said = (answer.status_code, issue["details"]["coding"][0]["code"], next(iter(issue.get("expression", ())), ""))
    assert said == expected
    assert [await world.count(table) for table in TABLES] == before
    assert (await world.send("GET", "/Location/room")).status_code == 200


async def test_what_goes_together_may_refer_to_itself(world: World) -> None:
    """Resources that refer to one another go in one transaction, in any order; what is rewritten lets go."""
    await world.post(*BASICS, encounter(), CONDITION)
    alone = [entry("DELETE", f"{kind}/{one}") for kind, one in (("Patient", "p1"), ("Coverage", "c1"))]
    assert (await world.send("POST", "", bundle(*alone))).status_code == 409
    rest = [entry("DELETE", "Encounter/e1"), entry("DELETE", "Condition/d1")]
    assert statuses(await world.send("POST", "", bundle(*alone, *rest))) == ["204 No Content"] * 4
    moved = [
        entry("PUT", "Location/room", {"resourceType": "Location", "id": "room"}),
        entry("DELETE", "Organization/clinic"),
    ]
    assert statuses(await world.send("POST", "", bundle(*moved))) == ["200 OK", "204 No Content"]
    dangling = entry("PUT", "Location/room", {"resourceType": "Location", "id": "room", "managingOrganization": {
        "reference": "Organization/payer"}})  # fmt: skip
    answer = await world.send("POST", "", bundle(dangling, entry("DELETE", "Organization/payer")))
    assert answer.status_code == 422


async def test_a_transaction_that_was_undone_since_is_done_again(world: World) -> None:
    sent = bundle(entry("POST", "Organization", {"resourceType": "Organization", "name": "x"}, full="urn:uuid:1"))
    first = (await world.send("POST", "", sent)).json()
    assert (await world.send("POST", "", sent)).json() == first
    place = first["entry"][0]["response"]["location"].split("/_history")[0]
    await world.send("DELETE", f"/{place}")
    second = (await world.send("POST", "", sent)).json()
    assert second != first and (await world.send("POST", "", sent)).json() == second


async def test_a_batch_carries_out_every_verb_and_operation_by_itself(world: World) -> None:
    await world.post(*BASICS)
    sent = bundle(
        entry("DELETE", "Organization/payer"),
        entry("DELETE", "Location/room"),
        entry("PATCH", "Organization/clinic", patch({"op": "replace", "path": "/name", "value": "Renamed"})),
        entry("GET", "Organization/clinic", ifNoneMatch='W/"1"'),
        entry("GET", "Organization/clinic", ifNoneMatch='W/"2"'),
        entry("GET", "Patient/p1/$everything"),
        entry("POST", "Patient/$validate", PATIENT | {"gender": "x"}),
        entry("PUT", "Organization?identifier=none", {"resourceType": "Organization", "name": "x"}),
        entry("GET", "Organization/clinic/_history/1"),
        entry("PATCH", "Organization/clinic", patch({"op": "remove", "path": "/none"})),
        entry("HEAD", "Organization/clinic"),
        kind="batch",
    )
    answer = await world.send("POST", "", sent)
    codes = [status[:3] for status in statuses(answer)]
    assert codes == ["409", "204", "200", "200", "304", "200", "200", "201", "200", "400", "200"]
    entries = answer.json()["entry"]
    assert entries[2]["response"]["location"] == "Organization/clinic/_history/2"
    assert entries[3]["resource"]["name"] == "Renamed" and "resource" not in entries[4]
    assert {one["resource"]["resourceType"] for one in entries[5]["resource"]["entry"]} >= {"Patient", "Coverage"}
    assert entries[6]["resource"]["issue"][0]["expression"] == ["Patient.gender"]
    assert "resource" not in entries[7] and entries[7]["response"]["location"].startswith("Organization/")
    assert entries[8]["resource"]["name"] == CLINIC["name"]


async def test_a_hundred_identical_conditional_creates_over_two_engines_make_one(
    platform: Platform, tenant: str
) -> None:
    url = platform.url_for("interface-engine")
    body = {"resourceType": "Organization", "name": "Once", "identifier": [{"system": "s", "value": "1"}]}
    other = body | {"identifier": [{"system": "s", "value": "2"}]}
    whole = bundle(entry("POST", "Organization", other, ifNoneExist="identifier=s|2", full="urn:uuid:1"))
    async with open_world(url, tenant) as one, open_world(url, tenant) as two:
        engines = (one, two)
        sends = [
            engines[number % 2].send("POST", "/Organization", body, If_None_Exist="identifier=s|1")
            for number in range(PARALLEL)
        ]
        answers = await asyncio.gather(*sends)
        assert {answer.status_code for answer in answers} <= {200, 201}
        assert len({answer.json()["id"] for answer in answers}) == 1 and await one.count("resource") == 1
        variants = [json.dumps(whole | {"id": str(number)}).encode() for number in range(PARALLEL)]
        answers = await asyncio.gather(*(engines[n % 2].send("POST", "", text) for n, text in enumerate(variants)))
        codes = sorted(statuses(answer)[0] for answer in answers)
        assert codes == ["200 OK"] * (PARALLEL - 1) + ["201 Created"]
        assert await one.count("resource") == 2
