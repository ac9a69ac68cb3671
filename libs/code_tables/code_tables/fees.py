"""What the Medicare physician fee schedule says of a code: status, components, global period, who may assist."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from code_tables.reading import read_rows

_PERIODS = {"000": 0, "010": 10, "090": 90}
_COLUMNS = ("status", "pctc", "global_days", "bilat_surg", "asst_surg", "co_surg", "team_surg")


@dataclass(frozen=True, slots=True)
class FeeRow:
    """The indicators of a code, as CMS writes them. `global_days`: 000, 010, 090, XXX, YYY, ZZZ or MMM."""

    status: str
    pctc: str
    global_days: str
    bilateral: str
    assistant: str
    co_surgeon: str
    team: str

    @property
    def global_period(self) -> int | None:
        """For how many days after its own a procedure pays for visits too; None when it pays for none at all."""
        return _PERIODS.get(self.global_days)


def load_fee_schedule(path: Path) -> Mapping[str, FeeRow]:
    """The CMS columns of the relative value file; rows with a modifier (26, TC, 53) repeat a code and are passed."""
    rows = read_rows(path, ("hcpcs", "modifier", *_COLUMNS))
    return {row["hcpcs"]: FeeRow(*(row[name] for name in _COLUMNS)) for _, row in rows if not row["modifier"]}
