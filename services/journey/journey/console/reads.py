"""SQL of the console's own pages, where neither the ledger nor the KPIs have a question for it yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from journey.model import STAGES

SETTLED = "settled"


@dataclass(frozen=True, slots=True)
class Oldest:
    """The journey that has been in a stage longest."""

    stage: str
    journey_id: str
    since: datetime
    cents: int
    payer_id: str


async def oldest_unfinished(conn: asyncpg.Connection, stages: Sequence[str] = STAGES) -> list[Oldest]:
    """One journey for each stage that holds any, in the order of the line: a look into an index for each stage."""
    wanted = [stage for stage in stages if stage != SETTLED]
    rows = await conn.fetch(
        """select found.* from unnest($1::text[]) with ordinality as wanted(name, place), lateral (
            select stage, journey_id, stage_since as since, stage_cents as cents, payer_id from journey
            where stage = wanted.name and (state <> 'ended' or stage = 'patient')
            order by stage_since limit 1) as found
        order by wanted.place""",
        wanted,
    )
    return [Oldest(**dict(row)) for row in rows]


@dataclass(frozen=True, slots=True)
class Choices:
    """What a filter offers."""

    payers: tuple[str, ...]
    feeds: tuple[str, ...]


async def choices(conn: asyncpg.Connection) -> Choices:
    """Payers and feeds that journeys name: each found by one step along an index, however many journeys there are."""
    return Choices(await _distinct(conn, "payer_id"), await _distinct(conn, "source"))


async def _distinct(conn: asyncpg.Connection, column: str) -> tuple[str, ...]:
    rows = await conn.fetch(
        f"""with recursive known as (
            (select {column} as value from journey order by {column} limit 1)
            union all
            select (select {column} from journey where {column} > known.value order by {column} limit 1)
            from known where known.value is not null)
        select value from known where value <> '' limit 200"""
    )
    return tuple(row["value"] for row in rows)
