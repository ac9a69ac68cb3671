"""Answers: one journey from its facts, a page of journeys from their rows."""

from __future__ import annotations

from kernel.errors import Refused

from journey import store
from journey.handlers.ports import Transaction
from journey.model import Fact, Journey, in_order, journey_of
from journey.search import Search


async def get_journey(
    transaction: Transaction, tenant: str, journey_id: str, encounter: str
) -> tuple[Journey, list[Fact]]:
    """One journey by its id or its encounter, computed from its facts. Refused(not_found) when there is none."""
    async with transaction(tenant) as conn:
        wanted = journey_id or await store.journey_id_of(conn, encounter)
        facts = (await store.facts_of(conn, [wanted])).get(wanted, []) if wanted else []
    journey = journey_of(facts)
    if journey is None:
        raise Refused("journey-not-found", "no journey with this id or encounter", kind="not_found")
    return journey, in_order(facts)


async def find_journeys(transaction: Transaction, tenant: str, search: Search) -> list[Journey]:
    """A page of journeys, newest first, as they were last added up."""
    async with transaction(tenant) as conn:
        return await store.find_journeys(conn, search)
