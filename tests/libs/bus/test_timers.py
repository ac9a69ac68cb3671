"""Timers wake what waits: once, at their time, again after a failure, and each for itself."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bus import Database, Timer, TimerHandler, TimerRunner, Unit
from kernel.clock import FixedClock
from kernel.errors import Unavailable
from rcm.engine.v1.engine_pb2 import EncounterCancelled
from rcm.event.v1.envelope_pb2 import Envelope

START = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def clock(database: Database) -> FixedClock:
    clock = FixedClock(START)
    database.clock = clock
    return clock


async def schedule(database: Database, tenant: str, key: str, after_s: int) -> None:
    async with database.unit(tenant) as unit:
        await unit.schedule("probe", key, START + timedelta(seconds=after_s), b"payload")


async def write_effect(unit: Unit, timer: Timer, prepared: Any) -> None:
    await unit.conn.execute("insert into effect (key, number) values ($1, 1)", timer.key)


async def effects(database: Database, tenant: str) -> list[str]:
    async with database.transaction(tenant) as conn:
        return [row["key"] for row in await conn.fetch("select key from effect order by key")]


async def test_a_timer_fires_once_when_it_is_due_and_not_before(
    database: Database, clock: FixedClock, tenant: str
) -> None:
    await schedule(database, tenant, "soon", 5)
    runner = TimerRunner(database, {"probe": TimerHandler(write_effect)})
    await runner.run_due()
    assert await effects(database, tenant) == []
    clock.advance(seconds=5)
    await runner.run_due()
    await runner.run_due()
    assert await effects(database, tenant) == ["soon"]


async def test_the_same_timer_again_replaces_the_open_one_and_a_cancelled_one_is_gone(
    database: Database, clock: FixedClock, tenant: str
) -> None:
    await schedule(database, tenant, "moved", 1)
    await schedule(database, tenant, "moved", 100)
    await schedule(database, tenant, "cancelled", 1)
    async with database.unit(tenant) as unit:
        await unit.cancel("probe", "cancelled")
    clock.advance(seconds=10)
    await TimerRunner(database, {"probe": TimerHandler(write_effect)}).run_due()
    assert await effects(database, tenant) == []


async def test_one_that_fails_comes_again_and_holds_up_no_other(
    database: Database, clock: FixedClock, tenant: str
) -> None:
    tries: list[int] = []

    async def prepare(timer: Timer) -> None:
        if timer.key == "bad":
            tries.append(timer.attempts)
            if timer.attempts == 0:
                raise Unavailable("payer-away", "not now")

    for key in ("bad", "good"):
        await schedule(database, tenant, key, 0)
    runner = TimerRunner(database, {"probe": TimerHandler(write_effect, prepare)})
    await runner.run_due()
    assert await effects(database, tenant) == ["good"]
    clock.advance(seconds=60)
    await runner.run_due()
    assert await effects(database, tenant) == ["bad", "good"]
    assert tries == [0, 1]


async def test_an_effect_that_fails_leaves_nothing_half_done(
    database: Database, clock: FixedClock, tenant: str
) -> None:
    async def handle(unit: Unit, timer: Timer, prepared: Any) -> None:
        await write_effect(unit, timer, prepared)
        raise ValueError("after the effect")

    await schedule(database, tenant, "half", 0)
    await TimerRunner(database, {"probe": TimerHandler(handle)}).run_due()
    assert await effects(database, tenant) == []
    assert await database.relay.fetchval("select attempts from timer where key = 'half'") == 1


async def test_what_a_timer_wakes_belongs_to_its_journey(database: Database, clock: FixedClock, tenant: str) -> None:
    journey = "0af7651916cd43dd8448eb211c80319c"
    async with database.unit(tenant) as unit:
        await unit.schedule("probe", "inquire", START, journey_id=journey)
    async with database.unit(tenant) as unit:
        await unit.schedule("probe", "inquire", START)  # who does not know the journey does not take it away
    seen: list[str] = []

    async def again(unit: Unit, timer: Timer, _prepared: Any) -> None:
        seen.append(timer.journey_id)
        if len(seen) < 3:
            await unit.schedule("probe", timer.key, START)
            await unit.emit("encounter.cancelled", EncounterCancelled(encounter=tenant), key=tenant)

    runner = TimerRunner(database, {"probe": TimerHandler(again)})
    for _ in range(3):
        await runner.run_due()
    assert seen == [journey] * 3
    async with database.relay.acquire() as conn:
        rows = await conn.fetch("select envelope from outbox where tenant = $1", tenant)
    assert [Envelope.FromString(row["envelope"]).journey_id for row in rows] == [journey] * 2
