"""Loops that are alike in all that the rows of situations look at share one verdict, so that rows cost next to nothing
on the thousandth claim.

Rows ask only whether some segment passes an atom, never how many do or how two values compare. So a loop's likeness is
a set: for each segment that is looked at, what the atoms would say to each of its elements.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache

from x12.check.faults import Fault
from x12.check.situations import Atom, Rule, index_rules, matches, situation_faults
from x12.loops import Frame
from x12.tree import Segment

_MOST_KNOWN = 20_000
# segments whose elements or groups of elements are all looked at, from an index on, by a step
_REPEATING = {"HI": (0, 1), "CAS": (1, 3), "PLB": (2, 2)}
Look = Callable[[str], object]
Digest = Callable[[tuple[str, ...]], object]


class Situations:
    """The rows of a guide under a component separator, with the likenesses that were found to break none."""

    def __init__(self, rules: tuple[Rule, ...], guide: str, mark: str) -> None:
        self.mark = mark
        self.index = index_rules(rules, guide)
        self.right: set[object] = set()
        self.looks: dict[str, Digest] = {}
        atoms = [atom for rows in self.index.values() for _, rule in rows for atom in _atoms(rule)]
        for name in {atom.segment for atom in atoms if atom.segment}:
            self.looks[name] = self._digest(name, [atom for atom in atoms if atom.segment == name])

    def faults(self, unit: Frame, above: dict[int, tuple[int, object]]) -> list[Fault]:
        """The faults of a loop and all inside. `above` remembers the likeness of the loops around it."""
        likeness: list[object] = [self._likeness(unit)]
        frame = unit.parent
        while frame is not None:
            known = above.get(id(frame))
            if known is None or known[0] != len(frame.items):
                known = above[id(frame)] = (len(frame.items), self._likeness(frame))
            likeness.append(known[1])
            frame = frame.parent
        key = tuple(likeness)
        if key in self.right:
            return []
        found = situation_faults(unit, self.mark, self.index)
        if not found:
            if len(self.right) > _MOST_KNOWN:
                self.right.clear()
            self.right.add(key)
        return found

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
        return frozenset(parts)

    def _digest(self, name: str, atoms: list[Atom]) -> Digest:
        """What is looked at in a segment: which qualifier the atoms name, and their answers to each element."""
        digests = {code: (name, code) for atom in atoms for code in atom.qualifiers}
        if name in _REPEATING:
            first, step = _REPEATING[name]
            look = self._answers(name, atoms, first)
            return lambda elements: (digests.get(elements[0]) if elements else name, *map(look, elements[first::step]))
        asked = [atom for atom in atoms if atom.element or atom.codes or atom.pattern]
        places = sorted({atom.element or 1 for atom in asked})
        looks = [(at - 1, self._look(name, [x for x in asked if (x.element or 1) == at], at - 1)) for at in places]
        if not looks:
            default = (name, "")
            return lambda elements: digests.get(elements[0], default) if elements else default

        def digest(elements: tuple[str, ...]) -> object:
            seen: list[object] = [name]
            try:
                seen.append(digests.get(elements[0]))
                for at, look in looks:
                    seen.append(look(elements[at]))
            except IndexError:
                # the rest is not there
                return tuple(seen)
            return tuple(seen)

        return digest

    def _look(self, name: str, atoms: list[Atom], at: int) -> Look:
        if any(atom.components[0] for atom in atoms):
            return self._answers(name, atoms, at)
        if not any(atom.codes or atom.pattern for atom in atoms):
            return bool
        codes = [set(atom.codes) for atom in atoms if atom.codes]
        patterns = [re.compile(text) for text in sorted({atom.pattern.pattern for atom in atoms if atom.pattern})]

        @lru_cache(maxsize=_MOST_KNOWN)
        def look(value: str) -> object:
            told = [value in listed for listed in codes]
            return (bool(value), *told, *[pattern.fullmatch(value) is not None for pattern in patterns])

        return look

    def _answers(self, name: str, atoms: list[Atom], at: int) -> Look:
        """What the atoms say to a value at an index, remembered by value."""
        bare = [atom._replace(qualifiers=frozenset() if name != "HI" else atom.qualifiers) for atom in atoms]
        before = ("",) * at

        @lru_cache(maxsize=_MOST_KNOWN)
        def look(value: str) -> object:
            segment = Segment(name, (*before, value), 0)
            return tuple(matches(atom, segment, self.mark) for atom in bare)

        return look


def _atoms(rule: Rule) -> Iterator[Atom]:
    for group in (*rule.when, *rule.need):
        yield from group


@lru_cache(maxsize=64)
def situations_of(rules: tuple[Rule, ...], guide: str, mark: str) -> Situations:
    """The shared likenesses of some rows."""
    return Situations(rules, guide, mark)
