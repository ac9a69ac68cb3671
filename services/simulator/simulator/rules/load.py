"""Reads the payers' rows; a wrong row is refused with its file and place, never half used."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from x12.views.parties import Address

from simulator.model import Payer, PayerRules

SHIPPED = Path(__file__).parent
EFFECTS = frozenset(
    {"authorization-denied", "authorization-pended", "smallest-line-denied", "intake-rejected", "claim-denied"}
)


def load_payers(folder: Path = SHIPPED) -> PayerRules:
    """Read `payers.toml` of a folder. ValueError with file and row when one is wrong."""
    file = folder / "payers.toml"
    rows = tomllib.loads(file.read_text(encoding="utf-8"))
    payers = [_payer(row, f"{file.name} payer {number}") for number, row in enumerate(rows.get("payer", []), 1)]
    behaviours = [_behaviour(row, f"{file.name} behaviour {number}") for number, row in enumerate(rows["behaviour"], 1)]
    return PayerRules({payer.id: payer for payer in payers}, dict(behaviours))


def _payer(row: Mapping[str, Any], where: str) -> Payer:
    values = dict(row)
    sets = {name: frozenset(values[name]) for name in ("copay_codes", "deductible_digits", "authorization_codes")}
    line1, city, state, postal_code = values["address"]
    payer = Payer(**(values | sets | {"address": Address(line1, city, state, postal_code)}))
    if not 0 < payer.allowed_percent <= 100 or not 0 <= payer.coinsurance_percent <= 100:
        raise ValueError(f"{where}: a percentage is outside 0 to 100")
    return payer


def _behaviour(row: Mapping[str, Any], where: str) -> tuple[str, str]:
    digit, effect = row["digit"], row["effect"]
    if effect not in EFFECTS or len(digit) != 1 or not digit.isdigit():
        raise ValueError(f"{where}: unknown effect or digit")
    return digit, effect
