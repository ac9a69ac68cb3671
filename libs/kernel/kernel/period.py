"""A span of calendar days, as coverages, authorizations, rules and fee schedules have them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from kernel.errors import Unreadable


@dataclass(frozen=True, slots=True)
class Period:
    """Days from `start` to `end`, both included; None is open on that side.

    An end before the start raises Unreadable("period_order"), the rule of FHIR's Period (per-1).
    """

    start: date | None = None
    end: date | None = None

    def __post_init__(self) -> None:
        if self.start is not None and self.end is not None and self.end < self.start:
            raise Unreadable("period_order", "", "a period ends before it starts")

    def contains(self, day: date) -> bool:
        return (self.start is None or self.start <= day) and (self.end is None or day <= self.end)

    def overlaps(self, other: Period) -> bool:
        return _begins_by(self, other) and _begins_by(other, self)


def _begins_by(one: Period, other: Period) -> bool:
    """Whether `one` starts no later than `other` ends."""
    return one.start is None or other.end is None or one.start <= other.end
