"""Replicas of a service in one place: what one of them does for all, and what is said when NATS is too small."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import structlog
from bus import Database, Timer, TimerHandler, Unit
from bus.timers import POLL_S
from chassis import Parts
from chassis.line import Broker, Line
from kernel.clock import SystemClock
from nats.aio.client import Client
from platform_fixture import Platform
from structlog.testing import capture_logs

SERVICE = "probe-service"


@pytest.fixture
async def database(probe: str) -> AsyncIterator[Database]:
    opened = Database(probe, "probe_service", SystemClock())
    await opened.open()
    yield opened
    await opened.close()


async def until(question: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not question():  # noqa: ASYNC110 - what is asked of has no event
            await asyncio.sleep(0.02)


@asynccontextmanager
async def line_of(database: Database, url: str, parts: Parts, replicas: int = 1) -> AsyncIterator[Line]:
    broker = Broker(url, SERVICE)
    line = Line(SERVICE, database, broker, parts, structlog.get_logger(), replicas)
    line.start()
    try:
        yield line
    finally:
        await line.stop_taking_in()
        await line.flush()
        await broker.close()


async def test_what_is_done_alone_runs_in_one_replica_and_goes_on_in_another(
    platform: Platform, database: Database
) -> None:
    running: Counter[str] = Counter()
    began: list[tuple[str, str]] = []

    def parts(replica: str) -> Parts:
        def mailbox(name: str) -> Callable[[], Any]:
            async def run() -> None:
                running[name] += 1
                began.append((replica, name))
                assert running[name] == 1
                try:
                    await asyncio.sleep(3600)
                finally:
                    running[name] -= 1

            return run

        return Parts(alone={name: mailbox(name) for name in ("mailbox", "folders")})

    def everything_runs() -> bool:
        return running == Counter(mailbox=1, folders=1)

    async with line_of(database, platform.nats_url, parts("b")) as second:
        async with line_of(database, platform.nats_url, parts("a")):
            await until(lambda: everything_runs() and len({replica for replica, _ in began}) == 2)
            await second.stop_taking_in()
            await until(everything_runs)
            assert {name for replica, name in began if replica == "a"} == {"mailbox", "folders"}
        assert +running == Counter()


async def test_a_timer_asks_others_once_however_many_replicas_there_are(
    platform: Platform, database: Database, tenant: str
) -> None:
    asked: Counter[str] = Counter()

    async def prepare(timer: Timer) -> None:
        asked[timer.key] += 1
        await asyncio.sleep(2 * POLL_S)  # the others would look meanwhile

    async def handle(unit: Unit, timer: Timer, _prepared: Any) -> None:
        await unit.conn.execute("insert into note (note_id) values ($1)", timer.key)

    parts = Parts(timers={"ask": TimerHandler(handle, prepare)})
    async with line_of(database, platform.nats_url, parts), line_of(database, platform.nats_url, parts):
        async with database.unit(tenant) as unit:
            for number in range(5):
                await unit.schedule("ask", f"{tenant}-{number}", unit.now)
        await until(lambda: len(asked) == 5)
        await asyncio.sleep(4 * POLL_S)
    assert asked == {f"{tenant}-{number}": 1 for number in range(5)}
    async with database.transaction(tenant) as conn:
        assert await conn.fetchval("select count(*) from note") == 5


async def test_a_connection_that_does_not_come_back_is_given_up(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chassis.line.LOOK_EVERY_S", 0.05)
    monkeypatch.setattr("chassis.line.GIVE_UP_S", 0.2)
    broker = Broker(platform.nats_url, SERVICE)
    stuck = await broker.client()
    looking = asyncio.create_task(broker.look_after())
    await asyncio.sleep(0.5)
    assert await broker.client() is stuck  # one that answers stays
    stuck._status = Client.RECONNECTING  # as when its own attempts hang
    await until(lambda: stuck.is_closed)
    other = await broker.client()
    assert other is not stuck and other.is_connected
    looking.cancel()
    await broker.close()


async def test_a_nats_that_is_too_small_is_said_once_and_the_service_lives(
    platform: Platform, database: Database
) -> None:
    with capture_logs() as logs:
        async with line_of(database, platform.nats_url, Parts(), 3):
            await until(lambda: any("RCM_NATS_REPLICAS" in entry["event"] for entry in logs))
            await asyncio.sleep(1)
    told = [entry for entry in logs if "RCM_NATS_REPLICAS" in entry["event"]]
    assert {entry["log_level"] for entry in told} == {"error"}
    assert len(told) == len({entry["stream"] for entry in told})  # once for each
    assert [entry for entry in logs if entry["event"] == "task failed"] == []
