"""Patches: what they change, what they must not, and that one which cannot be carried out changes nothing."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from engine_records import BASICS, CLINIC
from engine_world import World
from fhir_r4 import read, validate

JSON_PATCH = "application/json-patch+json"
DOUBLE = {"op": "copy", "from": "/alias", "path": "/alias/-"}


def operations(*rows: dict[str, Any]) -> bytes:
    return json.dumps(list(rows)).encode()


def rule(answer: Any) -> str:
    """The rule of the first issue of a refusal, or the code of ours."""
    body = answer.json()
    assert body["resourceType"] == "OperationOutcome" and validate(read(answer.content)) == []
    return str(body["issue"][0]["details"].get("coding", [{"code": ""}])[0]["code"])


async def clinic(world: World, **more: Any) -> None:
    assert (await world.send("PUT", "/Organization/clinic", CLINIC | more)).status_code in (200, 201)


async def test_json_patch_changes_what_it_names_and_keeps_every_digit(world: World) -> None:
    await world.post(*BASICS)
    text = b'{"resourceType":"ChargeItem","id":"i1","status":"billable","code":{"text":"x"},'
    text += b'"subject":{"reference":"Patient/p1"},"factorOverride":1.10,"quantity":{"value":100.000}}'
    await world.send("PUT", "/ChargeItem/i1", text)
    change = (
        b'[{"op":"test","path":"/status","value":"billable"},{"op":"replace","path":"/quantity/value","value":2.50}]'
    )
    answer = await world.send("PATCH", "/ChargeItem/i1", change, Content_Type=JSON_PATCH, If_Match='W/"1"')
    assert (answer.status_code, answer.headers["etag"]) == (200, 'W/"2"')
    made = read(answer.content)
    assert made["quantity"]["value"].as_tuple() == Decimal("2.50").as_tuple()
    assert made["factorOverride"].as_tuple() == Decimal("1.10").as_tuple()
    again = await world.send("PATCH", "/ChargeItem/i1", change, Content_Type=JSON_PATCH)
    assert (again.status_code, again.headers["etag"]) == (200, 'W/"2"')
    stale = await world.send("PATCH", "/ChargeItem/i1", change, Content_Type=JSON_PATCH, If_Match='W/"1"')
    assert (stale.status_code, rule(stale)) == (412, "fhir-if-match")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ([{"op": "test", "path": "/active", "value": True}], (422, "fhir-patch-test")),
        ([{"op": "remove", "path": "/nothing"}], (400, "patch_operation")),
        ([{"op": "add", "path": "/name/x/y", "value": 1}], (400, "patch_operation")),
        ([{"op": "replace", "path": "/id", "value": "other"}], (422, "fhir-id")),
        ([{"op": "replace", "path": "/resourceType", "value": "Patient"}], (422, "fhir-id")),
        ([{"op": "replace", "path": "", "value": 1}], (400, "patch_operation")),
        ([{"op": "add", "path": "/color", "value": "red"}], (422, "fhir-unknown-element")),
        ([{"op": "paint", "path": "/name"}], (400, "patch_shape")),
        ([{"op": "add", "path": "name", "value": "x"}], (400, "patch_shape")),
        ([7], (400, "patch_shape")),
        ({"op": "add"}, (400, "patch_shape")),
        ([{"op": "add", "path": "/alias", "value": ["x"]}, *[DOUBLE] * 60], (400, "patch_size")),
    ],
)
async def test_a_patch_that_cannot_be_changes_nothing(world: World, change: Any, expected: tuple[int, str]) -> None:
    await clinic(world)
    answer = await world.send("PATCH", "/Organization/clinic", change, Content_Type=JSON_PATCH)
    assert (answer.status_code, rule(answer)) == expected
    assert (await world.send("GET", "/Organization/clinic")).headers["etag"] == 'W/"1"'


async def test_a_merge_patch_as_some_clients_send_it(world: World) -> None:
    await clinic(world, alias=["C"])
    for kind in ("application/merge-patch+json", "application/json", "application/fhir+json"):
        answer = await world.send(
            "PATCH", "/Organization/clinic", {"active": kind != "application/json"}, Content_Type=kind
        )
        assert answer.status_code == 200 and answer.json()["alias"] == ["C"]
    gone = await world.send("PATCH", "/Organization/clinic", {"alias": None}, Content_Type="application/json")
    assert "alias" not in gone.json() and gone.json()["name"] == CLINIC["name"]
    fhirpath = {"resourceType": "Parameters", "parameter": []}
    assert (await world.send("PATCH", "/Organization/clinic", fhirpath)).status_code == 400
    assert (
        await world.send("PATCH", "/Organization/clinic", b"<x/>", Content_Type="application/xml")
    ).status_code == 415


async def test_a_patch_needs_something_to_change(world: World) -> None:
    await clinic(world, identifier=[{"system": "s", "value": "1"}])
    change = operations({"op": "add", "path": "/active", "value": True})
    assert (await world.send("PATCH", "/Organization/none", change, Content_Type=JSON_PATCH)).status_code == 404
    none = await world.send("PATCH", "/Organization?identifier=s|none", change, Content_Type=JSON_PATCH)
    assert (none.status_code, rule(none)) == (404, "fhir-condition")
    one = await world.send("PATCH", "/Organization?identifier=s|1", change, Content_Type=JSON_PATCH)
    assert one.status_code == 200 and one.json()["active"] is True
    await world.send("DELETE", "/Organization/clinic")
    assert (await world.send("PATCH", "/Organization/clinic", change, Content_Type=JSON_PATCH)).status_code == 410


@pytest.mark.parametrize("kind", [JSON_PATCH, "application/merge-patch+json"])
async def test_a_patch_that_no_memory_would_hold(world: World, kind: str) -> None:
    await clinic(world)
    deep = b'{"extension":' * 900 + b"{}" + b"}" * 900
    for body in (
        deep,
        b'[{"op":"add","path":"/extension","value":' + deep + b"}]",
        b"[" * 50_000,
        b"\xff",
        b"[NaN]",
        b"",
    ):
        answer = await world.send("PATCH", "/Organization/clinic", body, Content_Type=kind)
        assert answer.status_code == 400, (body[:20], answer.text)
    many = operations(*[{"op": "test", "path": "/id", "value": "clinic"}] * 1_001)
    assert (await world.send("PATCH", "/Organization/clinic", many, Content_Type=kind)).status_code == 400
