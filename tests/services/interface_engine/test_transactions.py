"""Bundles: all or nothing, once, also when they come twenty times at once; conditions, references, batches."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from engine_records import BASICS, CLINIC, CONDITION, PATIENT, encounter, procedure
from engine_world import CORPORA, World, transaction
from fhir_r4 import read, validate
from fhir_r4.references import parse, references
from fhir_r4.types import is_known

EXAMPLES = sorted((CORPORA / "fhir" / "r4-examples").glob("*.json"))
PARALLEL = 20
TABLES = ("resource", "resource_version", "reference", "token", "outbox", "journey", "received")


def post(resource: dict[str, Any], full_url: str, **request: str) -> dict[str, Any]:
    url = {"method": "POST", "url": resource["resourceType"]}
    return {"fullUrl": full_url, "resource": resource, "request": url | request}


def bundle(*entries: dict[str, Any], kind: str = "transaction") -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def unnamed(resource: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {key: value for key, value in resource.items() if key != "id"} | more


@pytest.mark.parametrize(
    ("last", "path"),
    [
        (CONDITION | {"code": 7}, "Bundle.entry[7].resource.code"),
        (CONDITION | {"subject": {"reference": "Patient/absent"}}, "Bundle.entry[7].resource.subject"),
        (CONDITION | {"subject": {"reference": "urn:uuid:1"}}, "Bundle.entry[7].resource.subject"),
    ],
)
async def test_one_wrong_entry_keeps_all_out(world: World, last: dict[str, Any], path: str) -> None:
    answer = await world.post(*BASICS, encounter(), last)
    assert answer.status_code == 422
    assert [issue["expression"][0] for issue in answer.json()["issue"]] == [path]
    assert [await world.count(table) for table in TABLES] == [0] * len(TABLES)
    assert (await world.post(*BASICS, encounter(), CONDITION)).status_code == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {"entry": [1]},
        {"entry": [{}]},
        {"entry": "x"},
        {"type": "collection"},
        {"entry": [{"request": {"method": ["POST"], "url": "Patient"}, "resource": PATIENT}]},
        {"entry": [{"request": {"method": "DELETE", "url": "Patient"}}]},
        {"entry": [{"request": {"method": "GET", "url": "$export"}}]},
        {"entry": [{"request": {"method": "POST", "url": "Claim/$submit"}, "resource": PATIENT}]},
        {"entry": [{"request": {"method": "POST", "url": "Patient"}, "resource": 5}]},
        {"entry": [{"request": {"method": "POST", "url": "Claim"}, "resource": PATIENT}]},
    ],
)
async def test_a_bundle_that_is_none_is_refused(world: World, wrong: dict[str, Any]) -> None:
    answer = await world.send("POST", "", bundle() | wrong)
    assert answer.status_code in (400, 422)
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert await world.count("resource") == 0


async def test_references_within_a_transaction_become_the_new_ids(world: World) -> None:
    sent = bundle(
        post(unnamed(PATIENT, managingOrganization={"reference": "urn:uuid:b"}), "urn:uuid:a"),
        post(unnamed(CLINIC), "urn:uuid:b"),
        post(
            unnamed(encounter(), subject={"reference": "Patient/9"}, participant=[], location=[]),
            "https://ehr.example/fhir/Encounter/1",
        ),
    )
    sent["entry"][2]["resource"] |= {"serviceProvider": {"reference": "urn:uuid:b"}}
    for name in ("participant", "location"):
        del sent["entry"][2]["resource"][name]
    sent["entry"][0]["fullUrl"] = "https://ehr.example/fhir/Patient/9"
    answer = await world.send("POST", "/", sent)
    assert answer.status_code == 200, answer.text
    assert validate(read(answer.content)) == []
    places = [entry["response"]["location"].split("/")[:2] for entry in answer.json()["entry"]]
    assert [place[0] for place in places] == ["Patient", "Organization", "Encounter"]
    stored = (await world.send("GET", "/" + "/".join(places[2]))).json()
    assert stored["subject"]["reference"] == "/".join(places[0])
    assert stored["serviceProvider"]["reference"] == "/".join(places[1])
    assert (await world.send("GET", f"/Encounter?patient={places[0][1]}")).json()["total"] == 1


async def test_a_conditional_reference_is_resolved_here_or_in_the_bundle_or_refused(world: World) -> None:
    known = PATIENT | {"identifier": [{"system": "urn:mrn", "value": "1"}]}
    await world.post(CLINIC, known)
    by_condition = CONDITION | {"subject": {"reference": "Patient?identifier=urn:mrn|1"}}
    del by_condition["encounter"]
    assert (await world.post(by_condition)).status_code == 200
    assert (await world.send("GET", "/Condition/d1")).json()["subject"]["reference"] == "Patient/p1"
    fresh = known | {"id": "p7", "identifier": [{"system": "urn:mrn", "value": "7"}]}
    both = by_condition | {"id": "d7", "subject": {"reference": "Patient?identifier=urn:mrn|7"}}
    assert (await world.post(fresh, both)).status_code == 200
    absent = by_condition | {"id": "d8", "subject": {"reference": "Patient?identifier=urn:mrn|8"}}
    assert (await world.post(absent)).status_code == 422


async def test_the_same_bytes_again_are_answered_as_before(world: World) -> None:
    sent = json.dumps(transaction(*BASICS, encounter(), CONDITION)).encode()
    first = await world.send("POST", "", sent)
    facts = await world.facts()
    world.clock.advance(days=1)
    again = await world.send("POST", "", sent)
    slashed = await world.send("POST", "/", sent)
    assert first.content == again.content == slashed.content and again.status_code == 200
    assert len(facts) == 1 and await world.facts() == [] and await world.count("received") == 1
    assert (await world.send("POST", "", sent, token="synthea")).status_code == 200
    assert await world.count("received") == 2


async def test_twenty_identical_posts_at_once_have_one_effect(world: World) -> None:
    sent = json.dumps(bundle(post(unnamed(CLINIC), "urn:uuid:b"))).encode()
    answers = await asyncio.gather(*(world.send("POST", "", sent) for _ in range(PARALLEL)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert await world.count("resource") == await world.count("received") == 1
    whole = json.dumps(transaction(*BASICS, encounter(), CONDITION)).encode()
    await asyncio.gather(*(world.send("POST", "", whole) for _ in range(PARALLEL)))
    assert [fact.type for fact in await world.facts()] == ["encounter.finished"]


async def test_parallel_conditional_creates_make_one(world: World) -> None:
    bodies = [unnamed(CLINIC, name=f"Clinic {n}", identifier=[{"system": "s", "value": "1"}]) for n in range(PARALLEL)]
    sends = (world.send("POST", "/Organization", body, If_None_Exist="identifier=s|1") for body in bodies)
    answers = await asyncio.gather(*sends)
    assert sorted(answer.status_code for answer in answers) == [200] * (PARALLEL - 1) + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert await world.count("resource") == 1
    by_url = await world.send("POST", "/Organization?identifier=s|1", unnamed(CLINIC, name="by URL"))
    assert by_url.status_code == 200 and await world.count("resource") == 1
    await world.post(CLINIC | {"id": "twin", "identifier": [{"system": "s", "value": "1"}]})
    many = await world.send("POST", "/Organization", unnamed(CLINIC), If_None_Exist="identifier=s|1")
    assert many.status_code == 412


async def test_a_conditional_update_finds_or_makes(world: World) -> None:
    body = unnamed(CLINIC, identifier=[{"system": "s", "value": "1"}])
    made = await world.send("PUT", "/Organization?identifier=s|1", body)
    again = await world.send("PUT", "/Organization?identifier=s|1", body | {"name": "New"})
    assert (made.status_code, again.status_code) == (201, 200)
    assert made.json()["id"] == again.json()["id"] and again.headers["etag"] == 'W/"2"'


async def test_parallel_updates_of_one_resource_are_all_kept_in_some_order(world: World) -> None:
    sends = (world.post(CLINIC | {"name": f"Clinic {number}"}) for number in range(6))
    answers = await asyncio.gather(*sends)
    assert {answer.status_code for answer in answers} == {200}
    assert await world.count("resource_version") == 6 and await world.count("resource") == 1


async def test_visits_that_end_while_charges_come_are_told_whole(world: World) -> None:
    """Whichever comes first, the last snapshot that is told has every procedure."""
    await world.post(*BASICS, encounter("in-progress"), CONDITION)
    await world.facts()
    sends = [world.post(procedure(f"s{number}")) for number in range(4)]
    answers = await asyncio.gather(world.post(encounter()), *sends)
    assert {answer.status_code for answer in answers} == {200}
    facts = await world.facts()
    assert [fact.type for fact in facts].count("encounter.finished") == 1
    last = max(facts, key=lambda fact: fact.version)
    kinds = [entry["resource"]["resourceType"] for entry in read(last.body.facts.snapshot)["entry"]]
    assert kinds.count("Procedure") == 4
    assert len({fact.version for fact in facts}) == len(facts)


async def test_a_batch_does_each_entry_by_itself_and_once(world: World) -> None:
    sent = bundle(
        post(unnamed(CLINIC), "urn:uuid:a"),
        post(unnamed(CONDITION), "urn:uuid:b"),
        {"request": {"method": "GET", "url": "Patient/none"}},
        {"request": {"method": "GET", "url": "Organization"}},
        {"request": {"method": "DELETE", "url": "Organization/x"}},
        {"resource": PATIENT | {"gender": "x"}, "request": {"method": "PUT", "url": "Patient/p1"}},
        {"request": {"method": "GET", "url": "$nothing"}},
        kind="batch",
    )
    answer = await world.send("POST", "", sent)
    assert answer.status_code == 200 and validate(read(answer.content)) == []
    entries = answer.json()["entry"]
    statuses = [entry["response"]["status"][:3] for entry in entries]
    assert statuses == ["201", "422", "404", "200", "204", "422", "400"]
    issue = entries[5]["response"]["outcome"]["issue"][0]
    assert issue["expression"] == ["Bundle.entry[5].resource.gender"]
    assert entries[3]["resource"]["total"] == 1
    await world.send("POST", "", sent)
    assert await world.count("resource") == 1


def loose(example: dict[str, Any], known: set[str]) -> list[str]:
    """The references of an example that lead to nothing among `known`."""
    if example["resourceType"] in ("Bundle", "Parameters", "OperationOutcome"):
        return []
    found = [(one.value, parse(one.value)) for one in references(example)]
    relative = [f"{target.type}/{target.id}" for _, target in found if target.kind == "relative"]
    return [one for one in relative if one not in known] + [v for v, _ in found if v.startswith("urn:uuid:")]


def read_examples() -> dict[str, bytes]:
    texts = ((file.read_bytes(), Path(file)) for file in EXAMPLES)
    named = ((read(text), text) for text, _ in texts)
    return {f"{one['resourceType']}/{one['id']}": text for one, text in named if is_known(one["resourceType"])}


@pytest.mark.skipif(not EXAMPLES, reason="the corpora are not there")
async def test_every_official_example_is_taken_or_refused_for_its_references_alone(world: World) -> None:
    examples = read_examples()
    assert len(examples) > 140
    taken = 0
    for reference, text in examples.items():
        answer = await world.send("PUT", f"/{reference}", text, token="stranger")
        if answer.status_code in (200, 201):
            taken += 1
            continue
        rules = {
            issue["details"]["coding"][0]["code"] for issue in answer.json()["issue"] if issue["severity"] == "error"
        }
        assert (answer.status_code, rules) == (422, {"fhir-reference-unresolved"}), (reference, answer.text[:500])
    assert taken > 40


@pytest.mark.skipif(not EXAMPLES, reason="the corpora are not there")
async def test_the_examples_that_lead_to_one_another_come_in_one_transaction_byte_for_byte(world: World) -> None:
    examples = {reference: (read(text), text) for reference, text in read_examples().items()}
    while gone := [one for one, (resource, _) in examples.items() if loose(resource, set(examples))]:
        for reference in gone:
            del examples[reference]
    assert len(examples) > 60
    entries = [
        b'{"resource":' + text + b',"request":{"method":"PUT","url":"' + reference.encode() + b'"}}'
        for reference, (_, text) in examples.items()
    ]
    body = b'{"resourceType":"Bundle","type":"transaction","entry":[' + b",".join(entries) + b"]}"
    answer = await world.send("POST", "", body)
    assert answer.status_code == 200, answer.text[:1000]
    async with world.database.transaction(world.tenant) as conn:
        rows = await conn.fetch("select type || '/' || id as reference, bytes from resource_version")
    stored = {row["reference"]: row["bytes"] for row in rows}
    assert stored == {reference: text.strip() for reference, (_, text) in examples.items()}
