"""SQL that fills the KPIs' tables: rows of whole journeys replaced, single facts recorded as they are heard.

Both give the same rows for every order of hearing and for facts heard twice: a journey's rows are computed from all of
its facts, and what is recorded fact by fact only takes minima, maxima and the newest word.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, fields
from typing import Any, Final

import asyncpg
import msgspec

from journey.kpi.derive import day_of, derive, instant_of
from journey.kpi.rows import Claim, Denial, Derived, Money, Visit
from journey.model import Fact, Journey

_SQL_TYPES = {
    "str": "text",
    "int": "bigint",
    "bool": "boolean",
    "date | None": "date",
    "datetime": "timestamptz",
    "datetime | None": "timestamptz",
}
_ROWS: Final[Mapping[str, type]] = {"visit": Visit, "claim": Claim, "denial": Denial, "money": Money}
_FACT_COLUMNS = "event_id, journey_id, type, producer, occurred_at, qualifier, reason, detail"
PROJECTED = (*_ROWS, "work_item", "remit", "prior_auth")
DECIDED = frozenset({"approved", "partial", "denied"})
_OPENED = """
insert into work_item (work_id, kind, reason, owner, dollars_cents, due_on, encounter, journey_id, opened_at, opened_by,
closeness, chance, priority)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1, 50, $5::bigint * 50) on conflict (tenant, work_id) do update set
kind = excluded.kind, reason = excluded.reason, owner = excluded.owner, dollars_cents = excluded.dollars_cents,
due_on = excluded.due_on, encounter = excluded.encounter,
journey_id = case when excluded.journey_id = '' then work_item.journey_id else excluded.journey_id end,
opened_at = excluded.opened_at, opened_by = excluded.opened_by, priority = excluded.priority
where work_item.opened_at is null
    or (work_item.opened_at, work_item.opened_by) < (excluded.opened_at, excluded.opened_by)
"""
_CLOSED = """
insert into work_item (work_id, kind, outcome, journey_id, closed_at, closed_by) values ($1, $2, $3, $4, $5, $6)
on conflict (tenant, work_id) do update set outcome = excluded.outcome,
journey_id = case when work_item.journey_id = '' then excluded.journey_id else work_item.journey_id end,
closed_at = excluded.closed_at, closed_by = excluded.closed_by
where work_item.closed_at is null
    or (work_item.closed_at, work_item.closed_by) < (excluded.closed_at, excluded.closed_by)
"""
_REMIT = """
insert into remit (remittance_id, received_at, quarantined, claims, unmatched) values ($1, $2, $3, $4, $5)
on conflict (tenant, remittance_id) do update set received_at = least(remit.received_at, excluded.received_at),
quarantined = remit.quarantined or excluded.quarantined, claims = greatest(remit.claims, excluded.claims),
unmatched = greatest(remit.unmatched, excluded.unmatched)
"""
_AUTH = """
insert into prior_auth (auth_id, payer_id, journey_id, asked_at, required, decided_at, pended_at)
values ($1, $2, $3, $4, $5, $6, $7) on conflict (tenant, auth_id) do update set
payer_id = greatest(prior_auth.payer_id, excluded.payer_id),
journey_id = greatest(prior_auth.journey_id, excluded.journey_id),
asked_at = least(prior_auth.asked_at, excluded.asked_at), required = prior_auth.required or excluded.required,
decided_at = least(prior_auth.decided_at, excluded.decided_at),
pended_at = least(prior_auth.pended_at, excluded.pended_at)
"""


def _insert(table: str) -> str:
    columns = fields(_ROWS[table])
    arrays = ", ".join(f"${number}::{_SQL_TYPES[str(one.type)]}[]" for number, one in enumerate(columns, 1))
    return f"insert into {table} ({', '.join(one.name for one in columns)}) select * from unnest({arrays})"


_INSERTS: Final = {table: _insert(table) for table in _ROWS}


async def _write(conn: asyncpg.Connection, table: str, rows: Sequence[Any]) -> None:
    if rows:
        await conn.execute(_INSERTS[table], *map(list, zip(*map(astuple, rows), strict=True)))


async def project(conn: asyncpg.Connection, journeys: Sequence[tuple[Journey, Sequence[Fact]]]) -> None:
    """Replaces the rows of these journeys by what all their facts come to."""
    ids = [journey.journey_id for journey, _ in journeys]
    derived = [derive(journey.journey_id, facts) for journey, facts in journeys]
    for table in _ROWS:
        await conn.execute(f"delete from {table} where journey_id = any($1::text[])", ids)
    await _write(conn, "visit", [one.visit for one in derived])
    await _write_claims(conn, derived)


async def _write_claims(conn: asyncpg.Connection, derived: Sequence[Derived]) -> None:
    await _write(conn, "claim", [row for one in derived for row in one.claims])
    await _write(conn, "denial", [row for one in derived for row in one.denials])
    await _write(conn, "money", [row for one in derived for row in one.money])


async def record(conn: asyncpg.Connection, fact: Fact) -> None:
    """Keeps what a fact says of work, remittances and authorizations, and notes claims that no journey holds."""
    write = _RECORDERS.get(fact.type)
    if write is not None:
        await write(conn, fact)
    elif not fact.journey_id and fact.detail.get("claim_id"):
        await conn.execute(
            "insert into stray (claim_id, event_id) values ($1, $2) on conflict do nothing",
            fact.detail["claim_id"],
            fact.event_id,
        )


async def _work_opened(conn: asyncpg.Connection, fact: Fact) -> None:
    detail = fact.detail
    if not detail.get("work_id"):
        return
    await conn.execute(
        _OPENED,
        detail["work_id"],
        fact.qualifier,
        fact.reason,
        str(detail.get("owner") or ""),
        int(detail.get("dollars_cents") or 0),
        day_of(detail.get("due_on")),
        str(detail.get("encounter") or ""),
        fact.journey_id,
        fact.occurred_at,
        fact.event_id,
    )


async def _work_closed(conn: asyncpg.Connection, fact: Fact) -> None:
    if not fact.detail.get("work_id"):
        return
    outcome = str(fact.detail.get("outcome") or "")
    await conn.execute(
        _CLOSED, fact.detail["work_id"], fact.qualifier, outcome, fact.journey_id, fact.occurred_at, fact.event_id
    )


async def _remittance(conn: asyncpg.Connection, fact: Fact) -> None:
    detail = fact.detail
    if not detail.get("remittance_id"):
        return
    await conn.execute(
        _REMIT,
        detail["remittance_id"],
        instant_of(detail.get("received_at")) or fact.occurred_at,
        fact.type == "remittance.quarantined",
        int(detail.get("claims") or 0),
        int(detail.get("unmatched") or 0),
    )


async def _authorization(conn: asyncpg.Connection, fact: Fact) -> None:
    """An order asks, an authorization answers; both name the order."""
    detail = fact.detail
    name = str(detail.get("order") or detail.get("authorization_id") or "")
    if not name:
        return
    decision = detail.get("decision", fact.qualifier if fact.type == "authorization.determined" else "")
    await conn.execute(
        _AUTH,
        name,
        str(detail.get("payer_id") or ""),
        fact.journey_id,
        fact.occurred_at,
        detail.get("requirement") == "required" or decision in DECIDED or decision == "pended",
        fact.occurred_at if decision in DECIDED else None,
        fact.occurred_at if decision == "pended" else None,
    )


_RECORDERS: Final = {
    "work.opened": _work_opened,
    "work.closed": _work_closed,
    "remittance.received": _remittance,
    "remittance.quarantined": _remittance,
    "order.placed": _authorization,
    "authorization.determined": _authorization,
}
HEARS: Final = frozenset(_RECORDERS)


async def clear(conn: asyncpg.Connection, limit: int) -> bool:
    """Removes up to so many rows of what is computed from facts; at the end, False, claims without a journey are due
    once more."""
    for table in PROJECTED:
        few = f"(select ctid from {table} limit $1) few where {table}.ctid = few.ctid"
        if await conn.fetch(f"delete from {table} using {few} returning 1", limit):
            return True
    await conn.execute("update stray set pending = true where not pending")
    return False


async def project_strays(conn: asyncpg.Connection, limit: int = 500) -> int:
    """Adds up the claims without a journey that were heard of; how many were."""
    taken = await conn.fetch(
        """update stray set pending = false from (select distinct claim_id from stray where pending limit $1) taken
        where stray.claim_id = taken.claim_id and pending returning stray.claim_id""",
        limit,
    )
    claims = sorted({row["claim_id"] for row in taken})
    if claims:
        await _replace_strays(conn, claims)
    return len(claims)


async def _replace_strays(conn: asyncpg.Connection, claims: list[str]) -> None:
    rows = await conn.fetch(
        f"""select {_FACT_COLUMNS} from fact
        where event_id = any(array(select event_id from stray where claim_id = any($1::text[]))) and journey_id = ''""",
        claims,
    )
    for table in ("claim", "denial", "money"):
        await conn.execute(f"delete from {table} where journey_id = '' and claim_id = any($1::text[])", claims)
    facts = [Fact(**{**row, "detail": msgspec.json.decode(row["detail"])}) for row in rows]
    alone = ([fact for fact in facts if fact.detail["claim_id"] == claim] for claim in claims)
    await _write_claims(conn, [derive("", own) for own in alone])
