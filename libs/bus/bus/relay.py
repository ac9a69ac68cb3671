"""Moves committed facts from the outbox to JetStream, and again when the stream has lost them.

One relay per service publishes at a time (advisory lock), in the order of the outbox. The event id is the message
id. A row is confirmed when every consumer's acknowledged position has passed it; what is not confirmed is published
again when the stream was rebuilt or has lost its tail, and the consumers' inboxes absorb what they had.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg
from nats.aio.client import Client
from nats.js.errors import NotFoundError
from opentelemetry.trace import SpanKind
from rcm.event.v1.envelope_pb2 import Envelope

from bus.flow import PARTITIONS, STREAM, SUBJECT_PREFIX, flow_of
from bus.jetstream import BROKER_ERRORS, BodyStore
from bus.lock import take_lock
from bus.streams import Streams
from bus.trace import TRACEPARENT, context_of, current_trace, message_attributes, tracer
from bus.unit import Database

BATCH = 200
INLINE_BODY_BYTES = 256 * 1024
IDLE_S = 1.0
CONFIRM_EVERY_S = 5.0
PUBLISH_TIMEOUT_S = 5.0

_NEXT = """
select tenant, event_id, type, subject, envelope, trace from outbox
where published_at is null order by position limit $1
"""
_PUBLISHED = """
update outbox set published_at = now(), generation = $1, stream_seq = sent.seq
from unnest($2::text[], $3::text[], $4::bigint[]) as sent(tenant, event_id, seq)
where outbox.tenant = sent.tenant and outbox.event_id = sent.event_id
"""
_LOST = """
update outbox set published_at = null
where published_at is not null and confirmed_at is null and (generation <> $1 or stream_seq > $2)
"""
_CONFIRM = """
update outbox set confirmed_at = now()
where published_at is not null and confirmed_at is null and generation = $1 and type = $2 and stream_seq <= $3
  and subject like '%.' || $4::text
"""
_PRUNE = "delete from outbox where confirmed_at < now() - make_interval(days => $1)"
_PRUNE_INBOX = "delete from inbox where handled_at < now() - make_interval(days => $1)"


@dataclass(frozen=True, slots=True)
class StreamState:
    """What the relay knows of the stream: when it was made and how far it goes."""

    created: datetime
    last_seq: int


class Relay:
    """Publishes one service's outbox until cancelled."""

    def __init__(
        self,
        database: Database,
        client: Client,
        service: str,
        *,
        keep_days: int = 30,
        streams: Streams | None = None,
    ) -> None:
        self._database = database
        self._client = client
        self._js = client.jetstream()
        self._streams = streams or Streams()
        self._bodies = BodyStore(self._js, self._streams)
        self._service = service
        self._keep_days = keep_days
        self._stream: StreamState | None = None
        self._confirm_at = 0.0

    async def run(self) -> None:
        """Holds the service's relay lock and publishes. Raises on a lost database or broker: run it again."""
        lock = f"relay:{self._service}"
        async with self._database.own_session() as conn:  # the lock ends with it
            await take_lock(conn, lock)
            self._stream = None
            while True:
                await self._turn(conn)

    async def _turn(self, conn: asyncpg.Connection) -> None:
        self._database.outbox_written.clear()
        await self._look_after(conn)
        if await self.publish_batch(conn) == BATCH:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(IDLE_S):  # wait_for may lose a cancellation on Python 3.11
                await self._database.outbox_written.wait()

    async def publish_batch(self, conn: asyncpg.Connection) -> int:
        """Publishes up to BATCH rows in order and marks what the stream has acknowledged; how many it found."""
        rows = await conn.fetch(_NEXT, BATCH)
        if not rows:
            return 0
        if self._stream is None:
            await self._look_after(conn)
        results = await asyncio.gather(*(self._publish(row) for row in rows), return_exceptions=True)
        await self._mark(conn, rows, results)
        failed = next((result for result in results if isinstance(result, BaseException)), None)
        if failed is not None:
            self._stream = None
            raise failed
        return len(rows)

    async def _publish(self, row: asyncpg.Record) -> int:
        payload, destination = row["envelope"], row["type"]
        with tracer().start_as_current_span(
            f"send {destination}",
            context=context_of(row["trace"]),
            kind=SpanKind.PRODUCER,
            attributes=message_attributes("send", f"{SUBJECT_PREFIX}.{destination}"),
        ):
            headers = {"Nats-Msg-Id": row["event_id"]}
            if traceparent := current_trace() or row["trace"]:
                headers[TRACEPARENT] = traceparent
            if len(payload) > INLINE_BODY_BYTES:
                payload = await self._by_reference(payload)
            ack = await self._js.publish(row["subject"], payload, timeout=PUBLISH_TIMEOUT_S, headers=headers)
        self._database.measures.published(destination)
        return ack.seq

    async def _by_reference(self, payload: bytes) -> bytes:
        envelope = Envelope.FromString(payload)
        await self._bodies.put(envelope.event_id, envelope.body)
        envelope.body_ref = envelope.event_id
        envelope.ClearField("body")
        return envelope.SerializeToString()

    async def _mark(self, conn: asyncpg.Connection, rows: Sequence[asyncpg.Record], results: Sequence[Any]) -> None:
        sent = [(row, seq) for row, seq in zip(rows, results, strict=True) if isinstance(seq, int)]
        if sent and self._stream is not None:
            tenants = [row["tenant"] for row, _ in sent]
            ids = [row["event_id"] for row, _ in sent]
            await conn.execute(_PUBLISHED, self._stream.created, tenants, ids, [seq for _, seq in sent])

    async def _look_after(self, conn: asyncpg.Connection) -> None:
        """Every few seconds: find what the stream lost, confirm what all consumers have taken in, prune."""
        now = asyncio.get_running_loop().time()
        if self._stream is not None and now < self._confirm_at:
            return
        self._confirm_at = now + CONFIRM_EVERY_S
        self._stream = await self._stream_state()
        await conn.execute(_LOST, self._stream.created, self._stream.last_seq)
        for event, partition, seq in await self._taken_in(conn):
            await conn.execute(_CONFIRM, self._stream.created, event, seq, str(partition))
        await conn.execute(_PRUNE, self._keep_days)
        await conn.execute(_PRUNE_INBOX, self._keep_days)

    async def _stream_state(self) -> StreamState:
        await self._streams.ensure(self._js)
        info = await self._js.stream_info(STREAM)
        if info.created is None:
            raise NotFoundError(description="stream without a creation time")
        return StreamState(info.created, info.state.last_seq)

    async def _taken_in(self, conn: asyncpg.Connection) -> list[tuple[str, int, int]]:
        """For each of our unconfirmed fact types and partitions, the position that all its consumers have passed."""
        rows = await conn.fetch(
            "select distinct type from outbox where published_at is not null and confirmed_at is null"
        )
        floors: dict[str, int] = {}
        taken: list[tuple[str, int, int]] = []
        for row in rows:
            for partition in range(PARTITIONS):
                durables = [f"{service}-{partition}" for service in flow_of(row["type"]).heard_by()]
                for durable in durables:
                    if durable not in floors:
                        floors[durable] = await self._floor(durable)
                taken.append((row["type"], partition, min(floors[durable] for durable in durables)))
        return [entry for entry in taken if entry[2]]

    async def _floor(self, durable: str) -> int:
        try:
            info = await self._js.consumer_info(STREAM, durable)
        except NotFoundError:
            return 0
        return info.ack_floor.stream_seq if info.ack_floor else 0


RELAY_ERRORS = (*BROKER_ERRORS, asyncpg.PostgresError, asyncpg.InterfaceError)
