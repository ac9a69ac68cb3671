"""How many billing units a dose is: HCPCS drug codes count in steps of a fixed amount (J1885: 15 mg)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal, InvalidOperation
from pathlib import Path

from code_tables import read_rows
from kernel.errors import Unreadable

# UCUM mass units in milligrams, and the claim's unit of measure (CTP05) for each physical unit.
_MILLIGRAMS: Mapping[str, Decimal] = {
    "mg": Decimal(1),
    "g": Decimal(1000),
    "ug": Decimal("0.001"),
    "mcg": Decimal("0.001"),
}
_CLAIM_UNITS: Mapping[str, str] = {"mL": "ML", "ml": "ML", "mg": "ME", "g": "GR", "[iU]": "F2", "IU": "F2"}
_COUNTED = frozenset({"", "1", "{unit}", "{units}", "unit", "units"})


@dataclass(frozen=True, slots=True)
class DrugAmount:
    """`units` for SV104; the amount as the drug's line (CTP) tells it."""

    units: Decimal
    ndc_quantity: Decimal
    ndc_unit: str


@dataclass(frozen=True, slots=True)
class DrugUnits:
    """`steps`: code to (amount, unit) of one billing unit."""

    steps: Mapping[str, tuple[Decimal, str]]

    def measure(self, code: str, dose: Decimal, unit: str) -> DrugAmount | None:
        """The dose in billing units, rounded up to the next whole one; None when the two units do not compare.

        A dose without a physical unit is already counted in billing units.
        """
        step = self.steps.get(code)
        if unit in _COUNTED:
            return _counted(dose, step)
        if step is None:
            return None
        given, per_unit = _milligrams(dose, unit), _milligrams(*step)
        if given is None or per_unit is None:
            given, per_unit = (dose, step[0]) if unit == step[1] else (None, None)
        if given is None or per_unit is None:
            return None
        units = (given / per_unit).to_integral_value(ROUND_CEILING)
        return DrugAmount(units, *_claim_amount(dose, unit))


def _counted(units: Decimal, step: tuple[Decimal, str] | None) -> DrugAmount:
    if step is None:
        return DrugAmount(units, units, "UN")
    amount, unit = step
    return DrugAmount(units, *_claim_amount(units * amount, unit))


def _claim_amount(amount: Decimal, unit: str) -> tuple[Decimal, str]:
    if unit in _CLAIM_UNITS:
        return amount, _CLAIM_UNITS[unit]
    milligrams = _milligrams(amount, unit)
    return (amount, "UN") if milligrams is None else (milligrams, "ME")


def _milligrams(amount: Decimal, unit: str) -> Decimal | None:
    factor = _MILLIGRAMS.get(unit)
    return None if factor is None else amount * factor


def load_drug_units(path: Path) -> DrugUnits:
    """Rows code, amount, unit (UCUM)."""
    steps = {}
    for place, row in read_rows(path, ["code", "amount", "unit"]):
        try:
            amount = Decimal(row["amount"])
        except InvalidOperation as error:
            raise Unreadable("table_row", place, "amount is a decimal number") from error
        if not amount > 0:
            raise Unreadable("table_row", place, "amount is above zero")
        steps[row["code"]] = (amount, row["unit"])
    return DrugUnits(steps)
