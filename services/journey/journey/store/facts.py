"""Facts as they were heard: appended once, marked when they have been added up, read by journey."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import asyncpg
import msgspec

from journey.model import Fact

_NAMES = (
    *("event_id", "journey_id", "type", "producer", "occurred_at", "qualifier", "reason"),
    *("detail", "trace_id", "causation_id", "heard_at", "copies"),
)
_COLUMNS = ", ".join(_NAMES)
# Told again (a redelivery meets the inbox, but a lost inbox would not), a fact stays as it is and is counted.
_RECORD = """
insert into fact (event_id, journey_id, type, producer, occurred_at, qualifier, reason, detail, trace_id, causation_id,
    heard_at, remittance_id)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, coalesce($11, now()), $12)
on conflict (tenant, event_id) do update set copies = fact.copies + 1, folded = false
"""
# Facts of the whole line that move journeys: the deposit behind a remittance.
OF_A_REMITTANCE = ["deposit.matched"]
POSTINGS = ["payment.posted", "payment.reversed"]
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict).decode


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
        _encode(fact.detail).decode(),
        fact.trace_id,
        fact.causation_id,
        fact.heard_at,
        fact.text("remittance_id"),
    )


async def note_tenant(conn: asyncpg.Connection) -> None:
    """Lists the transaction's tenant among those that have told a fact."""
    await conn.execute("insert into tenant_heard default values on conflict do nothing")


async def tenants_heard(conn: asyncpg.Pool) -> list[str]:
    """All tenants that have told a fact (the relay's role alone may ask)."""
    return [row["tenant"] for row in await conn.fetch("select tenant from tenant_heard")]


async def take_unfolded(conn: asyncpg.Connection, limit: int) -> list[str]:
    """Journeys with facts that are not added up yet; the facts are marked in the same transaction.

    A fact of the whole line makes the journeys stale that it concerns: `take_stale` gives those.
    """
    # In two steps, each by an index whatever the planner knows: after a burst its statistics say that nothing waits.
    picked = await conn.fetch("select distinct journey_id from fact where not folded limit $1", limit)
    rows = await conn.fetch(
        """update fact set folded = true where not folded and journey_id = any($1::text[])
        returning journey_id, type, remittance_id""",
        [row["journey_id"] for row in picked],
    )
    remittances = {row["remittance_id"] for row in rows if not row["journey_id"] and row["type"] in OF_A_REMITTANCE}
    if remittances:
        await conn.execute(
            """insert into stale (journey_id) select distinct journey_id from fact
            where remittance_id = any($1::text[]) and type = any($2::text[]) and journey_id <> ''
            on conflict do nothing""",
            sorted(remittances),
            POSTINGS,
        )
    return sorted({row["journey_id"] for row in rows} - {""})


async def take_stale(conn: asyncpg.Connection, limit: int) -> list[str]:
    """Journeys that a fact of the whole line concerns, taken off the list in this transaction."""
    rows = await conn.fetch(
        "delete from stale where journey_id in (select journey_id from stale limit $1) returning journey_id", limit
    )
    return sorted(row["journey_id"] for row in rows)


async def facts_of(conn: asyncpg.Connection, journey_ids: Sequence[str]) -> Mapping[str, list[Fact]]:
    """All facts of these journeys, by journey, with the deposits of their remittances."""
    rows = await conn.fetch(
        f"select {_COLUMNS}, remittance_id from fact where journey_id = any($1::text[])", list(journey_ids)
    )
    facts: dict[str, list[Fact]] = defaultdict(list)
    paid_by: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        facts[row["journey_id"]].append(_fact(row))
        if row["remittance_id"]:
            paid_by[row["remittance_id"]].add(row["journey_id"])
    for deposit in await _deposits_of(conn, list(paid_by)):
        for journey_id in paid_by[deposit.text("remittance_id")]:
            facts[journey_id].append(deposit)
    return facts


async def _deposits_of(conn: asyncpg.Connection, remittances: list[str]) -> list[Fact]:
    if not remittances:
        return []
    rows = await conn.fetch(
        f"""select {_COLUMNS} from fact
        where remittance_id = any($1::text[]) and journey_id = '' and type = any($2::text[])""",
        remittances,
        OF_A_REMITTANCE,
    )
    return [_fact(row) for row in rows]


async def line_facts(conn: asyncpg.Connection, types: Sequence[str], after: str, limit: int) -> list[Fact]:
    """Facts of these types and those of no journey, in the order of their ids after a given one."""
    rows = await conn.fetch(
        f"""select {_COLUMNS} from fact where event_id > $1 and (journey_id = '' or type = any($2::text[]))
        order by event_id limit $3""",
        after,
        list(types),
        limit,
    )
    return [_fact(row) for row in rows]


async def under_way(conn: asyncpg.Connection, journey_ids: Sequence[str]) -> set[str]:
    """Those of these journeys that have something to be added up."""
    rows = await conn.fetch(
        """select journey_id from fact where not folded and journey_id = any($1::text[])
        union select journey_id from stale where journey_id = any($1::text[])""",
        list(journey_ids),
    )
    return {row["journey_id"] for row in rows}


def _fact(row: asyncpg.Record) -> Fact:
    return Fact(**{name: row[name] for name in _NAMES} | {"detail": _decode(row["detail"])})
