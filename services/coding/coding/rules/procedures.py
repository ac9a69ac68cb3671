"""Which CPT and HCPCS codes are in force on a day, and what the fee schedule says of them. Codes only, no texts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

from kernel.codes import is_procedure_code
from kernel.errors import Unreadable
from kernel.period import Period

from coding.rules.tables import read_day, read_rows

CodeStanding = Literal["valid", "not-effective", "unknown", "malformed"]
_GLOBAL_PERIOD = ("000", "010", "090")


@dataclass(frozen=True, slots=True)
class ProcedureCodes:
    """`effective`: code to the periods in which it can be billed."""

    effective: Mapping[str, tuple[Period, ...]]

    def standing(self, code: str, on: date) -> CodeStanding:
        if not is_procedure_code(code):
            return "malformed"
        periods = self.effective.get(code)
        if periods is None:
            return "unknown"
        return "valid" if any(period.contains(on) for period in periods) else "not-effective"


@dataclass(frozen=True, slots=True)
class FeeSchedule:
    """`global_days` by code, from the Medicare physician fee schedule: 000, 010, 090, XXX, YYY, ZZZ, MMM."""

    global_days: Mapping[str, str]

    def has_global_period(self, code: str) -> bool:
        """A procedure that pays for the visit of its day too, unless that visit stands on its own (modifier 25)."""
        return self.global_days.get(code) in _GLOBAL_PERIOD


def load_procedure_codes(path: Path) -> ProcedureCodes:
    """Rows code, effective_from, effective_to; blank dates are open."""
    periods: dict[str, list[Period]] = defaultdict(list)
    for place, row in read_rows(path, ["code", "effective_from", "effective_to"]):
        if not is_procedure_code(row["code"]):
            raise Unreadable("table_row", place, "not the shape of a CPT or HCPCS code")
        try:
            period = Period(read_day(row["effective_from"]), read_day(row["effective_to"]))
        except (ValueError, Unreadable) as error:
            raise Unreadable("table_row", place, "dates are YYYY-MM-DD, the end no earlier than the start") from error
        periods[row["code"]].append(period)
    return ProcedureCodes({code: tuple(rows) for code, rows in periods.items()})


def load_fee_schedule(path: Path) -> FeeSchedule:
    """The CMS columns of the relative value file; rows with a modifier (26, TC, 53) repeat a code and are passed."""
    rows = read_rows(path, ["hcpcs", "modifier", "global_days"])
    return FeeSchedule({row["hcpcs"]: row["global_days"] for _, row in rows if not row["modifier"]})
