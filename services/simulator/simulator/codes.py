"""The codes that the stories use, with our own round prices, read once from the tables beside this module."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_TABLES = Path(__file__).parent / "tables"
_EVERY = "*"


@dataclass(frozen=True, slots=True)
class Price:
    """A procedure code of the charge master: our kind of service, cents per unit."""

    code: str
    kind: str
    charge_cents: int


@dataclass(frozen=True, slots=True)
class DrugCode:
    """A drug's HCPCS code with an invented NDC, the NDC's unit and what one billing unit is."""

    code: str
    ndc: str
    ndc_unit: str
    per_unit: str


def _rows(name: str) -> list[dict[str, str]]:
    with (_TABLES / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def prices() -> dict[str, Price]:
    """Every procedure code with its price."""
    rows = _rows("procedures.csv")
    return {row["code"]: Price(row["code"], row["kind"], int(row["charge_cents"])) for row in rows}


def codes_of(kind: str) -> tuple[str, ...]:
    """The procedure codes of one kind, in table order."""
    return tuple(price.code for price in prices().values() if price.kind == kind)


@cache
def diagnoses() -> dict[str, str]:
    """ICD-10-CM code -> our kind of visit; kind `unbillable` holds header codes."""
    return {row["code"]: row["kind"] for row in _rows("diagnoses.csv")}


@cache
def drugs() -> dict[str, DrugCode]:
    """Drug codes by HCPCS code."""
    return {row["code"]: DrugCode(**row) for row in _rows("drugs.csv")}


@cache
def vaccines() -> dict[str, str]:
    """Vaccine product code (CPT) -> CVX."""
    return {row["code"]: row["cvx"] for row in _rows("vaccines.csv")}


@cache
def _separate() -> dict[str, frozenset[str]]:
    return {row["code"]: frozenset(row["evaluations"].split()) for row in _rows("separate.csv")}


def is_evaluation(code: str) -> bool:
    """An office or emergency evaluation (E/M)."""
    price = prices().get(code)
    return price is not None and price.kind in {"office-new", "office-established", "emergency"}


def separate_from_evaluation(evaluation: str, others: Iterable[str]) -> bool:
    """Whether the evaluation needs modifier 25 beside these services.

    Source: PFS global days 000, 010 or 090, or an NCCI pair (2024) with the evaluation in column 2, indicator 1.
    """
    if not is_evaluation(evaluation):
        return False
    rows = _separate()
    return any(evaluation in (paired := rows.get(other, frozenset())) or _EVERY in paired for other in others)
