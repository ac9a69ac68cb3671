"""The one order in which the facts of a journey count, whatever the order in which they were heard.

Clocks of different machines differ, causes do not: a fact never counts before the fact that led to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from journey.model.facts import Fact
from journey.model.table_stages import NEXT, RANK


@dataclass(frozen=True, slots=True)
class Placed:
    """A fact with the instant at which it counts, and how many of its causes count at the same instant."""

    fact: Fact
    at: datetime
    causes: int

    @property
    def key(self) -> tuple[datetime, int, int, str]:
        """By instant; of one instant causes first, then the order of the line, then the id."""
        return self.at, self.causes, RANK.get(key_of(self.fact), -1), self.fact.event_id


def key_of(fact: Fact) -> tuple[str, str]:
    """The row of STAGE_AFTER that a fact meets: with its qualifier where the table has one, else without."""
    exact = (fact.type, fact.qualifier)
    return exact if exact in NEXT else (fact.type, "")


def place_facts(facts: Iterable[Fact]) -> list[Placed]:
    """The facts of one journey in the order in which they count; one that was told twice counts once."""
    by_id = {fact.event_id: fact for fact in facts}
    instants = {fact.event_id: _instant(fact, by_id) for fact in by_id.values()}
    placed = (Placed(fact, instants[fact.event_id], _causes_at(fact, by_id, instants)) for fact in by_id.values())
    return sorted(placed, key=lambda one: one.key)


def in_order(facts: Iterable[Fact]) -> list[Fact]:
    """The facts alone, in the order in which they count."""
    return [one.fact for one in place_facts(facts)]


def _chain(fact: Fact, by_id: Mapping[str, Fact]) -> list[Fact]:
    """The fact and what led to it, as far as the journey knows; a ring of causes is walked once."""
    chain, seen = [fact], {fact.event_id}
    while (cause := by_id.get(chain[-1].causation_id)) is not None and cause.event_id not in seen:
        chain.append(cause)
        seen.add(cause.event_id)
    return chain


def _instant(fact: Fact, by_id: Mapping[str, Fact]) -> datetime:
    return max(one.occurred_at for one in _chain(fact, by_id))


def _causes_at(fact: Fact, by_id: Mapping[str, Fact], instants: Mapping[str, datetime]) -> int:
    at = instants[fact.event_id]
    return sum(instants[cause.event_id] == at for cause in _chain(fact, by_id)[1:])
