"""A fact goes from the outbox over the stream into the inbox: once, in order, and again when the stream is lost."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import bus.relay as relay_module
import pytest
from bus import Consumer, Database, Event, Relay, Subscription, Unit, subject_of
from bus.event import encode
from bus.flow import DEAD_STREAM, STREAM
from kernel.errors import Refused, Unavailable
from nats.aio.client import Client
from rcm.engine.v1.engine_pb2 import EncounterCancelled, EncounterFinished
from rcm.event.v1.envelope_pb2 import Envelope

SERVICE = "coding"  # the flow table's consumer of the facts below


@asynccontextmanager
async def running(*works: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(work()) for work in works]  # type: ignore[arg-type]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            assert isinstance(result, asyncio.CancelledError), result


async def until(question: Callable[[], Awaitable[bool]], seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not await question():  # noqa: ASYNC110 - the question is asked of a database
            await asyncio.sleep(0.05)


async def emit(database: Database, tenant: str, key: str, number: int) -> str:
    async with database.unit(tenant) as unit:
        body = EncounterCancelled(encounter=key, encounter_key=str(number))
        return await unit.emit("encounter.cancelled", body, key=key, version=number)


async def effects(database: Database, tenant: str) -> list[tuple[str, int]]:
    async with database.transaction(tenant) as conn:
        rows = await conn.fetch("select key, number from effect order by effect_id")
    return [(row["key"], row["number"]) for row in rows]


async def write_effect(unit: Unit, event: Event, prepared: Any) -> None:
    await unit.conn.execute(
        "insert into effect (key, number) values ($1, $2)", event.body.encounter, int(event.body.encounter_key)
    )


def consumer_of(database: Database, broker: Client, handle: Any = write_effect, prepare: Any = None) -> Consumer:
    return Consumer(database, broker, SERVICE, [Subscription("encounter.cancelled", handle, prepare)])


async def test_facts_arrive_once_and_in_the_order_of_their_key(database: Database, broker: Client, tenant: str) -> None:
    for number in range(30):
        await emit(database, tenant, f"Encounter/{number % 3}", number)
    consumer = consumer_of(database, broker)

    async def all_there() -> bool:
        return len(await effects(database, tenant)) == 30

    async with running(Relay(database, broker, SERVICE).run, consumer.run):
        await until(all_there)
        # Publishing everything once more changes nothing: the inbox has them all.
        async with database.relay.acquire() as conn:
            await conn.execute("update outbox set published_at = null")
        await emit(database, tenant, "Encounter/last", 99)

        async def last_there() -> bool:
            return ("Encounter/last", 99) in await effects(database, tenant)

        await until(last_there)
    seen = await effects(database, tenant)
    assert len(seen) == 31
    for key in ("Encounter/0", "Encounter/1", "Encounter/2"):
        numbers = [number for seen_key, number in seen if seen_key == key]
        assert numbers == sorted(numbers)


async def test_a_fact_that_rolls_back_is_never_told(database: Database, broker: Client, tenant: str) -> None:
    with pytest.raises(RuntimeError, match="no"):
        async with database.unit(tenant) as unit:
            await unit.emit("encounter.cancelled", EncounterCancelled(encounter="Encounter/x"), key="Encounter/x")
            raise RuntimeError("no")
    assert await database.relay.fetchval("select count(*) from outbox") == 0


async def test_a_wrong_message_type_is_refused(database: Database, tenant: str) -> None:
    async with database.unit(tenant) as unit:
        with pytest.raises(TypeError, match="carries"):
            await unit.emit("encounter.cancelled", EncounterFinished(), key="k")


async def test_later_facts_of_a_key_wait_for_one_that_cannot_be_handled_yet(
    database: Database, broker: Client, tenant: str
) -> None:
    failures = iter([True, True, False])

    async def prepare(event: Event) -> None:
        if event.body.encounter_key == "0" and next(failures, False):
            raise Unavailable("payer-away", "later", retry_after_s=0.3)

    for number in range(5):
        await emit(database, tenant, "Encounter/slow", number)
    consumer = consumer_of(database, broker, prepare=prepare)

    async def all_there() -> bool:
        return len(await effects(database, tenant)) == 5

    async with running(Relay(database, broker, SERVICE).run, consumer.run):
        await until(all_there)
    assert [number for _, number in await effects(database, tenant)] == [0, 1, 2, 3, 4]
    assert await database.relay.fetchval("select count(*) from blocked") == 0


async def test_what_can_never_succeed_becomes_a_dead_letter_and_holds_nobody_up(
    database: Database, broker: Client, tenant: str
) -> None:
    async def handle(unit: Unit, event: Event, prepared: Any) -> None:
        await write_effect(unit, event, prepared)
        if event.body.encounter_key == "0":
            raise Refused("never", "this one is refused")

    for number in range(3):
        await emit(database, tenant, "Encounter/poison", number)
    consumer = consumer_of(database, broker, handle)

    async def others_there() -> bool:
        return len(await effects(database, tenant)) == 2

    async with running(Relay(database, broker, SERVICE).run, consumer.run):
        await until(others_there)
    assert [number for _, number in await effects(database, tenant)] == [1, 2]
    async with database.transaction(tenant) as conn:
        dead = await conn.fetchrow("select type, reason from dead_letter")
    assert dict(dead) == {"type": "encounter.cancelled", "reason": "never"}
    info = await broker.jetstream().stream_info(DEAD_STREAM)
    message = await broker.jetstream().get_msg(DEAD_STREAM, info.state.last_seq)
    assert (message.headers or {})["Rcm-Reason"] == "never"
    assert tenant not in message.subject


async def test_an_unknown_version_is_a_dead_letter_with_that_reason(
    database: Database, broker: Client, tenant: str
) -> None:
    async with database.unit(tenant) as unit:
        body = EncounterCancelled(encounter="Encounter/v")
        event_id = await unit.emit("encounter.cancelled", body, key="Encounter/v")
    async with database.relay.acquire() as conn:
        row = await conn.fetchrow("select envelope, subject from outbox where event_id = $1", event_id)
        envelope = Envelope.FromString(row["envelope"])
        envelope.schema_version = 99
        await conn.execute("update outbox set envelope = $1", envelope.SerializeToString())
    consumer = consumer_of(database, broker)

    async def buried() -> bool:
        async with database.transaction(tenant) as conn:
            return bool(await conn.fetchval("select reason from dead_letter") == "event-version-unknown")

    async with running(Relay(database, broker, SERVICE).run, consumer.run):
        await until(buried)
    assert await effects(database, tenant) == []


async def test_a_body_over_the_limit_goes_by_reference(database: Database, broker: Client, tenant: str) -> None:
    large = "x" * 700_000
    got: list[int] = []

    async def handle(unit: Unit, event: Event, prepared: Any) -> None:
        got.append(len(event.body.encounter_key))

    async with database.unit(tenant) as unit:
        await unit.emit(
            "encounter.cancelled",
            EncounterCancelled(encounter="Encounter/big", encounter_key=large),
            key="Encounter/big",
        )
    consumer = consumer_of(database, broker, handle)

    async def arrived() -> bool:
        return bool(got)

    async with running(Relay(database, broker, SERVICE).run, consumer.run):
        await until(arrived)
    assert got == [700_000]


async def test_a_lost_stream_is_filled_again_and_nothing_is_handled_twice(
    database: Database, broker: Client, tenant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_module, "CONFIRM_EVERY_S", 0.5)
    js = broker.jetstream()
    await emit(database, tenant, "Encounter/a", 1)

    async def published() -> bool:
        return bool(await database.relay.fetchval("select count(*) = 0 from outbox where published_at is null"))

    async with running(Relay(database, broker, SERVICE).run):
        await until(published)
    await js.delete_stream(STREAM)  # before any consumer had the fact
    consumer = consumer_of(database, broker)

    async def count(number: int) -> bool:
        return len(await effects(database, tenant)) == number

    relay = _again(Relay(database, broker, SERVICE).run)
    async with running(relay, _again(consumer.run)):
        await until(lambda: count(1))
        await js.delete_stream(STREAM)
        await emit(database, tenant, "Encounter/b", 2)
        await until(lambda: count(2))
    assert sorted(number for _, number in await effects(database, tenant)) == [1, 2]


def _again(work: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
    async def run() -> None:
        while True:
            with contextlib.suppress(Exception):
                await work()
            await asyncio.sleep(0.1)

    return run


async def test_tenants_never_meet(database: Database, broker: Client, tenant: str) -> None:
    await emit(database, tenant, "Encounter/1", 1)
    async with database.transaction(f"{tenant}-other") as conn:
        assert await conn.fetchval("select count(*) from outbox") == 0
    async with database.app.acquire() as conn:
        assert await conn.fetchval("select count(*) from outbox") == 0


def test_no_subject_names_anything_but_the_kind_of_fact() -> None:
    assert subject_of("encounter.finished", "Encounter/1").rsplit(".", 1)[0] == "rcm.v1.encounter.finished"


def test_encode_refuses_what_the_flow_table_does_not_know() -> None:
    from kernel.clock import SystemClock

    event = Event("id", "nothing.happened", "t", "", "k", 0, SystemClock().now(), "", EncounterCancelled())
    with pytest.raises(KeyError):
        encode(event)


async def test_a_unit_that_is_cut_off_leaves_nothing_open_behind(database: Database, tenant: str) -> None:
    started = asyncio.Event()

    async def stuck() -> None:
        async with database.unit(tenant) as unit:
            await unit.conn.execute("insert into effect (key, number) values ('cut-off', 1)")
            started.set()
            await unit.conn.execute("select pg_sleep(30)")

    task = asyncio.create_task(stuck())
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    for _ in range(12):  # every connection of the pool
        async with database.app.acquire() as conn:
            assert not conn.is_in_transaction()
            assert await conn.fetchval("select count(*) from effect") == 0
    assert await effects(database, tenant) == []


async def test_a_tenants_name_is_a_value_and_never_sql(database: Database) -> None:
    odd = "o'; drop table effect; --"
    async with database.transaction(odd) as conn:
        await conn.execute("insert into effect (key, number) values ('odd', 1)")
    assert await effects(database, odd) == [("odd", 1)]
    assert await effects(database, "o") == []
