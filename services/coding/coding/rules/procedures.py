"""Which CPT and HCPCS codes are in force on a day. Codes only, no texts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

from code_tables import read_day, read_rows
from kernel.codes import is_procedure_code
from kernel.errors import Unreadable
from kernel.period import Period

CodeStanding = Literal["valid", "not-effective", "unknown", "malformed"]


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
