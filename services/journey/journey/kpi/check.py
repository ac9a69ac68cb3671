"""Both computations of all KPIs over one state of the database, and what differs between them.

Journeys with facts that are not added up yet are left out on both sides. When sums differ, both are asked again for
the rows of these KPIs, so that the answer names the rows.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

import asyncpg
import msgspec

from journey.kpi import sql
from journey.kpi.model import AGREES, DIFFERS, MOVING, TIME, Basis, CheckResult, Compared, Total
from journey.kpi.recount import Books, Heard, Sum
from journey.kpi.refresh import total
from journey.kpi.table_formulas import BY_NAME, FORMULAS

CHUNK = 1000
NAMED_ROWS = 20
_FACTS = """
select event_id, journey_id, type, occurred_at, qualifier, reason, detail, causation_id from fact
order by journey_id, occurred_at, event_id
"""
_decode = msgspec.json.Decoder(dict).decode
_ALL_ROWS = "select r.key, r.numerator, r.denominator from ({rows}) r"
_MOVING = "select journey_id from fact where not folded and journey_id <> '' union select journey_id from stale"
_SAVE = """
insert into kpi_check (name, agreement, as_of, checked_at, first_numerator, first_denominator, second_numerator,
    second_denominator, differing) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
on conflict (tenant, name) do update set agreement = excluded.agreement, as_of = excluded.as_of,
checked_at = excluded.checked_at, first_numerator = excluded.first_numerator,
first_denominator = excluded.first_denominator, second_numerator = excluded.second_numerator,
second_denominator = excluded.second_denominator, differing = excluded.differing
"""


@dataclass(frozen=True, slots=True)
class Aside:
    """What both computations leave out: journeys and claims with facts under way, journeys that nothing begins."""

    journeys: frozenset[str]
    claims: frozenset[str]
    unbegun: frozenset[str]

    @property
    def moving(self) -> int:
        return len(self.journeys) + len(self.claims)


async def check(conn: asyncpg.Connection, basis: Basis) -> CheckResult:
    """Compares all KPIs. The transaction must not have read anything yet: it is made to see one state throughout."""
    await conn.execute("set transaction isolation level repeatable read, read only")
    aside = await _aside(conn)
    without = (sorted(aside.journeys), sorted(aside.claims))
    formulas = [one for one in FORMULAS if not one.needs_cost or basis.cost is not None]
    first = {one.name: await total(conn, one, basis, without) for one in formulas}
    books, facts = await _recount(conn, basis, aside)
    second = {one.name: _total(books.sums.get(one.name, Sum())) for one in formulas}
    differ = frozenset(name for name in first if _seen(name, first[name]) != _seen(name, second[name]))
    named = await _differing_rows(conn, basis, aside, differ) if differ and not aside.moving else {}
    agreement = {name: (MOVING if aside.moving else DIFFERS) if name in differ else AGREES for name in first}
    compared = (Compared(name, agreement[name], first[name], second[name], named.get(name, ())) for name in first)
    return CheckResult(basis.as_of, facts, aside.moving, len(aside.unbegun), tuple(compared))


def _total(told: Sum) -> Total:
    return Total(told.numerator, told.denominator, told.p50, told.p90)


def _seen(name: str, told: Total) -> tuple[int | None, ...]:
    """What must be equal: the sums, and the percentiles of a time."""
    percentiles = (told.p50, told.p90) if BY_NAME[name].unit == TIME else ()
    return told.numerator, told.denominator, *percentiles


async def _aside(conn: asyncpg.Connection) -> Aside:
    moving = await conn.fetch(_MOVING)
    claims = await conn.fetch("select distinct claim_id from stray where pending")
    unbegun = await conn.fetch("select journey_id from unbegun")
    return Aside(
        frozenset(row["journey_id"] for row in moving),
        frozenset(row["claim_id"] for row in claims),
        frozenset(row["journey_id"] for row in unbegun),
    )


async def _recount(
    conn: asyncpg.Connection, basis: Basis, aside: Aside, wanted: frozenset[str] = frozenset()
) -> tuple[Books, int]:
    """The second computation over all facts, and how many there were. Facts without a journey come first."""
    cost = (basis.cost.first, basis.cost.following, basis.cost.cents) if basis.cost else None
    books, facts = Books(basis.as_of, cost, wanted), 0
    async for journey_id, told in _journeys(conn):
        facts += len(told)
        for fact in told:
            books.hear_line(fact)
        if not journey_id:
            _hear_strays(books, told, aside)
        elif journey_id not in aside.journeys and journey_id not in aside.unbegun:
            books.hear_journey(journey_id, told)
    books.close()
    return books, facts


def _hear_strays(books: Books, told: list[Heard], aside: Aside) -> None:
    """Claims that no journey holds, one by one."""
    claims: dict[str, list[Heard]] = {}
    for fact in told:
        claim = fact.word("claim_id")
        if claim and claim not in aside.claims:
            claims.setdefault(claim, []).append(fact)
    for facts in claims.values():
        books.hear_stray(facts)


async def _journeys(conn: asyncpg.Connection) -> AsyncIterator[tuple[str, list[Heard]]]:
    """The facts journey by journey, each by instant and id; others may run between chunks."""
    held: list[Heard] = []
    cursor = await conn.cursor(_FACTS)
    while rows := await cursor.fetch(CHUNK):
        for journey_id, group in groupby((_heard(row) for row in rows), lambda fact: fact.journey_id):
            if held and held[0].journey_id != journey_id:
                yield held[0].journey_id, held
                held = []
            held.extend(group)
        await asyncio.sleep(0)
    if held:
        yield held[0].journey_id, held


def _heard(row: asyncpg.Record) -> Heard:
    event_id, journey_id, kind, at, qualifier, reason, detail, cause = row
    return Heard(event_id, journey_id, kind, at, qualifier, reason, _decode(detail), cause)


async def _differing_rows(
    conn: asyncpg.Connection, basis: Basis, aside: Aside, names: frozenset[str]
) -> Mapping[str, tuple[str, ...]]:
    books, _ = await _recount(conn, basis, aside, names)
    found = {}
    for name in sorted(names):
        rows = await conn.fetch(_ALL_ROWS.format(rows=sql.rows_of(BY_NAME[name], basis)))
        first = {row["key"]: (row["numerator"], row["denominator"]) for row in rows}
        second = books.rows.get(name, {})
        keys = sorted(key for key in first.keys() | second.keys() if first.get(key) != second.get(key))
        texts = (f"{key}: {_said(first.get(key))}, counted again {_said(second.get(key))}" for key in keys[:NAMED_ROWS])
        more = len(keys) - NAMED_ROWS
        found[name] = (*texts, *([f"and {more} more rows"] if more > 0 else []))
    return found


def _said(row: tuple[int, int] | None) -> str:
    return f"{row[0]}/{row[1]}" if row else "no row"


async def last_checked(conn: asyncpg.Connection) -> datetime | None:
    """When the computations of this tenant were last compared; None before the first time."""
    instant: datetime | None = await conn.fetchval("select max(checked_at) from kpi_check")
    return instant


async def save_check(conn: asyncpg.Connection, result: CheckResult, checked_at: datetime) -> None:
    """Keeps the comparison for the pages."""
    rows = [
        (
            one.name,
            one.agreement,
            result.as_of,
            checked_at,
            one.first.numerator,
            one.first.denominator,
            one.second.numerator,
            one.second.denominator,
            json.dumps(one.rows),
        )
        for one in result.compared
    ]
    await conn.execute("delete from kpi_check where name <> all($1::text[])", [row[0] for row in rows])
    await conn.executemany(_SAVE, rows)
