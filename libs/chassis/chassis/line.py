"""The service's place on the line: its relay, its consumers and its timers, over a broker that may come and go.

Several replicas share the work: partitions are spread over them, timers and what else is done `alone` have one each.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from bus import Consumer, Database, Hold, Relay, Share, Streams, TimerHandler, TimerRunner
from bus.jetstream import BROKER_ERRORS, connect
from bus.measures import Watch
from nats.aio.client import Client

from chassis.service import Background, Parts
from chassis.supervise import Tasks, keep_running

FLUSH_S = 3.0
DRAIN_S = 5.0
LOOK_EVERY_S, GIVE_UP_S = 2.0, 20.0  # far longer than a node of NATS takes to be replaced
_UNPUBLISHED = "select exists (select 1 from outbox where published_at is null)"


class Broker:
    """One connection to NATS for the whole process, made when first needed and again should it ever be closed."""

    def __init__(self, url: str, name: str, tls: ssl.SSLContext | None = None, log: Any = None) -> None:
        self._url = url
        self._name = name
        self._tls = tls
        self._log = log
        self._told = ""
        self._client: Client | None = None
        self._lock = asyncio.Lock()

    async def client(self) -> Client:
        """The open connection. Waits as long as it takes."""
        async with self._lock:
            if self._client is None or self._client.is_closed:
                self._client = await connect(self._url, self._name, self._tls, self._on_error)
            return self._client

    def _on_error(self, error: Exception) -> None:
        """A broker that is away is no news. One that does not trust us, or that we do not trust, is told once."""
        if not isinstance(error, ssl.SSLError) or isinstance(error, ssl.SSLEOFError) or self._log is None:
            return
        reason = getattr(error, "verify_message", None) or error.reason or type(error).__name__
        if reason != self._told:
            self._log.error("no TLS with NATS", reason=reason)
        self._told = reason

    async def look_after(self) -> None:
        """Gives up a connection that has been away for long: the client's own attempts may have got stuck.

        Runs until cancelled. Whoever used it meets a closed connection, and asks for another.
        """
        away = 0
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            client = self._client
            away = away + 1 if client is not None and not client.is_connected and not client.is_closed else 0
            if client is not None and away * LOOK_EVERY_S >= GIVE_UP_S:
                away, self._client = 0, None
                with contextlib.suppress(*BROKER_ERRORS):
                    await asyncio.wait_for(client.close(), DRAIN_S)

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
    """Relay, consumers and timers of one service. Consumers and timers stop first, the relay last.

    `replicas`: how many servers of a NATS cluster keep each stream.
    """

    def __init__(
        self, service: str, database: Database, broker: Broker, parts: Parts, log: Any, replicas: int = 1
    ) -> None:
        self._service = service
        self._database = database
        self._broker = broker
        self._parts = parts
        self._log = log
        self._inward = Tasks(log)
        self._outward = Tasks(log)
        self._streams = Streams(replicas, self._on_refused)

    def start(self) -> None:
        """Start everything; what cannot reach the broker yet waits for it by itself."""
        self._outward.start("relay", self._relay)
        self._outward.start("broker", self._broker.look_after)
        self._inward.start("watch", self._watch().run)
        if self._parts.subscriptions:
            self._inward.start("consumers", self._consume)
        if alone := self._alone():
            self._inward.start("alone", Share(self._database, f"{self._service}:alone", alone, patience_s=0).run)
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

    def _alone(self) -> dict[str, Work]:
        """What one replica does for all of them, by the names of its locks."""
        works = dict(self._parts.alone)
        if self._parts.timers:
            works["timers"] = TimerRunner(self._database, _timer_handlers(self._parts.timers), self._on_failure).run
        return {f"alone:{self._service}:{name}": self._kept(name, run) for name, run in works.items()}

    def _kept(self, name: str, run: Background) -> Work:
        async def work(_: Hold) -> None:
            await keep_running(name, run, self._log)

        return work

    async def _relay(self) -> None:
        await Relay(self._database, await self._broker.client(), self._service, streams=self._streams).run()

    async def _consume(self) -> None:
        consumer = Consumer(
            self._database,
            await self._broker.client(),
            self._service,
            self._parts.subscriptions,
            self._on_failure,
            linger_s=self._parts.linger_s,
            streams=self._streams,
            keep=partial(keep_running, log=self._log),
        )
        await consumer.run()

    def _on_refused(self, stream: str) -> None:
        self._log.error(
            "too few NATS servers for RCM_NATS_REPLICAS: start more of them, or set it lower", stream=stream
        )

    def _on_failure(self, event_type: str, outcome: str, code: str, attempt: int) -> None:
        self._log.warning("fact not handled", event_type=event_type, outcome=outcome, code=code, attempt=attempt)


Work = Callable[[Hold], Awaitable[None]]
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
