"""Loops that are alike in all that the rows of situations look at share one verdict, so that rows cost next to nothing
on the thousandth claim.

Rows ask only whether some segment passes an atom, never how many do or how two values compare. So a loop's likeness is
a set: for each segment that is looked at, what the atoms would say to each of its elements.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from x12.check.faults import Fault
from x12.check.situations import Atom, Rule, index_rules, matches, situation_faults
from x12.loops import Frame
from x12.tree import Segment

_MOST_KNOWN = 1_000
# segments whose elements or groups of elements are all looked at, from an index on, by a step
_REPEATING = {"HI": (0, 1), "CAS": (1, 3), "PLB": (2, 2)}
Look = Callable[[str], object]
Digest = Callable[[tuple[str, ...]], object]


class Memo(dict[Any, Any]):
    """What comes of a value, worked out once; all is forgotten when it has grown too large."""

    def __init__(self, work: Callable[[Any], object]) -> None:
        super().__init__()
        self.work = work

    def __missing__(self, value: Any) -> object:
        if len(self) >= _MOST_KNOWN:
            self.clear()
        found = self[value] = self.work(value)
        return found


class Situations:
    """The rows of a guide under a component separator, with the likenesses that were found to break none."""

    def __init__(self, rules: tuple[Rule, ...], guide: str, mark: str) -> None:
        self.mark = mark
        self.index = index_rules(rules, guide)
        self.right: set[object] = set()
        self.shared: dict[object, object] = {}
        self.looks: dict[str, Digest] = {}
        # the segments of which more than the qualifier is looked at
        self.deep: set[str] = set()
        atoms = [atom for rows in self.index.values() for _, rule in rows for atom in _atoms(rule)]
        for name in {atom.segment for atom in atoms if atom.segment}:
            self.looks[name] = self._digest(name, [atom for atom in atoms if atom.segment == name])

    def faults(self, unit: Frame, above: dict[int, tuple[int, object]]) -> list[Fault]:
        """The faults of a loop and all inside. `above` remembers the likeness of the loops around it."""
        key = (self._likeness(unit), *self.around(unit, above))
        if key in self.right:
            return []
        found = situation_faults(unit, self.mark, self.index)
        if not found:
            if len(self.right) > _MOST_KNOWN:
                self.right.clear()
            self.right.add(key)
        return found

    def around(self, unit: Frame, above: dict[int, tuple[int, object]]) -> tuple[object, ...]:
        """The likenesses of the loops around a loop, the inner ones first."""
        likeness: list[object] = []
        frame = unit.parent
        while frame is not None:
            known = above.get(id(frame))
            if known is None or known[0] != len(frame.items):
                known = above[id(frame)] = (len(frame.items), self._likeness(frame))
            likeness.append(known[1])
            frame = frame.parent
        return tuple(likeness)

    def _likeness(self, frame: Frame) -> object:
        looks = self.looks
        parts: set[object] = {*frame.loop_counts, frame.row.id}
        for item in frame.items:
            if isinstance(item, Frame):
                parts.add(self._likeness(item))
                continue
            digest = looks.get(item[0])
            if digest is not None:
                parts.add(digest(item[1]))
        likeness = frozenset(parts)
        # equal ones are kept once: there are few, and many keys hold them
        if len(self.shared) >= _MOST_KNOWN:
            self.shared.clear()
        return self.shared.setdefault(likeness, likeness)

    def _digest(self, name: str, atoms: list[Atom]) -> Digest:
        """What is looked at in a segment: which qualifier the atoms name, and their answers to each element."""
        digests = {code: (name, code) for atom in atoms for code in atom.qualifiers}
        if name in _REPEATING or any(atom.element or atom.codes or atom.pattern for atom in atoms):
            self.deep.add(name)
        if name in _REPEATING:
            return self._repeated(name, atoms, digests)
        asked = [atom for atom in atoms if atom.element or atom.codes or atom.pattern]
        places = sorted({atom.element or 1 for atom in asked})
        looks = [(at - 1, self._look(name, [x for x in asked if (x.element or 1) == at], at - 1)) for at in places]
        if not looks:
            default = (name, "")
            return lambda elements: digests.get(elements[0], default) if elements else default
        # by the number of elements: what is there of those that are looked at
        there = Memo(lambda size: [(at, look) for at, look in looks if at < size])

        def digest(elements: tuple[str, ...]) -> object:
            qualifier = digests.get(elements[0]) if elements else None
            return (name, qualifier, *[look(elements[at]) for at, look in there[len(elements)]])

        return digest

    def _repeated(self, name: str, atoms: list[Atom], digests: dict[str, tuple[str, str]]) -> Digest:
        first, step = _REPEATING[name]
        look = self._answers(name, atoms, first)
        seen = Memo(lambda values: (digests.get(values[0]), *map(look, values[1:])))
        return lambda elements: seen[(elements[0], *elements[first::step])] if elements else name

    def _look(self, name: str, atoms: list[Atom], at: int) -> Look:
        if any(atom.components[0] for atom in atoms):
            return self._answers(name, atoms, at)
        codes = [frozenset(atom.codes) for atom in atoms if atom.codes]
        patterns = [re.compile(text) for text in sorted({atom.pattern.pattern for atom in atoms if atom.pattern})]
        if not (codes or patterns):
            return bool
        if len(codes) == len(atoms) == 1:
            return codes[0].__contains__
        if not codes and len(patterns) <= 2:
            first, last = patterns[0].fullmatch, patterns[-1].fullmatch
            return lambda value: (value != "", first(value) is None, last(value) is None)
        tests: list[Look] = [*(listed.__contains__ for listed in codes), *(each.fullmatch for each in patterns)]
        return Memo(lambda value: (bool(value), *[bool(test(value)) for test in tests])).__getitem__

    def _answers(self, name: str, atoms: list[Atom], at: int) -> Look:
        """What the atoms say to a value at an index, remembered by value."""
        bare = [atom._replace(qualifiers=frozenset() if name != "HI" else atom.qualifiers) for atom in atoms]
        before = ("",) * at

        def look(value: str) -> object:
            segment = Segment(name, (*before, value), 0)
            return tuple(matches(atom, segment, self.mark) for atom in bare)

        return Memo(look).__getitem__


def _atoms(rule: Rule) -> Iterator[Atom]:
    for group in (*rule.when, *rule.need):
        yield from group


@lru_cache(maxsize=64)
def situations_of(rules: tuple[Rule, ...], guide: str, mark: str) -> Situations:
    """The shared likenesses of some rows."""
    return Situations(rules, guide, mark)
