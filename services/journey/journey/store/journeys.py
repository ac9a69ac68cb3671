"""What the facts add up to: a row for each journey, one for each of its stages, and one for each of its claims."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from journey.model import MONEY, End, Fact, Journey, Notice, Stage

_PLAIN = (
    "journey_id",
    "encounter",
    "source",
    "state",
    "outcome",
    "reason",
    "started_at",
    "ended_at",
    "claim_id",
    "payer_id",
    "stage",
    "stage_since",
    "stage_cents",
    "payer_class",
    "provider",
    "service_on",
    "filing_due",
    "finished_at",
    "gross_cents",
    "patient_open_cents",
    "loops",
    "claim_ids",
)
_DERIVED = ("elapsed_us", "first_end_at", "etp_us")
_COLUMNS = (*_PLAIN, *_DERIVED, *MONEY, "ends", "notices", "heard_at")
_UPSERT = f"""
insert into journey ({", ".join(_COLUMNS)}, export_due)
values ({", ".join(f"${number}" for number in range(1, len(_COLUMNS) + 1))}, true)
on conflict (tenant, journey_id) do update set export_due = true,
{", ".join(f"{name} = excluded.{name}" for name in _COLUMNS[1:])}
"""
_STAGE = (
    ("journey_id", "text"),
    ("position", "integer"),
    ("name", "text"),
    ("round", "integer"),
    ("started_at", "timestamptz"),
    ("ended_at", "timestamptz"),
    ("cause", "text"),
    ("loop", "text"),
    ("because", "text"),
    ("cents_open", "bigint"),
    ("episode", "integer"),
    ("elapsed_us", "bigint"),
)
_NAMES = [name for name, _ in _STAGE]
_OF_STAGE = _NAMES[2:-1]
# A stage that is as it was is not written again, and keeps what is known of its span.
_UPSERT_STAGES = f"""
insert into stage ({", ".join(_NAMES)})
select * from unnest({", ".join(f"${number}::{kind}[]" for number, (_, kind) in enumerate(_STAGE, 1))})
on conflict (tenant, journey_id, position) do update set {", ".join(f"{name} = excluded.{name}" for name in _NAMES[2:])}
where ({", ".join(f"stage.{name}" for name in _NAMES[2:])})
    is distinct from ({", ".join(f"excluded.{name}" for name in _NAMES[2:])})
"""
_encode = msgspec.json.Encoder().encode
_ends = msgspec.json.Decoder(list[End]).decode
_notices = msgspec.json.Decoder(list[Notice]).decode


async def lock_ledger(conn: asyncpg.Connection) -> None:
    """Until the transaction ends nobody else writes this tenant's journeys, so none is written from older facts."""
    await conn.execute("select pg_advisory_xact_lock(hashtextextended('ledger:' || current_setting('app.tenant'), 0))")


async def save_journeys(conn: asyncpg.Connection, journeys: Sequence[Journey], heard: Mapping[str, datetime]) -> None:
    """Writes journeys with their stages and claims over what was there. `heard`: when each was last told something."""
    if not journeys:
        return
    await conn.executemany(_UPSERT, [_journey_row(one, heard[one.journey_id]) for one in journeys])
    rows = [row for one in journeys for row in _stage_rows(one)]
    await conn.execute(_UPSERT_STAGES, *([list(column) for column in zip(*rows, strict=True)] or [[]] * len(_STAGE)))
    await _remove_stages(conn, {one.journey_id: len(one.stages) for one in journeys})
    await _save_claims(conn, journeys)
    await conn.execute("delete from unbegun where journey_id = any($1::text[])", [one.journey_id for one in journeys])


async def _remove_stages(conn: asyncpg.Connection, numbers: Mapping[str, int]) -> None:
    """Takes away the stages beyond these numbers: seldom any, so they are looked for before anything is deleted."""
    rows = await conn.fetch("select journey_id, position from stage where journey_id = any($1::text[])", list(numbers))
    gone = [(row["journey_id"], row["position"]) for row in rows if row["position"] >= numbers[row["journey_id"]]]
    if gone:
        await conn.executemany("delete from stage where journey_id = $1 and position = $2", gone)


async def _save_claims(conn: asyncpg.Connection, journeys: Sequence[Journey]) -> None:
    claims = {claim: one.journey_id for one in journeys for claim in one.claim_ids}
    await conn.execute(
        """insert into journey_claim (claim_id, journey_id) select * from unnest($1::text[], $2::text[])
        on conflict (tenant, claim_id) do update set journey_id = excluded.journey_id
        where journey_claim.journey_id <> excluded.journey_id""",
        list(claims),
        list(claims.values()),
    )


def _journey_row(journey: Journey, heard_at: datetime) -> tuple[Any, ...]:
    plain = [getattr(journey, name) for name in (*_PLAIN, *_DERIVED)]
    amounts = [journey.cents[name] for name in MONEY]
    return (*plain, *amounts, _encode(journey.ends).decode(), _encode(journey.notices).decode(), heard_at)


def _stage_rows(journey: Journey) -> list[tuple[Any, ...]]:
    return [
        (journey.journey_id, position, *(getattr(stage, name) for name in _OF_STAGE), stage.elapsed_us)
        for position, stage in enumerate(journey.stages)
    ]


async def load_journeys(conn: asyncpg.Connection, journey_ids: Sequence[str]) -> list[Journey]:
    """Journeys with their stages as they are stored, in the order asked; ids without a row are left out."""
    ids = list(journey_ids)
    rows = await conn.fetch("select * from journey where journey_id = any($1::text[])", ids)
    stages = await conn.fetch(
        f"select {', '.join(_NAMES)} from stage where journey_id = any($1::text[]) order by journey_id, position", ids
    )
    of_journey: dict[str, list[Stage]] = defaultdict(list)
    for row in stages:
        of_journey[row["journey_id"]].append(Stage(**{name: row[name] for name in _OF_STAGE}))
    found = {row["journey_id"]: _journey(row, of_journey[row["journey_id"]]) for row in rows}
    return [found[one] for one in ids if one in found]


def _journey(row: asyncpg.Record, stages: Sequence[Stage]) -> Journey:
    plain = {name: row[name] for name in _PLAIN} | {"claim_ids": tuple(row["claim_ids"])}
    return Journey(
        **plain,
        stages=tuple(stages),
        cents={name: row[name] for name in MONEY},
        ends=tuple(_ends(row["ends"])),
        notices=tuple(_notices(row["notices"])),
    )


async def note_unbegun(conn: asyncpg.Connection, facts: Mapping[str, Sequence[Fact]], now: datetime) -> None:
    """Keeps count of journeys of which facts are known that nothing begins."""
    if not facts:
        return
    await conn.execute(
        """insert into unbegun (journey_id, facts, heard_at)
        select journey_id, facts, $3 from unnest($1::text[], $2::integer[]) as told (journey_id, facts)
        on conflict (tenant, journey_id) do update set facts = excluded.facts, heard_at = excluded.heard_at""",
        list(facts),
        [len(known) for known in facts.values()],
        now,
    )


async def count_unbegun(conn: asyncpg.Connection) -> int:
    """Journeys of which facts are known that nothing begins."""
    return int(await conn.fetchval("select count(*) from unbegun"))


async def ids_to_rebuild(conn: asyncpg.Connection, after: str, limit: int) -> list[str]:
    """The next journeys that facts name, in the order of their ids."""
    rows = await conn.fetch(
        "select distinct journey_id from fact where journey_id > $1 order by journey_id limit $2", after, limit
    )
    return [row["journey_id"] for row in rows]


async def count_ids(conn: asyncpg.Connection) -> int:
    """How many journeys facts name."""
    return int(await conn.fetchval("select count(distinct journey_id) from fact where journey_id <> ''"))


async def known_between(conn: asyncpg.Connection, after: str, last: str) -> list[str]:
    """Journeys that have a row, with ids over `after` up to `last` ("" : all that follow)."""
    rows = await conn.fetch(
        "select journey_id from journey where journey_id > $1 and ($2 = '' or journey_id <= $2)", after, last
    )
    return [row["journey_id"] for row in rows]


async def remove_journeys(conn: asyncpg.Connection, journey_ids: Sequence[str]) -> None:
    """Takes away rows that no fact stands behind."""
    for table in ("stage", "journey_claim", "journey"):
        await conn.execute(f"delete from {table} where journey_id = any($1::text[])", list(journey_ids))
