"""The questions that handlers ask of the rule rows. Rows are read in their order: the first that hits decides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from kernel.rules import Hit, Rule, evaluate

UNCLASSIFIED = "unclassified"
_SATURDAY = 5
_BASIS = 10_000


def _whole(hit: Hit, name: str) -> int:
    """A whole number of an outcome; the loader has seen to it that it is one."""
    value = hit.outcome[name]
    if not isinstance(value, int):
        raise TypeError(f"{name} of {hit.rule_id} is no whole number")
    return value


@dataclass(frozen=True, slots=True)
class Judgment:
    """What an adjustment is: contractual, adjustment, patient or denial; a denial's category; our own words."""

    kind: str
    category: str
    wording: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rulebook:
    """All rows in force, with the questions asked of them."""

    carc: tuple[Rule, ...]
    contracts: tuple[Rule, ...]
    deadlines: tuple[Rule, ...]
    holidays: frozenset[date]

    def judge(self, payer: str, group: str, carc: str, rarc: Sequence[str], on: date) -> Judgment:
        """What an adjustment is. A code that no row knows is a denial to look at, never a write-off."""
        facts = {"payer": payer, "group": group, "carc": carc, "rarc": list(rarc)}
        for hit in evaluate(self.carc, facts, on):
            outcome = hit.outcome
            return Judgment(str(outcome["kind"]), str(outcome.get("category", "")), str(outcome.get("wording", "")))
        return Judgment("denial", UNCLASSIFIED, "code that no rule row knows")

    def allowed_cents(self, payer: str, charge_cents: int, on: date) -> int | None:
        """What the contract allows of a charge, rounded half up to the cent; None without a contract."""
        for hit in evaluate(self.contracts, {"payer": payer}, on):
            return (charge_cents * _whole(hit, "allowed_basis_points") + _BASIS // 2) // _BASIS
        return None

    def tolerance_cents(self, payer: str, on: date) -> int:
        """How far below the contract a whole claim may be before anybody looks at it."""
        return next((_whole(hit, "tolerance_cents") for hit in evaluate(self.contracts, {"payer": payer}, on)), 0)

    def appeal_by(self, payer: str, category: str, rarc: Sequence[str], noticed: date) -> date:
        """The last day to answer a denial noticed that day."""
        facts = {"payer": payer, "category": category, "rarc": list(rarc)}
        hits = evaluate(self.deadlines, facts, noticed)
        return noticed + timedelta(days=_whole(hits[0], "days")) if hits else noticed

    def business_days_after(self, start: date, days: int) -> date:
        """The day that lies so many banking days after `start`."""
        day = start
        while days > 0:
            day += timedelta(days=1)
            days -= day.weekday() < _SATURDAY and day not in self.holidays
        return day
