"""Subscriptions over a real database and a real endpoint: handshake, events, heartbeat, and what may go wrong."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from engine_records import BASICS, PATIENT, encounter
from engine_world import SITE, transaction
from fhir_r4 import read, validate, write
from interface_engine.store.notices import Notices
from notices_world import (
    SECRET,
    TOPICS,
    Endpoint,
    House,
    endpoint,
    events_of,
    numbers_of,
    open_house,
    said,
    visit,
    worker_of,
)
from platform_fixture import Platform


@pytest.fixture
async def house(platform: Platform, tenant: str) -> AsyncIterator[House]:
    async with open_house(platform.url_for("interface-engine"), tenant) as opened:
        await opened.post(*BASICS)
        yield opened


@pytest.fixture
async def hook() -> AsyncIterator[Endpoint]:
    async with endpoint() as opened:
        yield opened


async def test_a_handshake_makes_it_active_once_everyone_has_heard_of_it(house: House, hook: Endpoint) -> None:
    created = await house.subscribe(hook.url, header=[f"Authorization: {SECRET}"])
    assert (created.status_code, created.json()["status"]) == (201, "requested")
    await house.worker.work()
    assert [said(one, "type") for one in hook.bundles] == ["handshake"]
    assert hook.headers[0]["authorization"] == SECRET.lower() or hook.headers[0]["authorization"] == SECRET
    assert hook.headers[0]["content-type"] == "application/fhir+json"
    await house.worker.work()
    assert await house.status() == "requested"
    house.clock.advance(seconds=5)
    await house.worker.work()
    assert await house.status() == "active"
    assert len(hook.bundles) == 1


async def test_an_open_transaction_is_waited_for_before_it_is_active(house: House, hook: Endpoint) -> None:
    await house.subscribe(hook.url)
    await house.worker.work()
    house.clock.advance(seconds=5)
    async with house.database.unit(house.tenant) as unit:
        await unit.conn.fetchval("select 1")
        await house.worker.work()
        assert await house.status() == "requested"
    house.clock.advance(seconds=1)
    await house.worker.work()
    assert await house.status() == "active"


async def test_events_are_told_in_order_with_numbers_that_rise_without_gaps(house: House, hook: Endpoint) -> None:
    await house.subscribe(hook.url, most=2)
    await house.activate()
    for number in range(5):
        await visit(house, number)
    await visit(house, 0, status="cancelled")
    await house.drain()
    assert hook.numbers() == [1, 2, 3, 4, 5, 6]
    bundles = hook.of("event-notification")
    assert [len(numbers_of(one)) for one in bundles] == [2, 2, 2]
    assert [said(one, "events-since-subscription-start") for one in bundles] == ["2", "4", "6"]
    focuses = [event["focus"]["reference"] for one in bundles for event in events_of(one)]
    assert focuses == [f"{SITE}/Encounter/e{number}" for number in (0, 1, 2, 3, 4, 0)]
    assert said(bundles[0], "topic") == f"{TOPICS}/Encounter-changed" and said(bundles[0], "status") == "active"
    assert [entry["request"] for entry in bundles[0]["entry"][1:]] == [{"method": "POST", "url": "Encounter"}] * 2
    assert bundles[2]["entry"][2]["request"] == {"method": "PUT", "url": "Encounter/e0"}
    assert not any("resource" in entry for entry in bundles[0]["entry"][1:])
    assert not [issue for one in bundles for issue in validate(read(write(one))) if issue.severity == "error"]


async def test_what_is_told_is_as_much_as_was_asked_for(house: House, hook: Endpoint) -> None:
    for name, content in (("s1", "empty"), ("s2", "id-only"), ("s3", "full-resource")):
        await house.subscribe(hook.url, name, content=content)
    await house.activate()
    await visit(house, 1)
    await visit(house, 1, status="cancelled")
    assert (await house.send("DELETE", "/Encounter/e1")).status_code == 204
    await house.drain()
    told = {said(one, "subscription").rpartition("/")[2].strip("'}"): one for one in hook.of("event-notification")}
    assert set(told) == {"s1", "s2", "s3"}
    assert len(told["s1"]["entry"]) == 1 and said(told["s1"], "topic") == ""
    assert all(set(one) == {"event-number", "timestamp"} for one in events_of(told["s1"]))
    assert [set(one) for one in told["s2"]["entry"][1:]] == [{"fullUrl", "request", "response"}] * 3
    first, second, third = told["s3"]["entry"][1:]
    assert (first["resource"]["status"], first["resource"]["meta"]["versionId"]) == ("finished", "1")
    assert (second["resource"]["status"], second["resource"]["meta"]["versionId"]) == ("cancelled", "2")
    assert third["request"]["method"] == "DELETE" and "resource" not in third


async def test_a_heartbeat_when_there_was_nothing_to_tell(house: House, hook: Endpoint) -> None:
    await house.subscribe(hook.url, heartbeat=60)
    await house.activate()
    house.clock.advance(seconds=40)
    await visit(house, 1)
    await house.drain()
    house.clock.advance(seconds=59)
    await house.drain()
    assert hook.of("heartbeat") == []
    house.clock.advance(seconds=1)
    await house.drain()
    beats = hook.of("heartbeat")
    assert len(beats) == 1 and said(beats[0], "events-since-subscription-start") == "1" and numbers_of(beats[0]) == []
    await house.drain()
    assert len(hook.of("heartbeat")) == 1


async def test_filters_of_a_topic_and_a_plain_search(house: House, hook: Endpoint) -> None:
    await house.send("PUT", "/Patient/p2", PATIENT | {"id": "p2"})
    await house.subscribe(hook.url, "s1", filters=["Encounter?patient=Patient/p2", "status=finished,arrived"])
    await house.subscribe(hook.url, "s2", criteria="Encounter?status=finished&service-provider.name=synthetic")
    await house.subscribe(hook.url, "s3", criteria="Encounter?date=gt2026-03-20")
    await house.activate()
    await visit(house, 1)
    await visit(house, 2, subject={"reference": "Patient/p2"})
    await visit(house, 3, subject={"reference": "Patient/p2"}, status="planned")
    assert (await house.send("DELETE", "/Encounter/e1")).status_code == 204
    await house.drain()
    told: dict[str, list[str]] = {}
    for one in hook.of("event-notification"):
        found = [event["focus"]["reference"].rpartition("/")[2] for event in events_of(one)]
        told.setdefault(said(one, "subscription").rpartition("/")[2].strip("'}"), []).extend(found)
    assert told == {"s1": ["e2"], "s2": ["e1", "e2"]}
    assert said(next(one for one in hook.of("event-notification") if len(numbers_of(one)) == 2), "topic") == ""


async def test_a_thousand_changes_arrive_in_order_though_the_endpoint_fails_now_and_then(
    house: House, hook: Endpoint
) -> None:
    calls = iter(range(1_000_000))
    hook.answer = lambda bundle: (200, 200, 500, 200, None, 200, 302)[next(calls) % 7]
    await house.subscribe(hook.url, most=50)
    for _ in range(4):
        await house.activate()
    assert await house.status() == "active"
    made = [encounter() | {"id": f"m{number}", "identifier": []} for number in range(1_000)]
    for one in made:
        one.pop("identifier")
    for start in range(0, 1_000, 100):
        answer = await house.send("POST", "", transaction(*made[start : start + 100]))
        assert answer.status_code == 200
    for _ in range(200):
        await house.worker.work()
        house.clock.advance(seconds=300)
    numbers = hook.numbers()
    assert list(dict.fromkeys(numbers)) == list(range(1, 1_001))
    by_number = {
        int(event["event-number"]): event["focus"]["reference"]
        for one in hook.of("event-notification")
        for event in events_of(one)
    }
    assert [by_number[number] for number in range(1, 1_001)] == [f"{SITE}/Encounter/m{n}" for n in range(1_000)]
    assert len(numbers) > 1_000


async def test_what_was_posted_and_not_marked_comes_again_under_the_same_number(house: House, hook: Endpoint) -> None:
    await house.subscribe(hook.url)
    await house.activate()
    await visit(house, 1)

    class Killed(BaseException):
        pass

    dying = worker_of(house.database, house.book, house.log, house.worker.http, house.tenant)
    posting = dying.post

    async def post_and_die(sent: Any) -> str:
        await posting(sent)
        raise Killed

    dying.post = post_and_die  # type: ignore[method-assign]
    with pytest.raises(Killed):
        tenants = await dying._start_of(house.tenant)
        assert tenants == 1
        await asyncio.gather(*dying._running)
    await visit(house, 2)
    await house.drain()
    assert hook.numbers() == [1]
    house.clock.advance(minutes=2)
    await house.drain()
    assert hook.numbers() == [1, 1, 2]


async def test_two_workers_share_the_work_and_tell_nothing_twice(house: House, hook: Endpoint) -> None:
    for number in range(4):
        await house.subscribe(hook.url, f"s{number}", most=3)
    await house.activate()
    other = worker_of(house.database, house.book, house.log, house.worker.http, house.tenant)
    for number in range(10):
        await visit(house, number)
    for _ in range(3):
        await asyncio.gather(house.worker.work(), other.work())
    told: dict[str, list[int]] = {}
    for one in hook.of("event-notification"):
        told.setdefault(said(one, "subscription"), []).extend(numbers_of(one))
    assert len(told) == 4 and all(numbers == list(range(1, 11)) for numbers in told.values())


async def test_a_dead_endpoint_ends_in_error_and_goes_on_where_it_stopped(house: House, hook: Endpoint) -> None:
    await house.subscribe(hook.url)
    await house.activate()
    await visit(house, 1)
    await house.drain()
    hook.answer = lambda bundle: 503
    await visit(house, 2)
    for _ in range(40):
        await house.drain()
        house.clock.advance(minutes=5)
    errored = (await house.send("GET", "/Subscription/s1")).json()
    assert (errored["status"], errored["error"]) == ("error", "the endpoint answered with status 503")
    tried = len(hook.bundles)
    await visit(house, 3)
    await house.drain()
    assert len(hook.bundles) == tried
    asked = (await house.send("GET", "/Subscription/s1/$status")).json()["entry"][0]["resource"]["parameter"]
    assert {row["name"]: row for row in asked}["events-since-subscription-start"]["valueString"] == "3"
    hook.answer, hook.bundles[:] = (lambda bundle: 200), []
    again = {name: value for name, value in errored.items() if name not in ("meta", "error")} | {"status": "active"}
    assert (await house.send("PUT", "/Subscription/s1", again)).status_code == 200
    await house.activate()
    await house.drain()
    assert (await house.status(), hook.numbers()) == ("active", [2, 3])


async def test_a_handshake_that_nobody_answers_is_an_error(house: House, hook: Endpoint) -> None:
    hook.answer = lambda bundle: 302
    await house.subscribe(hook.url)
    for _ in range(4):
        await house.drain()
        house.clock.advance(minutes=1)
    assert await house.status() == "error" and len(hook.bundles) == 3
    await visit(house, 1)
    assert await house.count("notice") == 0


async def test_a_slow_endpoint_holds_up_nobody_else(house: House, hook: Endpoint) -> None:
    async with endpoint() as slow:
        await house.subscribe(slow.url, "slow", timeout=1)
        await house.subscribe(hook.url, "quick")
        await house.activate()
        slow.delay_s = 30.0
        await visit(house, 1)
        await house.worker._start_of(house.tenant)
        await hook.told.wait()
        assert house.worker._running  # the slow one is still waited for
        await house.worker.work()
        rows = (await house.send("GET", "/Subscription/$status")).json()["entry"]
        assert len(rows) == 2 and slow.numbers() == []


async def test_answers_are_read_up_to_a_bound_and_redirects_are_not_followed(house: House, hook: Endpoint) -> None:
    hook.body = b"x" * 1_000_000
    await house.subscribe(hook.url)
    await house.activate()
    assert await house.status() == "active"
    hook.answer = lambda bundle: 307
    await visit(house, 1)
    await house.drain()
    assert len(hook.of("event-notification")) == 1


async def test_a_book_that_is_too_old_is_not_believed(house: House, hook: Endpoint) -> None:
    await house.subscribe(hook.url)
    await house.activate()
    now = house.book._renewed
    house.book._tenants.clear()
    house.book.monotonic = lambda: now + 2.5
    await visit(house, 1)
    assert await house.count("notice") == 1
    house.book.monotonic = lambda: now + 1.0
    await visit(house, 2)
    assert await house.count("notice") == 1  # believed, and empty
    await house.book.renew()
    await visit(house, 3)
    assert await house.count("notice") == 2


async def test_nothing_of_a_patient_and_no_secret_is_logged(
    house: House, hook: Endpoint, capfd: pytest.CaptureFixture[str]
) -> None:
    await house.subscribe(hook.url, header=[f"Authorization: {SECRET}"], content="full-resource")
    await house.activate()
    hook.answer = lambda bundle: 500
    await visit(house, 1)
    await house.drain()
    hook.answer = lambda bundle: None
    house.clock.advance(minutes=5)
    await house.drain()
    said_all = "\n".join(house.log.lines) + "".join(capfd.readouterr())
    assert "secret" not in said_all and "p1" not in said_all and "hook" not in said_all.replace("hook.", "")


async def test_events_are_kept_for_a_time(house: House, hook: Endpoint) -> None:
    await house.subscribe(hook.url)
    await house.activate()
    await visit(house, 1)
    await house.drain()
    house.clock.advance(days=10)
    await visit(house, 2)
    await house.drain()
    async with house.database.unit(house.tenant) as unit:
        assert await Notices(unit).prune(timedelta(days=5)) == 1
    assert numbers_of((await house.send("GET", "/Subscription/s1/$events")).json()) == [2]


async def test_the_background_coroutines_do_all_of_it_by_themselves(house: House, hook: Endpoint) -> None:
    house.worker.every_s = 0.02
    running = [asyncio.create_task(house.book.run()), asyncio.create_task(house.worker.run())]
    await house.subscribe(hook.url)
    while await house.status() != "active":
        house.clock.advance(seconds=1)
        await asyncio.sleep(0.02)
    await house.book.renew()  # the clock of this test runs ahead of the book's
    await visit(house, 1)
    async with asyncio.timeout(20):
        await hook.told.wait()
    for task in running:
        task.cancel()
    ended = await asyncio.gather(*running, return_exceptions=True)
    assert [type(one) for one in ended] == [asyncio.CancelledError] * 2
    assert hook.numbers() == [1]
