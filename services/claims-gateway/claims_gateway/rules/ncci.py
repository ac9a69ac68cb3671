"""NCCI pairs at full size: some 2.5 million rows as one sorted run of bytes, searched by halving.

Each row takes 17 bytes: column 1 and 2 (5 each), first and last day as ordinals (3 each), modifier indicator (1).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

_KEY = 10
_ROW = 17
_OPEN_END = date.max.toordinal()

# Modifiers that may part a pair whose indicator is 1 (NCCI Policy Manual, chapter I, E).
NCCI_MODIFIERS = frozenset({"24", "25", "27", "57", "58", "59", "78", "79", "91", "XE", "XS", "XP", "XU"}) | frozenset(
    {"LT", "RT", "LC", "LD", "RC", "LM", "RI", "FA", "TA"}
    | {f"E{digit}" for digit in range(1, 5)}
    | {f"{limb}{digit}" for limb in "FT" for digit in range(1, 10)}
)


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pair -> modifier indicator on a date. `rows` is sorted by both codes."""

    rows: bytes

    def __len__(self) -> int:
        return len(self.rows) // _ROW

    def indicator(self, column1: str, column2: str, on: date) -> str | None:
        """0 never together, 1 with a modifier, 9 not applicable; None when the pair is not in force on the day."""
        key, day = (column1 + column2).encode(), on.toordinal()
        for row in self._rows_of(key):
            if int.from_bytes(row[10:13], "big") <= day <= int.from_bytes(row[13:16], "big"):
                return chr(row[16])
        return None

    def _rows_of(self, key: bytes) -> Iterator[bytes]:
        at = bisect_left(_Keys(self.rows), key)
        while self.rows[at * _ROW : at * _ROW + _KEY] == key:
            yield self.rows[at * _ROW : (at + 1) * _ROW]
            at += 1


@dataclass(frozen=True, slots=True)
class _Keys(Sequence[bytes]):
    """The keys of all rows as a sequence, for bisect."""

    rows: bytes

    def __len__(self) -> int:
        return len(self.rows) // _ROW

    def __getitem__(self, index):  # type: ignore[no-untyped-def]
        return self.rows[index * _ROW : index * _ROW + _KEY]


def read_pairs(rows: Iterable[Mapping[str, str]]) -> Pairs:
    """Rows with column1, column2, effective_date, deletion_date (YYYY-MM-DD or empty) and modifier_indicator.

    ValueError for a row that has another shape.
    """
    packed = [_pack(row) for row in rows]
    packed.sort()
    return Pairs(b"".join(packed))


def _pack(row: Mapping[str, str]) -> bytes:
    key = (row["column1"] + row["column2"]).encode("ascii")
    indicator = row["modifier_indicator"].encode("ascii")
    if len(key) != _KEY or len(indicator) != 1:
        raise ValueError("a pair has two codes of five characters and an indicator of one")
    return key + _day(row["effective_date"], 1) + _day(row["deletion_date"], _OPEN_END) + indicator


def _day(text: str, absent: int) -> bytes:
    return (date.fromisoformat(text).toordinal() if text else absent).to_bytes(3, "big")
