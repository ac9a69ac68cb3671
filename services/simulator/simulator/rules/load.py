"""Reads the payers' rows; a wrong row is refused with its file and place, never half used."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from kernel.rules import RuleError
from x12.views.parties import Address

from simulator.model import Payer, PayerRules

T = TypeVar("T")
SHIPPED = Path(__file__).parent
EFFECTS = frozenset(
    {"authorization-denied", "authorization-pended", "smallest-line-denied", "intake-rejected", "claim-denied"}
)


def load_payers(folder: Path = SHIPPED) -> PayerRules:
    """Read `payers.toml` of a folder. RuleError with file and row when one is wrong."""
    file = folder / "payers.toml"
    try:
        rows = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RuleError(file.name, "-", f"not TOML: {error}") from error
    payers = _made(rows, "payer", _payer, file.name)
    return PayerRules({payer.id: payer for payer in payers}, dict(_made(rows, "behaviour", _behaviour, file.name)))


def _made(rows: Mapping[str, Any], table: str, make: Callable[[Mapping[str, Any]], T], file: str) -> list[T]:
    made = []
    for number, row in enumerate(rows.get(table, []), 1):
        try:
            made.append(make(row))
        except (KeyError, TypeError, ValueError) as error:
            reason = (
                str(error) if type(error) is ValueError else f"a field is missing or wrong ({type(error).__name__})"
            )
            raise RuleError(file, f"{table} {number}", reason) from error
    if not made:
        raise RuleError(file, "-", f"the file needs [[{table}]] rows")
    return made


def _payer(row: Mapping[str, Any]) -> Payer:
    values = dict(row)
    sets = {name: frozenset(values[name]) for name in ("copay_codes", "deductible_digits", "authorization_codes")}
    line1, city, state, postal_code = values["address"]
    payer = Payer(**(values | sets | {"address": Address(line1, city, state, postal_code)}))
    if not 0 < payer.allowed_percent <= 100 or not 0 <= payer.coinsurance_percent <= 100:
        raise ValueError("a percentage is outside 0 to 100")
    return payer


def _behaviour(row: Mapping[str, Any]) -> tuple[str, str]:
    digit, effect = row["digit"], row["effect"]
    if effect not in EFFECTS or len(digit) != 1 or not digit.isdigit():
        raise ValueError("unknown effect or digit")
    return digit, effect
