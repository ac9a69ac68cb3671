"""The service's place on the line: its relay, its consumers and its timers, over a broker that may come and go."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from bus import PARTITIONS, Consumer, Database, Relay, TimerHandler, TimerRunner
from bus.jetstream import BROKER_ERRORS, connect
from bus.measures import Watch
from nats.aio.client import Client

from chassis.service import Parts
from chassis.supervise import Tasks

FLUSH_S = 3.0
DRAIN_S = 5.0
_UNPUBLISHED = "select exists (select 1 from outbox where published_at is null)"


class Broker:
    """One connection to NATS for the whole process, made when first needed and again should it ever be closed."""

    def __init__(self, url: str, name: str) -> None:
        self._url = url
        self._name = name
        self._client: Client | None = None
        self._lock = asyncio.Lock()

    async def client(self) -> Client:
        """The open connection. Waits as long as it takes."""
        async with self._lock:
            if self._client is None or self._client.is_closed:
                self._client = await connect(self._url, self._name)
            return self._client

    @property
    def is_connected(self) -> bool:
        """Whether the broker answers just now."""
        return self._client is not None and bool(self._client.is_connected)

    def connected(self) -> Client | None:
        """The connection, while the broker answers."""
        return self._client if self.is_connected else None

    async def close(self) -> None:
        """Let what is under way finish, then close; cut it off when the broker is away."""
        if self._client is None or self._client.is_closed:
            return
        try:
            await asyncio.wait_for(self._client.drain() if self.is_connected else self._client.close(), DRAIN_S)
        except BROKER_ERRORS:
            await self._client.close()


class Line:
    """Relay, consumers and timers of one service. Consumers and timers stop first, the relay last."""

    def __init__(self, service: str, database: Database, broker: Broker, parts: Parts, log: Any) -> None:
        self._service = service
        self._database = database
        self._broker = broker
        self._parts = parts
        self._log = log
        self._inward = Tasks(log)
        self._outward = Tasks(log)
        self._consumer: tuple[Client, Consumer] | None = None

    def start(self) -> None:
        """Start everything; what cannot reach the broker yet waits for it by itself."""
        self._outward.start("relay", self._relay)
        self._inward.start("watch", self._watch().run)
        if self._parts.subscriptions:
            for partition in range(PARTITIONS):
                self._inward.start(f"consumer-{partition}", partial(self._consume, partition))
        if self._parts.timers:
            runner = TimerRunner(self._database, _timer_handlers(self._parts.timers), self._on_failure)
            self._inward.start("timers", runner.run)
        for number, background in enumerate(self._parts.background):
            self._inward.start(getattr(background, "__name__", f"background-{number}"), background)

    async def stop_taking_in(self) -> None:
        """Stop consumers, timers and background tasks. What they had not finished comes again."""
        await self._inward.stop()

    async def flush(self) -> None:
        """Give the relay a moment to publish what is in the outbox, then stop it. The next start publishes the rest."""
        try:
            await asyncio.wait_for(self._until_published(), FLUSH_S)
        except Exception as error:
            self._log.info("outbox keeps some facts for the next start", error=type(error).__name__)
        await self._outward.stop()

    async def _until_published(self) -> None:
        self._database.outbox_written.set()
        while True:
            if not self._broker.is_connected or not await self._database.relay.fetchval(_UNPUBLISHED):
                return
            await asyncio.sleep(0.05)

    def _watch(self) -> Watch:
        hears = bool(self._parts.subscriptions)
        return Watch(self._database, self._broker.connected, self._service, tuple(self._parts.timers), hears=hears)

    async def _relay(self) -> None:
        await Relay(self._database, await self._broker.client(), self._service).run()

    async def _consume(self, partition: int) -> None:
        consumer = self._consumer_of(await self._broker.client())
        await consumer.run(partition)

    def _consumer_of(self, client: Client) -> Consumer:
        """One consumer for all partitions, for as long as its connection lives."""
        if self._consumer is None or self._consumer[0] is not client:
            consumer = Consumer(
                self._database,
                client,
                self._service,
                self._parts.subscriptions,
                self._on_failure,
                linger_s=self._parts.linger_s,
            )
            self._consumer = (client, consumer)
        return self._consumer[1]

    def _on_failure(self, event_type: str, outcome: str, code: str, attempt: int) -> None:
        self._log.warning("fact not handled", event_type=event_type, outcome=outcome, code=code, attempt=attempt)


Handler = TimerHandler | Callable[..., Awaitable[None]]


def _timer_handlers(timers: Mapping[str, Handler]) -> dict[str, TimerHandler]:
    return {kind: _timer_handler(handler) for kind, handler in timers.items()}


def _timer_handler(handler: Handler) -> TimerHandler:
    """A bare function takes (unit, timer); only a TimerHandler has something prepared."""
    if isinstance(handler, TimerHandler):
        return handler

    async def handle(unit: Any, timer: Any, _prepared: Any) -> None:
        await handler(unit, timer)

    return TimerHandler(handle)
