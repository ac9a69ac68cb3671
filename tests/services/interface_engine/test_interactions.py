"""What REST asks of a FHIR server, one interaction at a time: versions, deletions, patches, preferences, encodings."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from engine_records import BASICS, CLINIC, CONDITION, PATIENT, encounter, procedure
from engine_world import World, open_world
from fhir_r4 import read, validate
from platform_fixture import Platform


def rule(answer: Any) -> str:
    """The rule of the first issue of a refusal, or the code of ours."""
    body = answer.json()
    assert body["resourceType"] == "OperationOutcome" and validate(read(answer.content)) == []
    return str(body["issue"][0]["details"].get("coding", [{"code": ""}])[0]["code"])


async def clinic(world: World, **more: Any) -> None:
    assert (await world.send("PUT", "/Organization/clinic", CLINIC | more)).status_code in (200, 201)


# Deletion


async def test_deleted_is_gone_with_a_history_and_comes_back_by_an_update(world: World) -> None:
    await clinic(world)
    gone = await world.send("DELETE", "/Organization/clinic")
    assert (gone.status_code, gone.content, gone.headers["etag"]) == (204, b"", 'W/"2"')
    assert "content-type" not in gone.headers
    for again in ("DELETE", "DELETE"):
        assert (await world.send(again, "/Organization/clinic")).status_code == 204
    answer = await world.send("GET", "/Organization/clinic")
    assert (answer.status_code, rule(answer)) == (410, "fhir-deleted")
    assert (await world.send("GET", "/Organization/clinic/_history/2")).status_code == 410
    assert (await world.send("GET", "/Organization/clinic/_history/1")).json()["name"] == CLINIC["name"]
    assert (await world.send("GET", "/Organization")).json()["total"] == 0
    history = (await world.send("GET", "/Organization/clinic/_history")).json()["entry"]
    assert [entry["request"]["method"] for entry in history] == ["DELETE", "PUT"]
    assert "resource" not in history[0] and history[0]["response"]["status"] == "204 No Content"
    back = await world.send("PUT", "/Organization/clinic", CLINIC)
    assert (back.status_code, back.headers["etag"]) == (201, 'W/"3"')


async def test_what_is_referred_to_stays_until_nothing_refers_to_it(world: World) -> None:
    await world.post(*BASICS)
    held = await world.send("DELETE", "/Patient/p1")
    assert (held.status_code, rule(held)) == (409, "fhir-referenced")
    assert (await world.send("GET", "/Patient/p1")).status_code == 200
    assert (await world.send("DELETE", "/Coverage/c1")).status_code == 204
    assert (await world.send("DELETE", "/Patient/p1")).status_code == 204
    refers = await world.send("PUT", "/Condition/d1", {k: v for k, v in CONDITION.items() if k != "encounter"})
    assert (refers.status_code, rule(refers)) == (422, "fhir-reference-unresolved")


async def test_deletion_under_a_version_and_by_a_condition(world: World) -> None:
    await clinic(world, identifier=[{"system": "s", "value": "1"}])
    stale = await world.send("DELETE", "/Organization/clinic", If_Match='W/"7"')
    assert (stale.status_code, rule(stale)) == (412, "fhir-if-match")
    assert (await world.send("DELETE", "/Organization/never", If_Match='W/"1"')).status_code == 412
    assert (await world.send("DELETE", "/Organization?identifier=s|other")).status_code == 204
    await world.post(CLINIC | {"id": "twin", "identifier": [{"system": "s", "value": "1"}]})
    many = await world.send("DELETE", "/Organization?identifier=s|1")
    assert (many.status_code, rule(many)) == (412, "fhir-condition")
    assert (await world.send("DELETE", "/Organization/twin", If_Match='W/"1"')).status_code == 204
    assert (await world.send("DELETE", "/Organization?identifier=s|1")).status_code == 204
    assert (await world.send("GET", "/Organization/clinic")).status_code == 410
    for everything in ("/Organization", "/Organization?_count=5", "/Organization?_format=json"):
        assert (await world.send("DELETE", everything)).status_code == 400


async def test_the_same_create_after_a_deletion_creates_again(world: World) -> None:
    body = {key: value for key, value in CLINIC.items() if key != "id"}
    first = await world.send("POST", "/Organization", body)
    assert (await world.send("POST", "/Organization", body)).json()["id"] == first.json()["id"]
    await world.send("DELETE", f"/Organization/{first.json()['id']}")
    second = await world.send("POST", "/Organization", body)
    assert second.status_code == 201 and second.json()["id"] != first.json()["id"]
    assert (await world.send("POST", "/Organization", body)).json()["id"] == second.json()["id"]


async def test_a_visit_that_is_deleted_is_cancelled_and_a_charge_that_is_deleted_amends_it(world: World) -> None:
    await world.post(*BASICS, encounter(), CONDITION, procedure(), procedure("s2"))
    await world.facts()
    assert (await world.send("DELETE", "/Procedure/s2")).status_code == 204
    (amended,) = await world.facts()
    kinds = [entry["resource"] for entry in read(amended.body.facts.snapshot)["entry"]]
    assert amended.type == "encounter.amended"
    assert [one["id"] for one in kinds if one["resourceType"] == "Procedure"] == ["s1"]
    for reference in ("/Procedure/s1", "/Condition/d1", "/Encounter/e1"):
        assert (await world.send("DELETE", reference)).status_code == 204
    assert [fact.type for fact in await world.facts()][-1] == "encounter.cancelled"


# Versions and conditions


async def test_histories_page_from_the_newest(world: World) -> None:
    for number in range(3):
        await clinic(world, name=f"Clinic {number}")
        world.clock.advance(hours=1)
    await world.send("PUT", "/Practitioner/doctor", {"resourceType": "Practitioner", "id": "doctor"})
    first = await world.send("GET", "/Organization/clinic/_history?_count=2")
    assert validate(read(first.content)) == [] and first.json()["type"] == "history"
    assert [one["resource"]["meta"]["versionId"] for one in first.json()["entry"]] == ["3", "2"]
    url = {link["relation"]: link["url"] for link in first.json()["link"]}["next"].split("/fhir")[1]
    rest = (await world.send("GET", url)).json()
    assert [one["response"]["status"] for one in rest["entry"]] == ["201 Created"] and len(rest["link"]) == 1
    since = (await world.send("GET", "/Organization/_history?_since=2026-03-20T13:30:00Z")).json()
    assert [one["resource"]["name"] for one in since["entry"]] == ["Clinic 2"]
    at = (await world.send("GET", "/Organization/clinic/_history?_at=2026-03-20T13:00:00%2B00:00")).json()
    assert [one["resource"]["name"] for one in at["entry"]] == ["Clinic 1"]
    whole = (await world.send("GET", "/_history")).json()
    assert len(whole["entry"]) == 4 and whole["entry"][0]["fullUrl"].endswith("/Practitioner/doctor")
    for wrong in ("_count=0", "_count=x", "_since=yesterday", "color=red", "_cursor=x"):
        assert (await world.send("GET", f"/Organization/clinic/_history?{wrong}")).status_code == 400
    lenient = await world.send("GET", "/Organization/clinic/_history?color=red", Prefer="handling=lenient")
    assert lenient.status_code == 200
    assert (await world.send("GET", "/Organization/none/_history")).status_code == 404
    assert (await world.send("GET", "/_history", token="stranger")).json().get("entry") is None


async def test_a_read_that_tells_nothing_new_is_304(world: World) -> None:
    await clinic(world)
    for tag in ('W/"1"', '"1"', "1", 'W/"0", W/"1"', "*"):
        answer = await world.send("GET", "/Organization/clinic", If_None_Match=tag)
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", 'W/"1"')
    assert (await world.send("GET", "/Organization/clinic", If_None_Match='W/"11"')).status_code == 200
    told = (await world.send("GET", "/Organization/clinic")).headers["last-modified"]
    assert (await world.send("GET", "/Organization/clinic", If_Modified_Since=told)).status_code == 304
    for since in ("Thu, 19 Mar 2026 12:00:00 GMT", "yesterday"):
        assert (await world.send("GET", "/Organization/clinic", If_Modified_Since=since)).status_code == 200
    both = await world.send("GET", "/Organization/clinic", If_None_Match='W/"2"', If_Modified_Since=told)
    assert both.status_code == 200


async def test_an_update_that_shall_only_create(world: World) -> None:
    assert (await world.send("PUT", "/Organization/clinic", CLINIC, If_None_Match="*")).status_code == 201
    there = await world.send("PUT", "/Organization/clinic", CLINIC | {"name": "Other"}, If_None_Match="*")
    assert (there.status_code, rule(there)) == (412, "fhir-if-none-match")
    for tag in ("1", '"1"', "*"):
        assert (await world.send("PUT", "/Organization/clinic", CLINIC, If_Match=tag)).status_code == 200
    for tag in ('W/"2"', "11", ""):
        assert (await world.send("PUT", "/Organization/clinic", CLINIC, If_Match=tag)).status_code == 412
    other = CLINIC | {"id": "other", "identifier": [{"system": "s", "value": "1"}]}
    await world.send("PUT", "/Organization/other", other)
    mixed = await world.send("PUT", "/Organization?identifier=s|1", other | {"id": "clinic"})
    assert (mixed.status_code, rule(mixed)) == (400, "fhir-id")


# What goes back


async def test_what_is_preferred_of_a_write(world: World) -> None:
    minimal = await world.send("PUT", "/Organization/clinic", CLINIC, Prefer="return=minimal")
    assert (minimal.status_code, minimal.content) == (201, b"") and minimal.headers["etag"] == 'W/"1"'
    assert minimal.headers["location"].endswith("/Organization/clinic/_history/1")
    told = await world.send("PUT", "/Organization/clinic", CLINIC, Prefer="return=OperationOutcome")
    assert told.json()["issue"][0]["severity"] == "information"
    whole = await world.send("PUT", "/Organization/clinic", CLINIC, Prefer="handling=strict; return=representation")
    assert whole.json()["name"] == CLINIC["name"]
    gone = await world.send("DELETE", "/Organization/clinic", Prefer="return=OperationOutcome")
    assert gone.status_code == 200 and gone.json()["resourceType"] == "OperationOutcome"
    refused = await world.send("PUT", "/Organization/clinic", CLINIC | {"color": 1}, Prefer="return=minimal")
    assert refused.status_code == 422 and refused.json()["issue"]


@pytest.mark.parametrize(
    ("accept", "query", "expected"),
    [
        ("", "", "application/fhir+json"),
        ("*/*", "", "application/fhir+json"),
        ("text/html, application/xhtml+xml;q=0.9, */*;q=0.8", "", "application/fhir+json"),
        ("application/fhir+json; fhirVersion=4.0", "", "application/fhir+json"),
        ("application/json", "", "application/json"),
        ("application/fhir+xml", "?_format=json", "application/fhir+json"),
        ("", "?_format=application/fhir+json", "application/fhir+json"),
        ("", "?_format=application/json", "application/json"),
        ("application/fhir+xml", "", ""),
        ("application/fhir+json; fhirVersion=3.0", "", ""),
        ("application/fhir+json;q=0", "", ""),
        ("", "?_format=xml", ""),
        ("*/*", "?_format=application/fhir%2Bxml", ""),
    ],
)
async def test_json_is_written_and_nothing_else(world: World, accept: str, query: str, expected: str) -> None:
    await clinic(world)
    answer = await world.send("GET", f"/Organization/clinic{query}", Accept=accept)
    assert answer.status_code == (200 if expected else 406)
    assert answer.headers["content-type"] == (expected or "application/fhir+json")


async def test_pretty_text_has_the_same_digits(world: World) -> None:
    await world.post(*BASICS)
    text = b'{"resourceType":"ChargeItem","id":"i1","status":"billable","code":{"text":"x"},'
    text += b'"subject":{"reference":"Patient/p1"},"factorOverride":1.10}'
    await world.send("PUT", "/ChargeItem/i1", text)
    answer = await world.send("GET", "/ChargeItem/i1?_pretty=true")
    assert b'\n  "factorOverride": 1.10' in answer.content
    assert answer.json() == (await world.send("GET", "/ChargeItem/i1")).json()


async def test_a_head_tells_the_length_of_what_it_leaves_out(world: World) -> None:
    await clinic(world)
    whole = await world.send("GET", "/Organization/clinic")
    head = await world.send("HEAD", "/Organization/clinic")
    assert (head.status_code, head.content) == (200, b"")
    for name in ("content-length", "etag", "last-modified", "content-type"):
        assert head.headers[name] == whole.headers[name]
    assert (await world.send("HEAD", "/Organization/none")).status_code == 404
    assert (await world.send("HEAD", "/Organization")).status_code == 200


async def test_gzip_both_ways(world: World) -> None:
    body = gzip.compress(json.dumps(CLINIC | {"alias": ["x" * 50] * 100}).encode())
    made = await world.send("PUT", "/Organization/clinic", body, Content_Encoding="gzip")
    assert made.status_code == 201
    packed = await world.send("GET", "/Organization/clinic", Accept_Encoding="gzip")
    assert packed.headers["content-encoding"] == "gzip" and packed.json()["name"] == CLINIC["name"]
    assert int(packed.headers["content-length"]) < 1_000 and packed.headers["vary"] == "Accept-Encoding"
    plain = await world.send("GET", "/Organization/clinic", Accept_Encoding="identity")
    assert "content-encoding" not in plain.headers
    short = await world.send("GET", "/Organization/none", Accept_Encoding="gzip")
    assert "content-encoding" not in short.headers


@pytest.mark.parametrize(
    ("body", "encoding", "status"),
    [
        (gzip.compress(b" " * 8_000_001), "gzip", 413),
        (gzip.compress(gzip.compress(b" " * 80_000_000)), "gzip", 400),
        (gzip.compress(b"x" * 1000)[:20], "gzip", 400),
        (b"no gzip at all", "gzip", 400),
        (b"{}", "br", 415),
        (b"{}", "gzip, gzip", 415),
    ],
)
async def test_a_packed_body_that_is_none_or_a_bomb(world: World, body: bytes, encoding: str, status: int) -> None:
    answer = await world.send("PUT", "/Organization/clinic", body, Content_Encoding=encoding)
    assert answer.status_code == status and answer.json()["resourceType"] == "OperationOutcome"
    assert await world.count("resource") == 0


# Addresses


async def test_slashes_methods_and_addresses(world: World) -> None:
    await clinic(world)
    for url in ("/Organization/", "/Organization/clinic/", "/Organization/clinic/_history/", "/metadata/"):
        assert (await world.send("GET", url)).status_code == 200
    for method, url, allow in (
        ("DELETE", "/metadata", "GET, HEAD"),
        ("GET", "", "POST"),
        ("PUT", "/Organization/clinic/_history/1", "GET, HEAD"),
        ("POST", "/Organization/clinic", "DELETE, GET, HEAD, PATCH, PUT"),
        ("OPTIONS", "/Organization", "DELETE, GET, HEAD, PATCH, POST, PUT"),
    ):
        answer = await world.send(method, url)
        assert (answer.status_code, answer.headers["allow"]) == (405, allow)
        assert answer.json()["resourceType"] == "OperationOutcome"
    for url in ("/Organization/clinic/_history/1/more", "/a/b/c/d", "/Organization/clinic/$paint"):
        assert (await world.send("GET", url)).status_code == 404
    for url in ("/Banana/_search", "/Banana/_history", "/Banana/$validate"):
        assert (
            await world.send("POST" if "$" in url else "GET", url, b"{}" if "$" in url else None)
        ).status_code == 404


async def test_no_other_origin_is_let_in_unless_the_site_says_so(world: World) -> None:
    answer = await world.send("GET", "/metadata", Origin="https://page.example")
    assert not [name for name in answer.headers if name.startswith("access-control")]
    preflight = await world.send("OPTIONS", "/Patient", Origin="https://page.example")
    assert preflight.status_code == 405


async def test_an_origin_that_the_site_names_is_let_in(platform: Platform, tenant: str) -> None:
    url, origin = platform.url_for("interface-engine"), "https://page.example"
    async with open_world(url, tenant, cors_origins=f"{origin},https://other.example") as world:
        answer = await world.send("GET", "/metadata", Origin=origin)
        assert answer.headers["access-control-allow-origin"] == origin
        assert "ETag" in answer.headers["access-control-expose-headers"]
        stranger = await world.send("GET", "/metadata", Origin="https://x.example")
        assert "access-control-allow-origin" not in stranger.headers


# Searches as the door gives them


async def test_a_search_says_what_it_used(world: World) -> None:
    await world.post(*BASICS, encounter(), CONDITION)
    strict = await world.send("GET", "/Encounter?color=red")
    assert strict.status_code == 400 and rule(strict) == "search_parameter"
    lenient = await world.send("GET", "/Encounter?color=red&patient=p1&_format=json", Prefer="handling=lenient")
    body = lenient.json()
    assert validate(read(lenient.content)) == []
    assert [link["url"].split("/fhir/")[1] for link in body["link"]] == ["Encounter?patient=p1"]
    assert [entry["search"]["mode"] for entry in body["entry"]] == ["match", "outcome"]
    form = b"patient=p1&_include=Encounter:subject"
    posted = await world.send("POST", "/Encounter/_search", form, Content_Type="application/x-www-form-urlencoded")
    found = [(entry["resource"]["id"], entry["search"]["mode"]) for entry in posted.json()["entry"]]
    assert found == [("e1", "match"), ("p1", "include")]
    assert (await world.send("GET", "/Encounter/_search?patient=p1")).json()["total"] == 1
    both = await world.send(
        "POST", "/Encounter/_search?status=planned", form, Content_Type="application/x-www-form-urlencoded"
    )
    assert both.json()["total"] == 0
    assert (await world.send("POST", "/Encounter/_search", form, Content_Type="text/plain")).status_code == 415
    bad = await world.send("POST", "/Encounter/_search", b"\xff=1", Content_Type="application/x-www-form-urlencoded")
    assert bad.status_code == 400


async def test_less_than_the_whole(world: World) -> None:
    await world.post(*BASICS)
    some = (await world.send("GET", "/Patient?_elements=gender")).json()["entry"][0]["resource"]
    assert some.keys() == {"resourceType", "id", "meta", "gender"} and some["meta"]["tag"][0]["code"] == "SUBSETTED"
    count = (await world.send("GET", "/Patient?_summary=count")).json()
    assert count["total"] == 1 and "entry" not in count
    text = (await world.send("GET", "/Coverage?_summary=text")).json()["entry"][0]["resource"]
    assert text.keys() == {"resourceType", "id", "meta", "status", "beneficiary", "payor"}
    data = (await world.send("GET", "/Patient?_summary=data")).json()["entry"][0]["resource"]
    assert data["name"] == PATIENT["name"]
