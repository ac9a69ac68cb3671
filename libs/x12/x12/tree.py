"""Segments, sets, groups and interchanges as frozen plain data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from x12.delimiters import Delimiters


class X12Error(ValueError):
    """The text is not X12. `position` counts characters from the start of the data; the text itself is never shown."""

    def __init__(self, reason: str, position: int) -> None:
        super().__init__(f"{reason} at position {position}")
        self.reason = reason
        self.position = position


class Segment(NamedTuple):
    """One segment; `elements[0]` is element 01; `position` is its place in the interchange, ISA being 1."""

    id: str
    elements: tuple[str, ...]
    position: int

    def get(self, number: int) -> str:
        """Element `number` (1-based), or an empty string."""
        return self.elements[number - 1] if number <= len(self.elements) else ""


class Place(NamedTuple):
    """Which interchange of the data, which group of it, which set of that; each counts from 1, 0 is not known."""

    interchange: int = 0
    group: int = 0
    set: int = 0

    def after(self, name: str) -> Place:
        """The place that begins with a segment of that id: ISA, GS and ST count on."""
        if name == "ISA":
            return Place(self.interchange + 1)
        if name == "GS":
            return Place(self.interchange, self.group + 1)
        return self._replace(set=self.set + 1) if name == "ST" else self


NOWHERE = Place()


@dataclass(frozen=True, slots=True)
class TransactionSet:
    """ST to SE (the last segment is another when SE is missing) with the headers that it stands under."""

    segments: tuple[Segment, ...]
    group: Segment
    interchange: Segment
    delimiters: Delimiters
    place: Place = field(default=NOWHERE, compare=False)

    @property
    def code(self) -> str:
        """ST01."""
        return self.segments[0].get(1)

    @property
    def control(self) -> str:
        """ST02."""
        return self.segments[0].get(2)

    @property
    def guide(self) -> str:
        """ST03, else GS08: the implementation guide."""
        return self.segments[0].get(3) or self.group.get(8)

    @property
    def start(self) -> int:
        """Position of ST in the interchange."""
        return self.segments[0].position


@dataclass(frozen=True, slots=True)
class Group:
    """GS to GE. `strays` are segments outside of any set."""

    header: Segment
    sets: tuple[TransactionSet, ...]
    trailer: Segment | None
    strays: tuple[Segment, ...] = ()


@dataclass(frozen=True, slots=True)
class Interchange:
    """ISA to IEA. `strays` are segments outside of any group, TA1 among them; `number` counts in the data from 1."""

    header: Segment
    groups: tuple[Group, ...]
    trailer: Segment | None
    delimiters: Delimiters
    strays: tuple[Segment, ...] = ()
    number: int = field(default=0, compare=False)

    def sets(self) -> Iterator[TransactionSet]:
        """Every transaction set in order."""
        for group in self.groups:
            yield from group.sets

    def segments(self) -> Iterator[Segment]:
        """Every segment in its order."""
        parts: list[Segment] = [self.header, *self.strays]
        for group in self.groups:
            parts += [group.header, *group.strays]
            for item in group.sets:
                parts += item.segments
            parts += [group.trailer] if group.trailer else []
        parts += [self.trailer] if self.trailer else []
        yield from sorted(parts, key=lambda segment: segment.position)


@dataclass(frozen=True, slots=True)
class Loop:
    """One occurrence of a guide's loop: its segments and loops in order."""

    id: str
    items: tuple[Segment | Loop, ...]

    def loops(self, *ids: str) -> list[Loop]:
        """The loops directly inside with one of those ids."""
        return [item for item in self.items if isinstance(item, Loop) and item.id in ids]

    def loop(self, *ids: str) -> Loop | None:
        """The first of them."""
        return next((item for item in self.items if isinstance(item, Loop) and item.id in ids), None)

    def all(self, segment_id: str, *qualifiers: str) -> list[Segment]:
        """The segments directly inside with that id and, when given, one of the qualifiers in element 01."""
        return [
            item
            for item in self.items
            if isinstance(item, Segment) and item.id == segment_id and (not qualifiers or item.get(1) in qualifiers)
        ]

    def first(self, segment_id: str, *qualifiers: str) -> Segment | None:
        """The first of them."""
        for item in self.items:
            if isinstance(item, Segment) and item.id == segment_id and (not qualifiers or item.get(1) in qualifiers):
                return item
        return None

    def value(self, segment_id: str, number: int, *qualifiers: str) -> str:
        """Element `number` of the first such segment, or an empty string."""
        segment = self.first(segment_id, *qualifiers)
        return segment.get(number) if segment else ""

    def segments(self) -> Iterator[Segment]:
        """Every segment inside, at any depth."""
        for item in self.items:
            if isinstance(item, Loop):
                yield from item.segments()
            else:
                yield item
