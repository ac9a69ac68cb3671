"""$validate and $everything, and a CapabilityStatement every word of which is tried."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from engine_records import BASICS, CLINIC, CONDITION, PATIENT, encounter, procedure
from engine_world import SITE, World, transaction
from fhir_r4 import read, validate
from fhir_r4.types import known_types


def parameters(**named: Any) -> dict[str, Any]:
    rows = [
        {"name": name, "resource" if isinstance(value, dict) else "valueCode": value} for name, value in named.items()
    ]
    return {"resourceType": "Parameters", "parameter": rows}


def issues(answer: Any) -> list[tuple[str, str]]:
    """Severity and rule (or code) of each."""
    assert answer.status_code == 200, answer.text
    assert answer.json()["resourceType"] == "OperationOutcome" and validate(read(answer.content)) == []
    found = answer.json()["issue"]
    return [(one["severity"], one["details"].get("coding", [one])[0]["code"]) for one in found]


# $validate

WRONG = PATIENT | {"gender": "x"}


@pytest.mark.parametrize(
    ("url", "body", "expected"),
    [
        ("/Patient/$validate", PATIENT, [("information", "informational")]),
        ("/Patient/$validate", parameters(resource=PATIENT, mode="create"), [("information", "informational")]),
        ("/Patient/$validate?mode=create", PATIENT, [("information", "informational")]),
        ("/Patient/$validate", WRONG, [("error", "fhir-binding")]),
        ("/Patient/$validate", parameters(resource=WRONG), [("error", "fhir-binding")]),
        ("/Patient/$validate", CLINIC, [("error", "fhir-resource-type")]),
        ("/Patient/p1/$validate", PATIENT, [("information", "informational")]),
        ("/Patient/p2/$validate", PATIENT, [("error", "fhir-id")]),
        ("/Patient/p1/$validate", parameters(mode="update"), [("information", "informational")]),
        ("/Patient/$validate", parameters(resource=CLINIC | {"id": 7}, mode="update"), [("error", "fhir-type")]),
        ("/Patient/$validate?profile=http://x.example/p", PATIENT, [("warning", "fhir-profile")]),
        ("/Patient/p1/$validate?mode=delete", b"", [("error", "fhir-referenced")]),
        ("/Coverage/c1/$validate?mode=delete", b"", [("information", "informational")]),
        ("/Bundle/$validate", transaction(PATIENT), [("information", "informational")]),
    ],
)
async def test_validate_says_what_is_wrong_and_keeps_nothing(
    world: World, url: str, body: Any, expected: list[tuple[str, str]]
) -> None:
    await world.post(*BASICS)
    before = await world.count("resource_version")
    found = issues(await world.send("POST", url, body))
    assert found[: len(expected)] == expected
    assert await world.count("resource_version") == before


async def test_validate_asks_for_a_second_opinion(world: World) -> None:
    found = issues(await world.send("POST", "/Patient/$validate", PATIENT | {"color": "red", "birthDate": "x"}))
    assert ("error", "fhir-unknown-element") in found and ("information", "second-opinion") in found
    assert not [one for one in found if one == ("error", "second-opinion")]


async def test_validate_of_what_is_stored(world: World) -> None:
    await world.post(*BASICS)
    assert issues(await world.send("GET", "/Patient/p1/$validate")) == [("information", "informational")]
    assert (await world.send("GET", "/Patient/none/$validate")).status_code == 404
    assert (await world.send("GET", "/Patient/$validate")).status_code == 405
    assert (await world.send("POST", "/Patient/$paint", PATIENT)).status_code == 404


@pytest.mark.parametrize(
    ("url", "body"),
    [
        ("/Patient/$validate", b""),
        ("/Patient/$validate", b"{"),
        ("/Patient/$validate?mode=paint", PATIENT),
        ("/Patient/$validate?mode=delete", PATIENT),
        ("/Patient/$validate", parameters(mode="create")),
        ("/Patient/$validate", {"resourceType": "Parameters", "parameter": "x"}),
        ("/Patient/$validate", {"resourceType": "Parameters", "parameter": [7]}),
        ("/Patient/$validate", {"resourceType": "Parameters", "parameter": [{"name": "resource", "resource": {}}]}),
    ],
)
async def test_a_validation_that_cannot_be_understood(world: World, url: str, body: Any) -> None:
    assert (await world.send("POST", url, body)).status_code == 400


# $everything


async def test_everything_about_a_patient_and_a_visit(world: World) -> None:
    other = PATIENT | {"id": "p2"}
    await world.post(*BASICS, other, encounter(), CONDITION, procedure())
    answer = await world.send("GET", "/Patient/p1/$everything")
    assert validate(read(answer.content)) == []
    found = {f"{one['resource']['resourceType']}/{one['resource']['id']}" for one in answer.json()["entry"]}
    assert found >= {"Patient/p1", "Coverage/c1", "Encounter/e1", "Condition/d1", "Procedure/s1", "Practitioner/doctor"}
    assert "Patient/p2" not in found
    some = (await world.send("GET", "/Patient/p1/$everything?_type=Condition,Procedure")).json()["entry"]
    assert {one["resource"]["resourceType"] for one in some} == {"Condition", "Procedure"}
    asked = {"resourceType": "Parameters", "parameter": [{"name": "_type", "valueCode": "Condition"}]}
    posted = (await world.send("POST", "/Patient/p1/$everything", asked)).json()["entry"]
    assert [one["resource"]["resourceType"] for one in posted] == ["Condition"]
    visit = (await world.send("GET", "/Encounter/e1/$everything")).json()["entry"]
    assert {"Encounter", "Condition", "Procedure"} <= {one["resource"]["resourceType"] for one in visit}


async def test_everything_comes_in_pages(world: World) -> None:
    await world.post(*BASICS, encounter(), CONDITION, procedure())
    whole = (await world.send("GET", "/Patient/p1/$everything")).json()["entry"]
    pages, url = [], "/Patient/p1/$everything?_count=2"
    while url:
        page = (await world.send("GET", url)).json()
        pages += page.get("entry", [])
        links = {link["relation"]: link["url"] for link in page["link"]}
        url = links.get("next", "").removeprefix(SITE)
    assert sorted(one["fullUrl"] for one in pages) == sorted(one["fullUrl"] for one in whole)


async def test_everything_about_nobody(world: World) -> None:
    await world.post(*BASICS)
    assert (await world.send("GET", "/Patient/none/$everything")).status_code == 404
    assert (await world.send("GET", "/Patient/p1/$everything", token="stranger")).status_code == 404
    assert (await world.send("GET", "/Coverage/c1/$everything")).status_code == 404
    assert (await world.send("GET", "/Patient/p1/$everything?color=red")).status_code == 400
    asked = {"resourceType": "Parameters", "parameter": [{"name": "color", "valueCode": "red"}]}
    assert (await world.send("POST", "/Patient/p1/$everything", asked)).status_code == 400
    await world.send("DELETE", "/Coverage/c1")
    await world.send("DELETE", "/Patient/p1")
    assert (await world.send("GET", "/Patient/p1/$everything")).status_code == 410


# What is declared is done

Try = Callable[[World, str], Awaitable[int]]
OPERATIONS = json.dumps([{"op": "test", "path": "/resourceType", "value": "none"}]).encode()


def asks(method: str, url: str, body: Any = None, **headers: str) -> Try:
    async def send(world: World, name: str) -> int:
        sent = body(name) if callable(body) else body
        return (await world.send(method, url.format(name=name), sent, **headers)).status_code

    return send


def bare(name: str) -> dict[str, str]:
    return {"resourceType": name, "id": "x"}


# Each with what it answers where nothing is stored: never 404 for an unknown address, 405, or 501.
TRIED: dict[str, tuple[Try, set[int]]] = {
    "read": (asks("GET", "/{name}/never"), {404}),
    "vread": (asks("GET", "/{name}/never/_history/1"), {404}),
    "update": (asks("PUT", "/{name}/x", bare), {201, 422}),
    "patch": (asks("PATCH", "/{name}/never", OPERATIONS, Content_Type="application/json-patch+json"), {404}),
    "delete": (asks("DELETE", "/{name}/never"), {204}),
    "create": (asks("POST", "/{name}", bare), {201, 422}),
    "search-type": (asks("GET", "/{name}"), {200}),
    "history-type": (asks("GET", "/{name}/_history"), {200}),
    "history-instance": (asks("GET", "/{name}/never/_history"), {404}),
}
CONDITIONAL: dict[str, tuple[Try, set[int]]] = {
    "conditionalCreate": (asks("POST", "/{name}", bare, If_None_Exist="_id=never"), {201, 422}),
    "conditionalUpdate": (asks("PUT", "/{name}?_id=never", bare), {200, 201, 422}),
    "conditionalDelete": (asks("DELETE", "/{name}?_id=never"), {204}),
}


async def statement(world: World) -> dict[str, Any]:
    answer = await world.http.get("/fhir/metadata")
    body = read(answer.content)
    assert answer.status_code == 200 and validate(body) == []
    return body


async def test_every_interaction_that_is_declared_is_served_for_every_type(world: World) -> None:
    rest = (await statement(world))["rest"][0]
    assert {one["type"] for one in rest["resource"]} == known_types()
    for one in rest["resource"]:
        name = one["type"]
        codes = [interaction["code"] for interaction in one["interaction"]]
        assert set(codes) == TRIED.keys() and len(codes) == len(set(codes))
        for code in codes:
            tried, expected = TRIED[code]
            assert await tried(world, name) in expected, (name, code)
        for flag, (tried, expected) in CONDITIONAL.items():
            assert one[flag] in (True, "single") and await tried(world, name) in expected, (name, flag)


async def test_every_parameter_that_is_declared_is_served(world: World) -> None:
    values = {"date": "2026-01-01", "number": "1", "quantity": "1", "uri": "http://x.example"}
    for one in (await statement(world))["rest"][0]["resource"]:
        for parameter in one["searchParam"]:
            assert parameter["definition"].startswith("http://hl7.org/fhir/SearchParameter/")
            assert parameter["documentation"]
        query = "&".join(f"{row['name']}={values.get(row['type'], 'x')}" for row in one["searchParam"])
        answer = await world.send("GET", f"/{one['type']}?{query}")
        assert answer.status_code == 200, (one["type"], answer.text)


async def test_every_include_that_is_declared_is_served(world: World) -> None:
    await world.post(*BASICS, encounter(), CONDITION)
    for one in (await statement(world))["rest"][0]["resource"]:
        named = [("_include", each) for each in one.get("searchInclude", ())]
        named += [("_revinclude", each) for each in one.get("searchRevInclude", ())]
        for start in range(0, len(named), 10):
            query = "&".join(f"{name}={value}" for name, value in named[start : start + 10])
            answer = await world.send("GET", f"/{one['type']}?{query}")
            assert answer.status_code == 200, (one["type"], query, answer.text)


async def test_operations_system_interactions_and_security(world: World) -> None:
    said = await statement(world)
    rest = said["rest"][0]
    by_type = {one["type"]: [row["name"] for row in one["operation"]] for one in rest["resource"]}
    assert by_type["Patient"] == ["everything", "validate"] and by_type["Coverage"] == ["validate"]
    assert by_type["Claim"] == ["validate"], "nobody answers $submit in this world, so it is not declared"
    for name, operations in by_type.items():
        if "everything" in operations:
            assert (await world.send("GET", f"/{name}/x/$everything")).status_code == 404
        assert (await world.send("POST", f"/{name}/$validate", bare(name))).status_code == 200
    assert (await world.send("POST", "/Claim/$submit", bare("Claim"))).status_code == 404
    for code in (one["code"] for one in rest["interaction"]):
        if code == "history-system":
            assert (await world.send("GET", "/_history")).status_code == 200
        else:
            assert (await world.send("POST", "", {"resourceType": "Bundle", "type": code})).status_code == 200
    assert {one["code"] for one in rest["interaction"]} == {"transaction", "batch", "history-system"}
    assert said["patchFormat"] == ["application/json-patch+json", "application/merge-patch+json"]
    assert rest["security"]["service"][0]["coding"][0]["code"] == "SMART-on-FHIR"
    assert rest["security"]["cors"] is False and "extension" not in rest["security"]
