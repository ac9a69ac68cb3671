"""Where facts go that can never succeed: their stream first, its acknowledgement, our own row, and then the end."""

from __future__ import annotations

import re

from nats.aio.client import Client
from nats.aio.msg import Msg
from opentelemetry.trace import SpanKind, Status, StatusCode
from rcm.event.v1.envelope_pb2 import Envelope

from bus.flow import DEAD_PREFIX
from bus.measures import type_in
from bus.streams import Streams
from bus.trace import context_from, message_attributes, tracer
from bus.unit import Database

_EVENT_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_RECORD = """
insert into dead_letter (event_id, type, reason, envelope, died_at) values ($1, $2, $3, $4, $5)
on conflict (tenant, event_id) do nothing
"""
_UNBLOCK = "delete from blocked where ordering_key = $1 and event_id = $2"


class DeadLetters:
    """The dead letters of one service."""

    def __init__(self, database: Database, client: Client, service: str, streams: Streams) -> None:
        self._database = database
        self._js = client.jetstream()
        self._service = service
        self._streams = streams

    async def bury(self, message: Msg, envelope: Envelope, reason: str) -> None:
        """Keeps a message with the reason, a code of ours; then it comes no more. `envelope` is what could be read."""
        await self._publish(message, envelope, reason)
        if envelope.tenant and envelope.event_id:
            await self._record(message, envelope, reason)
        await message.term()

    async def _publish(self, message: Msg, envelope: Envelope, reason: str) -> None:
        subject, kind = f"{DEAD_PREFIX}.{self._service}", type_in(message.subject)
        event_id = envelope.event_id if _EVENT_ID.fullmatch(envelope.event_id) else ""  # what else it holds is unknown
        attributes = message_attributes("dead-letter", subject, "send")
        attributes |= {"rcm.reason": reason, "rcm.event.type": kind}
        context = context_from(message.headers or {})
        with tracer().start_as_current_span(f"dead-letter {subject}", context, SpanKind.PRODUCER, attributes) as span:
            span.set_status(Status(StatusCode.ERROR))
            await self._streams.ensure(self._js)
            headers = {
                "Nats-Msg-Id": f"{self._service}:{event_id or message.metadata.sequence.stream}",
                "Rcm-Reason": reason,
                "Rcm-Type": kind,
                "Rcm-Event-Id": event_id,
            }
            await self._js.publish(subject, message.data, headers=headers)

    async def _record(self, message: Msg, envelope: Envelope, reason: str) -> None:
        kind, now = type_in(message.subject), self._database.clock.now()
        async with self._database.transaction(envelope.tenant) as conn:
            await conn.execute(_RECORD, envelope.event_id, kind, reason, message.data, now)
            await conn.execute(_UNBLOCK, envelope.ordering_key, envelope.event_id)
