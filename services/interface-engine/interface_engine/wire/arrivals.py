"""A message as the store takes it: what it is called, whose it is, and how it is answered."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from hashlib import sha256
from typing import Literal

import hl7v2
from kernel.errors import Unreadable
from kernel.identifiers import control_number, uuid7

from interface_engine.model_messages import FAILED, QUARANTINED, RECEIVED, Arrival
from interface_engine.rules import Channel
from interface_engine.wire.csv_rows import Row, rows_text
from interface_engine.wire.hl7 import subject_of
from interface_engine.wire.hl7.charges import brought
from interface_engine.wire.hl7.job import Job
from interface_engine.wire.hl7.mapping import keys_of

DUPLICATE_KEY = "duplicate-key"
TORN_FRAME = "torn-frame"
_DUPLICATE_KEY_0357 = "205"
# Answers of feeds whose mode is configured.
_FIXED = {
    ("original", "accepted"): "AA", ("original", "error"): "AE", ("original", "rejected"): "AR",
    ("enhanced", "accepted"): "CA", ("enhanced", "error"): "CE", ("enhanced", "rejected"): "CR",
}  # fmt: skip
_UNPRINTABLE = re.compile(r"[^\x20-\x7e]")


def arrival_of(channel: Channel, raw: bytes, now: datetime) -> Arrival:
    """The message with its answer. One that cannot be read is an arrival too: it has failed already, and says so."""
    digest = sha256(raw).digest()
    try:
        message = hl7v2.read(raw, charset=channel.transport.charset)
    except Unreadable as error:
        ack = _ack(raw, _refusal(channel), now, error=hl7v2.AckError.of(error))
        return Arrival(
            uuid7(), channel.name, raw, digest, digest, "", "", "", "", "", "", ack, FAILED, error.code, error.path,
            day=_day(channel, now), work_id=uuid7(),
        )  # fmt: skip
    keys = subject_of(channel, message)
    kind = f"{message.message_type.code}^{message.message_type.trigger}"
    code = _immediate_code(channel, message)
    charges, cents = brought(Job(channel, now, message))
    return Arrival(
        id=uuid7(),
        channel=channel.name,
        raw=raw,
        sha256=digest,
        identity=_identity(message, digest),
        control_id=message.control_id,
        kind=_UNPRINTABLE.sub("", kind)[:20],
        mrn=keys.mrn,
        account=keys.account,
        visit=keys.visit,
        subject=f"{channel.name}|{keys.patient}" if keys.patient else "",
        ack=_ack(message, code, now) if code else b"",
        state=RECEIVED,
        charges_in=charges,
        cents_in=cents,
        day=_day(channel, now),
        error_code=_immediate_code(channel, message, "error"),
    )


def rows_arrival(channel: Channel, rows: Sequence[Row], file_id: str, now: datetime) -> Arrival:
    """The rows of one visit of an export as a message. The same row in another file is another message: whether it is
    the same charge is for the account of charges to say. Rows that were left out as bad are not in here."""
    raw = rows_text(rows)
    digest = sha256(raw).digest()
    keys = keys_of(Job(channel, now, columns=rows[0].record))
    return Arrival(
        id=uuid7(),
        channel=channel.name,
        raw=raw,
        sha256=digest,
        identity=sha256(f"{file_id}|{rows[0].number}".encode()).digest(),
        control_id=f"{file_id}#{rows[0].number}",
        kind="csv",
        mrn=keys.mrn,
        account=keys.account,
        visit=keys.visit,
        subject=f"{channel.name}|{keys.patient}" if keys.patient else "",
        ack=b"",
        charges_in=len(rows),
        cents_in=sum(brought(Job(channel, now, columns=row.record))[1] for row in rows),
        day=_day(channel, now),
    )


def torn_arrival(channel: Channel, raw: bytes, now: datetime) -> Arrival:
    """What came of a message before its frame broke: for people to see, and never acknowledged."""
    digest = sha256(raw).digest()
    return Arrival(uuid7(), channel.name, raw, digest, digest, "", "", "", "", "", "", b"", FAILED, TORN_FRAME,
                   day=_day(channel, now), work_id=uuid7())  # fmt: skip


def in_quarantine(arrival: Arrival, now: datetime) -> Arrival:
    """A message whose number was used for another text: kept, not worked on, and the sender is told."""
    error = hl7v2.AckError(_DUPLICATE_KEY_0357, "MSH-10", "E", "", "the control id was used for another message")
    ack = _ack(arrival.raw, arrival.error_code, now, error=error) if arrival.error_code else b""
    quarantined = replace(arrival, id=uuid7(), state=QUARANTINED, ack=ack, subject="", work_id=uuid7())
    return replace(quarantined, reason=DUPLICATE_KEY, path="MSH-10")


def application_ack(message: hl7v2.Message, outcome: Literal["accepted", "error"], now: datetime) -> bytes:
    """Enhanced mode's second answer; `outcome` is accepted or error. b"" when the sender wants none."""
    code = hl7v2.ack_plan(message).application_code(outcome)
    return _ack(message, code, now) if code else b""


def oversize_ack(channel: Channel, head: bytes, now: datetime) -> bytes:
    """The refusal of a message that was too large to be read; its first bytes say whose it was."""
    return _ack(
        head,
        _refusal(channel),
        now,
        error=hl7v2.AckError("207", "", "E", "", "the message is larger than is taken here"),
    )


def _day(channel: Channel, now: datetime) -> date:
    """The day on which it came, by the feed's own clock."""
    return now.astimezone(channel.zone).date()


def _immediate_code(
    channel: Channel, message: hl7v2.Message, outcome: Literal["accepted", "error"] = "accepted"
) -> str:
    """What the feed's configuration says of answers goes before what the message says."""
    fixed = _FIXED.get((channel.transport.acknowledge, outcome))
    return fixed or hl7v2.ack_plan(message).immediate_code(outcome)


def _refusal(channel: Channel) -> str:
    """For what cannot be read: nobody knows in which mode its sender speaks, unless the feed's configuration says."""
    return _FIXED.get((channel.transport.acknowledge, "rejected"), "AR")


def _ack(message: hl7v2.Message | bytes, code: str, now: datetime, error: hl7v2.AckError | None = None) -> bytes:
    return hl7v2.acknowledge(message, code, control_id=control_number(), now=now, error=error)


def _identity(message: hl7v2.Message, digest: bytes) -> bytes:
    """The sender's number for the message; its own text where it has none."""
    if not message.control_id:
        return digest
    return sha256("\x00".join(message.identity).encode("utf-8", "surrogatepass")).digest()
