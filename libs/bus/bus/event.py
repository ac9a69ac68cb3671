"""A fact as handlers see it, and its envelope on the wire."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from google.protobuf.message import DecodeError, Message
from kernel.errors import Unreadable
from rcm.event.v1.envelope_pb2 import Envelope

from bus.flow import SCHEMA_VERSION, flow_of


@dataclass(frozen=True, slots=True)
class Event:
    """One fact. `body` is the typed message of its row in the flow table; `trace` holds W3C trace headers."""

    event_id: str
    type: str
    tenant: str
    journey_id: str
    ordering_key: str
    version: int
    occurred_at: datetime
    causation_id: str
    body: Message
    trace: Mapping[str, str] = field(default_factory=dict)


def encode(event: Event) -> bytes:
    """The envelope as bytes. TypeError when the body is not the message that the flow table names."""
    wanted = flow_of(event.type).message
    if not isinstance(event.body, wanted):
        raise TypeError(f"{event.type} carries {wanted.DESCRIPTOR.full_name}, not {type(event.body).__name__}")
    envelope = Envelope(
        event_id=event.event_id,
        type=event.type,
        tenant=event.tenant,
        journey_id=event.journey_id,
        ordering_key=event.ordering_key,
        aggregate_version=event.version,
        causation_id=event.causation_id,
        schema_version=SCHEMA_VERSION,
        body=event.body.SerializeToString(),
    )
    envelope.occurred_at.FromDatetime(event.occurred_at)
    return envelope.SerializeToString()


def open_envelope(data: bytes) -> Envelope:
    """Reads the envelope only. Unreadable(`envelope-unreadable`) when it is none."""
    try:
        envelope = Envelope.FromString(data)
    except DecodeError as error:
        raise Unreadable("envelope-unreadable", "Envelope", "the message is not an envelope") from error
    if not (envelope.event_id and envelope.type and envelope.tenant):
        raise Unreadable("envelope-incomplete", "Envelope", "event_id, type and tenant are needed")
    return envelope


def decode(envelope: Envelope, trace: Mapping[str, str]) -> Event:
    """The typed fact. Unreadable when its type or version is unknown here, or its body does not parse."""
    if envelope.schema_version != SCHEMA_VERSION:
        raise Unreadable("event-version-unknown", "Envelope.schema_version", f"this service reads {SCHEMA_VERSION}")
    try:
        flow = flow_of(envelope.type)
    except KeyError as error:
        raise Unreadable("event-type-unknown", "Envelope.type", "not in the flow table") from error
    try:
        body = flow.message.FromString(envelope.body)
    except DecodeError as error:
        raise Unreadable("event-body-unreadable", "Envelope.body", "not the message of its type") from error
    return Event(
        event_id=envelope.event_id,
        type=envelope.type,
        tenant=envelope.tenant,
        journey_id=envelope.journey_id,
        ordering_key=envelope.ordering_key,
        version=envelope.aggregate_version,
        occurred_at=envelope.occurred_at.ToDatetime(tzinfo=UTC),
        causation_id=envelope.causation_id,
        body=body,
        trace=trace,
    )
