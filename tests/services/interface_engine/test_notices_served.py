"""Which subscriptions are served and which are refused, for whom, and what a subscriber may ask."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from bus import Event
from engine_records import BASICS, CLINIC, PATIENT
from engine_world import NOW, SITE, transaction
from fhir_r4 import write
from interface_engine.entry_events import keep_produced
from interface_engine.model_access import Registration, Scopes
from interface_engine.model_notices import HOOK_STATES, PAS_TOPIC
from interface_engine.store.access import AccessStore
from notices_world import (
    TOPICS,
    Endpoint,
    House,
    endpoint,
    events_of,
    numbers_of,
    open_house,
    said,
    subscription,
    visit,
)
from platform_fixture import Platform
from rcm.remittance.v1.remittance_pb2 import PaymentPosted


@pytest.fixture
async def house(platform: Platform, tenant: str) -> AsyncIterator[House]:
    async with open_house(platform.url_for("interface-engine"), tenant) as opened:
        await opened.post(*BASICS)
        yield opened


@pytest.fixture
async def hook() -> AsyncIterator[Endpoint]:
    async with endpoint() as opened:
        yield opened


@pytest.mark.parametrize(
    ("more", "path", "rule"),
    [
        ({"to": "http://hooks.example/x"}, "Subscription.channel.endpoint", "subscription-endpoint"),
        ({"to": "https://user:word@hooks.example/x"}, "Subscription.channel.endpoint", "subscription-endpoint"),
        ({"to": "ftp://127.0.0.1/x"}, "Subscription.channel.endpoint", "subscription-endpoint"),
        ({"to": "https://hooks.example:99999/x"}, "Subscription.channel.endpoint", "subscription-endpoint"),
        ({"status": "active"}, "Subscription.status", "subscription-status"),
        ({"status": "error"}, "Subscription.status", "subscription-status"),
        ({"criteria": "https://elsewhere.example/topic"}, "Subscription.criteria", "subscription-topic"),
        ({"criteria": "Encounter?nonsense=1"}, "Subscription.criteria", "subscription-search"),
        ({"criteria": "Nonsense?status=1"}, "Subscription.criteria", "subscription-search"),
        ({"criteria": "Encounter?_count=1"}, "Subscription.criteria", "subscription-search"),
        ({"filters": ["Patient?name=x"]}, "Subscription.criteria.extension", "subscription-filter"),
        ({"filters": ["nothing"]}, "Subscription.criteria.extension", "subscription-filter"),
        ({"header": ["Host: inside"]}, "Subscription.channel.header", "subscription-header"),
        ({"header": ["X-A: b\r\nX-C: d"]}, "Subscription.channel.header", "subscription-header"),
        ({"heartbeat": 1}, "Subscription.channel.extension", "subscription-limits"),
        ({"timeout": 3_000}, "Subscription.channel.extension", "subscription-limits"),
        ({"most": 3_000}, "Subscription.channel.extension", "subscription-limits"),
        ({"content": "everything"}, "Subscription.channel.payload.extension", "subscription-content"),
        ({"end": "2020-01-01T00:00:00Z"}, "Subscription.end", "subscription-end"),
    ],
)
async def test_what_cannot_be_served_is_refused_with_its_element(
    house: House, more: dict[str, Any], path: str, rule: str
) -> None:
    answer = await house.subscribe(**({"to": "https://hooks.example/x"} | more))
    issue = answer.json()["issue"][0]
    assert (answer.status_code, issue["expression"], issue["details"]["coding"][0]["code"]) == (422, [path], rule)
    assert await house.count("subscription") == 0 and (await house.send("GET", "/Subscription/s1")).status_code == 404


@pytest.mark.parametrize("kind", ["websocket", "email", "sms", "message"])
async def test_other_channels_are_refused(house: House, kind: str) -> None:
    made = subscription("https://hooks.example/x")
    made["channel"]["type"] = kind
    answer = await house.send("PUT", "/Subscription/s1", made)
    assert answer.status_code == 422 and "rest-hook" in answer.json()["issue"][0]["details"]["text"]


async def test_it_ends_when_its_time_has_come_or_its_client_says_so(house: House, hook: Endpoint) -> None:
    end = (NOW + timedelta(minutes=10)).isoformat()
    await house.subscribe(hook.url, "s1", end=end)
    await house.subscribe(hook.url, "s2")
    await house.activate()
    house.clock.advance(minutes=10)
    await house.drain()
    assert await house.status() == "off"
    assert (await house.subscribe(hook.url, "s2", status="off")).status_code == 200
    await visit(house, 1)
    await house.drain()
    assert hook.numbers() == [] and await house.count("notice") == 0
    assert (await house.send("DELETE", "/Subscription/s2")).status_code == 204
    assert await house.count("subscription") == 1


async def test_other_tenants_and_other_clients_see_and_change_nothing(house: House, hook: Endpoint) -> None:
    await house.subscribe(hook.url)
    await house.activate()
    assert (await house.subscribe(hook.url, token="synthea")).status_code == 403
    assert (await house.send("DELETE", "/Subscription/s1", token="synthea")).status_code == 403
    assert (await house.send("GET", "/Subscription/s1/$status", token="synthea")).status_code == 404
    assert (await house.send("GET", "/Subscription/s1/$events", token="synthea")).status_code == 404
    assert (await house.send("GET", "/Subscription/$status", token="synthea")).json()["total"] == 0
    theirs = await house.send("PUT", "/Organization/clinic", CLINIC, token="stranger")
    patient = {name: value for name, value in PATIENT.items()}
    assert theirs.status_code == 201
    assert (await house.send("PUT", "/Patient/p1", patient, token="stranger")).status_code == 201
    plain = {"resourceType": "Encounter", "id": "x1", "status": "planned", "class": {"code": "AMB"}}
    assert (await house.send("PUT", "/Encounter/x1", plain, token="stranger")).status_code == 201
    await house.drain()
    assert hook.numbers() == []


async def test_events_may_be_asked_for_again(house: House, hook: Endpoint) -> None:
    await house.subscribe(hook.url, content="full-resource")
    await house.activate()
    for number in range(4):
        await visit(house, number)
    await house.drain()
    url = "/Subscription/s1/$events?eventsSinceNumber=2&eventsUntilNumber=3"
    answer = (await house.send("GET", url)).json()
    assert (numbers_of(answer), said(answer, "type")) == ([2, 3], "query-event")
    assert said(answer, "events-since-subscription-start") == "4"
    assert [entry["resource"]["id"] for entry in answer["entry"][1:]] == ["e1", "e2"]
    less = (await house.send("GET", f"{url}&content=id-only")).json()
    assert numbers_of(less) == [2, 3] and not any("resource" in entry for entry in less["entry"][1:])
    assert (await house.send("GET", f"{url}&nonsense=1")).status_code == 400
    body = {"resourceType": "Parameters", "parameter": [{"name": "eventsSinceNumber", "valueString": "4"}]}
    assert numbers_of((await house.send("POST", "/Subscription/s1/$events", body)).json()) == [4]
    states = (await house.send("GET", "/Subscription/$status?status=active")).json()
    assert states["total"] == 1 and (await house.send("GET", "/Subscription/$status?status=off")).json()["total"] == 0


async def test_topics_are_published(house: House) -> None:
    found = (await house.send("GET", "/Basic?code=SubscriptionTopic")).json()["entry"]
    urls = [one["extension"][0]["valueUri"] for one in (entry["resource"] for entry in found)]
    assert f"{TOPICS}/Encounter-changed" in urls and f"{TOPICS}/work-items" in urls
    assert any(url.endswith("/PASSubscriptionTopic") for url in urls)
    assert (await house.send("GET", "/Basic/work-items")).json()["extension"][0]["valueUri"] == f"{TOPICS}/work-items"
    assert (await house.send("GET", "/Basic/nothing")).status_code == 404
    assert (await house.send("GET", "/openapi.json")).status_code == 200
    statement = (await house.send("GET", "/metadata")).json()
    rows = [one for one in statement["rest"][0]["resource"] if one["type"] == "Subscription"]
    listed = [one["valueCanonical"] for one in rows[0]["extension"]]
    assert set(listed) == set(urls)


async def test_a_registered_client_hears_of_what_it_may_read_and_nothing_after_it_is_revoked(
    house: House, hook: Endpoint
) -> None:
    keys = {"keys": [{"kty": "EC"}]}
    scopes = Scopes.read("system/Subscription.cruds system/Encounter.r")
    async with house.database.unit(house.tenant) as unit:
        await AccessStore(unit).add_client(Registration("default", "default", scopes, keys))
    refused = await house.subscribe(hook.url, criteria=f"{TOPICS}/Patient-changed")
    assert refused.status_code == 403 and "system/Patient.r" in refused.text
    assert (await house.subscribe(hook.url, content="full-resource")).status_code == 201
    await house.activate()
    await visit(house, 1)
    await house.drain()
    async with house.database.unit(house.tenant) as unit:
        told = await unit.conn.fetch("select client, type, resource_id from access_event")
        await unit.conn.execute("update client set scopes = 'system/Subscription.cruds'")
    assert [tuple(row) for row in told] == [("default", "Encounter", "e1")]
    await visit(house, 2)
    await house.drain()
    assert hook.numbers() == [1]
    async with house.database.unit(house.tenant) as unit:
        await AccessStore(unit).revoke_client("default")
    await visit(house, 3)
    await house.drain()
    answer = (await house.send("GET", "/Subscription/s1")).json()
    assert (answer["status"], answer["error"], hook.numbers()) == ("error", "its client was revoked", [1])


def answer_to_request(name: str, use: str, outcome: str = "complete", **more: Any) -> bytes:
    return write(
        {"resourceType": "ClaimResponse", "id": name, "status": "active", "use": use, "outcome": outcome} | more
    )


async def test_answers_for_prior_authorization_are_told_to_the_organization_that_asked(
    house: House, hook: Endpoint
) -> None:
    npi = {"system": "http://hl7.org/fhir/sid/us-npi", "value": "1999999984"}
    await house.send("PUT", "/Organization/clinic", CLINIC | {"identifier": [npi]})
    asked_by = f"orgIdentifier={npi['system']}|{npi['value']}"
    await house.subscribe(hook.url, "s1", criteria=PAS_TOPIC, filters=[asked_by])
    await house.subscribe(hook.url, "s2", criteria=f"{TOPICS}/claim-status")
    await house.activate()
    ours, inline = {"requestor": {"reference": "Organization/clinic"}}, {"requestor": {"identifier": npi}}
    for number, text in enumerate(
        (
            answer_to_request("r1", "preauthorization", **ours),
            answer_to_request("r2", "preauthorization", "queued", **ours),
            answer_to_request("r3", "preauthorization", **inline),
            answer_to_request("r4", "preauthorization", requestor={"reference": "Organization/payer"}),
            answer_to_request("r5", "claim", **ours),
        )
    ):
        event = Event(f"f{number}", "payment.posted", house.tenant, "a" * 32, "x", 1, NOW, "",
                      PaymentPosted(claim_response_json=text))  # fmt: skip
        async with house.database.unit(house.tenant, event) as unit:
            await keep_produced(unit, event, None, house.book, SITE)
    await house.drain()
    told = {
        (said(one, "subscription").rpartition("/")[2].strip("'}"), event["focus"]["reference"].rpartition("/")[2])
        for one in hook.of("event-notification")
        for event in events_of(one)
    }
    assert told == {("s1", "r1"), ("s1", "r3"), ("s2", "r5")}


async def test_a_subscription_that_is_not_served_any_more_harms_nobody_elses_writes(
    house: House, hook: Endpoint
) -> None:
    await house.subscribe(hook.url)
    await house.activate()
    async with house.database.unit(house.tenant) as unit:
        changed = write(subscription(hook.url, criteria="https://elsewhere.example/topic"))
        await unit.conn.execute("update subscription set text = $1, sent = -1", changed)
        await unit.conn.execute("update standing set revision = revision + 1")
    await house.book.renew()
    await visit(house, 1)
    await house.drain()
    assert (await house.status(), hook.numbers()) == ("error", [])


async def test_a_transaction_with_a_bad_subscription_keeps_nothing(house: House) -> None:
    bad = subscription("https://hooks.example/x", criteria="https://elsewhere.example/topic")
    answer = await house.send("POST", "", transaction(CLINIC | {"id": "other"}, bad))
    assert answer.status_code == 422
    assert (await house.send("GET", "/Organization/other")).status_code == 404


def test_every_pair_of_states() -> None:
    legal = {(one, two) for one, two, allowed in HOOK_STATES.every_pair() if allowed}
    assert ("requested", "active") not in legal and ("error", "active") not in legal and ("off", "active") not in legal
    assert HOOK_STATES.reachable("error") == HOOK_STATES.states
    assert len(legal) == 14
