"""SQL of the lag ledger: facts are appended as they are heard, journeys and stages added up from them in batches."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import asyncpg

from journey.model import IN_FLIGHT, MONEY, Fact, Journey

_RECORD = """
insert into fact (event_id, journey_id, type, producer, occurred_at, qualifier, reason, detail, trace_id)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict do nothing
"""
_FACT_COLUMNS = "event_id, journey_id, type, producer, occurred_at, qualifier, reason, detail, trace_id"
_JOURNEY_COLUMNS = (
    "journey_id",
    "encounter",
    "source",
    "state",
    "outcome",
    "reason",
    "started_at",
    "ended_at",
    "elapsed_us",
    "claim_id",
    "payer_id",
    *MONEY,
)
_UPSERT_JOURNEY = f"""
insert into journey ({", ".join(_JOURNEY_COLUMNS)})
values ({", ".join(f"${number}" for number in range(1, len(_JOURNEY_COLUMNS) + 1))})
on conflict (tenant, journey_id) do update set
{", ".join(f"{name} = excluded.{name}" for name in _JOURNEY_COLUMNS[1:])}
"""
_INSERT_STAGE = """
insert into stage (journey_id, position, name, round, started_at, ended_at, elapsed_us, cause)
values ($1, $2, $3, $4, $5, $6, $7, $8)
"""


async def record_fact(conn: asyncpg.Connection, fact: Fact) -> None:
    """Appends a fact; one that is there already stays as it is."""
    await conn.execute(
        _RECORD,
        fact.event_id,
        fact.journey_id,
        fact.type,
        fact.producer,
        fact.occurred_at,
        fact.qualifier,
        fact.reason,
        json.dumps(fact.detail),
        fact.trace_id,
    )


async def note_tenant(conn: asyncpg.Connection) -> None:
    """Lists the transaction's tenant among those that have told a fact."""
    await conn.execute("insert into tenant_heard default values on conflict do nothing")


async def tenants_heard(conn: asyncpg.Pool) -> list[str]:
    """All tenants that have told a fact (the relay's role alone may ask)."""
    return [row["tenant"] for row in await conn.fetch("select tenant from tenant_heard")]


async def take_unfolded(conn: asyncpg.Connection, limit: int) -> list[str]:
    """Journeys with facts that are not added up yet; the facts are marked in the same transaction."""
    rows = await conn.fetch(
        """with picked as (select distinct journey_id from fact where not folded limit $1)
        update fact set folded = true from picked where fact.journey_id = picked.journey_id and not folded
        returning fact.journey_id""",
        limit,
    )
    return sorted({row["journey_id"] for row in rows} - {""})


async def facts_of(conn: asyncpg.Connection, journey_ids: Sequence[str]) -> Mapping[str, list[Fact]]:
    """All facts of these journeys, by journey."""
    rows = await conn.fetch(f"select {_FACT_COLUMNS} from fact where journey_id = any($1::text[])", list(journey_ids))
    facts: dict[str, list[Fact]] = defaultdict(list)
    for row in rows:
        facts[row["journey_id"]].append(_fact(row))
    return facts


def _fact(row: asyncpg.Record) -> Fact:
    return Fact(**{**dict(row), "detail": json.loads(row["detail"])})


async def save_journeys(conn: asyncpg.Connection, journeys: Iterable[Journey]) -> None:
    """Writes journeys over what was there, and the stages of those that have settled: in flight they still change."""
    known = list(journeys)
    await conn.executemany(_UPSERT_JOURNEY, [_journey_row(journey) for journey in known])
    settled = [journey for journey in known if journey.state != IN_FLIGHT]
    if settled:
        await conn.execute("delete from stage where journey_id = any($1::text[])", [one.journey_id for one in settled])
        await conn.executemany(_INSERT_STAGE, [row for journey in settled for row in _stage_rows(journey)])


def _journey_row(journey: Journey) -> tuple[Any, ...]:
    plain = [getattr(journey, name) for name in _JOURNEY_COLUMNS if name not in MONEY]
    return (*plain, *(journey.cents[name] for name in MONEY))


def _stage_rows(journey: Journey) -> list[tuple[Any, ...]]:
    return [
        (
            journey.journey_id,
            position,
            stage.name,
            stage.round,
            stage.started_at,
            stage.ended_at,
            stage.elapsed_us,
            stage.cause,
        )
        for position, stage in enumerate(journey.stages)
    ]


async def to_export(conn: asyncpg.Connection, limit: int) -> list[str]:
    """Ended journeys whose trace has not been exported since they ended, marked as exported in this transaction."""
    rows = await conn.fetch(
        """update journey set exported_until = ended_at where journey_id in (
            select journey_id from journey
            where state = 'ended' and (exported_until is null or exported_until < ended_at) limit $1)
        returning journey_id""",
        limit,
    )
    return [row["journey_id"] for row in rows]


async def journey_id_of(conn: asyncpg.Connection, encounter: str) -> str:
    """The journey of an encounter reference; empty when there is none."""
    found = await conn.fetchval(
        "select journey_id from journey where encounter = $1 order by started_at desc limit 1", encounter
    )
    return str(found or "")


async def find_journeys(conn: asyncpg.Connection, state: str, outcome: str, after: str, limit: int) -> list[str]:
    """Journey ids in id order, filtered where a filter is given."""
    rows = await conn.fetch(
        """select journey_id from journey
        where ($1 = '' or state = $1) and ($2 = '' or outcome = $2) and journey_id > $3 order by journey_id limit $4""",
        state,
        outcome,
        after,
        limit,
    )
    return [row["journey_id"] for row in rows]


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
