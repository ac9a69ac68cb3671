"""Elements checked by the column: many segments of one use at a time, which is what makes a large file quick.

A column test says yes or no for all of its values; only when it says no does anybody look at the single segment. What
it has accepted once it knows, up to a limit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from x12.check.values import UseChecker, fits_format
from x12.tables.segments import Field
from x12.tree import Segment

_T = TypeVar("_T")
Column = Sequence[str]
_MOST_KNOWN = 20_000
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
