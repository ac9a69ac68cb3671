"""External codes checked by the column: each distinct code of a piece once for every day of service that occurs in it.

When all are good on all of those days no segment needs to be looked at with its own day; else `code_faults` does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import NamedTuple

from x12.check.codes import TESTS, Days, day_of
from x12.code_sets import CodeSets
from x12.tree import Segment

_MOST_DAYS = 40
_MOST_KNOWN = 1_000
_elements = itemgetter(1)
# the indexes of the elements that a test looks at, by segment; all elements where it is not said
_LOOKED_AT = {
    "NM1": (7, 8), "N1": (2, 3), "N4": (1, 3), "CLM": (4,), "SV1": (0, 4), "SV2": (0, 1), "SV3": (0,), "SVC": (0, 5),
    "SVD": (2,), "LQ": (0, 1),
}  # fmt: skip
# codes that are looked at one by one: the index of the first, and how far the next one is
_EACH = {"HI": (0, 1), "CAS": (1, 3)}
_DATES = frozenset(("DTP", "DTM"))
# the code that must stand at an index, or the test has nothing to say
_CONCERNED = {"NM1": (7, "XX"), "N1": (2, "XX"), "LQ": (0, "HE")}
# tests that no date matters to
_TIMELESS = frozenset(("NM1", "N1"))


class _Dated(NamedTuple):
    """What was found good on all of some days, by segment id and number of elements."""

    days: frozenset[str]
    known: dict[tuple[str, int], set[object]]


class CodeColumns:
    """Says whether all codes of a piece are good. What is good is remembered for the days that were asked for."""

    def __init__(self, sets: CodeSets, mark: str, made_on: str) -> None:
        self.sets, self.mark, self.made_on = sets, mark, made_on
        self.dated = _Dated(frozenset(("",)), {})

    def clean(self, groups: Iterable[tuple[int, list[Segment]]]) -> bool:
        """No code of the segments is at fault on any day of theirs. Each group has one id and number of elements."""
        tested = [(count, rows) for count, rows in groups if rows[0][0] in TESTS or rows[0][0] in _DATES]
        days = {day for count, rows in tested if rows[0][0] in _DATES for day in _days(count, rows)}
        if not days <= self.dated.days:
            self.dated = _Dated(self.dated.days | days, {})
        if len(self.dated.days) > _MOST_DAYS:
            self.dated = _Dated(frozenset(("",)) | days, {})
        return len(days) <= _MOST_DAYS and all(self._good(count, rows) for count, rows in tested)

    def _good(self, count: int, rows: list[Segment]) -> bool:
        name = rows[0][0]
        if name not in TESTS:
            return True
        if name in _EACH:
            return self._each(name, count, rows)
        indexes = tuple(at for at in _LOOKED_AT.get(name, range(count)) if at < count)
        if not indexes:
            return True
        at, code = _CONCERNED.get(name, (0, ""))
        if code:
            rows = [segment for segment in rows if segment[1][at : at + 1] == (code,)]
        known = self.dated.known.setdefault((name, count), set())
        values: Sequence[object] = list(map(itemgetter(*indexes), map(_elements, rows)))
        new = set(values) - known
        return not new or self._learn(known, new, dict(zip(values, rows, strict=True)))

    def _each(self, name: str, count: int, rows: list[Segment]) -> bool:
        """The same where the elements do not depend on each other: each code by itself, in an example of its own."""
        first, step = _EACH[name]
        known = self.dated.known.setdefault((name, 0), set())
        new: set[object] = {value for at in range(first, count, step) for value in {row[1][at] for row in rows}}
        new -= known
        before = ("",) * first
        return not new or self._learn(known, new, {value: Segment(name, (*before, str(value)), 0) for value in new})

    def _learn(self, known: set[object], new: set[object], examples: dict[object, Segment]) -> bool:
        """Whether the examples of what is new are good on every day; if so they are remembered."""
        for value in new:
            segment = examples[value]
            days = ("",) if segment[0] in _TIMELESS else self.dated.days
            for day in days:
                if any(True for _ in TESTS[segment[0]](segment, Days(day, self.made_on, self.sets, self.mark))):
                    return False
        if len(known) > _MOST_KNOWN:
            known.clear()
        known.update(new)
        return True


def _days(count: int, rows: list[Segment]) -> set[str]:
    """The days of service of some dates of the same kind."""
    at = 2 if rows[0][0] == "DTP" else 1
    if count <= at:
        return set()
    return {day_of(str(qualifier), str(text)) for qualifier, text in set(map(itemgetter(0, at), map(_elements, rows)))}


@lru_cache(maxsize=16)
def columns_of(sets: CodeSets, mark: str, made_on: str) -> CodeColumns:
    """The shared memory of some code sets."""
    return CodeColumns(sets, mark, made_on)
