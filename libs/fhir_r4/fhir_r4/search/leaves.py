"""What is indexed of one element: for each kind of parameter and type of element, the rows that it makes.

Each function appends to the rows of one resource. What is malformed makes no row: it either has none of the keys asked
for, or raises one of SKIPPED, which the walk over the resource passes by.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from fhir_r4.search.folding import MAX_TEXT, fold, storable
from fhir_r4.search.moments import EARLIEST, LATEST, Interval, interval

CURRENCY = "urn:iso:std:iso:4217"
# Powers of ten; a number beyond measures nothing and would only be a burden to a database.
MAX_MAGNITUDE = 30
# What a lookup in an element of the wrong shape raises.
SKIPPED = (AttributeError, KeyError, TypeError, ValueError)


@dataclass(slots=True)
class Rows:
    """The rows of one resource while they are gathered."""

    tokens: list[tuple[str, str, str]] = field(default_factory=list)
    strings: list[tuple[str, str]] = field(default_factory=list)
    dates: list[tuple[str, datetime, datetime]] = field(default_factory=list)
    numbers: list[tuple[str, Decimal, str, str]] = field(default_factory=list)
    uris: list[tuple[str, str]] = field(default_factory=list)


Emit = Callable[[str, Any, Rows], None]


def _code(name: str, value: Any, rows: Rows) -> None:
    if type(value) is str and value and storable(value):
        rows.tokens.append((name, "", value))


def _boolean(name: str, value: Any, rows: Rows) -> None:
    if type(value) is bool:
        rows.tokens.append((name, "", "true" if value else "false"))


def _coding(name: str, value: Any, rows: Rows) -> None:
    _pair(name, value.get("system"), value["code"], rows)


def _identifier(name: str, value: Any, rows: Rows) -> None:
    _pair(name, value.get("system"), value["value"], rows)


def _pair(name: str, system: Any, value: Any, rows: Rows) -> None:
    space = system if type(system) is str else ""
    if type(value) is str and value and storable(value) and storable(space):
        rows.tokens.append((name, space, value))


def _concept(name: str, value: Any, rows: Rows) -> None:
    for coding in value["coding"]:
        if isinstance(coding, dict) and "code" in coding:
            _coding(name, coding, rows)


def _text(name: str, value: Any, rows: Rows) -> None:
    text = value[:MAX_TEXT]
    folded = fold(text)
    if folded and storable(text):
        rows.strings.append((name, folded))
        rows.tokens.append((f"{name}:exact", "", text))


def _parts(*names: str) -> Emit:
    def emit(name: str, value: Any, rows: Rows) -> None:
        for part in names:
            held = value.get(part)
            for one in held if isinstance(held, list) else (held,):
                if isinstance(one, str):
                    _text(name, one, rows)

    return emit


def _moment(name: str, value: Any, rows: Rows) -> None:
    found = interval(value)
    if found:
        rows.dates.append((name, *found))


def _period(name: str, value: Any, rows: Rows) -> None:
    found = _bounds(value)
    if found:
        rows.dates.append((name, *found))


def _bounds(value: Any) -> Interval | None:
    """The range of a Period; None without ends, with a malformed one, or when it ends before it starts."""
    start, end = value.get("start"), value.get("end")
    if start is None and end is None:
        return None
    low = interval(start) if start is not None else (EARLIEST, EARLIEST)
    high = interval(end) if end is not None else (LATEST, LATEST)
    return (low[0], high[1]) if low and high and low[0] < high[1] else None


def _timing(name: str, value: Any, rows: Rows) -> None:
    """One range from the first to the last of what a Timing says outright; its repetition is not unrolled."""
    found = [interval(event) for event in value.get("event", ()) if isinstance(event, str)]
    period = value.get("repeat", {}).get("boundsPeriod")
    ranges = [one for one in (*found, _bounds(period) if period else None) if one]
    if ranges:
        rows.dates.append((name, min(one[0] for one in ranges), max(one[1] for one in ranges)))


def _number(name: str, value: Any, rows: Rows) -> None:
    _amount(name, value, "", "", rows)


def _money(name: str, value: Any, rows: Rows) -> None:
    _amount(name, value["value"], CURRENCY, value.get("currency"), rows)


def _quantity(name: str, value: Any, rows: Rows) -> None:
    code, unit = value.get("code"), value.get("unit")
    _amount(name, value["value"], value.get("system"), code, rows)
    if unit and unit != code:
        _amount(name, value["value"], "", unit, rows)


def _range(name: str, value: Any, rows: Rows) -> None:
    """Its two ends."""
    for end in ("low", "high"):
        if end in value:
            _quantity(name, value[end], rows)


def _amount(name: str, value: Any, system: Any, code: Any, rows: Rows) -> None:
    if type(value) is not int and not (type(value) is Decimal and value.is_finite()):
        return
    number, unit, space = Decimal(value), code if type(code) is str else "", system if type(system) is str else ""
    if abs(number.adjusted()) <= MAX_MAGNITUDE and storable(unit) and storable(space):
        rows.numbers.append((name, number, space, unit))


def _uri(name: str, value: Any, rows: Rows) -> None:
    if type(value) is str and value and storable(value):
        rows.uris.append((name, value))


def _canonical(name: str, value: Any, rows: Rows) -> None:
    """With its version and without."""
    _uri(name, value, rows)
    bare, bar, _ = value.partition("|")
    if bar:
        _uri(name, bare, rows)


def reference(targets: tuple[str, ...]) -> Emit:
    """The identifier of a Reference, for `:identifier`, unless the Reference says that it is of a type not meant."""

    def emit(name: str, value: Any, rows: Rows) -> None:
        if "identifier" not in value:
            return
        said = value.get("type")
        if not targets or said is None or said in targets:
            _identifier(f"{name}:identifier", value["identifier"], rows)

    return emit


_HUMAN_NAME = _parts("text", "family", "given", "prefix", "suffix")
_ADDRESS = _parts("text", "line", "city", "district", "state", "postalCode", "country")
_PLAIN_TEXT = ("code", "string", "id", "uri", "url", "canonical", "oid", "uuid")

LEAVES: Mapping[str, Mapping[str, Emit]] = {
    "token": {
        **dict.fromkeys(_PLAIN_TEXT, _code),
        "boolean": _boolean,
        "Coding": _coding,
        "CodeableConcept": _concept,
        "Identifier": _identifier,
        "ContactPoint": _identifier,
    },
    "string": {"string": _text, "markdown": _text, "HumanName": _HUMAN_NAME, "Address": _ADDRESS},
    "date": {"date": _moment, "dateTime": _moment, "instant": _moment, "Period": _period, "Timing": _timing},
    "number": dict.fromkeys(("decimal", "integer", "positiveInt", "unsignedInt"), _number),
    "quantity": {
        **dict.fromkeys(("Quantity", "Age", "Duration", "Count", "Distance"), _quantity),
        "Money": _money,
        "Range": _range,
    },
    "uri": {**dict.fromkeys(("uri", "url", "oid", "uuid"), _uri), "canonical": _canonical},
}
# Token elements that have no system of their own: a system in a query says nothing about them.
WITHOUT_SYSTEM = frozenset((*_PLAIN_TEXT, "boolean"))
