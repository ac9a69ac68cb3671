"""Adding up: the journeys that were told something, from all their facts, into their rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from journey import store
from journey.handlers.ports import Projection, Transaction
from journey.model import Fact, Journey, journey_of

Facts = Mapping[str, Sequence[Fact]]


async def fold_journeys(
    transaction: Transaction, tenant: str, limit: int, projection: Projection, now: datetime
) -> int:
    """Adds up journeys that have new facts, `limit` at the most; how many there were."""
    async with transaction(tenant) as conn:
        await store.lock_ledger(conn)
        ids = await store.take_unfolded(conn, limit)
        ids = sorted({*ids, *await store.take_stale(conn, limit)})
        if not ids:
            return 0
        facts = await store.facts_of(conn, ids)
        journeys = add_up(facts, ids)
        await store.save_journeys(conn, journeys, last_heard(facts, now))
        begun = {journey.journey_id for journey in journeys}
        await store.note_unbegun(conn, {one: facts[one] for one in ids if one not in begun}, now)
        await projection.project(conn, [(journey, facts[journey.journey_id]) for journey in journeys])
    return len(ids)


def add_up(facts: Facts, ids: Sequence[str]) -> list[Journey]:
    """The journeys of these ids; those that no fact begins are left out."""
    computed = (journey_of(facts.get(one, ())) for one in ids)
    return [journey for journey in computed if journey is not None]


def last_heard(facts: Facts, now: datetime) -> dict[str, datetime]:
    """When each journey was last told something."""
    return {one: max((fact.heard_at or now for fact in known), default=now) for one, known in facts.items()}
