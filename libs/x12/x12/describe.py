"""X12 made readable for people: indented by loop, elements numbered, and what could name a person masked."""

from __future__ import annotations

from collections.abc import Iterator

from x12.loops import Frame, guide_of, walk
from x12.read import Source, read
from x12.tables.elements import Element
from x12.tables.segments import SEGMENTS, Field
from x12.tree import Interchange, Segment, TransactionSet

# free text and identifiers are masked by their type; these types and elements are not about persons
_OPEN_TYPES = frozenset(("ID", "R", "N0"))
_OPEN_ELEMENTS = frozenset(("234", "1271", "1339", "1331", "480", "1705", "28", "329", "628", "734", "721", "447"))
_MASKED_ELEMENTS = frozenset(("156", "116", "1068", "1067"))
_OPEN_SEGMENTS = frozenset(("ISA", "IEA", "GS", "GE", "ST", "SE", "TA1", "AK1", "AK2", "AK9", "IK3", "IK5"))


def describe(data: Source, mask_phi: bool = True) -> str:
    """A print of every interchange in the data. X12Error when it is not X12."""
    return "\n".join(line for interchange in read(data) for line in _interchange(interchange, mask_phi))


def _interchange(interchange: Interchange, mask: bool) -> Iterator[str]:
    marks = (interchange.delimiters.component, interchange.delimiters.repetition)
    yield _segment(interchange.header, 0, marks, mask)
    for stray in interchange.strays:
        yield _segment(stray, 0, marks, mask)
    for group in interchange.groups:
        yield _segment(group.header, 0, marks, mask)
        for stray in group.strays:
            yield _segment(stray, 0, marks, mask)
        for transaction in group.sets:
            yield from _set(transaction, marks, mask)
        if group.trailer:
            yield _segment(group.trailer, 0, marks, mask)
    if interchange.trailer:
        yield _segment(interchange.trailer, 0, marks, mask)


def _set(transaction: TransactionSet, marks: tuple[str, str], mask: bool) -> Iterator[str]:
    guide = guide_of(transaction)
    if guide is None:
        for segment in transaction.segments:
            yield _segment(segment, 1, marks, mask)
        return
    root, _ = walk(guide, transaction.segments, transaction.delimiters.component)
    yield from _frame(root, 1, marks, mask)


def _frame(frame: Frame, depth: int, marks: tuple[str, str], mask: bool) -> Iterator[str]:
    if frame.row.id:
        yield "  " * depth + f"[{frame.row.id}]"
        depth += 1
    for item in frame.items:
        if isinstance(item, Frame):
            yield from _frame(item, depth, marks, mask)
        else:
            yield _segment(item, depth, marks, mask)


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
