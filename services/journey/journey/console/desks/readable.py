"""Stored messages and files as rows that a person can read: each segment and field with what it means.

X12 comes as the lines of `x12.describe`, masked or not as its owner made them; HL7 v2 comes as its bytes. Nothing here
decides what may be seen.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import hl7v2
from kernel.errors import Unreadable

_LOOP = re.compile(r"\s*\[(\w+)\]")
_SEGMENT = re.compile(r"(\s*)(\d+) ([A-Z][A-Z0-9]{1,2}) *(.*)", re.DOTALL)
_ELEMENT = re.compile(r"(?:^| )(\d\d)=(.*?)(?= \d\d=|$)", re.DOTALL)
_DAY = re.compile(r"(19|20)\d{6}")
_DATED = frozenset(("DTP3", "DTM2", "DMG2", "BPR16", "BHT4", "GS4", "STC2", "PLB2"))
# a number with a point goes through as a marked text: a float would change its digits
_KEPT_DIGITS = re.compile(r'"\\u0000([-+.0-9eE]+)"')
_MOST_FIELDS = 2_000


@dataclass(frozen=True, slots=True)
class Part:
    """One element or field: where it stands ("CLM05", "PID-3"), what it is, its value and what a code in it means."""

    place: str
    name: str
    value: str
    meaning: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A segment, or the heading of a loop (`parts` empty, `position` empty). `depth` indents it."""

    id: str
    name: str
    position: str
    depth: int
    parts: tuple[Part, ...] = ()


@cache
def _table(name: str) -> dict[tuple[str, str], str]:
    text = (files("journey.console.desks") / "tables" / name).read_text()
    _, *rows = csv.reader(text.splitlines(), delimiter="|", quoting=csv.QUOTE_NONE)
    return {(first, second): meaning for first, second, meaning in rows}


def x12_rows(lines: Iterable[str], guide: str) -> list[Row]:
    """The rows of described X12. `guide` ("837", "835") names its loops."""
    return list(_x12_rows(lines, guide))


def _x12_rows(lines: Iterable[str], guide: str) -> Iterator[Row]:
    component = ":"
    for line in lines:
        if loop := _LOOP.fullmatch(line):
            name = _table("x12_loops.csv").get((guide, loop[1]), "")
            yield Row(loop[1], name, "", line.index("[") // 2)
        elif segment := _SEGMENT.fullmatch(line):
            blanks, position, id, rest = segment.groups()
            found = [(int(number), value) for number, value in _ELEMENT.findall(rest) if value.strip()]
            if id == "ISA":
                component = dict(found).get(16, component)
            parts = tuple(_element(id, number, value, component) for number, value in found)
            depth = max(0, len(blanks) + len(position) - 5) // 2
            yield Row(id, _table("x12_elements.csv").get((id, ""), ""), position, depth, parts)
        elif line.strip():
            yield Row("", line.strip(), "", 0)


def _element(id: str, number: int, value: str, component: str) -> Part:
    place = f"{id}{number:02d}"
    name = _table("x12_elements.csv").get((id, str(number)), "")
    shown = _day(value) if f"{id}{number}" in _DATED else value
    return Part(place, name, shown, _meaning(id, place, value, component))


def _meaning(id: str, place: str, value: str, component: str) -> str:
    """What the codes in an element say; of a composite, those of its parts."""
    codes = _table("x12_codes.csv")
    if whole := codes.get((place, value)):
        return whole
    if component not in value:
        return ""
    where = "HI01" if id == "HI" else place
    told = (codes.get((f"{where}.{at}", part), "") for at, part in enumerate(value.split(component), 1))
    return ", ".join(filter(None, told))


def _day(value: str) -> str:
    days = value.split("-")
    if not all(_DAY.fullmatch(day) for day in days):
        return value
    return " to ".join(f"{day[:4]}-{day[4:6]}-{day[6:]}" for day in days)


def message_rows(raw: bytes) -> list[Row]:
    """The segments of an HL7 v2 message; none when it is not one that can be read."""
    try:
        message = hl7v2.read(raw)
    except Unreadable:
        return []
    counts: dict[str, int] = {}
    rows, fields = [], 0
    for segment in message.segments():
        nth = counts[segment.id] = counts.get(segment.id, 0) + 1
        parts = tuple(_fields(segment, nth))
        fields += len(parts)
        if fields > _MOST_FIELDS:
            break
        rows.append(Row(segment.id, _table("hl7_fields.csv").get((segment.id, ""), ""), str(nth), 0, parts))
    return rows


def _fields(segment: hl7v2.Segment, nth: int) -> Iterator[Part]:
    first = 2 if segment.id in ("MSH", "BHS", "FHS") else 1
    place = segment.id if nth == 1 else f"{segment.id}({nth})"
    for number in range(first, len(segment.fields)):
        text = segment.fields[number]
        if text:
            name = _table("hl7_fields.csv").get((segment.id, str(number)), "")
            yield Part(f"{place}-{number}", name, text if number == 2 == first else _decoded(text, segment))


def _decoded(text: str, segment: hl7v2.Segment) -> str:
    """Repetitions on lines of their own, components parted by a middle dot; empty ones stay, so that places count."""
    marks = segment.delimiters
    repeated = text.split(marks.repetition) if marks.repetition else [text]
    return "\n".join(
        " · ".join(hl7v2.unescape(part, marks, segment.charset) for part in one.split(marks.component))
        for one in repeated
    )


def readable_text(raw: bytes) -> str:
    """What came, as text: JSON indented, HL7 a segment to a line, bytes that are no UTF-8 shown as such."""
    text = raw.decode("utf-8", "backslashreplace")
    if text.lstrip()[:1] in ("{", "["):
        return json_text(text)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def json_text(text: str | bytes) -> str:
    """JSON with a line for each element, digits of decimals untouched; what is not JSON stays as it is."""
    plain = text.decode("utf-8", "backslashreplace") if isinstance(text, bytes) else text
    try:
        tree: Any = json.loads(plain, parse_float=lambda digits: f"\0{digits}")
    except (ValueError, RecursionError):
        return plain
    return _KEPT_DIGITS.sub(r"\1", json.dumps(tree, indent=2, ensure_ascii=False))
