"""Transaction sets far too large for memory in portions: each a set of its own that the views can read, with some whole
claims and all that stands above them.

A portion begins with the head of the set and the levels that its first claim is in (HL of an 837, LX of an 835), and
holds what follows up to the next claim or level. So one claim may not be larger than memory, a set may.
"""

from __future__ import annotations

from collections.abc import Iterator

from x12.read import FRAME, Source, segments
from x12.tree import NOWHERE, Segment, TransactionSet

_CLAIMS = frozenset(("CLM", "CLP"))
_RANKS = frozenset(("20", "21", "22", "23"))
# levels without claims come in portions too
_MOST_SEGMENTS = 20_000


def portions(data: Source, claims: int = 200) -> Iterator[TransactionSet]:
    """The sets of the data in order, each in one or more portions of so many claims. The segments keep their positions;
    what repeats is the head and the levels. SE stands in the last portion of a set, and so does PLB."""
    header = group = None
    place = NOWHERE
    cut: _Cut | None = None
    for segment, delimiters in segments(data):
        name = segment.id
        if name not in FRAME:
            if cut is not None and cut.add(segment):
                yield cut.portion()
            continue
        if cut is not None:
            yield cut.last(segment)
            cut = None
        place = place.after(name)
        header, group = (segment, None) if name == "ISA" else (header, group)
        group = segment if name == "GS" else None if name == "GE" else group
        if name == "ST" and header is not None and group is not None:
            cut = _Cut(TransactionSet((segment,), group, header, delimiters, place), claims)
    if cut is not None:
        yield cut.portion()


class _Cut:
    """An open set. `levels` are those around the claim at hand, each with its rank, the head of the set first; of
    `held` the next portion is made, `done` is the one that was cut off."""

    def __init__(self, head: TransactionSet, most: int) -> None:
        self.head, self.most = head, most
        self.mark = "LX" if head.code == "835" else "HL"
        self.levels: list[tuple[str, list[Segment]]] = [("", [*head.segments])]
        self.held: list[Segment] = [*head.segments]
        self.done: list[Segment] = []
        self.claims = 0
        self.in_claim = False

    def add(self, segment: Segment) -> bool:
        """Take a segment; whether a portion is complete before it."""
        name = segment.id
        opens, level = name in _CLAIMS, name == self.mark
        full = (opens or level) and (self.claims >= self.most or len(self.held) > _MOST_SEGMENTS)
        if level:
            self._level(segment)
        if full:
            self.done, self.held = self.held, [item for _, items in self.levels for item in items]
            self.claims = 0
        self.claims += opens
        self.in_claim = opens or (self.in_claim and not level)
        if not self.in_claim:
            self.levels[-1][1].append(segment)
        self.held.append(segment)
        return full

    def _level(self, segment: Segment) -> None:
        rank = segment.get(3) if segment.get(3) in _RANKS else "99"
        while len(self.levels) > 1 and self.levels[-1][0] >= rank:
            self.levels.pop()
        self.levels.append((rank, []))

    def portion(self) -> TransactionSet:
        """What was cut off, or what is held at the end of the data."""
        found, self.done = self.done or self.held, []
        head = self.head
        return TransactionSet(tuple(found), head.group, head.interchange, head.delimiters, head.place)

    def last(self, segment: Segment) -> TransactionSet:
        """The last portion of the set, with its SE when the segment is one."""
        if segment.id == "SE":
            self.held.append(segment)
        return self.portion()
