"""Several replicas of one service in a test: each with its own pools, its own broker connection and its own relay."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg
from bus import Consumer, Database, Event, Relay, Subscription, Unit
from bus.flow import PARTITIONS
from bus.jetstream import connect
from kernel.clock import SystemClock
from rcm.engine.v1.engine_pb2 import EncounterCancelled

SERVICE, EVENT = "coding", "encounter.cancelled"
ALL = frozenset(range(PARTITIONS))
Prepare = Callable[[Event], Awaitable[Any]]


async def again(work: Callable[[], Awaitable[None]]) -> None:
    """As the chassis does it: what ends with an error is begun again."""
    while True:
        with contextlib.suppress(Exception):
            await work()
        await asyncio.sleep(0.1)


async def keep(_name: str, run: Callable[[], Awaitable[None]]) -> None:
    """The same for a partition, which ends when it has been handed over."""
    while True:
        try:
            return await run()
        except Exception:
            await asyncio.sleep(0.1)


async def stop(task: asyncio.Task[None]) -> None:
    """Again and again, as the chassis does it: Python 3.11 may lose one."""
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=0.5)


async def write_effect(unit: Unit, event: Event, _prepared: Any) -> None:
    """Its number goes into the table in the order in which facts are handled."""
    number = int(event.body.encounter_key)
    await unit.conn.execute("insert into effect (key, number) values ($1, $2)", event.body.encounter, number)


@dataclass
class Replica:
    """One process of the service, as far as the line is concerned."""

    name: str
    database: Database
    consumer: Consumer
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def leave(self) -> None:
        """As on SIGTERM."""
        await asyncio.gather(*(stop(task) for task in self.tasks))

    async def lose_session(self, owner: asyncpg.Connection) -> bool:
        """As when its node goes away: Postgres ends the session that holds its part. False when it has none now."""
        query = """select pg_terminate_backend(pid) from pg_locks join pg_stat_activity using (pid)
            where locktype = 'advisory' and application_name = $1
            and ((classid::bigint << 32) | objid::bigint) = hashtextextended($2, 0)"""
        return bool(await owner.fetchval(query, self.name, f"member:{SERVICE}"))


@dataclass
class Service:
    """Starts replicas and stops what is left of them."""

    platform: Any
    schema: str
    prepare: Prepare | None = None
    running: dict[str, Replica] = field(default_factory=dict)
    count: int = 0

    async def join(self, relay: bool = True) -> Replica:
        """One more replica."""
        self.count += 1
        name = f"{self.schema}-{self.count}"
        database = Database(self.platform.url_for(self.schema), self.schema, SystemClock())
        database.announced = name
        await database.open()
        client = await connect(self.platform.nats_url, name)
        subscription = Subscription(EVENT, write_effect, self.prepare)
        consumer = Consumer(database, client, SERVICE, [subscription], keep=keep)
        replica = Replica(name, database, consumer)
        works = [consumer.run, *([Relay(database, client, SERVICE).run] if relay else [])]
        replica.tasks = [asyncio.create_task(again(work)) for work in works]
        self.running[name] = replica
        return replica

    async def leave(self, replica: Replica) -> None:
        """One fewer."""
        del self.running[replica.name]
        await replica.leave()
        await replica.consumer._setting.client.close()
        await replica.database.close()

    def spread(self) -> list[int]:
        """How many partitions each replica has, the largest number first."""
        return sorted((len(one.consumer.held) for one in self.running.values()), reverse=True)

    def is_whole(self, *spread: int) -> bool:
        """Whether each partition has exactly one holder, so many each."""
        held = [number for one in self.running.values() for number in one.consumer.held]
        return sorted(held) == sorted(ALL) and self.spread() == list(spread)


@asynccontextmanager
async def service_of(platform: Any, schema: str, prepare: Prepare | None = None) -> AsyncIterator[Service]:
    """A service without replicas yet."""
    service = Service(platform, schema, prepare)
    try:
        yield service
    finally:
        for replica in list(service.running.values()):
            await service.leave(replica)


async def until(question: Callable[[], Any], seconds: float = 60) -> float:
    """Waits until it is so; how many seconds that took."""
    clock = asyncio.get_running_loop().time
    began = clock()
    async with asyncio.timeout(seconds):
        while True:
            answer = question()
            if await answer if asyncio.iscoroutine(answer) else answer:
                return clock() - began
            await asyncio.sleep(0.02)


async def emit(database: Database, tenant: str, key: str, number: int, blanks: int = 0) -> str:
    """A fact that says which of its key it is, and is as large as it is told to be."""
    async with database.unit(tenant) as unit:
        body = EncounterCancelled(encounter=key, encounter_key=" " * blanks + str(number))
        return await unit.emit(EVENT, body, key=key, version=number)


async def effects(database: Database, tenant: str) -> list[tuple[str, int]]:
    """What was handled, in that order."""
    async with database.transaction(tenant) as conn:
        rows = await conn.fetch("select key, number from effect order by effect_id")
    return [(row["key"], row["number"]) for row in rows]


def out_of_order(seen: Sequence[tuple[str, int]], sent: dict[str, int]) -> list[str]:
    """The keys whose facts were not handled as 0, 1, 2 and so on, each once, up to what was sent."""
    by_key: dict[str, list[int]] = defaultdict(list)
    for key, number in seen:
        by_key[key].append(number)
    return [key for key in sent.keys() | by_key.keys() if by_key[key] != list(range(sent.get(key, 0)))]
