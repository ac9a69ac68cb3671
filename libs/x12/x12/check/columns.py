"""Elements checked by the column: many segments of one use at a time, which is what makes a large file quick.

A column test says yes or no for all of its values; only when it says no does anybody look at the single segment.
Numbers and dates, of which a file has as many as it likes, are matched as one text; of other values the column knows
what it has accepted once, up to a limit.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from x12.check.values import UseChecker, fits_format
from x12.tables.elements import Element
from x12.tables.segments import Field
from x12.tree import Segment

_T = TypeVar("_T")
Column = Sequence[str]
_MOST_KNOWN = 1_000
# a day of the calendar but for leap days
_DAY = r"[0-9]{4}(?:(?:0[1-9]|1[0-2])(?:0[1-9]|1[0-9]|2[0-8])|(?:0[13-9]|1[0-2])(?:29|30)|(?:0[13578]|1[02])31)"
# segment: (index of the format qualifier, index of the value)
_FORMATTED = {"DTP": (1, 2), "DMG": (0, 1), "PAT": (4, 5)}


class ColumnChecker:
    """Says whether segments of one use are all without a fault."""

    def __init__(self, checker: UseChecker) -> None:
        self.checker = checker
        self.tests = [self._test(at, field) for at, field in enumerate(checker.row.fields)]
        self.formatted = _FORMATTED.get(checker.row.id)
        self.formats: set[tuple[str, str]] = set()

    def clean(self, segments: list[Segment]) -> bool:
        """No segment has a fault. All must have the same number of elements."""
        columns = list(zip(*[segment[1] for segment in segments], strict=True))
        if len(columns) > len(self.tests):
            return False
        holes = [column for column in columns if "" in column]
        patterns: Iterable[tuple[bool, ...]] = ((True,) * len(columns),)
        if holes:
            patterns = set(zip(*(map(bool, column) for column in columns), strict=True))
        if any(map(self.checker.verdict, patterns)):
            return False
        for column, test in zip(columns, self.tests, strict=False):
            values = tuple(filter(None, column)) if holes and "" in column else column
            if values and not test(values):
                return False
        return self.formatted is None or self._formats(columns, *self.formatted)

    def _test(self, at: int, field: Field) -> Callable[[Column], bool]:
        plain = not field.composite and field.repeats == 1
        codes = self.checker.use.codes.get((at + 1, 0)) if self.checker.use and plain else None
        if codes is not None:
            return codes.issuperset
        element = field.parts[0]
        if plain and element.type in ("AN", "ID"):
            return _text_test(element.least, element.most)
        usual = _usual(element) if plain else ""
        if usual:
            return _joined_test(usual, self.checker.delimiters.element, self.checker.tests[at])
        return _known_test(self.checker.tests[at])

    def _formats(self, columns: list[tuple[str, ...]], qualifier: int, value: int) -> bool:
        if len(columns) <= value:
            return True
        new = set(zip(columns[qualifier], columns[value], strict=True)) - self.formats
        if not all(not text or fits_format(name, text) for name, text in new):
            return False
        _remember(self.formats, new)
        return True


def _text_test(least: int, most: int) -> Callable[[Column], bool]:
    def test(values: Column) -> bool:
        lengths = list(map(len, values))
        return max(lengths) <= most and min(lengths) >= least and "".join(values).isprintable()

    return test


def _usual(element: Element) -> str:
    """A pattern of what a number or date mostly looks like; empty for other elements. All that it matches is right."""
    least, most = element.least, element.most
    if element.type == "R" and least == 1 and most > 2:
        return rf"-?[0-9]{{1,{most - 2}}}(?:\.[0-9]{{1,2}})?"
    if element.type == "N0":
        return rf"-?[0-9]{{{least},{most}}}"
    return _DAY if element.type == "DT" and least <= 8 <= most else ""


def _joined_test(usual: str, mark: str, single: Callable[[str], bool]) -> Callable[[Column], bool]:
    """Joined by the element separator, which no value holds, the values are matched in one go."""
    mark = re.escape(mark)
    fits = re.compile(rf"(?:{usual}{mark})*+{usual}").fullmatch
    join = mark[-1].join

    def test(values: Column) -> bool:
        return fits(join(values)) is not None or all(map(single, values))

    return test


def _known_test(single: Callable[[str], bool]) -> Callable[[Column], bool]:
    known: set[str] = set()

    def test(values: Column) -> bool:
        new = set(values) - known
        if not all(map(single, new)):
            return False
        _remember(known, new)
        return True

    return test


def _remember(known: set[_T], new: set[_T]) -> None:
    if len(known) > _MOST_KNOWN:
        known.clear()
    known.update(new)
