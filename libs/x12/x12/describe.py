"""X12 made readable for people: indented by loop, elements numbered, and what could name a person masked."""

from __future__ import annotations

from collections.abc import Iterator

from x12.loops import Frame, Walker, guide_for
from x12.read import Source, batches
from x12.tables.elements import Element
from x12.tables.segments import SEGMENTS, Field
from x12.tree import Segment

# free text and identifiers are masked by their type; these types and elements are not about persons
_OPEN_TYPES = frozenset(("ID", "R", "N0"))
_OPEN_ELEMENTS = frozenset(("234", "1271", "1339", "1331", "480", "1705", "28", "329", "628", "734", "721", "447"))
_MASKED_ELEMENTS = frozenset(("156", "116", "1068", "1067"))
_OPEN_SEGMENTS = frozenset(("ISA", "IEA", "GS", "GE", "ST", "SE", "TA1", "AK1", "AK2", "AK9", "IK3", "IK5"))


def describe(data: Source, mask_phi: bool = True) -> str:
    """A print of every interchange in the data. X12Error when it is not X12."""
    return "\n".join(describe_lines(data, mask_phi))


def describe_lines(data: Source, mask_phi: bool = True) -> Iterator[str]:
    """The same line by line, for data of any size."""
    group: Segment | None = None
    body: _Body | None = None
    for batch, delimiters in batches(data):
        marks = (delimiters.component, delimiters.repetition)
        for segment in batch:
            if segment.id == "ST" and group is not None:
                yield from body.finish() if body else ()
                body = _Body(group, marks, mask_phi)
            elif segment.id in ("ISA", "GS", "GE", "IEA"):
                yield from body.finish() if body else ()
                body = None
                group = segment if segment.id == "GS" else None
            if body is None:
                yield _segment(segment, 0, marks, mask_phi)
                continue
            yield from body.lines(segment)
            if segment.id == "SE":
                yield from body.finish()
                body = None
    yield from body.finish() if body else ()


class _Body:
    """One set as it goes by. Its guide shows with the second segment, so the first is held until then."""

    def __init__(self, group: Segment, marks: tuple[str, str], mask: bool) -> None:
        self.group, self.marks, self.mask = group, marks, mask
        self.held: list[Segment] = []
        self.walker: Walker | None = None

    def lines(self, segment: Segment) -> Iterator[str]:
        self.held.append(segment)
        if len(self.held) == 1 and segment.id == "ST":
            return
        if self.held[0].id == "ST":
            guide = guide_for(self.held, self.group)
            self.walker = Walker(guide, self.marks[0]) if guide else None
        yield from self.finish()

    def finish(self) -> Iterator[str]:
        """What is held, placed and shown."""
        held, self.held = self.held, []
        walker = self.walker
        for segment in held:
            if walker is None:
                yield _segment(segment, 1, self.marks, self.mask)
                continue
            walker.feed((segment,))
            depth = _depth(walker.frame)
            for _ in walker.opened:
                yield "  " * (depth - 1) + f"[{walker.frame.row.id}]"
            # only the open loops matter here, not what they held
            walker.frame.items, walker.frame.numbers = [], []
            walker.opened, walker.gathered, walker.misfits = [], {}, []
            yield _segment(segment, depth, self.marks, self.mask)


def _depth(frame: Frame) -> int:
    return 1 if frame.parent is None else _depth(frame.parent) + 1


def _segment(segment: Segment, depth: int, marks: tuple[str, str], mask: bool) -> str:
    row = SEGMENTS.get(segment.id)
    shown = []
    for at, value in enumerate(segment.elements, 1):
        if value:
            field = row.fields[at - 1] if row and at <= len(row.fields) else None
            covered = mask and segment.id not in _OPEN_SEGMENTS
            shown.append(f"{at:02d}={_covered(value, field, marks) if covered else value}")
    return "  " * depth + " ".join([f"{segment.position:>5} {segment.id:<3}", *shown])


def _covered(value: str, field: Field | None, marks: tuple[str, str]) -> str:
    if field is None:
        return _blot(value)
    component, repetition = marks
    repeats = value.split(repetition) if repetition and field.repeats > 1 else [value]
    return (repetition or " ").join(_covered_one(text, field, component) for text in repeats)


def _covered_one(text: str, field: Field, component: str) -> str:
    if not field.composite:
        return text if _open(field.parts[0], text) else _blot(text)
    parts = text.split(component)
    elements = [*field.parts, *[field.parts[-1]] * len(parts)]
    return component.join(
        part if not part or _open(element, part) else _blot(part)
        for part, element in zip(parts, elements, strict=False)
    )


def _open(element: Element, text: str) -> bool:
    """A value is shown only when its element is not about a person and it is no longer than the element allows."""
    if element.number in _MASKED_ELEMENTS or len(text) > element.most + 2:
        return False
    return element.type in _OPEN_TYPES or element.number in _OPEN_ELEMENTS


def _blot(value: str) -> str:
    return f"<{len(value)}>"
