"""The snapshot that the pages read: every KPI, and the tables that are added up over all claims, computed anew."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any

import asyncpg

from journey.kpi import sql
from journey.kpi.model import EMPTY, NOT_CONFIGURED, OK, TIME, Basis, Formula, Total
from journey.kpi.read import COHORTS, COST, PAYERS, PROVIDERS, STAGES
from journey.kpi.store import project_strays
from journey.kpi.table_formulas import FORMULAS
from journey.kpi.work import rank_work

Transaction = Callable[[str], AbstractAsyncContextManager[asyncpg.Connection]]
STRAYS = 500
NO_COST = "the site has not told its cost of a whole month: put it into journey/costs.toml in the site's folder"
_ALONE = "select pg_try_advisory_xact_lock(hashtextextended('kpi:' || current_setting('app.tenant'), 0))"
_SAVE = """
insert into kpi_value (name, version, state, because, numerator, denominator, p50, p90, as_of)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (tenant, name) do update set version = excluded.version,
state = excluded.state, because = excluded.because, numerator = excluded.numerator,
denominator = excluded.denominator, p50 = excluded.p50, p90 = excluded.p90, as_of = excluded.as_of
"""
_SAVE_SNAPSHOT = """
insert into kpi_snapshot (as_of, took_ms) values ($1, $2)
on conflict (tenant) do update set as_of = excluded.as_of, took_ms = excluded.took_ms
"""
_STAGES = """
select stage, payer_class, count(*) as count, coalesce(sum(stage_cents), 0)::bigint as cents,
    min(stage_since) as oldest_since
from journey where state <> 'ended' or stage = 'patient' group by 1, 2 order by 1, 2
"""
_PROVIDERS = """
select provider, count(*) as claims, sum(billed_cents)::bigint as gross_cents, sum(paid_cents)::bigint as paid_cents,
    sum(adjusted_cents)::bigint as adjusted_cents, sum(patient_cents)::bigint as patient_cents,
    sum(billed_cents - paid_cents - adjusted_cents - patient_cents)::bigint as open_cents,
    sum(patient_paid_cents)::bigint as patient_paid_cents
from claim where is_primary and submitted_at is not null and not voided group by 1 order by 3 desc, 1
"""
_COHORTS = """
select date_trunc('month', service_on::timestamp)::date as month, count(*) as claims,
    sum(paid_cents + patient_paid_cents)::bigint as payments_cents,
    sum(case when is_primary then billed_cents else 0 end)::bigint as charges_cents,
    sum(contractual_cents)::bigint as contractual_cents
from claim where posted_at is not null and service_on > $1 group by 1 order by 1 desc
"""
_LAG = "(extract(epoch from coalesce(received_at, posted_at) - accepted_at) * 1000000)::bigint"
_PAYERS = f"""
select payer_id, max(payer_class) as payer_class, count(*) filter (where submitted_at is not null) as claims,
    count(posted_at) as adjudicated, count(built_at) as built,
    count(*) filter (where built_at is not null and clean) as clean,
    count(denied_at) as denied, coalesce(sum(denied_cents), 0)::bigint as denied_cents,
    percentile_disc(array[0.5, 0.9]) within group (order by greatest(0, {_LAG}))
        filter (where accepted_at is not null and posted_at is not null) as lag
from claim group by 1 order by 3 desc, 1
"""
_MIX = """
select payer_id, kind, category, count(*) as number, sum(cents)::bigint as cents
from denial group by 1, 2, 3 order by 1, 5 desc, 3
"""
_DECIDED = "(extract(epoch from decided_at - asked_at) * 1000000)::bigint"
_AUTHS = f"""
select payer_id, count(decided_at) as auth_decided,
    percentile_disc(array[0.5, 0.9]) within group (order by {_DECIDED}) filter (where decided_at is not null) as lag,
    count(*) filter (where decided_at - asked_at <= interval '72 hours') as auth_within_72h,
    count(*) filter (where decided_at - asked_at <= interval '7 days') as auth_within_7d,
    count(*) filter (where decided_at is null and pended_at is not null) as auth_pending
from prior_auth where required or decided_at is not null group by 1
"""


async def refresh(transaction: Transaction, tenant: str, basis: Basis) -> int:
    """Computes everything as of an instant and replaces the snapshot; how many milliseconds it took.

    In short transactions: what is being recorded meanwhile never waits for all of it. A replica that finds another one
    at it leaves the snapshot to that one.
    """
    started = time.perf_counter()
    strays = STRAYS
    while strays == STRAYS:
        async with transaction(tenant) as conn:
            strays = await project_strays(conn, STRAYS)
    async with transaction(tenant) as conn:
        await rank_work(conn, basis.as_of.date())
    async with transaction(tenant) as conn:
        if not await conn.fetchval(_ALONE):
            return 0
        for formula in FORMULAS:
            await _save_value(conn, formula, basis)
        await _save_breakdowns(conn, basis)
        took_ms = round((time.perf_counter() - started) * 1000)
        await conn.execute(_SAVE_SNAPSHOT, basis.as_of, took_ms)
    return took_ms


async def total(
    conn: asyncpg.Connection,
    formula: Formula,
    basis: Basis,
    without: tuple[list[str], list[str]] = ([], []),
) -> Total:
    """The sums of a KPI's rows; `without` the rows of these journeys and claims."""
    (row,) = await conn.fetch(sql.total_of(formula, basis), *without)
    p50, p90 = row["percentiles"] or (None, None)
    return Total(row["numerator"], row["denominator"], p50, p90)


async def _save_value(conn: asyncpg.Connection, formula: Formula, basis: Basis) -> None:
    if formula.needs_cost and basis.cost is None:
        state, because, found = NOT_CONFIGURED, NO_COST, Total(0, 0)
    else:
        found = await total(conn, formula, basis)
        state, because = (OK, "") if found.denominator else (EMPTY, formula.missing)
    percentiles = (found.p50, found.p90) if formula.unit == TIME else (None, None)
    await conn.execute(
        _SAVE,
        formula.name,
        formula.version,
        state,
        because,
        found.numerator,
        found.denominator,
        *percentiles,
        basis.as_of,
    )


async def _save_breakdowns(conn: asyncpg.Connection, basis: Basis) -> None:
    await _save(conn, STAGES, [_plain(row) for row in await conn.fetch(_STAGES)])
    await _save(conn, PROVIDERS, [_plain(row) for row in await conn.fetch(_PROVIDERS)])
    await _save(conn, PAYERS, await _payers(conn))
    year_ago = basis.as_of.date() - timedelta(days=365)
    await _save(conn, COHORTS, [_plain(row) for row in await conn.fetch(_COHORTS, year_ago)])
    cost = basis.cost
    told = [{"first": str(cost.first), "following": str(cost.following), "cents": cost.cents}] if cost else []
    await _save(conn, COST, told)


def _plain(row: asyncpg.Record) -> dict[str, Any]:
    return {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in row.items()}


async def _save(conn: asyncpg.Connection, kind: str, rows: list[dict[str, Any]]) -> None:
    await conn.execute("delete from kpi_breakdown where kind = $1", kind)
    await conn.execute(
        """insert into kpi_breakdown (kind, position, row)
        select $1, ordinality - 1, told::jsonb from unnest($2::text[]) with ordinality as rows (told, ordinality)""",
        kind,
        [json.dumps(row) for row in rows],
    )


async def _payers(conn: asyncpg.Connection) -> list[dict[str, Any]]:
    disputes = _disputes(await conn.fetch(_MIX))
    auths = {row["payer_id"]: dict(row) for row in await conn.fetch(_AUTHS)}
    scores = {row["payer_id"]: dict(row) for row in await conn.fetch(_PAYERS)}
    payers = [*scores, *sorted(auths.keys() - scores.keys())]
    return [_score(payer, scores.get(payer), disputes[payer], auths.get(payer)) for payer in payers]


def _disputes(rows: list[asyncpg.Record]) -> Mapping[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = defaultdict(lambda: {"mix": [], "underpaid": 0, "underpaid_cents": 0})
    for row in rows:
        payer = found[row["payer_id"]]
        if row["kind"] == "denied":
            payer["mix"].append([row["category"], row["number"], row["cents"]])
        else:
            payer["underpaid"] += row["number"]
            payer["underpaid_cents"] += row["cents"]
    return found


def _score(
    payer_id: str, claims: dict[str, Any] | None, disputes: dict[str, Any], auths: dict[str, Any] | None
) -> dict[str, Any]:
    none = dict.fromkeys(("claims", "adjudicated", "built", "clean", "denied", "denied_cents"), 0)
    score: dict[str, Any] = {"payer_id": payer_id, "payer_class": "", **none, **(claims or {}), **disputes}
    score["lag_p50_us"], score["lag_p90_us"] = score.pop("lag", None) or (None, None)
    if auths:
        lag = auths.pop("lag") or (None, None)
        score |= auths | {"auth_p50_us": lag[0], "auth_p90_us": lag[1]}
    return score
