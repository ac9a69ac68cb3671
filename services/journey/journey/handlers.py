"""What the journey service does: record what it hears, add it up, answer."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import asyncpg
from kernel.errors import Refused

from journey import store
from journey.model import Fact, Journey, in_order, journey_of

Transaction = Callable[[str], AbstractAsyncContextManager[asyncpg.Connection]]
Export = Callable[[Journey], None]
FIND_LIMIT = 1000


async def fold_journeys(transaction: Transaction, tenant: str, limit: int, export: Export) -> int:
    """Adds up the journeys that have new facts and exports the traces of those that ended; how many were added up."""
    async with transaction(tenant) as conn:
        ids = await store.take_unfolded(conn, limit)
        journeys = [journey for journey in await load_journeys(conn, ids) if journey]
        if journeys:
            await store.save_journeys(conn, journeys)
        ended = set(await store.to_export(conn, limit))
        finished = [one for one in journeys if one.journey_id in ended]
        finished += [one for one in await load_journeys(conn, sorted(ended - {one.journey_id for one in journeys}))]
    for journey in finished:
        export(journey)
    return len(ids)


async def load_journeys(conn: asyncpg.Connection, journey_ids: list[str]) -> list[Journey]:
    """Journeys computed from their facts, in the order asked; those that no fact begins are left out."""
    facts = await store.facts_of(conn, journey_ids)
    computed = (journey_of(facts.get(journey_id, [])) for journey_id in journey_ids)
    return [journey for journey in computed if journey is not None]


async def get_journey(
    transaction: Transaction, tenant: str, journey_id: str, encounter: str
) -> tuple[Journey, list[Fact]]:
    """One journey by its id or its encounter, computed from its facts. Refused(not_found) when there is none."""
    async with transaction(tenant) as conn:
        wanted = journey_id or await store.journey_id_of(conn, encounter)
        facts = (await store.facts_of(conn, [wanted])).get(wanted, [])
    journey = journey_of(facts)
    if journey is None:
        raise Refused("journey-not-found", "no journey with this id or encounter", kind="not_found")
    return journey, in_order(facts)


async def find_journeys(
    transaction: Transaction, tenant: str, state: str, outcome: str, after: str, limit: int
) -> list[Journey]:
    """Journeys by state and outcome, in id order after a given id."""
    async with transaction(tenant) as conn:
        ids = await store.find_journeys(conn, state, outcome, after, min(limit or 100, FIND_LIMIT))
        return await load_journeys(conn, ids)
