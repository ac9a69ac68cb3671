"""Where the values of one mapping come from: the segments in force, or the columns of a row."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from hl7v2 import Delimiters, Segment, unescape

from interface_engine.rules.templates import Place
from interface_engine.wire.hl7.outcome import Flaw

if TYPE_CHECKING:
    from interface_engine.wire.hl7.job import Job


_NULL = '""'


# What FHIR's string does not hold (R4, datatypes.html#string).
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


def clean(text: str) -> str:
    """Without blanks around it, and without control characters."""
    return (text if text.isprintable() else _CONTROL.sub("", text)).strip()


class Part(Protocol):
    """A field or one repetition of it, as hl7v2.Field is."""

    @property
    def is_null(self) -> bool: ...
    def get(self, component: int = 1, subcomponent: int = 1) -> str: ...


class Column:
    """A column's text in the shape of a field, so that the same verbs read it."""

    __slots__ = ("raw",)
    is_null = False

    def __init__(self, raw: str) -> None:
        self.raw = raw

    def get(self, component: int = 1, subcomponent: int = 1) -> str:
        return clean(self.raw) if component == 1 and subcomponent == 1 else ""


class Cell:
    """One repetition of a field, divided once: what `hl7v2.Field` reads, for fields of which much is asked."""

    __slots__ = ("_components", "charset", "delimiters", "raw")

    def __init__(self, raw: str, delimiters: Delimiters, charset: str) -> None:
        self.raw = raw
        self.delimiters = delimiters
        self.charset = charset
        self._components: list[str] | None = None

    @property
    def is_null(self) -> bool:
        return self.raw == _NULL

    def get(self, component: int = 1, subcomponent: int = 1) -> str:
        found = self._components
        if found is None:
            found = self._components = self.raw.split(self.delimiters.component)
        if component > len(found) or not (text := found[component - 1]):
            return ""
        if self.delimiters.subcomponent in text:
            pieces = text.split(self.delimiters.subcomponent)
            text = pieces[subcomponent - 1] if subcomponent <= len(pieces) else ""
        elif subcomponent > 1:
            return ""
        if self.delimiters.escape in text:
            text = unescape(text, self.delimiters, self.charset)
        return "" if text == _NULL else clean(text)


class Row:
    """One segment with its place among those of its kind: "FT1(2)"."""

    __slots__ = ("label", "parts", "segment")

    def __init__(self, segment: Segment, number: int = 1) -> None:
        self.segment = segment
        self.label = f"{segment.id}({number})" if number > 1 else segment.id
        self.parts: dict[int, list[Cell]] = {}

    def get(self, path: str) -> str:
        """One value of the segment: "7.1"."""
        return clean(self.segment.get(path))

    def repetitions(self, field: int) -> list[Cell]:
        """The repetitions of a field that say anything."""
        found = self.parts.get(field)
        if found is None:
            fields, delimiters = self.segment.fields, self.segment.delimiters
            text = fields[field] if field < len(fields) else ""
            pieces = text.split(delimiters.repetition) if text else ()
            found = [Cell(piece, delimiters, self.segment.charset) for piece in pieces]
            self.parts[field] = found
        return found


class Scope:
    """What places mean now. `nulls` and `origins` gather while values are read."""

    __slots__ = ("at", "columns", "fixed", "job", "null", "origins", "rows")

    def __init__(
        self, job: Job, rows: Mapping[str, Row], columns: Mapping[str, str] | None = None, at: str = ""
    ) -> None:
        self.job = job
        self.rows = rows
        self.columns = columns
        self.at = at
        self.fixed: dict[tuple[str, int], Part] = {}
        self.null = False
        self.origins: list[str] = []

    def within(self, **rows: Row | None) -> Scope:
        """The same with these segments in force; None for one that is not there, so that no other's is read."""
        merged = {**self.rows, **rows}
        return Scope(self.job, {name: row for name, row in merged.items() if row is not None}, self.columns, self.at)

    def holding(self, place: Place, part: Part) -> Scope:
        """The same with one repetition in force wherever its field is read."""
        made = Scope(self.job, self.rows, self.columns, self.at)
        made.fixed = {**self.fixed, (place.segment, place.field): part}
        return made

    def label(self, place: Place) -> str:
        """The place as errors and provenance name it."""
        if self.columns is not None:
            return f"{self.at}{place.text}"
        row = self.rows.get(place.segment)
        return place.text if row is None or row.label == place.segment else row.label + place.text[3:]

    def parts(self, place: Place) -> list[Part]:
        """The repetitions at a place; notes a null and the place itself."""
        found = self._parts(place)
        if len(found) == 1 and found[0].is_null:
            self.null = True
            return []
        kept = [part for part in found if not part.is_null]
        if kept:
            self.origins.append(self.label(place))
        return kept

    def _parts(self, place: Place) -> Sequence[Part]:
        if self.columns is not None:
            text = clean(self.columns.get(place.text, ""))
            return [Column(text)] if text else []
        if self.fixed and (held := self.fixed.get((place.segment, place.field))) is not None:
            return [held]
        row = self.rows.get(place.segment)
        if row is None:
            return []
        found = row.repetitions(place.field)
        return found[place.repetition - 1 : place.repetition] if place.repetition else found

    def texts(self, place: Place) -> list[str]:
        """One text for each repetition that has one there."""
        if place.field == 0 and self.columns is None:
            return []
        found = self._parts(place)
        if not found:
            return []
        component, subcomponent = place.component or 1, place.subcomponent or 1
        texts = [text for part in found if (text := part.get(component, subcomponent))]
        if texts:
            self.origins.append(self.label(place))
        elif any(part.is_null for part in found):
            self.null = True
        return texts

    def flaw(self, place: str, code: str) -> None:
        self.job.flaws.append(Flaw(place, code))
