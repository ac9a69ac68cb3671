"""One partition while this replica holds it: its facts in the order of the stream, batch after batch.

To take a partition is to make its consumer anew behind the last fact that was confirmed without a gap. So whatever
its former holder had in hand, lost or failed on comes again, before anything that is later; what had its effect is
known by its inbox row; and a former holder that still asks for facts gets none. Within the holding a fact that cannot
be handled now is delivered again later, and later facts of its key wait for it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
from kernel.errors import Refused, Unavailable, Unreadable
from nats.aio.client import Client
from nats.aio.msg import Msg
from opentelemetry.context import Context
from opentelemetry.trace import SpanKind
from rcm.event.v1.envelope_pb2 import Envelope

from bus.dead_letters import DeadLetters
from bus.event import Event, decode, open_envelope
from bus.flow import SUBJECT_PREFIX, flow_of
from bus.jetstream import ACK_WAIT_S, BROKER_ERRORS, BodyStore, Position, PullConsumer
from bus.measures import type_in
from bus.share import Hold
from bus.streams import Streams
from bus.subscription import DATABASE_ERRORS, OnFailure, Subscription, backoff_s
from bus.trace import context_from, is_journey_id, message_attributes, tracer
from bus.unit import Database, Unit
from bus.waiting import Key, Waiting

BATCH = 50
BLOCKED_DELAY_S = 0.5

# What had been written down as failed and was handled after all, by a holder that was cut off.
_FORGET_HANDLED = """
delete from blocked using inbox where inbox.tenant = blocked.tenant and inbox.event_id = blocked.event_id
"""
_KNOWN = """
select wanted.tenant, wanted.event_id from unnest($1::text[], $2::text[]) as wanted(tenant, event_id)
join inbox on inbox.tenant = wanted.tenant and inbox.event_id = wanted.event_id
"""
_TAKE_IN = "insert into inbox (event_id) select unnest($1::text[]) on conflict do nothing returning event_id"
_BLOCK = """
insert into blocked (ordering_key, event_id, failures) values ($1, $2, $3)
on conflict (tenant, ordering_key, event_id) do update set failures = blocked.failures + $3 returning failures
"""
_UNBLOCK = "delete from blocked where ordering_key = $1 and event_id = $2"


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message with its fact and the trace context that it came with."""

    message: Msg
    event: Event
    envelope: Envelope
    context: Context

    @property
    def key(self) -> Key:
        return self.event.tenant, self.event.ordering_key

    @property
    def sequence(self) -> int:
        return sequence_of(self.message)

    @property
    def identity(self) -> tuple[str, str]:
        """Of the fact: tenant and event id."""
        return self.event.tenant, self.event.event_id


def sequence_of(message: Msg) -> int:
    """The message's place in the stream, the same however often it is delivered."""
    return int(message.metadata.sequence.stream)


@dataclass(frozen=True, slots=True)
class Setting:
    """What all partitions of a consumer work with. `by_event`: what to do with each kind of fact."""

    database: Database
    client: Client
    service: str
    by_event: Mapping[str, Subscription]
    on_failure: OnFailure
    streams: Streams
    linger_s: float

    def puller(self, partition: int) -> PullConsumer:
        """For the facts of one partition."""
        subjects = [f"{SUBJECT_PREFIX}.{event}.{partition}" for event in self.by_event]
        durable = f"{self.service}-{partition}"
        return PullConsumer(self.client, durable, subjects, BATCH, linger_s=self.linger_s, streams=self.streams)


async def _keep(messages: Sequence[Msg]) -> None:
    """Tells the server while a slow batch is under way that its messages are not lost."""
    while messages:
        await asyncio.sleep(ACK_WAIT_S / 3)
        for message in messages:
            if not message.is_acked:
                await message.in_progress()


async def _unless(leaving: asyncio.Future[float], fetch: Coroutine[Any, Any, list[Msg]]) -> list[Msg]:
    """What is fetched, or nothing once we are to leave: what arrives then is the next holder's."""
    fetching = asyncio.create_task(fetch)
    ended: set[asyncio.Future[Any]] = {fetching, leaving}
    try:
        await asyncio.wait(ended, return_when=asyncio.FIRST_COMPLETED)
        return await fetching if fetching.done() else []
    finally:
        fetching.cancel()


class Partition:
    """One partition for one holding of it: made when it is taken, thrown away when it is left or something broke."""

    def __init__(self, setting: Setting, number: int) -> None:
        self._setting = setting
        self._database = setting.database
        self._by_event = setting.by_event
        self._measures = setting.database.measures
        self._puller = setting.puller(number)
        self._bodies = BodyStore(setting.client.jetstream(), setting.streams)
        self._dead = DeadLetters(setting.database, setting.client, setting.service, setting.streams)
        self._waiting = Waiting()
        self._failed: set[tuple[str, str]] = set()
        self._known_up_to = 0

    async def position(self, before: Position | None = None) -> Position:
        """Where its consumer stands; `before` is where it stood when we last asked."""
        return await self._puller.position(before)

    async def begin(self, position: Position) -> None:
        """Takes the partition over. A broker's or a database's error: begin with another."""
        async with self._database.relay_session() as conn:
            await conn.execute(_FORGET_HANDLED)
            rows = await conn.fetch("select tenant, event_id from blocked")
        self._failed = {(row["tenant"], row["event_id"]) for row in rows}
        self._known_up_to = position.end
        await self._puller.begin_again(position)

    async def run(self, hold: Hold) -> None:
        """Pulls and handles until it is to be handed over or we are cancelled."""
        try:
            while not hold.leaving.done():
                messages = await _unless(hold.leaving, self._puller.fetch())
                if messages:
                    await self.handle(messages, hold)
        finally:
            await self._puller.close()
        with contextlib.suppress(*BROKER_ERRORS):
            await self._setting.client.flush(2)  # our acknowledgements before the next holder's question

    async def handle(self, messages: Sequence[Msg], hold: Hold) -> None:
        """Handles all rounds of a batch; what is left when we are to leave is the next holder's."""
        keeping = asyncio.create_task(_keep(messages))
        try:
            for round_ in _rounds(await self._new(messages)):
                if hold.leaving.done():
                    return
                await self._handle_round(round_)
        finally:
            keeping.cancel()

    async def _new(self, messages: Sequence[Msg]) -> list[Delivery]:
        """What can be read and had no effect yet, in the stream's order."""
        opened = [await self._open(message) for message in sorted(messages, key=sequence_of)]
        deliveries = [delivery for delivery in opened if delivery is not None]
        known = await self._known([delivery for delivery in deliveries if self._may_be_known(delivery)])
        for delivery in deliveries:
            if delivery.identity in known:
                self._measures.handled(delivery.event.type, "duplicate")
                await self._settle(delivery)
        return [delivery for delivery in deliveries if delivery.identity not in known]

    def _may_be_known(self, delivery: Delivery) -> bool:
        return delivery.sequence <= self._known_up_to or delivery.message.metadata.num_delivered > 1

    async def _known(self, deliveries: Sequence[Delivery]) -> set[tuple[str, str]]:
        """Those that had their effect: nobody is asked about them again (`prepare`)."""
        if not deliveries:
            return set()
        tenants, ids = zip(*(delivery.identity for delivery in deliveries), strict=True)
        rows = await self._database.relay.fetch(_KNOWN, tenants, ids)
        return {(row["tenant"], row["event_id"]) for row in rows}

    async def _settle(self, delivery: Delivery) -> None:
        self._waiting.settle(delivery.key, delivery.sequence)
        await delivery.message.ack()

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
            self._waiting.add((envelope.tenant, envelope.ordering_key), sequence_of(message))
            self._measures.handled(type_in(message.subject), "retry")
            self._setting.on_failure(type_in(message.subject), "retry", error.code, message.metadata.num_delivered)
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
                await self._failed_on(delivery, value)
            else:
                ready.setdefault(delivery.event.tenant, []).append((delivery, value))
        for tenant, pairs in ready.items():
            await self._commit(tenant, pairs)

    async def _may_go(self, delivery: Delivery) -> bool:
        """False, and delivered again soon, while an earlier fact of the same key has not been handled."""
        if self._waiting.is_first(delivery.key, delivery.sequence):
            return True
        self._waiting.add(delivery.key, delivery.sequence)
        await delivery.message.nak(BLOCKED_DELAY_S)
        return False

    async def _commit(self, tenant: str, pairs: Sequence[tuple[Delivery, Any]]) -> None:
        try:
            await self._in_one_transaction(tenant, pairs)
        except Exception as error:
            if len(pairs) == 1:
                await self._failed_on(pairs[0][0], error)
                return
            for pair in pairs:
                await self._commit(tenant, [pair])
            return
        for delivery, _ in pairs:
            self._failed.discard(delivery.identity)
            await self._settle(delivery)

    async def _in_one_transaction(self, tenant: str, pairs: Sequence[tuple[Delivery, Any]]) -> None:
        written = False
        async with self._database.transaction(tenant, pairs[0][0].context) as conn:
            rows = await conn.fetch(_TAKE_IN, [delivery.event.event_id for delivery, _ in pairs])
            new = {row["event_id"] for row in rows}
            for delivery, value in pairs:
                if delivery.event.event_id in new:
                    written |= await self._handle(conn, delivery, value)
                if delivery.identity in self._failed:
                    await conn.execute(_UNBLOCK, delivery.event.ordering_key, delivery.event.event_id)
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
        attributes["messaging.consumer.group.name"] = self._setting.service
        if is_journey_id(event.journey_id):
            attributes["rcm.journey.id"] = event.journey_id
        return tracer().start_as_current_span(
            f"{operation} {event.type}", context=delivery.context, kind=SpanKind.CONSUMER, attributes=attributes
        )

    async def _failed_on(self, delivery: Delivery, error: Exception) -> None:
        """Again later, or to the dead letters. Infrastructure and Unavailable never count towards the limit."""
        event, attempt = delivery.event, delivery.message.metadata.num_delivered
        code = getattr(error, "code", "") or type(error).__name__
        if isinstance(error, Refused | Unreadable):
            await self._bury(delivery.message, delivery.envelope, code)
            return
        self._waiting.add(delivery.key, delivery.sequence)
        counts = not isinstance(error, (Unavailable, *DATABASE_ERRORS, *BROKER_ERRORS))
        failures = await self._block(delivery, counts)
        if counts and failures >= flow_of(event.type).max_attempts:
            await self._bury(delivery.message, delivery.envelope, code)
            return
        self._measures.handled(event.type, "retry")
        self._setting.on_failure(event.type, "retry", code, attempt)
        await delivery.message.nak(getattr(error, "retry_after_s", None) or backoff_s(attempt))

    async def _block(self, delivery: Delivery, counts: bool) -> int:
        event = delivery.event
        self._failed.add(delivery.identity)
        async with self._database.transaction(event.tenant) as conn:
            return int(await conn.fetchval(_BLOCK, event.ordering_key, event.event_id, int(counts)))

    async def _bury(self, message: Msg, envelope: Envelope, reason: str) -> None:
        kind = type_in(message.subject)
        await self._dead.bury(message, envelope, reason)
        self._measures.handled(kind, "dead-letter")
        self._setting.on_failure(kind, "dead-letter", reason, message.metadata.num_delivered)
        self._failed.discard((envelope.tenant, envelope.event_id))
        self._waiting.settle((envelope.tenant, envelope.ordering_key), sequence_of(message))


def _rounds(deliveries: Sequence[Delivery]) -> list[list[Delivery]]:
    """Splits a batch so that a key stands at most once in a round; rounds are handled in order."""
    rounds: list[list[Delivery]] = []
    depth: dict[Key, int] = {}
    for delivery in deliveries:
        level = depth.get(delivery.key, 0)
        depth[delivery.key] = level + 1
        if level == len(rounds):
            rounds.append([])
        rounds[level].append(delivery)
    return rounds
