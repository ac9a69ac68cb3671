"""A whole Throughline for tests of the line: started once where it can be shared, asked through its public doors."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
from cli.client import Line, Place
from cli.demo import Story, make_stories, send_stories, wait_settled
from cli.stack import Stack
from rcm.journey.v1 import journey_pb2

# Tables that must hold a thing at most once, whatever was killed: schema.table and what makes a row the same thing.
ONCE = (
    ("claims_gateway.claim", "encounter_key, payer_id, responsibility"),
    ("claims_gateway.claim", "control_number"),
    ("interface_engine.journey", "encounter_key"),
)


def quiet(label: str, done: int, total: int) -> None:
    """Tests draw no bars."""


@dataclass
class Run:
    """Stories that were sent, and what came of them."""

    stories: list[Story]
    problems: list[str] = field(default_factory=list)
    journeys: list[journey_pb2.Journey] = field(default_factory=list)


def stories_of(folder: Path, seed: int, count: int) -> list[Story]:
    """Stories of the seeded EHR generator."""
    return make_stories(folder, seed, count)


async def run_stories(stack: Stack, stories: list[Story], timeout_s: float) -> Run:
    """Sends the stories and waits until each journey has settled."""
    place = Place.read(stack.folder / "stack.json")
    run = Run(stories)
    run.problems = await send_stories(place, stories, quiet)
    run.journeys = await settled(place, {story.encounter for story in stories}, timeout_s)
    return run


async def settled(place: Place, encounters: set[str], timeout_s: float) -> list[journey_pb2.Journey]:
    """The journeys of these encounters that have ended or wait for a person, when all have or time is over."""
    line = Line(place)
    try:
        return await wait_settled(line, encounters, timeout_s, quiet)
    finally:
        await line.close()


async def query(owner_url: str, sql: str) -> list[asyncpg.Record]:
    """Rows over all tenants and schemas, as the superuser of the embedded Postgres."""
    connection = await asyncpg.connect(owner_url)
    try:
        return await connection.fetch(sql)
    finally:
        await connection.close()


async def doubled(owner_url: str, rows: Iterable[tuple[str, str]] = ONCE) -> list[str]:
    """What stands more than once where it may stand once."""
    found = []
    for table, key in rows:
        again = await query(owner_url, f"select 1 from {table} group by tenant, {key} having count(*) > 1")
        found += [f"{table} ({key}): {len(again)}"] if again else []
    return found


async def unsent(owner_url: str, schemas: Iterable[str]) -> int:
    """Facts that wait in any outbox."""
    counts = [
        await query(owner_url, f"select count(*) as n from {schema}.outbox where published_at is null")
        for schema in schemas
    ]
    return sum(rows[0]["n"] for rows in counts)
