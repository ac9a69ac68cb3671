"""The charge master: what one unit of a service costs on a day. The site's file stands before the sample."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from kernel.codes import is_modifier, is_procedure_code
from kernel.errors import Unreadable
from kernel.period import Period
from kernel.rules import rule_file

SHIPPED = Path(__file__).parent
FILE = "charge_master.csv"
_COLUMNS = ["code", "modifier", "cents", "effective_from", "effective_to"]


@dataclass(frozen=True, slots=True)
class Price:
    """`cents` for one unit while `effective`."""

    cents: int
    effective: Period


@dataclass(frozen=True, slots=True)
class ChargeMaster:
    """Prices by (code, modifier); the modifier is "" for the plain price."""

    prices: Mapping[tuple[str, str], tuple[Price, ...]]

    def unit_cents(self, code: str, modifiers: Sequence[str], on: date) -> int | None:
        """The price of one unit on the day. The first of the line's modifiers with a price of its own decides.

        None when the code has no price on that day: nothing is guessed.
        """
        for modifier in (*modifiers, ""):
            for price in self.prices.get((code, modifier), ()):
                if price.effective.contains(on):
                    return price.cents
        return None


def load_charge_master(path: Path) -> ChargeMaster:
    """Refuses the whole file, with its line, when a row is wrong or two rows price the same service on one day."""
    prices: dict[tuple[str, str], list[Price]] = defaultdict(list)
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        if reader.fieldnames != _COLUMNS:
            raise Unreadable("charge-columns", f"{path.name}:1", f"the columns are {', '.join(_COLUMNS)}", 1)
        for row in reader:
            place = f"{path.name}:{reader.line_num}"
            price = _price(row, place)
            earlier = prices[row["code"], row["modifier"]]
            if any(price.effective.overlaps(other.effective) for other in earlier):
                raise Unreadable("charge-overlap", place, "this service has another price on the same day")
            earlier.append(price)
    return ChargeMaster({key: tuple(rows) for key, rows in prices.items()})


def load_site_charges(site_dir: Path | None) -> ChargeMaster:
    """The installation's charge master: `<site_dir>/charge-capture/` stands before what ships."""
    own = None if site_dir is None else site_dir / "charge-capture"
    return load_charge_master(rule_file(FILE, own, SHIPPED))


def _price(row: Mapping[str, str], place: str) -> Price:
    if None in row or None in row.values():
        raise Unreadable("charge-row", place, "the row has more or fewer cells than the header")
    if not is_procedure_code(row["code"]) or (row["modifier"] and not is_modifier(row["modifier"])):
        raise Unreadable("charge-row", place, "not the shape of a code and a modifier")
    if not (row["cents"].isascii() and row["cents"].isdigit()):
        raise Unreadable("charge-row", place, "cents is a whole number")
    try:
        effective = Period(_day(row["effective_from"]), _day(row["effective_to"]))
    except (ValueError, Unreadable) as error:
        raise Unreadable("charge-row", place, "dates are YYYY-MM-DD, the end no earlier than the start") from error
    return Price(int(row["cents"]), effective)


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None
