"""Predicates about what was done: code pairs, units, add-ons, modifiers, places."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from claims_gateway.model import Claim, Line
from claims_gateway.rules.book import World

# Modifiers that may part a pair whose indicator is 1 (NCCI Policy Manual, chapter I, E).
_NCCI_MODIFIERS = frozenset({"24", "25", "27", "57", "58", "59", "78", "79", "91", "XE", "XS", "XP", "XU"}) | frozenset(
    {"LT", "RT", "LC", "LD", "RC", "LM", "RI", "FA", "TA"}
    | {f"E{digit}" for digit in range(1, 5)}
    | {f"{limb}{digit}" for limb in "FT" for digit in range(1, 10)}
)
_TELEHEALTH_PLACES = {"02", "10"}
_TELEHEALTH_MODIFIERS = {"95", "93", "GT", "FQ"}
_CONTRADICTIONS = ({"LT", "50"}, {"RT", "50"}, {"26", "TC"}, {"93", "95"}, {"76", "77"}, {"54", "55"})
_DISTINCT = {"59", "XE", "XS", "XP", "XU"}


def is_visit(code: str) -> bool:
    """CPT evaluation and management."""
    return code.isdigit() and "99202" <= code <= "99499"


def _dated(claim: Claim) -> Iterator[tuple[int, Line, date]]:
    for number, line in enumerate(claim.draft.lines):
        if line.service_from is not None:
            yield number, line, line.service_from


def ncci_pair(claim: Claim, world: World) -> Iterator[str]:
    """Fires at the line of column 2, which is the one that would not be paid."""
    lines = list(_dated(claim))
    for _, first, day in lines:
        for number, second, other_day in lines:
            if day == other_day and first.rendering_npi == second.rendering_npi and _bars(world, first, second, day):
                yield f"lines[{number}].code"


def _bars(world: World, first: Line, second: Line, day: date) -> bool:
    indicator = world.book.ptp.indicator(first.code, second.code, day) if first.code != second.code else None
    parted = _NCCI_MODIFIERS.intersection(first.modifiers + second.modifiers)
    return indicator == "0" or (indicator == "1" and not parted)


def units_over_limit(claim: Claim, world: World) -> Iterator[str]:
    """MAI 1 looks at each line, MAI 3 at the day."""
    for number, line, day in _dated(claim):
        limit = world.book.mue.get(line.code)
        if limit is None or limit.absolute:
            continue
        units = _units(line) if limit.per_line else _units_of_day(claim, line.code, day)
        if units > limit.units:
            yield f"lines[{number}].units"


def units_over_absolute_limit(claim: Claim, world: World) -> Iterator[str]:
    for number, line, day in _dated(claim):
        limit = world.book.mue.get(line.code)
        if limit and limit.absolute and _units_of_day(claim, line.code, day) > limit.units:
            yield f"lines[{number}].units"


def _units_of_day(claim: Claim, code: str, day: date) -> Decimal:
    return sum((_units(line) for _, line, on in _dated(claim) if on == day and line.code == code), Decimal(0))


def _units(line: Line) -> Decimal:
    return Decimal(line.units) if line.units.isascii() and line.units.replace(".", "", 1).isdigit() else Decimal(0)


def add_on_without_primary(claim: Claim, world: World) -> Iterator[str]:
    for number, line, day in _dated(claim):
        add_on = world.book.add_ons.get(line.code)
        if add_on is None:
            continue
        beside = {other.code for _, other, on in _dated(claim) if on == day and other.code != line.code}
        if not add_on.supported_by(beside):
            yield f"lines[{number}].code"


def modifier_inconsistent(claim: Claim, world: World) -> Iterator[str]:
    for number, line, day in _dated(claim):
        carried = set(line.modifiers)
        contradicts = any(pair <= carried for pair in _CONTRADICTIONS) or len(carried & _DISTINCT) > 1
        unknown = any(not _goes(world, modifier, line.code, day) for modifier in line.modifiers)
        if contradicts or unknown or len(carried) < len(line.modifiers):
            yield f"lines[{number}].modifiers"


def _goes(world: World, modifier: str, code: str, day: date) -> bool:
    row = world.book.modifiers.get(modifier)
    if row is None or not row.start <= day <= row.end:
        return False
    return row.goes_with == "any" or (row.goes_with == "visit") == is_visit(code)


def place_inconsistent(claim: Claim, world: World) -> Iterator[str]:
    for number, line in enumerate(claim.draft.lines):
        if line.place_of_service and not _place_fits(world, line):
            yield f"lines[{number}].place_of_service"


def _place_fits(world: World, line: Line) -> bool:
    if line.place_of_service not in world.book.facility:
        return False
    if line.place_of_service in _TELEHEALTH_PLACES and not _TELEHEALTH_MODIFIERS.intersection(line.modifiers):
        return False
    places = world.book.places_of_code.get(line.code)
    return places is None or line.place_of_service in places


def telehealth_modifier_elsewhere(claim: Claim, world: World) -> Iterator[str]:
    for number, line in enumerate(claim.draft.lines):
        if line.place_of_service not in _TELEHEALTH_PLACES and {"93", "95"}.intersection(line.modifiers):
            yield f"lines[{number}].modifiers"


CHECKS = (
    ncci_pair,
    units_over_limit,
    units_over_absolute_limit,
    add_on_without_primary,
    modifier_inconsistent,
    place_inconsistent,
    telehealth_modifier_elsewhere,
)
