"""What is asked of the ledger: one journey, a page of them, what is unfinished, sums."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import asyncpg

from journey.model import MONEY, Journey
from journey.search import Search, cursor_of, place_after
from journey.store.journeys import count_unbegun as unbegun_count
from journey.store.journeys import load_journeys

__all__ = [
    "Unfinished",
    "claims_at_risk",
    "cursor_of",
    "dead_letters",
    "find_journeys",
    "journey_id_of",
    "stage_percentiles",
    "totals",
    "unbegun_count",
    "unfinished",
]

_EQUAL = (
    ("state", "state"),
    ("outcome", "outcome"),
    ("stage", "stage"),
    ("payer_id", "payer_id"),
    ("payer_class", "payer_class"),
    ("source", "feed"),
)
# Three look-ups by key instead of one condition over three columns, which no index would serve.
_IDS_OF_TEXT = """
select journey_id from journey where journey_id = $1
union select journey_id from journey where encounter = $1
union select journey_id from journey_claim where claim_id = $1
"""


@dataclass(frozen=True, slots=True)
class Unfinished:
    """What stands in one stage with one class of payer: how many, how many cents, and since when the oldest."""

    stage: str
    payer_class: str
    count: int
    cents: int
    oldest: datetime


async def journey_id_of(conn: asyncpg.Connection, encounter: str) -> str:
    """The journey of an encounter reference; empty when there is none."""
    found = await conn.fetchval(
        "select journey_id from journey where encounter = $1 order by started_at desc limit 1", encounter
    )
    return str(found or "")


async def find_journeys(conn: asyncpg.Connection, search: Search) -> list[Journey]:
    """A page of journeys with their stages, newest first. Unreadable(`page-token`) when `after` is no cursor."""
    wanted: list[str] | None = None
    if search.text:
        wanted = [row["journey_id"] for row in await conn.fetch(_IDS_OF_TEXT, search.text)]
        if not wanted:
            return []
    condition, arguments = _conditions(search, wanted)
    rows = await conn.fetch(
        f"select journey_id from journey where {condition} order by started_at desc, journey_id desc "
        f"limit {search.page_size}",
        *arguments,
    )
    return await load_journeys(conn, [row["journey_id"] for row in rows])


def _conditions(search: Search, wanted: list[str] | None) -> tuple[str, list[Any]]:
    """The where clause of a search and its arguments: only what was asked, so that the fitting index is taken."""
    parts: list[str] = ["true"]
    arguments: list[Any] = []

    def add(condition: str, *values: Any) -> None:
        numbers = range(len(arguments) + 1, len(arguments) + len(values) + 1)
        parts.append(condition.format(*(f"${number}" for number in numbers)))
        arguments.extend(values)

    for column, name in _EQUAL:
        if value := getattr(search, name):
            add(f"{column} = {{}}", value)
    if wanted is not None:
        add("journey_id = any({}::text[])", wanted)
    if search.since is not None:
        add("started_at >= {}", search.since)
    if search.until is not None:
        add("started_at < {}", search.until)
    if search.after:
        add("(started_at, journey_id) < ({}::timestamptz, {}::text)", *place_after(search.after))
    return " and ".join(parts), arguments


async def unfinished(conn: asyncpg.Connection) -> list[Unfinished]:
    """What is under way, by stage and class of payer; one that ended while the patient owes is with the patient."""
    rows = await conn.fetch(
        """select stage, payer_class, count(*) as count, sum(stage_cents)::bigint as cents, min(stage_since) as oldest
        from journey where state <> 'ended' or stage = 'patient' group by stage, payer_class order by 1, 2"""
    )
    return [Unfinished(**dict(row)) for row in rows]


async def claims_at_risk(conn: asyncpg.Connection, today: date) -> dict[str, int]:
    """Claims that are not out in the last tenth of their filing window (from the service), by class of payer."""
    rows = await conn.fetch(
        """select payer_class, count(*) as count from journey
        where stage = any(array['submission', 'hold', 'rejection']) and service_on is not null
        and $1 > filing_due - (filing_due - service_on) / 10 group by payer_class""",
        today,
    )
    return {row["payer_class"]: row["count"] for row in rows}


async def dead_letters(conn: asyncpg.Connection) -> int:
    """Facts that could not be taken in, such as those of a version that is not known here."""
    return int(await conn.fetchval("select count(*) from dead_letter"))


async def totals(conn: asyncpg.Connection) -> tuple[dict[str, int], dict[str, int]]:
    """Counts by state and outcome, and the sums in cents."""
    rows = await conn.fetch("select state, outcome, count(*) as number from journey group by state, outcome")
    counts = {row["state"] + (f"/{row['outcome']}" if row["outcome"] else ""): row["number"] for row in rows}
    sums = await conn.fetchrow(
        "select " + ", ".join(f"coalesce(sum({name}), 0)::bigint as {name}" for name in MONEY) + " from journey"
    )
    return counts, dict(sums) if sums else {}


async def stage_percentiles(conn: asyncpg.Connection) -> Mapping[str, tuple[int, int]]:
    """Median and 99th percentile of each stage's closed lengths, in microseconds."""
    rows = await conn.fetch(
        """select name, percentile_cont(array[0.5, 0.99]) within group (order by elapsed_us) as p
        from stage where ended_at is not null group by name"""
    )
    return {row["name"]: (int(row["p"][0]), int(row["p"][1])) for row in rows}
