"""What the bus counts and watches: facts in and out, what piles up before them, and the database's connections."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from time import perf_counter
from typing import TYPE_CHECKING, Any

import asyncpg
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError
from opentelemetry.metrics import CallbackOptions, Histogram, Meter, NoOpMeter, Observation

from bus.flow import PARTITIONS, STREAM, SUBJECT_PREFIX
from bus.jetstream import BROKER_ERRORS

if TYPE_CHECKING:
    from bus.unit import Database

WATCH_EVERY_S = 15.0
OVERDUE = "1 minute"
LEVELS = (
    ("rcm.bus.consumer.lag", ""),
    ("rcm.bus.consumer.unacknowledged", ""),
    ("rcm.bus.partitions.held", ""),
    ("rcm.bus.outbox.pending", ""),
    ("rcm.bus.outbox.age", "s"),
    ("rcm.bus.blocked", ""),
    ("rcm.timer.overdue", ""),
)

_OUTBOX = "select count(*) as pending, min(created_at) as oldest from outbox where published_at is null"
_BLOCKED = "select count(*) from blocked"
_TIMERS = f"select kind, count(*) from timer where due_at < $1::timestamptz - interval '{OVERDUE}' group by kind"

Labels = tuple[tuple[str, str], ...]


class Measures:
    """The instruments of one service's bus. Levels keep what was last seen; None says that nothing is known."""

    def __init__(self, meter: Meter | None = None) -> None:
        meter = meter or NoOpMeter("none")
        self._levels: dict[str, dict[Labels, float]] = {name: {} for name, _ in LEVELS}
        self._pools: dict[str, asyncpg.Pool] = {}
        self._handled = meter.create_counter("rcm.bus.handled")
        self._published = meter.create_counter("rcm.bus.published")
        self._redeliveries = meter.create_counter("rcm.bus.redeliveries")
        self._dead_letters = meter.create_counter("rcm.bus.dead_letters")
        self._handling = meter.create_histogram("rcm.bus.handle.duration", "s")
        self._preparing = meter.create_histogram("rcm.bus.prepare.duration", "s")
        for name, unit in LEVELS:
            meter.create_observable_gauge(name, [self._observed(name)], unit)
        meter.create_observable_gauge("rcm.db.pool.size", [self._pool_size])
        meter.create_observable_gauge("rcm.db.pool.used", [self._pool_used])

    def subscribed(self, events: Iterable[str]) -> None:
        """Dead letters stand at zero from the start: the first one is a step that an alert can see."""
        for event in events:
            self._dead_letters.add(0, {"rcm.event.type": event})

    def handled(self, event: str, outcome: str) -> None:
        """A delivery came to an end: handled, duplicate, retry or dead-letter."""
        self._handled.add(1, {"rcm.event.type": event, "rcm.outcome": outcome})
        if outcome == "dead-letter":
            self._dead_letters.add(1, {"rcm.event.type": event})

    def redelivered(self, event: str) -> None:
        """A fact came that had been delivered before."""
        self._redeliveries.add(1, {"rcm.event.type": event})

    def published(self, event: str) -> None:
        """The stream has acknowledged a fact."""
        self._published.add(1, {"rcm.event.type": event})

    def handling(self, event: str) -> contextlib.AbstractContextManager[None]:
        """Times a handler."""
        return _timed(self._handling, event)

    def preparing(self, event: str) -> contextlib.AbstractContextManager[None]:
        """Times what is asked of others before a handler."""
        return _timed(self._preparing, event)

    def watch_pool(self, role: str, pool: asyncpg.Pool) -> None:
        """Observe a pool from now on."""
        self._pools[role] = pool

    def see(self, name: str, levels: dict[Labels, float] | None) -> None:
        """Replace what is known of a level."""
        self._levels[name] = levels or {}

    def _observed(self, name: str) -> Callable[[CallbackOptions], Iterable[Observation]]:
        def observe(_options: CallbackOptions) -> Iterable[Observation]:
            return [Observation(value, dict(labels)) for labels, value in self._levels[name].items()]

        return observe

    def _pool_size(self, _options: CallbackOptions) -> Iterable[Observation]:
        return [Observation(pool.get_size(), {"rcm.pool": role}) for role, pool in self._pools.items()]

    def _pool_used(self, _options: CallbackOptions) -> Iterable[Observation]:
        used = {role: pool.get_size() - pool.get_idle_size() for role, pool in self._pools.items()}
        return [Observation(count, {"rcm.pool": role}) for role, count in used.items()]


@contextmanager
def _timed(histogram: Histogram, event: str) -> Iterator[None]:
    began = perf_counter()
    try:
        yield
    finally:
        histogram.record(perf_counter() - began, {"rcm.event.type": event})


def type_in(subject: str) -> str:
    """The fact's type as its subject names it: one that we subscribed to, whatever the message may hold."""
    return subject.removeprefix(f"{SUBJECT_PREFIX}.").rpartition(".")[0]


class Watch:
    """Looks every few seconds at what piles up: in the stream before our consumers, in the outbox, among the timers.

    `client` gives the connection while there is one. A broker or a database that does not answer leaves its levels
    unknown, and nothing is said: the loops that need them say it.
    """

    def __init__(
        self,
        database: Database,
        client: Callable[[], Client | None],
        service: str,
        kinds: Sequence[str] = (),
        *,
        hears: bool = True,
        every_s: float = WATCH_EVERY_S,
    ) -> None:
        self._database = database
        self._client = client
        self._service = service
        self._kinds = kinds
        self._hears = hears
        self._every_s = every_s

    async def run(self) -> None:
        """Looks until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(self._every_s)

    async def look(self) -> None:
        """Looks once."""
        try:
            async with asyncio.timeout(self._every_s):
                await self._look_at_the_database()
        except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError):
            self._forget("rcm.bus.outbox.pending", "rcm.bus.outbox.age", "rcm.bus.blocked", "rcm.timer.overdue")
        try:
            async with asyncio.timeout(self._every_s):
                await self._look_at_the_stream()
        except BROKER_ERRORS:
            self._forget("rcm.bus.consumer.lag", "rcm.bus.consumer.unacknowledged")

    def _forget(self, *names: str) -> None:
        for name in names:
            self._database.measures.see(name, None)

    async def _look_at_the_database(self) -> None:
        see, now = self._database.measures.see, self._database.clock.now()
        async with self._database.relay_session() as conn:
            ((pending, oldest),) = await conn.fetch(_OUTBOX)
            blocked = await conn.fetchval(_BLOCKED)
            rows = await conn.fetch(_TIMERS, now) if self._kinds else []
        timers = {row["kind"]: row["count"] for row in rows}
        see("rcm.bus.outbox.pending", {(): pending})
        see("rcm.bus.outbox.age", {(): max((now - oldest).total_seconds(), 0.0) if oldest else 0.0})
        see("rcm.bus.blocked", {(): blocked})
        see("rcm.timer.overdue", {(("rcm.timer.kind", kind),): timers.get(kind, 0) for kind in self._kinds})

    async def _look_at_the_stream(self) -> None:
        client = self._client() if self._hears else None
        if client is None:
            self._forget("rcm.bus.consumer.lag", "rcm.bus.consumer.unacknowledged")
            return
        js = client.jetstream()
        infos = [await self._info(js, partition) for partition in range(PARTITIONS)]
        places = [(("rcm.partition", str(partition)),) for partition in range(PARTITIONS)]
        found = [(place, info) for place, info in zip(places, infos, strict=True) if info is not None]
        see = self._database.measures.see
        see("rcm.bus.consumer.lag", {place: info.num_pending or 0 for place, info in found})
        see("rcm.bus.consumer.unacknowledged", {place: info.num_ack_pending or 0 for place, info in found})

    async def _info(self, js: JetStreamContext, partition: int) -> Any:
        with contextlib.suppress(NotFoundError):
            return await js.consumer_info(STREAM, f"{self._service}-{partition}")
        return None
