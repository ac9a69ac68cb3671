"""Where each segment of a transaction set stands in its guide: the walk that reader, views and checker share.

A walk is a path through few states (which loops are open, how far each has come), and most sets take the same steps:
each step is worked out once and remembered for every later walk through the guide.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from x12.tables.guide_rows import KEYS, Guide, LoopRow, Use
from x12.tables.guides import find_guide
from x12.tree import Loop, Segment, TransactionSet

# a hostile file may come to any mixture of late loops; beyond these nothing more is remembered
_MOST_STATES = 5_000
# more elements than a segment can have
WIDTH = 1 << 20


class Frame:
    """One open occurrence of a loop while walking. `items` are its segments and loops, `numbers` the number of the use
    of each; `loop_counts` counts the loops inside by their id, also those that were let go; `run` is the checker's."""

    __slots__ = ("items", "loop_counts", "numbers", "opener", "parent", "row", "run", "serial")

    def __init__(self, row: LoopRow, parent: Frame | None, opener: Segment | None, serial: int = 1) -> None:
        self.row = row
        self.parent = parent
        self.opener = opener
        self.serial = serial
        self.items: list[Segment | Frame] = []
        self.numbers: list[int] = []
        self.loop_counts: dict[str, int] = {}
        self.run: object = None

    def loop(self) -> Loop:
        """The occurrence as a plain value."""
        return Loop(self.row.id, tuple(item.loop() if isinstance(item, Frame) else item for item in self.items))

    def clear(self) -> None:
        """Let go of all that is inside, so that memory comes back at once and not when cycles are looked for."""
        for item in self.items:
            if isinstance(item, Frame):
                item.clear()
        self.items = []
        self.parent = None

    def path(self) -> str:
        """The loops down to this one, each with its occurrence: "2000A[1]/2000B[2]/2300[1]"."""
        above = self.parent.path() if self.parent else ""
        own = f"{self.row.id}[{self.serial}]" if self.row.id else ""
        return f"{above}/{own}" if above else own


class Misfit(NamedTuple):
    """A segment that the guide has no place for (`use` None), or that came after its place."""

    segment: Segment
    use: Use | None
    frame: Frame


class State:
    """The innermost open loop, how far it has come, and the state of the loop around it."""

    __slots__ = ("parent", "position", "row", "steps")

    def __init__(self, row: LoopRow, position: int, parent: State | None) -> None:
        self.row, self.position, self.parent = row, position, parent
        self.steps: dict[str, _Step] = {}


class _Step(NamedTuple):
    """`up` loops are left, then the segment is taken in by `use`, opening `inner` when that is not None."""

    up: int
    use: Use | None
    inner: LoopRow | None
    late: bool
    state: State
    code: int


class Track:
    """What is known of the ways through a guide. `keyed` gives for a segment id where its qualifier is (index, cut off
    at the component separator or not) and the key of a step for each qualifier that the guide names."""

    def __init__(self, guide: Guide, component: str) -> None:
        self.guide, self.component = guide, component
        self.keyed: dict[str, tuple[int, bool, dict[str, str]]] = {}
        self.states: dict[tuple[int, int, int], State] = {}
        self._collect(guide.root)
        self.start = self._state(guide.root, 0, None)

    def _collect(self, row: LoopRow) -> None:
        for use in row.uses:
            if use.key is not None:
                at, part = KEYS[use.segment]
                keys = self.keyed.setdefault(use.segment, (at - 1, bool(part), {}))[2]
                keys.update((code, f"{use.segment} {code}") for code in use.codes[use.key])
        for inner in row.loops:
            self._collect(inner)

    def _state(self, row: LoopRow, position: int, parent: State | None) -> State:
        key = (id(row), position, id(parent))
        found = self.states.get(key)
        if found is None:
            found = State(row, position, parent)
            if len(self.states) < _MOST_STATES:
                self.states[key] = found
        return found

    def step(self, state: State, segment: Segment, key: str) -> _Step:
        """Work out a step, and remember it."""
        found = self._place(state, segment)
        if found is None:
            return _Step(0, None, None, False, state, 0)
        up, position, use, inner, late = found
        at = state
        for _ in range(up):
            at = at.parent or at
        if not late:
            at = self._state(at.row, position, at.parent)
        if inner is not None:
            at = self._state(inner, use.position, at)
        step = _Step(up, use, inner, late, at, use.number * WIDTH)
        if len(self.states) < _MOST_STATES:
            state.steps[key] = step
        return step

    def _place(self, state: State, segment: Segment) -> tuple[int, int, Use, LoopRow | None, bool] | None:
        """The innermost open loop with a place for the segment; one still ahead wins over one already passed."""
        late = None
        up, at = 0, state
        while True:
            for position, use, inner in at.row.index.get(segment.id, ()):
                if use.key is not None and not self._matches(use, use.key, segment):
                    continue
                # the segment that opens a loop opens another one, it never repeats inside
                if inner is None and use is at.row.uses[0] and at.parent:
                    continue
                if position >= at.position:
                    return up, position, use, inner, False
                late = late or (up, position, use, inner, True)
            if at.parent is None:
                return late
            up, at = up + 1, at.parent

    def _matches(self, use: Use, key: tuple[int, int], segment: Segment) -> bool:
        value = segment.get(key[0])
        return (value.split(self.component, 1)[0] if key[1] else value) in use.codes[key]


_TRACKS: dict[int, Guide] = {}


@lru_cache(maxsize=256)
def _track(identity: int, component: str) -> Track:
    return Track(_TRACKS[identity], component)


def track_of(guide: Guide, component: str) -> Track:
    """The shared track of a guide."""
    _TRACKS[id(guide)] = guide
    return _track(id(guide), component)


class Walker:
    """Takes segments and hangs them into frames. `opened` are the frames opened since it was last emptied, `gathered`
    the segments by use and number of elements (`use.number * WIDTH + count`), `misfits` what has no place."""

    def __init__(self, guide: Guide, component: str) -> None:
        self.track = track_of(guide, component)
        self.state = self.track.start
        self.root = self.frame = Frame(guide.root, None, None)
        self.opened: list[Frame] = []
        self.gathered: dict[int, list[Segment]] = {}
        self.misfits: list[Misfit] = []

    def feed(self, segments: Iterable[Segment]) -> None:
        """Walk on."""
        state, frame, gathered = self.state, self.frame, self.gathered
        keyed, component = self.track.keyed, self.track.component
        for segment in segments:
            key, elements, _ = segment
            where = keyed.get(key)
            if where is not None and len(elements) > where[0]:
                value = elements[where[0]]
                key = where[2].get(value.split(component, 1)[0] if where[1] else value, key)
            step = state.steps.get(key)
            if step is None:
                step = self.track.step(state, segment, key)
            up, use, inner, late, state, code = step
            if use is None:
                self.state, self.frame = state, frame
                self.stay()
                state, frame = self.state, self.frame
                self.misfits.append(Misfit(segment, None, frame))
                frame.items.append(segment)
                frame.numbers.append(-1)
                continue
            while up:
                frame = self.leave(frame)
                up -= 1
            if inner is not None:
                frame = self.enter(frame, inner, segment, use)
            frame.items.append(segment)
            frame.numbers.append(use.number)
            if late:
                self.misfits.append(Misfit(segment, use, frame))
            code += len(elements)
            if code in gathered:
                gathered[code].append(segment)
            else:
                gathered[code] = [segment]
        self.state, self.frame = state, frame

    def enter(self, frame: Frame, row: LoopRow, segment: Segment, use: Use) -> Frame:
        """Open a loop inside of a frame."""
        serial = frame.loop_counts[row.id] = frame.loop_counts.get(row.id, 0) + 1
        inner = Frame(row, frame, segment, serial)
        frame.items.append(inner)
        frame.numbers.append(use.number)
        self.opened.append(inner)
        return inner

    def stay(self) -> None:
        """A segment without a place stays in the open frame; whoever wants to know overrides this."""

    def leave(self, frame: Frame) -> Frame:
        """Close a frame; whoever wants to know overrides this."""
        return frame.parent or frame


def guide_of(transaction: TransactionSet) -> Guide | None:
    """The guide of a set, None when we have no table for it."""
    return guide_for(transaction.segments[:2], transaction.group)


def guide_for(first: Iterable[Segment], group: Segment) -> Guide | None:
    """The guide by the first two segments of a set."""
    header, *rest = first
    purpose = rest[0].get(2) if rest and rest[0].id == "BHT" else ""
    return find_guide(header.get(1), header.get(3) or group.get(8), purpose)


def loop_tree(transaction: TransactionSet) -> Loop | None:
    """The set as nested loops; None when its guide is not known. Segments out of place stay where they were found."""
    guide = guide_of(transaction)
    if guide is None:
        return None
    return walk(guide, transaction.segments, transaction.delimiters.component).loop()


def walk(guide: Guide, segments: Iterable[Segment], component: str) -> Frame:
    """Put every segment in its place; the frame of the whole set."""
    walker = Walker(guide, component)
    walker.feed(segments)
    return walker.root
