"""The rules of REST at the FHIR door: what is taken in, what is refused with which path, and who may come in."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from engine_records import BASICS, CLINIC, CONDITION, COVERAGE, PATIENT, encounter, procedure
from engine_world import World, transaction
from fhir_r4 import read, validate

CLAIM: dict[str, Any] = {
    "resourceType": "Claim",
    "status": "active",
    "type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/claim-type", "code": "professional"}]},
    "use": "claim",
    "patient": {"reference": "Patient/p1"},
    "created": "2026-03-16",
    "provider": {"reference": "Organization/clinic"},
    "priority": {"coding": [{"code": "normal"}]},
    "insurance": [{"sequence": 1, "focal": True, "coverage": {"reference": "Coverage/c1"}}],
}


def first_issue(answer: Any) -> tuple[int, str, str]:
    """Status, FHIRPath and rule of the first issue."""
    assert answer.headers["content-type"] == "application/fhir+json"
    body = answer.json()
    assert body["resourceType"] == "OperationOutcome" and validate(read(answer.content)) == []
    issue = body["issue"][0]
    codes = [coding["code"] for coding in issue["details"].get("coding", ())]
    return answer.status_code, next(iter(issue.get("expression", ())), ""), next(iter(codes), "")


async def test_create_read_update_and_old_versions(world: World) -> None:
    created = await world.send("POST", "/Organization", CLINIC | {"id": "theirs"})
    assert created.status_code == 201 and created.headers["etag"] == 'W/"1"'
    identity = created.json()["id"]
    assert identity != "theirs" and created.headers["location"].endswith(f"/Organization/{identity}/_history/1")
    body = CLINIC | {"id": identity, "name": "Another Synthetic Clinic"}
    updated = await world.send("PUT", f"/Organization/{identity}", body, If_Match='W/"1"')
    assert (updated.status_code, updated.json()["meta"]["versionId"]) == (200, "2")
    stale = await world.send("PUT", f"/Organization/{identity}", body | {"name": "Third"}, If_Match='W/"1"')
    assert first_issue(stale) == (412, "Organization", "fhir-if-match")
    now = await world.send("GET", f"/Organization/{identity}")
    assert (now.headers["etag"], now.json()["name"]) == ('W/"2"', "Another Synthetic Clinic")
    assert now.json()["meta"]["lastUpdated"] == "2026-03-20T12:00:00.000Z"
    old = await world.send("GET", f"/Organization/{identity}/_history/1")
    assert old.json()["name"] == CLINIC["name"]
    assert (await world.send("GET", f"/Organization/{identity}/_history/3")).status_code == 404
    assert (await world.send("GET", f"/Organization/{identity}/_history/x")).status_code == 404


async def test_an_update_creates_and_the_same_again_makes_no_version(world: World) -> None:
    assert (await world.send("PUT", "/Organization/clinic", CLINIC)).status_code == 201
    again = await world.send("PUT", "/Organization/clinic", CLINIC)
    assert (again.status_code, again.headers["etag"]) == (200, 'W/"1"')
    await world.send("PUT", "/Organization/clinic", CLINIC | {"name": "Other"})
    back = await world.send("PUT", "/Organization/clinic", CLINIC)
    assert (back.headers["etag"], back.json()["name"]) == ('W/"3"', CLINIC["name"])


async def test_exact_decimals_and_raw_bytes_survive(world: World) -> None:
    await world.post(*BASICS)
    text = b'{"resourceType":"ChargeItem","status":"billable","code":{"text":"x"},"subject":{"reference":"Patient/p1"},'
    text += b'"factorOverride":1.10,\n "quantity":{"value":100.000}}'
    answer = await world.send("POST", "/ChargeItem", text)
    assert answer.status_code == 201 and b'"value":100.000' in answer.content and b"1.10,\n " in answer.content
    assert read(answer.content)["quantity"]["value"].as_tuple() == Decimal("100.000").as_tuple()
    async with world.database.transaction(world.tenant) as conn:
        assert await conn.fetchval("select body from received where url = '/fhir/ChargeItem'") == text


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"{", (400, "", "json_syntax")),
        (b'{"resourceType":"Claim","status":"active","status":"draft"}', (400, "", "json_duplicate_key")),
        (b"[]", (400, "", "json_not_resource")),
        (b'\xff{"resourceType":"Claim"}', (400, "", "json_text")),
        (PATIENT, (400, "Resource.resourceType", "fhir-resource-type")),
        (CLAIM | {"color": "red"}, (422, "Claim", "fhir-unknown-element")),
        (CLAIM | {"status": "banana"}, (422, "Claim.status", "fhir-binding")),
        (CLAIM | {"use": ["claim"]}, (422, "Claim.use", "fhir-cardinality")),
        (CLAIM | {"total": {"value": 1.001, "currency": "USD"}}, (422, "Claim.total.value", "fhir-money-decimals")),
        (CLAIM | {"patient": {"reference": "Patient/absent"}}, (422, "Claim.patient", "fhir-reference-unresolved")),
        (CLAIM | {"patient": {"reference": "urn:uuid:x"}}, (422, "Claim.patient", "fhir-reference-unresolved")),
        ({key: CLAIM[key] for key in CLAIM if key != "use"}, (422, "Claim.use", "fhir-required")),
    ],
)
async def test_what_is_wrong_is_refused_with_its_path_and_nothing_is_kept(
    world: World, body: Any, expected: tuple[int, str, str]
) -> None:
    await world.post(*BASICS)
    stored = await world.count("resource")
    assert first_issue(await world.send("POST", "/Claim", body)) == expected
    assert await world.count("resource") == stored and await world.count("request_log") == 1


async def test_references_that_need_not_lead_here(world: World) -> None:
    await world.post(*BASICS)
    for patient in (
        {"reference": "https://elsewhere.example/fhir/Patient/1"},
        {"identifier": {"system": "https://ehr.example/mrn", "value": "1"}},
        {"display": "somebody"},
    ):
        assert (await world.send("POST", "/Claim", CLAIM | {"patient": patient})).status_code == 201


async def test_a_body_over_the_limit_and_a_strange_content_type(world: World) -> None:
    large = CLINIC | {"name": "x" * 8_000_001}
    assert first_issue(await world.send("PUT", "/Organization/clinic", large))[0] == 413
    assert first_issue(await world.send("POST", "/Claim", CLAIM, Content_Type="text/plain"))[0] == 415
    json_type = await world.send("PUT", "/Organization/clinic", CLINIC, Content_Type="application/json; charset=utf-8")
    assert json_type.status_code == 201


@pytest.mark.parametrize("url", ["/Banana", "/Banana/1", "/Patient/none"])
async def test_what_is_not_here_is_404(world: World, url: str) -> None:
    assert first_issue(await world.send("GET", url))[0] == 404


async def test_ids_must_agree(world: World) -> None:
    assert first_issue(await world.send("PUT", "/Organization/other", CLINIC))[:2] == (400, "Organization.id")
    assert first_issue(await world.send("PUT", "/Organization", CLINIC))[0] == 400


async def test_no_token_or_an_unknown_one_is_401_everywhere(world: World) -> None:
    for headers in ({}, {"Authorization": "Bearer nobody"}, {"Authorization": "Basic abc"}):
        for method, url in (
            ("GET", "/fhir/Patient"),
            ("GET", "/fhir/Patient/p1"),
            ("POST", "/fhir"),
            ("POST", "/fhir/"),
        ):
            answer = await world.http.request(method, url, content=b"{}" if method == "POST" else None, headers=headers)
            assert first_issue(answer)[0] == 401 and answer.headers["www-authenticate"] == "Bearer"
        answer = await world.http.put("/fhir/Patient/p1", content=b"{}", headers=headers)
        assert answer.status_code == 401


async def test_another_tenant_sees_nothing_and_may_use_the_same_ids(world: World) -> None:
    await world.post(*BASICS)
    assert (await world.send("GET", "/Patient/p1", token="stranger")).status_code == 404
    assert (await world.send("GET", "/Patient", token="stranger")).json()["total"] == 0
    assert (await world.send("PUT", "/Organization/clinic", CLINIC, token="stranger")).status_code == 201
    unseen = await world.send("POST", "", transaction(PATIENT | {"id": "p2"}, COVERAGE), token="stranger")
    assert unseen.status_code == 422


async def test_search_by_each_parameter(world: World) -> None:
    mrn = {"identifier": [{"system": "https://ehr.example/mrn", "value": "M1"}]}
    other = PATIENT | mrn | {"id": "p2"}
    await world.post(*BASICS, other, encounter(), CONDITION, procedure(), procedure("s2", status="stopped"))

    async def ids(url: str) -> list[str]:
        answer = await world.send("GET", url)
        assert answer.status_code == 200 and validate(read(answer.content)) == []
        body = answer.json()
        found = [entry["resource"]["id"] for entry in body.get("entry", ())]
        assert body["total"] == len(found)
        return found

    assert await ids("/Patient") == ["p1", "p2"]
    assert await ids("/Patient?_id=p2") == ["p2"]
    assert await ids("/Patient?identifier=https://ehr.example/mrn|M1") == ["p2"]
    assert await ids("/Patient?identifier=M1&_format=json") == ["p2"]
    assert await ids("/Patient?identifier=|M1") == []
    assert await ids("/Procedure?patient=p1") == ["s1", "s2"]
    assert await ids("/Procedure?patient=Patient/p2") == []
    assert await ids("/Procedure?subject=Patient/p1&status=stopped") == ["s2"]
    assert await ids("/Procedure?encounter=e1&status=completed,stopped") == ["s1", "s2"]
    assert await ids("/Coverage?patient=p1") == ["c1"]
    assert await ids("/Encounter?identifier=https://ehr.example/visit|V1") == ["e1"]


async def test_pages_of_a_search(world: World) -> None:
    await world.post(*(CLINIC | {"id": f"o{number}"} for number in range(5)))
    first = (await world.send("GET", "/Organization?_count=2")).json()
    assert (first["total"], len(first["entry"])) == (5, 2)
    url = {link["relation"]: link["url"] for link in first["link"]}["next"].split("/fhir")[1]
    second = (await world.send("GET", url)).json()
    assert [entry["resource"]["id"] for entry in second["entry"]] == ["o2", "o3"]
    url = {link["relation"]: link["url"] for link in second["link"]}["next"].split("/fhir")[1]
    last = (await world.send("GET", url)).json()
    assert [link["relation"] for link in last["link"]] == ["self"] and len(last["entry"]) == 1
    assert "entry" not in (await world.send("GET", "/Organization?_count=0")).json()


@pytest.mark.parametrize(
    "query", ["/Patient?color=x", "/Organization?patient=p1", "/Patient?_count=many", "/Patient?_id="]
)
async def test_a_search_that_is_not_served_is_400(world: World, query: str) -> None:
    assert first_issue(await world.send("GET", query))[0] == 400


async def test_metadata_says_what_is_served_and_needs_no_token(world: World) -> None:
    answer = await world.http.get("/fhir/metadata")
    statement = read(answer.content)
    assert answer.status_code == 200 and validate(statement) == []
    served = {one["type"]: one for one in statement["rest"][0]["resource"]}
    assert {"Patient", "Encounter", "Claim", "ExplanationOfBenefit", "Task"} <= served.keys()
    names = {one["name"] for one in served["Procedure"]["searchParam"]}
    assert {"_id", "encounter", "identifier", "patient", "status", "subject"} <= names
