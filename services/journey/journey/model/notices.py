"""What was odd about the facts of a journey: the ledger stays exact, and says what it saw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from journey.model.facts import microseconds
from journey.model.order import Placed

LATE = timedelta(minutes=5)
SOON = timedelta(seconds=1)  # that much passes between telling and hearing, and between two clocks, on any day
KINDS = ("late-fact", "out-of-order", "clock-behind-cause", "clock-ahead", "duplicate")


@dataclass(frozen=True, slots=True)
class Notice:
    """`count` facts of a journey were odd in one way; `us` is the widest gap in microseconds (0 for duplicates).

    late-fact: heard over five minutes after it happened. out-of-order: heard after one that happened later.
    clock-behind-cause: its clock says before what led to it. clock-ahead: its clock says after it was heard.
    """

    kind: str
    count: int
    us: int


def notices_of(placed: Sequence[Placed]) -> tuple[Notice, ...]:
    """By kind, in a fixed order; kinds that were not seen are left out."""
    gaps: dict[str, list[timedelta]] = {kind: [] for kind in KINDS}
    for one in placed:
        _look_at(one, gaps)
    gaps["out-of-order"] = _overtaken(placed)
    return tuple(Notice(kind, len(found), microseconds(max(found))) for kind, found in gaps.items() if found)


def _look_at(one: Placed, gaps: dict[str, list[timedelta]]) -> None:
    fact = one.fact
    if fact.occurred_at < one.at:
        gaps["clock-behind-cause"].append(one.at - fact.occurred_at)
    gaps["duplicate"].extend([timedelta(0)] * (fact.copies - 1))
    if fact.heard_at is None:
        return
    if fact.heard_at - fact.occurred_at > LATE:
        gaps["late-fact"].append(fact.heard_at - fact.occurred_at)
    if fact.occurred_at - fact.heard_at > SOON:
        gaps["clock-ahead"].append(fact.occurred_at - fact.heard_at)


def _overtaken(placed: Sequence[Placed]) -> list[timedelta]:
    """How long after the first of its followers each fact was heard, where that is more than a moment."""
    found, first = [], None
    for one in reversed(placed):
        heard = one.fact.heard_at
        if heard is None:
            continue
        if first is not None and heard - first > SOON:
            found.append(heard - first)
        first = heard if first is None else min(first, heard)
    return found
