"""What the site's revenue cycle costs: no service can know it, so the site tells it, month by month.

The file is `costs.toml` in the site's folder of this service:

    [[month]]
    month = "2026-03"
    cost_cents = 1250000        # people, vendors, software, clearinghouse fees of the month
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from datetime import date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from chassis.settings import SettingsError

from journey.kpi.model import Cost

FILE = "costs.toml"
_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")


def load_costs(folder: Path | None) -> tuple[Cost, ...]:
    """The months told, in order; none without a file. SettingsError with file and reason when it is wrong."""
    file = folder / FILE if folder is not None else None
    if file is None or not file.is_file():
        return ()
    try:
        told = tomllib.loads(file.read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{FILE}: {error}") from None
    rows = told.get("month", [])
    if not isinstance(rows, list) or set(told) - {"month"}:
        raise SettingsError(f"{FILE}: it holds [[month]] tables and nothing else")
    costs = sorted((_cost(row, number) for number, row in enumerate(rows, 1)), key=lambda cost: cost.first)
    for one, other in pairwise(costs):
        if one.first == other.first:
            raise SettingsError(f"{FILE}: the month {one.first:%Y-%m} stands in it twice")
    return tuple(costs)


def _cost(row: Any, number: int) -> Cost:
    where = f"{FILE}: month {number}"
    if not isinstance(row, dict) or set(row) != {"month", "cost_cents"}:
        raise SettingsError(f"{where}: give month and cost_cents, and nothing else")
    found = _MONTH.fullmatch(str(row["month"]))
    if found is None:
        raise SettingsError(f'{where}: month is written "YYYY-MM"')
    cents = row["cost_cents"]
    if not isinstance(cents, int) or isinstance(cents, bool) or cents < 0:
        raise SettingsError(f"{where}: cost_cents is a whole number of cents, 0 or more")
    year, month = int(found[1]), int(found[2])
    return Cost(date(year, month, 1), date(year + month // 12, month % 12 + 1, 1), cents)


def cost_at(costs: Sequence[Cost], as_of: datetime) -> Cost | None:
    """The last month that is over and whose cost is known."""
    return next((cost for cost in reversed(costs) if cost.following <= as_of.date()), None)
