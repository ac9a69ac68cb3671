"""Code sets that somebody else maintains: loaded tables with effective dates, asked by day.

What is shipped are the lists that are public facts. HCPCS and CPT, ICD-10-CM, ICD-10-PCS and revenue codes are given
from outside as `CodeSet`s; without them codes are held to their form only.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from x12.tables.codes.table_carc import CARC
from x12.tables.codes.table_modifiers import MODIFIERS
from x12.tables.codes.table_places import PLACES
from x12.tables.codes.table_rarc import RARC
from x12.tables.codes.table_status import CATEGORIES, STATUSES
from x12.tables.table_codes import STATES

_RANGE = re.compile(r"([A-Z]*)(\d+)-\1(\d+)")
_EVER, _NEVER = "", "99999999"
# days asked for are remembered up to this many: a file has few
_REMEMBERED = 512
# longer lists are asked code by code: a set for each day would be gigabytes
_SHORT = 5_000


class _Window:
    """The codes of a long list that are good on some day of a span, asked one by one."""

    __slots__ = ("first", "last", "spans")

    def __init__(self, spans: Mapping[str, tuple[tuple[str, str], ...]], first: str, last: str) -> None:
        self.spans, self.first, self.last = spans, first, last

    def __contains__(self, code: object) -> bool:
        return isinstance(code, str) and _meets(self.spans.get(code, ()), self.first, self.last)


@dataclass(frozen=True, slots=True, eq=False)
class CodeSet:
    """Codes, each with its spans (first day, day it stops) as CCYYMMDD; an empty first day means ever since."""

    name: str
    spans: Mapping[str, tuple[tuple[str, str], ...]]
    _days: dict[tuple[str, str], frozenset[str]] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, name: str, rows: Iterable[tuple[str, date | None, date | None]]) -> CodeSet:
        """From rows (code, first day, day on which it stops); a code may have several rows."""
        spans: dict[str, tuple[tuple[str, str], ...]] = {}
        for code, first, stop in rows:
            span = (f"{first:%Y%m%d}" if first else _EVER, f"{stop:%Y%m%d}" if stop else _NEVER)
            spans[code] = (*spans.get(code, ()), span)
        return cls(name, spans)

    @classmethod
    def of_text(cls, name: str, text: str) -> CodeSet:
        """From rows of text: "first-stop: codes and ranges of codes"."""
        spans: dict[str, tuple[tuple[str, str], ...]] = {}
        for line in text.strip().splitlines():
            days, _, listing = line.partition(":")
            first, _, stop = days.partition("-")
            for token in listing.split():
                for code in _codes(token):
                    spans[code] = (*spans.get(code, ()), (first, stop or _NEVER))
        return cls(name, spans)

    def __contains__(self, code: object) -> bool:
        """Whether the code was ever given out."""
        return code in self.spans

    def active(self, code: str, day: date | None = None) -> bool:
        """Whether the code is good on a day; without one, whether it was ever given out."""
        return code in self.during(f"{day:%Y%m%d}", f"{day:%Y%m%d}") if day else code in self.spans

    def during(self, first: str, last: str) -> Container[str]:
        """The same question as `between`, without making a set of a long list for each of its days."""
        return self.between(first, last) if len(self.spans) <= _SHORT else _Window(self.spans, first, last)

    def between(self, first: str, last: str) -> frozenset[str]:
        """The codes that are good on some day from `first` to `last` (CCYYMMDD, empty when not known)."""
        known = self._days.get((first, last))
        if known is None:
            known = frozenset(code for code, spans in self.spans.items() if _meets(spans, first, last))
            if len(self._days) >= _REMEMBERED:
                self._days.clear()
            self._days[first, last] = known
        return known


def _codes(token: str) -> list[str]:
    match = _RANGE.fullmatch(token)
    if match is None:
        return [token]
    letters, low, high = match.groups()
    width = len(low) if low.startswith("0") else 0
    return [f"{letters}{number:0{width}d}" for number in range(int(low), int(high) + 1)]


def _meets(spans: tuple[tuple[str, str], ...], first: str, last: str) -> bool:
    return any((not last or start <= last) and (not first or first < stop) for start, stop in spans)


@dataclass(frozen=True, slots=True, eq=False)
class CodeSets:
    """The lists that `check` asks. Those that are None are not asked: only the form of their codes is looked at."""

    carc: CodeSet
    rarc: CodeSet
    places: CodeSet
    states: CodeSet
    modifiers: CodeSet
    status_categories: CodeSet
    status_codes: CodeSet
    procedures: CodeSet | None = None
    diagnoses: CodeSet | None = None
    inpatient_procedures: CodeSet | None = None
    revenue: CodeSet | None = None


SHIPPED = CodeSets(
    carc=CodeSet.of_text("carc", CARC),
    rarc=CodeSet.of_text("rarc", RARC),
    places=CodeSet.of_text("places", PLACES),
    states=CodeSet("states", dict.fromkeys(STATES, ((_EVER, _NEVER),))),
    modifiers=CodeSet.of_text("modifiers", MODIFIERS),
    status_categories=CodeSet.of_text("status-categories", CATEGORIES),
    status_codes=CodeSet.of_text("status-codes", STATUSES),
)
