"""NCCI's other two tables: how many units are likely on one day (MUE), and which codes are never billed alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from kernel.errors import Unreadable

from code_tables.reading import read_rows

_PAYER_DECIDES = "CCCCC"  # CMS's mark for a type 2 add-on code: the primaries are the payer's choice


@dataclass(frozen=True, slots=True)
class UnitLimit:
    """`per_line` (MAI 1): each line by itself. Otherwise per day; `absolute` (MAI 2) allows no appeal, MAI 3 does."""

    units: int
    per_line: bool
    absolute: bool


@dataclass(frozen=True, slots=True)
class AddOn:
    """`payer_decides`: a code outside `primaries` may be right too, so that only having no other code is wrong."""

    primaries: frozenset[str]
    payer_decides: bool

    def supported_by(self, others: Collection[str]) -> bool:
        return not self.primaries.isdisjoint(others) or (self.payer_decides and bool(others))


def load_mue(path: Path) -> dict[str, UnitLimit]:
    """Rows code, mue, mai (1, 2 or 3)."""
    limits = {}
    for place, row in read_rows(path, ["code", "mue", "mai"]):
        if not row["mue"].isdigit() or row["mai"] not in ("1", "2", "3"):
            raise Unreadable("table_row", place, "mue is a number of units and mai 1, 2 or 3")
        limits[row["code"]] = UnitLimit(int(row["mue"]), row["mai"] == "1", row["mai"] == "2")
    return limits


def load_add_ons(path: Path) -> Mapping[str, AddOn]:
    """Rows addon, primary: one row for each primary code."""
    primaries: dict[str, set[str]] = defaultdict(set)
    for _, row in read_rows(path, ["addon", "primary"]):
        primaries[row["addon"]].add(row["primary"])
    return {code: _add_on(listed) for code, listed in primaries.items()}


def _add_on(listed: set[str]) -> AddOn:
    return AddOn(frozenset(listed - {_PAYER_DECIDES}), _PAYER_DECIDES in listed)
