"""Rows of values to X12 text. Every builder ends here, so that no value can break the text apart."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from datetime import date

from x12.amounts import from_cents
from x12.delimiters import Delimiters
from x12.tables.elements import Element
from x12.tables.guide_rows import Guide
from x12.tables.segments import SEGMENTS, Field
from x12.views.envelope import Envelope

Part = str | int | None
Repeats = list["str | tuple[Part, ...]"]
Value = Part | tuple[Part, ...] | Repeats
Row = tuple[Value, ...]


class ViewError(ValueError):
    """A value cannot go into X12, or a set cannot come into a view. `path` says where; the value is never shown."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


def money(cents: int | None) -> str:
    """Amount text, empty for None."""
    return "" if cents is None else from_cents(cents)


def day(value: date | None) -> str:
    """CCYYMMDD, empty for None."""
    return "" if value is None else f"{value.year:04d}{value.month:02d}{value.day:02d}"


def span(start: date, end: date | None) -> tuple[str, str]:
    """Format qualifier and value of a date or a range."""
    if end is None or end == start:
        return "D8", day(start)
    return "RD8", f"{day(start)}-{day(end)}"


def compose(guide: Guide, rows: Iterable[Row], envelope: Envelope) -> str:
    """A whole interchange with one group and one set of `rows` (ST and SE are added here). ViewError on bad values."""
    marks = envelope.delimiters
    lines = [_line(row, marks, guide.name) for row in _numbered(guide, list(rows), envelope)]
    return "".join(line + marks.segment + marks.suffix for line in lines)


def _numbered(guide: Guide, rows: Sequence[Row], envelope: Envelope) -> list[Row]:
    version = "" if guide.code == "835" else guide.version
    group = str(envelope.group_control)
    return [
        header(envelope),
        _group_header(guide, envelope, group),
        ("ST", guide.code, envelope.set_control, version),
        *rows,
        ("SE", str(len(rows) + 2), envelope.set_control),
        ("GE", "1", group),
        trailer(envelope, groups=1),
    ]


def _group_header(guide: Guide, envelope: Envelope, group: str) -> Row:
    sender = envelope.application_sender or envelope.sender_id
    receiver = envelope.application_receiver or envelope.receiver_id
    at = envelope.created
    return ("GS", guide.functional_id, sender, receiver, day(at), f"{at:%H%M%S}", group, "X", guide.version)


def header(envelope: Envelope) -> Row:
    """The ISA of an envelope."""
    marks, at = envelope.delimiters, envelope.created
    if not 0 < envelope.control_number < 1_000_000_000:
        raise ViewError("ISA13", "the control number has nine digits")
    for number, text in ((6, envelope.sender_id), (8, envelope.receiver_id)):
        if not 0 < len(text) <= 15:
            raise ViewError(f"ISA{number:02d}", "one to fifteen characters")
    named = "".join((envelope.sender_qualifier, envelope.sender_id, envelope.receiver_qualifier, envelope.receiver_id))
    if not (named.isascii() and named.isprintable()) or not marks.characters().isdisjoint(named):
        raise ViewError("ISA05-ISA08", "hold a character that X12 cannot carry")
    return (
        "ISA", "00", " " * 10, "00", " " * 10, envelope.sender_qualifier, envelope.sender_id.ljust(15),
        envelope.receiver_qualifier, envelope.receiver_id.ljust(15), f"{at:%y%m%d}", f"{at:%H%M}",
        marks.repetition or "U", "00501", f"{envelope.control_number:09d}", "1" if envelope.acknowledge else "0",
        envelope.usage, marks.component,
    )  # fmt: skip


def trailer(envelope: Envelope, groups: int) -> Row:
    """The IEA of an envelope."""
    return ("IEA", str(groups), f"{envelope.control_number:09d}")


def envelope_only(rows: Iterable[Row], envelope: Envelope) -> str:
    """An interchange without a group: for TA1."""
    marks = envelope.delimiters
    lines = [_line(row, marks, "TA1") for row in (header(envelope), *rows, trailer(envelope, groups=0))]
    return "".join(line + marks.segment + marks.suffix for line in lines)


def _line(row: Row, marks: Delimiters, guide: str) -> str:
    name = str(row[0])
    fields = SEGMENTS[name].fields
    if name == "ISA":
        return marks.element.join(str(value) for value in row)
    elements = [_element(value, fields[at], marks, f"{guide} {name}{at + 1:02d}") for at, value in enumerate(row[1:])]
    while elements and not elements[-1]:
        elements.pop()
    return marks.element.join((name, *elements))


def _element(value: Value, field: Field, marks: Delimiters, path: str) -> str:
    if isinstance(value, list):
        if len(value) > 1 and not marks.repetition:
            raise ViewError(path, "repeats, but the interchange has no repetition separator")
        return marks.repetition.join(_element(item, field, marks, path) for item in value)
    if isinstance(value, tuple):
        parts = [_part(item, field.parts[at], marks, f"{path}-{at + 1:02d}") for at, item in enumerate(value)]
        while parts and not parts[-1]:
            parts.pop()
        return marks.component.join(parts)
    return _part(value, field.parts[0], marks, path)


def _part(value: Part, element: Element, marks: Delimiters, path: str) -> str:
    """The text of one value: accents folded, blanks around it gone; refused when it could not be read back."""
    if value is None or value == "":
        return ""
    text = str(value)
    if element.type == "B":
        return _document(text, path)
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text)
        text = "".join(letter for letter in text if not unicodedata.combining(letter))
    text = text.strip(" ")
    if not (text.isascii() and text.isprintable()):
        raise ViewError(path, "holds a character that X12 cannot carry")
    if not marks.characters().isdisjoint(text):
        raise ViewError(path, "holds a delimiter")
    if len(text) > element.most and not (element.type == "R" and len(text.strip("-").replace(".", "")) <= element.most):
        raise ViewError(path, f"longer than {element.most} characters")
    return text


def _document(text: str, path: str) -> str:
    """A document goes as it is, delimiters and all: the element before it says how long it is."""
    if not text.isascii():
        raise ViewError(path, "holds a character that X12 cannot carry")
    return text
