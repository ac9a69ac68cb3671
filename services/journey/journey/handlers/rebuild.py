"""Adding everything up again from the facts, into nothing: the proof that the ledger holds no more than they say.

Batch by batch in transactions of their own, so that memory stays bounded and the line goes on meanwhile.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import asyncpg

from journey import store
from journey.handlers.folding import add_up, last_heard
from journey.handlers.ports import Projection, Transaction
from journey.model import Fact, Journey

BATCH = 100  # adding up is plain Python: the doors wait for a batch at the most
LINE_BATCH = 2000
CLEAR_BATCH = 10_000
SHOWN = 20


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a rebuild is. `differing` journeys were not what their facts add up to; some of their ids are shown.

    `unbegun` and `dead_letters` are told at the end: journeys that no fact begins, and facts that could not be read.
    """

    journeys: int = 0
    journeys_expected: int = 0
    facts: int = 0
    differing: int = 0
    differing_ids: tuple[str, ...] = ()
    done: bool = False
    unbegun: int = 0
    dead_letters: int = 0

    def and_these(self, journeys: int, facts: int, differing: Sequence[str]) -> Progress:
        """With one more batch."""
        return replace(
            self,
            journeys=self.journeys + journeys,
            facts=self.facts + facts,
            differing=self.differing + len(differing),
            differing_ids=(*self.differing_ids, *differing)[:SHOWN],
        )


@dataclass(frozen=True, slots=True)
class Rebuilding:
    """One run. With `check` nothing is written."""

    transaction: Transaction
    tenant: str
    projection: Projection
    check: bool
    now: datetime

    async def run(self) -> AsyncIterator[Progress]:
        """Progress after each batch, the last one `done`."""
        if not self.check:
            await self._refill()
        async with self.transaction(self.tenant) as conn:
            progress, after = Progress(journeys_expected=await store.count_ids(conn)), ""
        while True:
            async with self.transaction(self.tenant) as conn:
                ids = await store.ids_to_rebuild(conn, after, BATCH)
                await store.lock_ledger(conn)
                progress = await self._batch(conn, progress, after, ids)
            if len(ids) < BATCH:
                break
            after = ids[-1]
            yield progress
        yield await self._end(progress)

    async def _batch(self, conn: asyncpg.Connection, progress: Progress, after: str, ids: list[str]) -> Progress:
        facts = await store.facts_of(conn, ids)
        journeys = add_up(facts, ids)
        last = ids[-1] if len(ids) == BATCH else ""
        differing = await self._differing(conn, journeys, await store.known_between(conn, after, last))
        if not self.check:
            await self._replace(conn, journeys, facts, differing)
        return progress.and_these(len(journeys), sum(map(len, facts.values())), sorted(differing))

    async def _differing(self, conn: asyncpg.Connection, journeys: list[Journey], known: list[str]) -> set[str]:
        """Ids of rows that are not what the facts add up to; what is about to be added up anyway is left out."""
        computed = {journey.journey_id: journey for journey in journeys}
        stored = {one.journey_id: one for one in await store.load_journeys(conn, sorted({*known, *computed}))}
        differing = {one for one in computed.keys() | stored.keys() if computed.get(one) != stored.get(one)}
        return differing - await store.under_way(conn, sorted(differing)) if differing else differing

    async def _replace(
        self,
        conn: asyncpg.Connection,
        journeys: list[Journey],
        facts: Mapping[str, Sequence[Fact]],
        differing: set[str],
    ) -> None:
        wrong = [journey for journey in journeys if journey.journey_id in differing]
        await store.save_journeys(conn, wrong, last_heard(facts, self.now))
        begun = {journey.journey_id for journey in journeys}
        await store.remove_journeys(conn, sorted(differing - begun))
        await store.note_unbegun(conn, {one: known for one, known in facts.items() if one not in begun}, self.now)
        await self.projection.project(conn, [(journey, facts[journey.journey_id]) for journey in journeys])

    async def _refill(self) -> None:
        """Empties what is kept beside the ledger and tells it again what it hears of the whole line."""
        left = True
        while left:
            async with self.transaction(self.tenant) as conn:
                left = await self.projection.clear(conn, CLEAR_BATCH)
        after, types = "", sorted(self.projection.hears)
        while True:
            async with self.transaction(self.tenant) as conn:
                facts = await store.line_facts(conn, types, after, LINE_BATCH)
                for fact in facts:
                    await self.projection.record(conn, fact)
            if len(facts) < LINE_BATCH:
                return
            after = facts[-1].event_id

    async def _end(self, progress: Progress) -> Progress:
        async with self.transaction(self.tenant) as conn:
            unbegun, dead = await store.unbegun_count(conn), await store.dead_letters(conn)
        return replace(progress, done=True, unbegun=unbegun, dead_letters=dead)


def rebuild_ledger(
    transaction: Transaction, tenant: str, projection: Projection, check: bool, now: datetime
) -> AsyncIterator[Progress]:
    """Adds every fact of a tenant up again; with `check` compares only, else also puts right what differs."""
    return Rebuilding(transaction, tenant, projection, check, now).run()
