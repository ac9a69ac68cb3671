"""Acknowledgements: what to answer, and the answer (HL7 v2 chapter 2, "Message processing").

An answer has to go out even for text that is no message, so ids are looked for in raw bytes when reading fails. Nothing
of the sender's but the header's ids goes into an answer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from kernel.errors import Unreadable

from hl7v2.delimiters import DEFAULT, Delimiters, delimiters_of
from hl7v2.escapes import escape
from hl7v2.message import Message, split_fields
from hl7v2.read import read
from hl7v2.timestamps import format_timestamp

Outcome: TypeAlias = Literal["accepted", "error", "rejected"]
_APPLICATION: dict[Outcome, str] = {"accepted": "AA", "error": "AE", "rejected": "AR"}
_ACCEPT: dict[Outcome, str] = {"accepted": "CA", "error": "CE", "rejected": "CR"}
_CODES = frozenset((*_APPLICATION.values(), *_ACCEPT.values()))
_WHEN = {"AL": frozenset(_APPLICATION), "NE": frozenset[str](), "SU": frozenset({"accepted"}),
         "ER": frozenset({"error", "rejected"})}  # fmt: skip  # HL7 table 0155

# HL7 table 0357 in our own words.
_CONDITIONS = {
    "0": "accepted", "100": "segments out of order", "101": "required field missing", "102": "wrong data type",
    "103": "value not in table", "104": "value too long", "198": "wrong number of repetitions", "199": "other fault",
    "200": "message type not supported", "201": "event not supported", "202": "processing id not supported",
    "203": "version not supported", "204": "key not known", "205": "key already there", "206": "record locked",
    "207": "internal error",
}  # fmt: skip
_LOCATION = re.compile(
    r"(?P<segment>[A-Z][A-Z0-9]{2})(?:\((?P<nth>\d+)\))?"
    r"(?:-(?P<field>\d+)(?:\((?P<repetition>\d+)\))?(?:\.(?P<component>\d+)(?:\.(?P<subcomponent>\d+))?)?)?"
)
_CONTROL = re.compile(r"[\x00-\x1f]")
_LONGEST = 250  # characters of an id taken from text that is no message


@dataclass(frozen=True, slots=True)
class AckError:
    """One ERR segment: a code of table 0357, where (`PID-3.1`, `PID` or ""), severity E, W or I, and two texts.

    The texts are the receiver's own and go out as they are: no patient data in them.
    """

    code: str = "207"
    location: str = ""
    severity: str = "E"
    diagnostic: str = ""
    message: str = ""

    @staticmethod
    def of(error: Unreadable) -> AckError:
        """The error of a message that could not be read: its code is the diagnostic, its reason the message."""
        location = error.path if _LOCATION.fullmatch(error.path) else ""
        return AckError("102" if location else "199", location, "E", error.code, error.reason)


@dataclass(frozen=True, slots=True)
class AckPlan:
    """What the sender wants to hear. `accept` and `application` are values of table 0155."""

    mode: Literal["original", "enhanced"]
    accept: str
    application: str

    def accept_code(self, outcome: Outcome) -> str:
        """CA, CE or CR, or "" for silence."""
        return _ACCEPT[outcome] if outcome in _WHEN[self.accept] else ""

    def application_code(self, outcome: Outcome) -> str:
        """AA, AE or AR, or "" for silence."""
        return _APPLICATION[outcome] if outcome in _WHEN[self.application] else ""

    def immediate_code(self, outcome: Outcome) -> str:
        """What goes back on the same connection once the message is stored, or "" for silence."""
        return self.application_code(outcome) if self.mode == "original" else self.accept_code(outcome)


def ack_plan(message: Message) -> AckPlan:
    """Original mode when neither MSH-15 nor MSH-16 is valued, else enhanced.

    In enhanced mode a field without a value is NE, and a value that is not in table 0155 is AL: better an answer too
    many than a sender that waits.
    """
    accept, application = message.get("MSH-15"), message.get("MSH-16")
    if not accept and not application:
        return AckPlan("original", "NE", "AL")
    return AckPlan("enhanced", _when(accept), _when(application))


def _when(text: str) -> str:
    value = text.strip().upper() or "NE"
    return value if value in _WHEN else "AL"


def acknowledge(
    message: Message | bytes,
    code: str,
    *,
    control_id: str,
    now: datetime,
    text: str = "",
    error: AckError | None = None,
) -> bytes:
    """The answer to a message, unframed: MSH, MSA and, with `error`, ERR.

    `message` may be bytes that are no message: whatever ids they show are used. `control_id` is the answer's own
    MSH-10, `now` has a zone, `text` is MSA-3. ERR takes the form of the sender's version (2.5 changed it).
    """
    if code not in _CODES:
        raise ValueError("no acknowledgement code")
    head = _head(message)
    lines = [_msh(head, control_id, now), _line(head, ["MSA", code, head.at(10), escape(text, head.delimiters)])]
    if error is not None:
        lines.append(_err(head, error) if head.version >= (2, 5) else _err_before_25(head, error))
    return "".join(line + "\r" for line in lines).encode(head.charset, "replace")


@dataclass(frozen=True, slots=True)
class _Head:
    """The MSH of the message to answer, as far as it is there."""

    fields: list[str]
    delimiters: Delimiters
    charset: str
    longest: int | None = None

    def at(self, number: int) -> str:
        """A field as it came, but for control characters, which could end a segment or a frame."""
        text = self.fields[number] if number < len(self.fields) else ""
        return _CONTROL.sub("", text)[: self.longest]

    @property
    def version(self) -> tuple[int, ...]:
        """MSH-12 as numbers; the form of today when it does not tell."""
        numbers = re.match(r"\d{1,3}(?:\.\d{1,3})*", self.at(12))
        return tuple(map(int, numbers[0].split("."))) if numbers else (2, 5)


def _head(message: Message | bytes) -> _Head:
    if isinstance(message, Message):
        return _Head(message.segments("MSH")[0].fields, message.delimiters, message.charset)
    try:
        return _head(read(message))
    except Unreadable:
        return _scanned(message)


def _scanned(data: bytes) -> _Head:
    """The first MSH anywhere in the bytes."""
    text = data.decode("latin-1")
    for match in re.finditer(r"MSH[^\r\n]*", text):
        try:
            delimiters = delimiters_of(match[0])
        except Unreadable:
            continue
        return _Head(split_fields(match[0], delimiters.field), delimiters, "latin-1", _LONGEST)
    return _Head([], DEFAULT, "latin-1", _LONGEST)


def _msh(head: _Head, control_id: str, now: datetime) -> str:
    mark = head.delimiters.component
    trigger = head.at(9).split(mark)[1:2]
    kind = mark.join(("ACK", trigger[0], "ACK")) if trigger and trigger[0] else "ACK"
    quiet = "NE" if head.at(15) or head.at(16) else ""  # an answer in enhanced mode asks for no answer
    return _line(head, [
        "MSH", head.delimiters.encoding, head.at(5), head.at(6), head.at(3), head.at(4), format_timestamp(now), "",
        kind, escape(control_id, head.delimiters), head.at(11) or "P", head.at(12) or "2.5.1", "", "", quiet, quiet, "",
        head.at(18),
    ])  # fmt: skip


def _err(head: _Head, error: AckError) -> str:
    """Version 2.5 and later: ERR-2 where, ERR-3 what, ERR-4 how bad, ERR-7 and ERR-8 in words."""
    match = _LOCATION.fullmatch(error.location)
    parts = ("segment", "nth", "field", "repetition", "component", "subcomponent")
    where = [match[part] or "" for part in parts] if match else []
    if where:
        where[1] = where[1] or "1"
    mark = head.delimiters.component
    return _line(head, [
        "ERR", "", mark.join(where).rstrip(mark), mark.join(_condition(head, error)), error.severity, "", "",
        escape(error.diagnostic, head.delimiters), escape(error.message, head.delimiters),
    ])  # fmt: skip


def _err_before_25(head: _Head, error: AckError) -> str:
    """Before version 2.5: ERR-1 holds segment, sequence, field and the condition as subcomponents."""
    match = _LOCATION.fullmatch(error.location)
    where = [match["segment"], match["nth"] or "1", match["field"] or ""] if match else ["", "", ""]
    condition = head.delimiters.subcomponent.join(_condition(head, error))
    return _line(head, ["ERR", head.delimiters.component.join([*where, condition])])


def _condition(head: _Head, error: AckError) -> tuple[str, str, str]:
    return escape(error.code, head.delimiters), _CONDITIONS.get(error.code, ""), "HL70357"


def _line(head: _Head, fields: list[str]) -> str:
    while not fields[-1]:
        fields.pop()
    return head.delimiters.field.join(fields)


@dataclass(frozen=True, slots=True)
class Ack:
    """An answer that came: MSA-1, MSA-2 and MSA-3."""

    code: str
    control_id: str
    text: str

    @property
    def accepted(self) -> bool:
        """Whether the message need not be sent again."""
        return self.code in ("AA", "CA")


def parse_ack(data: bytes) -> Ack:
    """The answer in `data`. Errors: those of `read`, and `hl7.no_msa` without MSA-1."""
    message = read(data)
    code = message.get("MSA-1")
    if code not in _CODES:
        raise Unreadable("hl7.no_msa", "MSA-1", "not an acknowledgement")
    return Ack(code, message.get("MSA-2"), message.get("MSA-3"))
