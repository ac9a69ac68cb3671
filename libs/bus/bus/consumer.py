"""Takes facts in: batches, one transaction, inbox first, order kept per key, dead letters with a reason.

A partition's messages are handled by one task in stream order. A fact that cannot be handled now is delivered again
later, and later facts of its ordering key wait for it (the `blocked` table keeps that over restarts). What can never
succeed goes to the dead-letter stream, is acknowledged to be there, and only then terminated.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
from kernel.errors import Refused, Unavailable, Unreadable
from nats.aio.client import Client
from nats.aio.msg import Msg
from opentelemetry.context import Context
from opentelemetry.trace import SpanKind, Status, StatusCode
from rcm.event.v1.envelope_pb2 import Envelope

from bus.event import Event, decode, open_envelope
from bus.flow import DEAD_PREFIX, PARTITIONS, SUBJECT_PREFIX, flow_of
from bus.jetstream import ACK_WAIT_S, BROKER_ERRORS, BodyStore, PullConsumer, ensure_streams
from bus.lock import free_lock, take_lock
from bus.measures import type_in
from bus.trace import context_from, is_journey_id, message_attributes, tracer
from bus.unit import Database, Unit

BATCH = 50
BACKOFF_S = (0.5, 1.0, 2.0, 5.0, 15.0, 30.0, 60.0)
BLOCKED_DELAY_S = 0.5
DATABASE_ERRORS = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # what asyncpg says when a server dies in the middle of an answer
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    OSError,
    TimeoutError,
    asyncio.TimeoutError,
)
_EVENT_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
Prepare = Callable[[Event], Awaitable[Any]]
Handle = Callable[[Unit, Event, Any], Awaitable[None]]
OnFailure = Callable[[str, str, str, int], None]


@dataclass(frozen=True, slots=True)
class Subscription:
    """What to do with one kind of fact.

    `prepare` runs outside the transaction (calls to others) and its value is given to `handle`, which runs inside.
    """

    event: str
    handle: Handle
    prepare: Prepare | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message with its fact and the trace context that it came with."""

    message: Msg
    event: Event
    envelope: Envelope
    context: Context


def backoff_s(attempt: int) -> float:
    """Seconds to wait after the n-th failed attempt, n from 1."""
    return BACKOFF_S[min(attempt, len(BACKOFF_S)) - 1]


async def _keep(messages: Sequence[Msg]) -> None:
    """Tells the server while a slow batch is under way that its messages are not lost."""
    while messages:
        await asyncio.sleep(ACK_WAIT_S / 3)
        for message in messages:
            if not message.is_acked:
                await message.in_progress()


async def _give_back(messages: Sequence[Msg]) -> None:
    for message in messages:
        if not message.is_acked:
            with contextlib.suppress(*BROKER_ERRORS):  # a broker that is away delivers again by itself
                await message.nak(BACKOFF_S[0])


class Consumer:
    """All subscriptions of one service.

    `linger_s`: how long to wait for more after the first message of a batch; for services off the line's way, where
    larger transactions are worth more than the moment.
    """

    def __init__(
        self,
        database: Database,
        client: Client,
        service: str,
        subscriptions: Sequence[Subscription],
        on_failure: OnFailure | None = None,
        *,
        linger_s: float = 0.0,
    ) -> None:
        self._linger_s = linger_s
        self._database = database
        self._client = client
        self._js = client.jetstream()
        self._bodies = BodyStore(self._js)
        self._service = service
        self._by_event = {subscription.event: subscription for subscription in subscriptions}
        self._on_failure = on_failure or (lambda event, outcome, reason, attempt: None)
        self._blocked: dict[tuple[str, str], set[str]] = {}
        self._measures = database.measures
        self._measures.subscribed(self._by_event)

    def partitions(self) -> list[Callable[[], Awaitable[None]]]:
        """One task per partition; run each again when it raises."""
        return [lambda partition=partition: self.run(partition) for partition in range(PARTITIONS)]  # type: ignore[misc]

    async def run(self, partition: int) -> None:
        """Pulls and handles one partition until cancelled. Only one replica holds a partition at a time."""
        lock = f"partition:{self._service}:{partition}"
        async with self._database.relay_session() as conn:
            await take_lock(conn, lock)
            try:
                await self._load_blocked(conn)
                await self._pull(partition, conn)
            finally:
                await free_lock(conn, lock)

    async def _pull(self, partition: int, lock_holder: asyncpg.Connection) -> None:
        subjects = [f"{SUBJECT_PREFIX}.{event}.{partition}" for event in self._by_event]
        durable = f"{self._service}-{partition}"
        puller = PullConsumer(self._client, durable, subjects, BATCH, linger_s=self._linger_s)
        await puller.ensure()
        try:
            while not lock_holder.is_closed():
                await self._handle_batch(await puller.fetch())
            raise asyncpg.InterfaceError("the partition's lock was lost")
        finally:
            await puller.close()

    async def _handle_batch(self, messages: Sequence[Msg]) -> None:
        """Handles all rounds of a batch. When the database or the broker goes away, gives the batch back at once."""
        keeping = asyncio.create_task(_keep(messages))
        try:
            for round_ in await self._rounds(messages):
                await self._handle_round(round_)
        except Exception:
            await _give_back(messages)
            raise
        finally:
            keeping.cancel()

    async def _load_blocked(self, conn: asyncpg.Connection) -> None:
        for row in await conn.fetch("select tenant, ordering_key, event_id from blocked"):
            self._blocked.setdefault((row["tenant"], row["ordering_key"]), set()).add(row["event_id"])

    async def _rounds(self, messages: Sequence[Msg]) -> list[list[Delivery]]:
        """Splits a batch so that a key stands at most once in a round; rounds are handled in order."""
        rounds: list[list[Delivery]] = []
        depth: dict[tuple[str, str], int] = {}
        for message in messages:
            delivery = await self._open(message)
            if delivery is None:
                continue
            key = (delivery.event.tenant, delivery.event.ordering_key)
            level = depth.get(key, 0)
            depth[key] = level + 1
            if level == len(rounds):
                rounds.append([])
            rounds[level].append(delivery)
        return rounds

    async def _open(self, message: Msg) -> Delivery | None:
        headers = message.headers or {}
        envelope = Envelope()
        if message.metadata.num_delivered > 1:
            self._measures.redelivered(type_in(message.subject))
        try:
            envelope = open_envelope(message.data)
            if envelope.body_ref:
                envelope.body = await self._bodies.get(envelope.body_ref)
            return Delivery(message, decode(envelope, headers), envelope, context_from(headers))
        except Unreadable as error:
            await self._bury(message, envelope, error.code)
        except Unavailable as error:
            self._measures.handled(type_in(message.subject), "retry")
            self._on_failure(type_in(message.subject), "retry", error.code, message.metadata.num_delivered)
            await message.nak(backoff_s(message.metadata.num_delivered))
        return None

    async def _handle_round(self, deliveries: Sequence[Delivery]) -> None:
        """The whole round in one transaction per tenant; after a failure one by one, so that one cannot hold up all."""
        free = [delivery for delivery in deliveries if await self._may_go(delivery)]
        prepared = await asyncio.gather(*(self._prepare(delivery) for delivery in free), return_exceptions=True)
        ready: dict[str, list[tuple[Delivery, Any]]] = {}
        for delivery, value in zip(free, prepared, strict=True):
            if isinstance(value, asyncio.CancelledError):
                raise value
            if isinstance(value, Exception):
                await self._failed(delivery, value)
            else:
                ready.setdefault(delivery.event.tenant, []).append((delivery, value))
        for tenant, pairs in ready.items():
            await self._commit(tenant, pairs)

    async def _commit(self, tenant: str, pairs: Sequence[tuple[Delivery, Any]]) -> None:
        try:
            await self._in_one_transaction(tenant, pairs)
        except Exception as error:
            if len(pairs) == 1:
                await self._failed(pairs[0][0], error)
                return
            for pair in pairs:
                await self._commit(tenant, [pair])
            return
        for delivery, _ in pairs:
            await delivery.message.ack()

    async def _in_one_transaction(self, tenant: str, pairs: Sequence[tuple[Delivery, Any]]) -> None:
        written = False
        async with self._database.transaction(tenant, pairs[0][0].context) as conn:
            ids = [delivery.event.event_id for delivery, _ in pairs]
            rows = await conn.fetch(
                "insert into inbox (event_id) select unnest($1::text[]) on conflict do nothing returning event_id", ids
            )
            new = {row["event_id"] for row in rows}
            for delivery, value in pairs:
                if delivery.event.event_id in new:
                    written |= await self._handle(conn, delivery, value)
            await self._unblock(conn, [delivery.event for delivery, _ in pairs])
        if written:
            self._database.outbox_written.set()
        for delivery, _ in pairs:
            self._measures.handled(delivery.event.type, "handled" if delivery.event.event_id in new else "duplicate")

    async def _handle(self, conn: asyncpg.Connection, delivery: Delivery, value: Any) -> bool:
        event = delivery.event
        unit = Unit(conn, event.tenant, self._database.clock.now(), event)
        with self._span("process", delivery), self._measures.handling(event.type):
            await self._by_event[event.type].handle(unit, event, value)
        return await unit.flush()

    async def _prepare(self, delivery: Delivery) -> Any:
        prepare = self._by_event[delivery.event.type].prepare
        if prepare is None:
            return None
        with self._span("prepare", delivery), self._measures.preparing(delivery.event.type):
            return await prepare(delivery.event)

    def _span(self, operation: str, delivery: Delivery) -> Any:
        event = delivery.event
        attributes = message_attributes(operation, f"{SUBJECT_PREFIX}.{event.type}", "process")
        attributes["messaging.consumer.group.name"] = self._service
        if is_journey_id(event.journey_id):
            attributes["rcm.journey.id"] = event.journey_id
        return tracer().start_as_current_span(
            f"{operation} {event.type}", context=delivery.context, kind=SpanKind.CONSUMER, attributes=attributes
        )

    async def _may_go(self, delivery: Delivery) -> bool:
        """False, and delivered again soon, while an earlier fact of the same key has not been handled."""
        event = delivery.event
        waiting = self._blocked.get((event.tenant, event.ordering_key))
        if not waiting or event.event_id in waiting:
            return True
        await delivery.message.nak(BLOCKED_DELAY_S)
        return False

    async def _unblock(self, conn: asyncpg.Connection, events: Sequence[Event]) -> None:
        for event in events:
            waiting = self._blocked.get((event.tenant, event.ordering_key))
            if waiting and event.event_id in waiting:
                await conn.execute(
                    "delete from blocked where ordering_key = $1 and event_id = $2", event.ordering_key, event.event_id
                )
                waiting.discard(event.event_id)
                if not waiting:
                    del self._blocked[(event.tenant, event.ordering_key)]

    async def _failed(self, delivery: Delivery, error: Exception) -> None:
        """Again later, or to the dead letters. Infrastructure and Unavailable never count towards the limit."""
        event, attempt = delivery.event, delivery.message.metadata.num_delivered
        code = getattr(error, "code", "") or type(error).__name__
        if isinstance(error, Refused | Unreadable):
            await self._bury(delivery.message, delivery.envelope, code)
            return
        counts = not isinstance(error, (Unavailable, *DATABASE_ERRORS, *BROKER_ERRORS))
        failures = await self._block(event, counts)
        if counts and failures >= flow_of(event.type).max_attempts:
            await self._bury(delivery.message, delivery.envelope, code)
            return
        self._measures.handled(event.type, "retry")
        self._on_failure(event.type, "retry", code, attempt)
        await delivery.message.nak(getattr(error, "retry_after_s", None) or backoff_s(attempt))

    async def _block(self, event: Event, counts: bool) -> int:
        self._blocked.setdefault((event.tenant, event.ordering_key), set()).add(event.event_id)
        async with self._database.transaction(event.tenant) as conn:
            failures = await conn.fetchval(
                """insert into blocked (ordering_key, event_id, failures) values ($1, $2, $3)
                on conflict (tenant, ordering_key, event_id) do update set failures = blocked.failures + $3
                returning failures""",
                event.ordering_key,
                event.event_id,
                int(counts),
            )
        return int(failures)

    async def _bury(self, message: Msg, envelope: Envelope, reason: str) -> None:
        """Dead-letter stream first, its acknowledgement, our own row, then term."""
        subject, kind = f"{DEAD_PREFIX}.{self._service}", type_in(message.subject)
        event_id = envelope.event_id if _EVENT_ID.fullmatch(envelope.event_id) else ""  # what else it holds is unknown
        attributes = message_attributes("dead-letter", subject, "send")
        attributes |= {"rcm.reason": reason, "rcm.event.type": kind}
        context = context_from(message.headers or {})
        with tracer().start_as_current_span(f"dead-letter {subject}", context, SpanKind.PRODUCER, attributes) as span:
            span.set_status(Status(StatusCode.ERROR))
            await ensure_streams(self._js)
            headers = {
                "Nats-Msg-Id": f"{self._service}:{event_id or message.metadata.sequence.stream}",
                "Rcm-Reason": reason,
                "Rcm-Type": kind,
                "Rcm-Event-Id": event_id,
            }
            await self._js.publish(subject, message.data, headers=headers)
        if envelope.tenant and envelope.event_id:
            await self._record_death(message, envelope, reason)
        self._measures.handled(kind, "dead-letter")
        self._on_failure(kind, "dead-letter", reason, message.metadata.num_delivered)
        await message.term()

    async def _record_death(self, message: Msg, envelope: Envelope, reason: str) -> None:
        async with self._database.transaction(envelope.tenant) as conn:
            await conn.execute(
                """insert into dead_letter (event_id, type, reason, envelope, died_at) values ($1, $2, $3, $4, $5)
                on conflict (tenant, event_id) do nothing""",
                envelope.event_id,
                type_in(message.subject),
                reason,
                message.data,
                self._database.clock.now(),
            )
            await conn.execute(
                "delete from blocked where ordering_key = $1 and event_id = $2",
                envelope.ordering_key,
                envelope.event_id,
            )
        waiting = self._blocked.get((envelope.tenant, envelope.ordering_key), set())
        waiting.discard(envelope.event_id)
        if not waiting:
            self._blocked.pop((envelope.tenant, envelope.ordering_key), None)
