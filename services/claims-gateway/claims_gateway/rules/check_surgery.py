"""Predicates that read the physician fee schedule: global periods, status, surgical indicators, components."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from code_tables import FeeRow

from claims_gateway.model import Claim, Line
from claims_gateway.rules.book import World
from claims_gateway.rules.check_coding import is_visit

_SAME_DAY = {"25", "57", "24", "79"}
_AFTERWARDS = {"24", "25", "57"}
# Modifier -> the indicator that it needs, and the values of it that forbid the modifier.
_INDICATORS = {
    "50": ("bilateral", {"0", "2", "9"}),
    "80": ("assistant", {"1", "9"}),
    "81": ("assistant", {"1", "9"}),
    "82": ("assistant", {"1", "9"}),
    "AS": ("assistant", {"1", "9"}),
    "62": ("co_surgeon", {"0", "9"}),
    "66": ("team", {"0", "9"}),
}
_COMPONENTS = {"26", "TC"}
_SPLIT = "1"


def _fee(world: World, line: Line) -> FeeRow | None:
    return world.book.fees.get(line.code)


def visit_in_global_period(claim: Claim, world: World) -> Iterator[str]:
    """On the day of a procedure of the same provider, or within its days afterwards (from our own sent claims)."""
    procedures = list(_procedures(claim, world))
    for number, line in enumerate(claim.draft.lines):
        day = line.service_from
        if day is None or not is_visit(line.code):
            continue
        same_day = any(npi == line.rendering_npi and on == day for npi, on, _ in procedures)
        later = any(npi == line.rendering_npi and on < day <= on + timedelta(days) for npi, on, days in procedures)
        carried = set(line.modifiers)
        if (same_day and not carried & _SAME_DAY) or (later and not carried & _AFTERWARDS):
            yield f"lines[{number}].modifiers"


def _procedures(claim: Claim, world: World) -> Iterator[tuple[str, date, int]]:
    here = ((line.rendering_npi, line.service_from, line.code) for line in claim.draft.lines)
    before = ((line.rendering_npi, line.service_from, line.code) for line in world.history)
    for npi, day, code in (*here, *before):
        row = world.book.fees.get(code)
        if day is not None and row is not None and row.global_period is not None:
            yield npi, day, row.global_period


def status_not_payable(claim: Claim, world: World) -> Iterator[str]:
    yield from _with_status(claim, world, {"B", "N", "I"})


def status_excluded(claim: Claim, world: World) -> Iterator[str]:
    """X means: not under this schedule. Laboratory tests and vaccines are paid under others."""
    yield from _with_status(claim, world, {"X"})


def _with_status(claim: Claim, world: World, statuses: set[str]) -> Iterator[str]:
    payer = world.payer(claim)
    if payer is None or not payer.mpfs:
        return
    for number, line in enumerate(claim.draft.lines):
        row = _fee(world, line)
        if row and row.status in statuses:
            yield f"lines[{number}].code"


def indicator_forbids_modifier(claim: Claim, world: World) -> Iterator[str]:
    for number, line in enumerate(claim.draft.lines):
        row = _fee(world, line)
        if row and any(_forbids(row, modifier) for modifier in line.modifiers):
            yield f"lines[{number}].modifiers"


def _forbids(row: FeeRow, modifier: str) -> bool:
    if modifier not in _INDICATORS:
        return False
    name, forbidden = _INDICATORS[modifier]
    return getattr(row, name) in forbidden


def component_not_split(claim: Claim, world: World) -> Iterator[str]:
    for number, line in enumerate(claim.draft.lines):
        row = _fee(world, line)
        if row and row.pctc != _SPLIT and _COMPONENTS.intersection(line.modifiers):
            yield f"lines[{number}].modifiers"


def global_in_facility(claim: Claim, world: World) -> Iterator[str]:
    for number, line in enumerate(claim.draft.lines):
        row = _fee(world, line)
        in_facility = world.book.facility.get(line.place_of_service, False)
        if row and row.pctc == _SPLIT and in_facility and "26" not in line.modifiers:
            yield f"lines[{number}].modifiers"


CHECKS = (
    visit_in_global_period,
    status_not_payable,
    status_excluded,
    indicator_forbids_modifier,
    component_not_split,
    global_in_facility,
)
