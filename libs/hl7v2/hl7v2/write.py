"""From nested lists to the bytes of a message."""

from __future__ import annotations

import re
from collections.abc import Sequence

from kernel.errors import Unreadable

from hl7v2.delimiters import DEFAULT, HEADERS, Delimiters
from hl7v2.escapes import NULL_TEXT, escape
from hl7v2.tree import Component, Leaf, Null, Once, Repeated, Value

_ID = re.compile(r"[A-Z][A-Z0-9]{2}")


def write(segments: Sequence[Sequence[Value]], *, delimiters: Delimiters = DEFAULT, charset: str = "utf-8") -> bytes:
    """A message, each segment ended by CR. The index in a segment is the HL7 field number.

    MSH-1 and MSH-2 (FHS, BHS too) are filled in whatever stands there. Empty ends are cut at every level. `charset` is
    a Python codec. Errors: `hl7.segment_id`, `hl7.charset` for text that the codec cannot write; `position` is the
    segment's place.
    """
    lines = [_segment(segment, delimiters, at) for at, segment in enumerate(segments)]
    try:
        return "".join(lines).encode(charset)
    except UnicodeEncodeError:
        raise Unreadable("hl7.charset", "", f"a text has characters that {charset} does not have") from None


def _segment(segment: Sequence[Value], delimiters: Delimiters, position: int) -> str:
    id = segment[0] if segment else None
    if not isinstance(id, str) or not _ID.fullmatch(id):
        raise Unreadable("hl7.segment_id", "", "a segment begins with its id, three capitals or digits", position)
    if id in HEADERS:
        rest = _joined([_field(value, delimiters) for value in segment[3:]], delimiters.field)
        return f"{id}{delimiters.field}{delimiters.encoding}{delimiters.field}{rest}\r"
    return _joined([id, *(_field(value, delimiters) for value in segment[1:])], delimiters.field) + "\r"


def _field(value: Value, delimiters: Delimiters) -> str:
    if isinstance(value, Repeated):
        return _joined([_once(item, delimiters) for item in value.values], delimiters.repetition)
    return _once(value, delimiters)


def _once(value: Once, delimiters: Delimiters) -> str:
    if value is None or isinstance(value, str | Null):
        return _leaf(value, delimiters)
    return _joined([_component(item, delimiters) for item in value], delimiters.component)


def _component(value: Component, delimiters: Delimiters) -> str:
    if value is None or isinstance(value, str | Null):
        return _leaf(value, delimiters)
    return _joined([_leaf(item, delimiters) for item in value], delimiters.subcomponent)


def _leaf(value: Leaf, delimiters: Delimiters) -> str:
    if isinstance(value, Null):
        return NULL_TEXT
    return escape(value, delimiters) if value else ""


def _joined(parts: list[str], delimiter: str) -> str:
    while parts and not parts[-1]:
        parts.pop()
    return delimiter.join(parts)
