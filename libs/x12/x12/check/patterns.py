"""Claims that are built alike: one is walked and looked at, the others are known by their pattern.

A claim's pattern is the order of its segments, and of each its qualifier, its number of elements and what the rows of
situations would see in it. Claims of one pattern stand in the guide alike, so that only the first is put into loops.
What is left to look at are values, and those are looked at by the column.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from operator import itemgetter

from x12.check.claims import Layout, layout_of
from x12.check.likeness import Situations
from x12.loops import WIDTH, Frame, State, Track
from x12.tables.guide_rows import LoopRow
from x12.tree import Segment

# the loop that holds one claim, by the segment that opens it
UNIT_SEGMENTS = frozenset(("CLM", "CLP"))
# patterns that are remembered, and surroundings in which one was found to break no row
_MOST_PATTERNS = 1_000
_MOST_AROUND = 50
# a longer claim is rarely like another one
_LONGEST = 400
Sign = Callable[[tuple[str, ...]], Hashable]
Key = tuple[State, tuple[str, ...], tuple[Hashable, ...]]
_ids = itemgetter(0)


class Pattern:
    """What is known of claims of one build: the code (use and number of elements) of every segment, the likenesses of
    the loops around with which no row of situations is broken, and where the segments of its arithmetic stand."""

    __slots__ = ("around", "codes", "layout")

    def __init__(self, codes: tuple[int, ...], layout: Layout | None) -> None:
        self.codes, self.layout = codes, layout
        self.around: set[Hashable] = set()


class Run:
    """A claim at hand: its segments, the state of the walk behind the first, and what it is like. `folded` says that
    the others were not hung into loops; without `key` it is not to be learnt."""

    __slots__ = ("folded", "key", "pattern", "segments", "state")

    def __init__(self, state: State, segments: list[Segment], key: Key | None, pattern: Pattern | None) -> None:
        self.state, self.segments, self.key, self.pattern = state, segments, key, pattern
        self.folded = pattern is not None


class Patterns:
    """The patterns of a guide that were met. `stops` are the identifiers that no claim holds, and its opening one."""

    def __init__(self, track: Track, situations: Situations) -> None:
        self.name, self.mark = track.guide.name, track.component
        inside: set[str] = set()
        everywhere: set[str] = set()
        _collect(track.guide.root, False, inside, everywhere)
        self.stops = (everywhere - inside | (inside & UNIT_SEGMENTS)) if inside else frozenset()
        self.signs: dict[str, Sign] = {name: _sign(name, track, situations) for name in inside}
        self.known: dict[Key, Pattern] = {}
        self.shared: dict[Hashable, Hashable] = {}

    def runs(self, segments: Sequence[Segment]) -> Iterator[tuple[int, int]]:
        """Where claims begin and end, the last one left out: more of it may come."""
        ids = list(map(_ids, segments))
        stops = [at for at, name in enumerate(ids) if name in self.stops]
        for start, end in pairwise(stops):
            if ids[start] in UNIT_SEGMENTS and end - start < _LONGEST:
                yield start, end

    def key(self, state: State, claim: list[Segment]) -> Key | None:
        """What a claim must share with another one to be like it; None when it has segments that no claim has."""
        signs = self.signs
        try:
            seen = tuple([signs[name](elements) for name, elements, _ in claim])
        except (KeyError, IndexError):
            return None
        return state, tuple(map(_ids, claim)), seen

    def keep(self, run: Run, unit: Frame, around: Hashable) -> None:
        """Remember a claim without a fault in its build, and that it breaks no row with those loops around it."""
        if run.key is None:
            return
        pattern = run.pattern or self._learn(run.key, unit)
        if len(pattern.around) >= _MOST_AROUND:
            pattern.around.clear()
        pattern.around.add(around)

    def _learn(self, key: Key, unit: Frame) -> Pattern:
        found = self.known.get(key)
        if found is None:
            if len(self.known) >= _MOST_PATTERNS:
                self.known.clear()
                self.shared.clear()
            state, ids, seen = key
            share = self.shared.setdefault
            found = Pattern(tuple(_codes(unit)), layout_of(unit, self.mark, self.name))
            self.known[state, ids, tuple([share(sign, sign) for sign in seen])] = found
        return found


def _collect(row: LoopRow, within: bool, inside: set[str], everywhere: set[str]) -> None:
    within = within or bool(row.uses and row.uses[0].segment in UNIT_SEGMENTS)
    for use in row.uses:
        everywhere.add(use.segment)
        if within:
            inside.add(use.segment)
    for inner in row.loops:
        _collect(inner, within, inside, everywhere)


def _codes(frame: Frame) -> Iterator[int]:
    for item, number in zip(frame.items, frame.numbers, strict=True):
        if isinstance(item, Frame):
            yield from _codes(item)
        else:
            yield number * WIDTH + len(item[1])


def _sign(name: str, track: Track, situations: Situations) -> Sign:
    """What of a segment belongs to the pattern. A missing qualifier is an IndexError: such claims are not compared."""
    digest = situations.looks.get(name)
    at, part, _ = track.keyed.get(name, (-1, False, {}))
    mark = track.component
    if part:
        return lambda elements: (elements[at].split(mark, 1)[0], len(elements), digest(elements) if digest else "")
    if at < 0:
        return (lambda elements: (len(elements), digest(elements))) if digest else len
    # a digest that asks for nothing but the qualifier says no more than the qualifier
    if digest is None or (at == 0 and name not in situations.deep):
        return lambda elements: (elements[at], len(elements))
    return lambda elements: (elements[at], len(elements), digest(elements))


@lru_cache(maxsize=16)
def patterns_of(track: Track, situations: Situations) -> Patterns:
    """The shared patterns of a guide under some rows."""
    return Patterns(track, situations)
