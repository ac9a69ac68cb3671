"""The service lines of a FHIR Claim as a table: what was done, when, how often, and for how much."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any


@dataclass(frozen=True, slots=True)
class ClaimLine:
    """One line; `diagnoses` are the codes that it points to, `cents` is None where no amount is given."""

    number: str
    code: str
    modifiers: str
    day: str
    units: str
    place: str
    diagnoses: str
    cents: int | None


def lines_of(resource: bytes) -> list[ClaimLine]:
    """The lines of a Claim's JSON; none when there is no Claim, as of one that is shown without names."""
    if not resource:
        return []
    claim = json.loads(resource, parse_float=Decimal)
    codes = {one.get("sequence"): _code(one.get("diagnosisCodeableConcept")) for one in claim.get("diagnosis") or ()}
    return [_line(item, codes) for item in claim.get("item") or ()]


def _line(item: dict[str, Any], codes: dict[Any, str]) -> ClaimLine:
    period = item.get("servicedPeriod") or {}
    pointers = [codes.get(one, "") for one in item.get("diagnosisSequence") or ()]
    return ClaimLine(
        number=str(item.get("sequence", "")),
        code=_code(item.get("productOrService")),
        modifiers=" ".join(_code(one) for one in item.get("modifier") or ()),
        day=str(item.get("servicedDate") or " to ".join(_days(period))),
        units=str((item.get("quantity") or {}).get("value", "")),
        place=_code(item.get("locationCodeableConcept")),
        diagnoses=" ".join(filter(None, pointers)),
        cents=_cents((item.get("net") or {}).get("value")),
    )


def _days(period: dict[str, Any]) -> Iterator[str]:
    return (str(period[end]) for end in ("start", "end") if period.get(end))


def _code(concept: dict[str, Any] | None) -> str:
    codings = (concept or {}).get("coding") or [{}]
    return str(codings[0].get("code", ""))


def _cents(value: Any) -> int | None:
    try:
        return None if value is None else int((Decimal(str(value)) * 100).to_integral_value())
    except (InvalidOperation, ValueError):
        return None
