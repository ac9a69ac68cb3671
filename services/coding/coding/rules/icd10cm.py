"""Which ICD-10-CM codes exist and which are billable on a day.

The tabular list comes with the package simple-icd-10-cm. Importing that package parses the whole tabular (2 s, 200 MB),
of which a billing check needs only the list of codes: a code is billable when no longer code begins with it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import Literal

from code_tables import read_day, read_rows
from kernel.codes import icd10cm_plain, is_icd10cm
from kernel.errors import Unreadable
from kernel.period import Period

Standing = Literal["billable", "header", "not-effective", "unknown"]
_PACKAGE = "simple-icd-10-cm"


@dataclass(frozen=True, slots=True)
class Icd10cmTable:
    """`codes`: the newest list, sorted, without dots. `dated`: when codes that came or went could be billed."""

    codes: Sequence[str]
    dated: Mapping[str, tuple[Period, ...]]

    def standing(self, code: str, on: date) -> Standing:
        """Whether the code (dotted or plain) could be billed for a service on the day."""
        plain = icd10cm_plain(code)
        if periods := self.dated.get(plain):
            return "billable" if any(period.contains(on) for period in periods) else self._outside(plain)
        index = bisect_left(self.codes, plain)
        if not is_icd10cm(code) or index == len(self.codes) or self.codes[index] != plain:
            return "unknown"
        return "header" if self._has_children(index, plain) else "billable"

    def _outside(self, plain: str) -> Standing:
        """A code outside its billable dates: today's header (it was split), or a code not yet or no longer in force."""
        index = bisect_left(self.codes, plain)
        found = index < len(self.codes) and self.codes[index] == plain
        return "header" if found and self._has_children(index, plain) else "not-effective"

    def _has_children(self, index: int, plain: str) -> bool:
        return index + 1 < len(self.codes) and self.codes[index + 1].startswith(plain)


def load_icd10cm(dated: Path) -> Icd10cmTable:
    """The installed list, with the site's or the shipped rows of dated codes (code, billable_from, billable_to)."""
    return Icd10cmTable(_installed_codes(), _dated_rows(dated))


def _installed_codes() -> list[str]:
    try:
        found = [file for file in files(_PACKAGE) or () if file.name.startswith("code-list-")]
    except PackageNotFoundError:
        found = []
    if not found:
        raise Unreadable("table_missing", _PACKAGE, "the installed package holds no list of ICD-10-CM codes")
    text = Path(str(sorted(found)[-1].locate())).read_text(encoding="ascii")
    return _codes_of(text.split())


def _codes_of(names: Iterable[str]) -> list[str]:
    """Codes only, sorted: the list also names chapters ("1") and blocks ("A00-A09")."""
    return sorted({name for name in names if is_icd10cm(name)})


def _dated_rows(path: Path) -> dict[str, tuple[Period, ...]]:
    periods: dict[str, list[Period]] = defaultdict(list)
    for place, row in read_rows(path, ["code", "billable_from", "billable_to"]):
        try:
            period = Period(read_day(row["billable_from"]), read_day(row["billable_to"]))
        except (ValueError, Unreadable) as error:
            raise Unreadable("table_row", place, "dates are YYYY-MM-DD, the end no earlier than the start") from error
        periods[icd10cm_plain(row["code"])].append(period)
    return {code: tuple(rows) for code, rows in periods.items()}
