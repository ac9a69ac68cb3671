"""Where each segment of a transaction set stands in its guide: the walk that reader, views and checker share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from x12.tables.guide_rows import Guide, LoopRow, Use
from x12.tables.guides import find_guide
from x12.tree import Loop, Segment, TransactionSet


class Placed(NamedTuple):
    """A segment with its use (None when the guide has no place for it), its loop, and whether it came too late."""

    segment: Segment
    use: Use | None
    frame: Frame
    late: bool = False


class Frame:
    """One open occurrence of a loop while walking."""

    __slots__ = ("counts", "items", "loop_counts", "opener", "parent", "position", "row")

    def __init__(self, row: LoopRow, parent: Frame | None, opener: Segment | None) -> None:
        self.row = row
        self.parent = parent
        self.opener = opener
        self.position = 0
        self.items: list[Segment | Frame] = []
        self.counts: dict[int, int] = {}
        self.loop_counts: dict[str, int] = {}

    def loop(self) -> Loop:
        """The occurrence as a plain value."""
        return Loop(self.row.id, tuple(item.loop() if isinstance(item, Frame) else item for item in self.items))


def guide_of(transaction: TransactionSet) -> Guide | None:
    """The guide of a set, None when we have no table for it."""
    purpose = ""
    if len(transaction.segments) > 1 and transaction.segments[1].id == "BHT":
        purpose = transaction.segments[1].get(2)
    return find_guide(transaction.code, transaction.guide, purpose)


def loop_tree(transaction: TransactionSet) -> Loop | None:
    """The set as nested loops; None when its guide is not known. Segments out of place stay where they were found."""
    guide = guide_of(transaction)
    if guide is None:
        return None
    root, _ = walk(guide, transaction.segments, transaction.delimiters.component)
    return root.loop()


def walk(guide: Guide, segments: Iterable[Segment], component: str) -> tuple[Frame, list[Placed]]:
    """Put every segment in its place."""
    root = Frame(guide.root, None, None)
    placed: list[Placed] = []
    current = root
    for segment in segments:
        found = _place(current, segment, component)
        if found is None:
            current.items.append(segment)
            placed.append(Placed(segment, None, current))
            continue
        frame, position, use, inner, late = found
        if not late:
            frame.position = position
        if inner is None:
            frame.items.append(segment)
            frame.counts[use.number] = frame.counts.get(use.number, 0) + 1
            current = frame
        else:
            current = _open(frame, inner, segment, use)
        placed.append(Placed(segment, use, current, late))
    return root, placed


def _open(frame: Frame, row: LoopRow, segment: Segment, use: Use) -> Frame:
    opened = Frame(row, frame, segment)
    opened.items.append(segment)
    opened.position = use.position
    opened.counts[use.number] = 1
    frame.items.append(opened)
    frame.loop_counts[row.id] = frame.loop_counts.get(row.id, 0) + 1
    return opened


_Found = tuple[Frame, int, Use, LoopRow | None, bool]


def _place(current: Frame, segment: Segment, component: str) -> _Found | None:
    """The innermost open loop with a place for the segment; one that is still ahead wins over one already passed."""
    late: _Found | None = None
    frame: Frame | None = current
    while frame is not None:
        for position, use, inner in frame.row.index.get(segment.id, ()):
            if use.key is not None and not _matches(use, segment, component):
                continue
            # the segment that opens a loop opens another one, it never repeats inside
            if inner is None and use is frame.row.uses[0] and frame.parent:
                continue
            if position >= frame.position:
                return frame, position, use, inner, False
            late = late or (frame, position, use, inner, True)
        frame = frame.parent
    return late


def _matches(use: Use, segment: Segment, component: str) -> bool:
    key = use.key
    if key is None:
        return True
    value = segment.get(key[0])
    if key[1]:
        value = value.split(component, 1)[0]
    return value in use.codes[key]
