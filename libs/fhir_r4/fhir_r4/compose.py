"""The small pieces that our own FHIR R4 resources are made of."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from kernel.codes import LINE
from kernel.money import from_cents


def concept(system: str, code: str) -> dict[str, Any]:
    """A CodeableConcept of one coding. No display: the words of many systems are licensed."""
    return {"coding": [{"system": system, "code": code}]}


def own_concept(system: str, code: str) -> dict[str, Any]:
    """A CodeableConcept in one of our own code systems, by the system's short name."""
    return concept(f"{LINE}/CodeSystem/{system}", code)


def own_extension(name: str, kind: str, value: Any) -> dict[str, Any]:
    """One of our own extensions; `kind` is the type in the name of its value element: "Money", "Coding"."""
    return {"url": f"{LINE}/StructureDefinition/{name}", f"value{kind}": value}


def money(cents: int) -> dict[str, Any]:
    """Money in US dollars with exactly two decimals."""
    return {"value": Decimal(from_cents(cents)), "currency": "USD"}


def instant(moment: datetime) -> str:
    """To the millisecond, UTC as Z."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
