"""Several replicas of a service on one line: facts of a key stay in order and have their effect once, whoever goes."""

from __future__ import annotations

import asyncio
import random
from collections import Counter

import asyncpg
import pytest
from bus import Database, Event
from bus.flow import partition_of
from bus.jetstream import ACK_WAIT_S
from bus.waiting import Waiting
from bus_replicas import ALL, Service, effects, emit, out_of_order, service_of, until
from kernel.errors import Unavailable

SEED = 20_261_122
KEYS = [f"Encounter/{number}" for number in range(10)]


def key_in(partition: int) -> str:
    """A key whose facts go to a partition."""
    return next(key for key in (f"Encounter/p{number}" for number in range(100)) if partition_of(key) == partition)


async def kill_session(owner_url: str, service: Service, name: str) -> None:
    """The session that holds its partitions ends; it comes back by itself."""
    owner = await asyncpg.connect(owner_url)
    try:
        await until(lambda: service.running[name].lose_session(owner))
    finally:
        await owner.close()


async def come_and_go(owner_url: str, service: Service, chance: random.Random, sent: asyncio.Event) -> Counter[str]:
    """One replica to three to one, again and again, in order or not, for as long as facts are being sent."""
    done: Counter[str] = Counter()
    while not sent.is_set() or len(done) < 3:
        names = list(service.running)
        what = chance.choice(["join", "join", "leave", "kill"])
        if what == "join" and len(names) < 3:
            await service.join()
        elif what == "leave" and len(names) > 1:
            await service.leave(service.running[chance.choice(names)])
        elif what == "kill":
            await kill_session(owner_url, service, chance.choice(names))
        else:
            continue
        done[what] += 1
        await asyncio.sleep(chance.uniform(0.1, 0.8))
    return done


async def test_order_and_once_while_replicas_come_and_go(platform, database: Database, tenant: str) -> None:  # type: ignore[no-untyped-def]
    chance = random.Random(SEED)
    sent: dict[str, int] = dict.fromkeys(KEYS, 0)
    all_sent = asyncio.Event()

    async def prepare(event: Event) -> None:
        await asyncio.sleep(chance.uniform(0, 0.01))
        if chance.random() < 0.03:
            raise Unavailable("payer-away", "later", retry_after_s=chance.uniform(0.05, 0.4))
        if chance.random() < 0.02:
            raise RuntimeError("a mistake that goes away")

    async with service_of(platform, database.schema, prepare) as service:
        await service.join()
        coming = asyncio.create_task(come_and_go(platform.owner_url, service, chance, all_sent))
        for _ in range(400):
            key = chance.choice(KEYS)
            await emit(database, tenant, key, sent[key])
            sent[key] += 1
            await asyncio.sleep(chance.uniform(0, 0.02))
        all_sent.set()
        done = await coming

        async def all_there() -> bool:
            return len(await effects(database, tenant)) >= 400

        await until(all_there, 120)
        for replica in list(service.running.values())[1:]:
            await service.leave(replica)
        await until(lambda: service.is_whole(4))
    assert done.keys() == {"join", "leave", "kill"}
    assert out_of_order(await effects(database, tenant), sent) == []
    assert await database.relay.fetchval("select count(*) from blocked") == 0
    assert await database.relay.fetchval("select count(*) from dead_letter") == 0


async def test_the_order_check_finds_a_fact_that_overtook(  # type: ignore[no-untyped-def]
    platform, database: Database, tenant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Waiting, "is_first", lambda *_: True)  # as if nothing had to wait
    overtaken = asyncio.Event()

    async def prepare(event: Event) -> None:
        if event.body.encounter_key == "2":
            overtaken.set()
        elif event.body.encounter_key == "0" and not overtaken.is_set():
            raise Unavailable("payer-away", "later", retry_after_s=0.05)

    for number in range(3):
        await emit(database, tenant, KEYS[0], number)
    async with service_of(platform, database.schema, prepare) as service:
        await service.join()

        async def all_there() -> bool:
            return len(await effects(database, tenant)) == 3

        await until(all_there)
    seen = await effects(database, tenant)
    assert out_of_order(seen, {KEYS[0]: 3}) == [KEYS[0]]
    assert out_of_order(sorted(seen), {KEYS[0]: 3}) == []
    assert out_of_order([*sorted(seen), seen[0]], {KEYS[0]: 3}) == [KEYS[0]]  # twice
    assert out_of_order(sorted(seen)[:2], {KEYS[0]: 3}) == [KEYS[0]]  # lost


@pytest.mark.parametrize("how", ["leaves", "killed"])
async def test_what_a_holder_had_in_hand_is_the_next_ones_at_once(  # type: ignore[no-untyped-def]
    platform, database: Database, tenant: str, how: str
) -> None:
    """Not only after the broker's patience with whoever does not acknowledge, and before anything that came later."""
    asked: list[int] = []
    stuck = asyncio.Event()

    async def prepare(event: Event) -> None:
        asked.append(int(event.body.encounter_key))
        if not stuck.is_set():
            stuck.set()
            await asyncio.sleep(3600)

    async with service_of(platform, database.schema, prepare) as service:
        first = await service.join()
        await until(lambda: service.is_whole(4))
        await emit(database, tenant, key_in(2), 0)
        await asyncio.wait_for(stuck.wait(), 60)
        second = await service.join()
        await emit(database, tenant, key_in(2), 1)
        if 2 in first.consumer.held:
            if how == "leaves":
                await service.leave(first)
            else:
                await kill_session(platform.owner_url, service, first.name)

        async def both_there() -> bool:
            return len(await effects(database, tenant)) == 2

        took = await until(both_there)
        assert second.consumer.held
    assert took < ACK_WAIT_S / 2
    assert out_of_order(await effects(database, tenant), {key_in(2): 2}) == []
    assert asked[0] == 0


async def test_nothing_stale_holds_up_a_partition_that_comes_back(  # type: ignore[no-untyped-def]
    platform, database: Database, tenant: str
) -> None:
    """A fact fails with one holder, is handled by the next, and the first one takes the partition again."""
    away = True

    async def prepare(event: Event) -> None:
        if away and event.body.encounter_key == "0":
            raise Unavailable("payer-away", "later", retry_after_s=60.0)

    async def handled() -> int:
        return len(await effects(database, tenant))

    async with service_of(platform, database.schema, prepare) as service:
        await service.join()
        for number in range(2):
            await emit(database, tenant, key_in(1), number)
        blocked = "select count(*) from blocked"

        async def is_blocked() -> bool:
            return bool(await database.relay.fetchval(blocked) == 1)

        await until(is_blocked)
        await service.join()
        await until(lambda: service.is_whole(2, 2))
        assert await handled() == 0
        away = False
        holder = next(one for one in service.running.values() if 1 in one.consumer.held)
        await kill_session(platform.owner_url, service, holder.name)

        async def both() -> bool:
            return await handled() == 2

        await until(both)  # a minute was not waited for: who takes a partition tries at once
        # As a holder that was cut off may leave it behind: the fact had its effect, and is written down as failed.
        async with database.transaction(tenant) as conn:
            await conn.execute(
                "insert into blocked (ordering_key, event_id) select $1, event_id from inbox limit 1", key_in(1)
            )
        for replica in list(service.running.values()):
            await kill_session(platform.owner_url, service, replica.name)
        await emit(database, tenant, key_in(1), 2)

        async def third() -> bool:
            return await handled() == 3

        await until(third)
        assert await database.relay.fetchval(blocked) == 0
    assert out_of_order(await effects(database, tenant), {key_in(1): 3}) == []


async def test_nobody_is_asked_again_about_what_had_its_effect(platform, database: Database, tenant: str) -> None:  # type: ignore[no-untyped-def]
    """One fact waits for long; those behind it that were handled come again with every new holder, and end quietly."""
    asked: Counter[str] = Counter()

    async def prepare(event: Event) -> None:
        asked[event.body.encounter] += 1
        if event.body.encounter == key_in(0):
            raise Unavailable("payer-away", "later", retry_after_s=60.0)

    others = [f"{key_in(0)}-{number}" for number in range(40)]
    others = [key for key in others if partition_of(key) == 0]
    async with service_of(platform, database.schema, prepare) as service:
        first = await service.join()
        for key in (key_in(0), *others):
            await emit(database, tenant, key, 0)

        async def others_there() -> bool:
            return len(await effects(database, tenant)) == len(others)

        await until(others_there)
        await service.leave(first)
        await service.join()
        await until(lambda: asked[key_in(0)] >= 2)
        await emit(database, tenant, others[0], 1)

        async def one_more() -> bool:
            return len(await effects(database, tenant)) == len(others) + 1

        await until(one_more)
    assert len(others) > 3
    assert [asked[key] for key in others] == [2, *[1] * (len(others) - 1)]


async def test_a_standby_relay_takes_over(platform, database: Database, tenant: str) -> None:  # type: ignore[no-untyped-def]
    async with service_of(platform, database.schema) as service:
        await service.join()
        await service.join()
        await until(lambda: service.is_whole(2, 2))
        for number in range(4):
            owner = await asyncpg.connect(platform.owner_url)
            killed = await owner.fetchval(
                """select count(pg_terminate_backend(pid)) from pg_locks where locktype = 'advisory' and granted
                and ((classid::bigint << 32) | objid::bigint) = hashtextextended('relay:coding', 0)"""
            )
            await owner.close()
            assert killed == 1
            await emit(database, tenant, KEYS[1], number)

            async def there(count: int = number + 1) -> bool:
                return len(await effects(database, tenant)) == count

            await until(there)
    assert out_of_order(await effects(database, tenant), {KEYS[1]: 4}) == []


async def test_no_more_than_two_sessions_of_each_replica_wait_for_locks(  # type: ignore[no-untyped-def]
    platform, database: Database
) -> None:
    async with service_of(platform, database.schema) as service:
        for _ in range(3):
            await service.join()
        await until(lambda: service.is_whole(2, 1, 1))
        owner = await asyncpg.connect(platform.owner_url)
        for name in service.running:
            count = await owner.fetchval(
                """select count(distinct pid) from pg_locks join pg_stat_activity using (pid)
                where locktype = 'advisory' and application_name = $1""",
                name,
            )
            assert 1 <= count <= 2  # its part of the partitions and, in one of them, the relay
        await owner.close()
        assert {number for one in service.running.values() for number in one.consumer.held} == ALL
