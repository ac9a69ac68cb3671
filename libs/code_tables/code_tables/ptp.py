"""NCCI procedure-to-procedure edits: which two codes are not paid together, when, and whether a modifier may part them.

The published table has about 2.5 million rows, most of them history. Two flat arrays hold it in 30 MB and a binary
search answers, so that a whole quarter's table costs a service less memory than its database pool.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path

from kernel.errors import Unreadable

from code_tables.reading import open_table, read_day

_HEADER = ["column1", "column2", "effective_date", "deletion_date", "modifier_indicator"]
_EPOCH = date(1990, 1, 1).toordinal()
_DAY_BITS = 15  # days since 1990, good until 2079
_OPEN_END = (1 << _DAY_BITS) - 1
_INDICATORS = "019"
_NO_EDIT = 2  # the place of 9 among the indicators
_CODE_LENGTH = 5


class PtpTable:
    """The edits by code pair; several rows of one pair are versions of it in time."""

    def __init__(self, keys: array[int], values: array[int]) -> None:
        self._keys = keys
        self._values = values

    def __len__(self) -> int:
        return len(self._keys)

    def indicator(self, column1: str, column2: str, on: date) -> str | None:
        """Whether `column2` is bundled into `column1` on the day: "0" always, "1" unless an NCCI modifier parts them.

        None when no edit of this order of the pair is in force; indicator 9 means that there is none.
        """
        if not _are_codes(column1, column2):
            return None
        key, day = int(column1 + column2, 36), _clamped(on)
        index = bisect_left(self._keys, key)
        while index < len(self._keys) and self._keys[index] == key:
            value = self._values[index]
            if value >> 17 <= day <= (value >> 2) & _OPEN_END and value & 3 != _NO_EDIT:
                return _INDICATORS[value & 3]
            index += 1
        return None


def load_ptp(path: Path) -> PtpTable:
    """Reads the CMS columns (csv or csv.gz), rows in any order. Unreadable, with its line, when one row is bad."""
    keys, values = array("Q"), array("I")
    is_sorted, previous = True, -1
    with open_table(path, _HEADER) as (lines, first):
        for key, value in _rows(lines, first, path.name):
            is_sorted = is_sorted and key >= previous
            previous = key
            keys.append(key)
            values.append(value)
    return PtpTable(keys, values) if is_sorted else _sorted(keys, values)


def _rows(lines: Iterable[str], first: int, file: str) -> Iterator[tuple[int, int]]:
    """One packed key and value a row. Written flat: it runs millions of times."""
    days: dict[str, int] = {}
    for number, line in enumerate(lines, first):
        try:
            column1, column2, effective, deletion, indicator = line.split(",", 5)[:5]
            if effective not in days:
                days[effective] = _days(effective, 0)
            ends = "to " + deletion
            if ends not in days:
                days[ends] = _days(deletion, _OPEN_END)
            if len(column1) != _CODE_LENGTH or len(column2) != _CODE_LENGTH:
                raise ValueError("codes have five characters")
            key = int(column1 + column2, 36)  # 52 bits, in the order of the text
            packed = days[effective] << 17 | days[ends] << 2 | _INDICATORS.index(indicator.strip())
        except ValueError as error:
            raise Unreadable("table_row", f"{file}:{number}", "not a row of the NCCI table", number) from error
        yield key, packed


def _are_codes(column1: str, column2: str) -> bool:
    """Codes come from records: what is none has no edits, and int() would take or refuse it in its own way."""
    pair = column1 + column2
    has_length = len(column1) == len(column2) == _CODE_LENGTH
    return has_length and pair.isascii() and pair.isalnum() and pair == pair.upper()


def _days(text: str, when_blank: int) -> int:
    day = read_day(text)
    return when_blank if day is None else _clamped(day)


def _clamped(day: date) -> int:
    return min(max(day.toordinal() - _EPOCH, 0), _OPEN_END)


def _sorted(keys: array[int], values: array[int]) -> PtpTable:
    pairs = sorted(zip(keys, values, strict=True))
    return PtpTable(array("Q", (key for key, _ in pairs)), array("I", (value for _, value in pairs)))
