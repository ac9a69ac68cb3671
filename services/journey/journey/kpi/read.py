"""What the pages and the command ask: snapshots and indexed rows, as frozen dataclasses. Every function reads inside
the caller's transaction, with the tenant set."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import asyncpg
from kernel.errors import Refused

from journey.kpi import sql
from journey.kpi.model import (
    DIFFERS,
    MOVING,
    UNCHECKED,
    WAITING,
    Basis,
    Cohort,
    Cost,
    DenialCell,
    DenialFilter,
    DenialRow,
    Disagreement,
    Formula,
    KpiRow,
    KpiValue,
    Page,
    PayerScore,
    ProviderRevenue,
    Snapshot,
    StageMoney,
)
from journey.kpi.paging import limit_of, read_token, token_of
from journey.kpi.table_formulas import BY_NAME, FORMULAS
from journey.kpi.work import work_counts, work_item, work_items

__all__ = [
    "cohorts",
    "denial_trends",
    "denials",
    "disagreements",
    "kpi",
    "kpi_rows",
    "money_by_stage",
    "overview",
    "payer_scorecard",
    "revenue_by_provider",
    "snapshot",
    "work_counts",
    "work_item",
    "work_items",
]
COST = "cost"
STAGES, PROVIDERS, PAYERS, COHORTS = "stage", "provider", "payer", "cohort"
_TREND_COLUMNS = {"payer": "payer_id", "carc": "carc", "category": "category", "feed": "feed", "provider": "provider"}
_DENIAL_COLUMNS = """denial_id, work_id, journey_id, claim_id, payer_id, payer_class, provider, feed, category, carcs,
    rarcs, codes, cents, denied_at, due_on, state, appealed_at, resolved_at, overturned_cents"""


def formula_of(name: str) -> Formula:
    """Refused(kpi-unknown, not_found) when there is none of this name."""
    if name not in BY_NAME:
        raise Refused("kpi-unknown", "no KPI has this name", kind="not_found")
    return BY_NAME[name]


async def overview(conn: asyncpg.Connection) -> tuple[KpiValue, ...]:
    """All KPIs in the order of their table, from the snapshot."""
    values = {row["name"]: row for row in await conn.fetch("select * from kpi_value")}
    checks = {row["name"]: row for row in await conn.fetch("select name, agreement, checked_at from kpi_check")}
    return tuple(_value(one, values.get(one.name), checks.get(one.name)) for one in FORMULAS)


async def kpi(conn: asyncpg.Connection, name: str) -> KpiValue:
    """One KPI by its name."""
    formula = formula_of(name)
    value = await conn.fetchrow("select * from kpi_value where name = $1", name)
    check = await conn.fetchrow("select name, agreement, checked_at from kpi_check where name = $1", name)
    return _value(formula, value, check)


def _value(formula: Formula, value: asyncpg.Record | None, check: asyncpg.Record | None) -> KpiValue:
    """A snapshot of an older version of the formula is not shown as the new one's."""
    known = value if value is not None and value["version"] == formula.version else None
    return KpiValue(
        name=formula.name,
        version=formula.version,
        title=formula.title,
        group=formula.group,
        unit=formula.unit,
        formula=formula.text,
        note=formula.note,
        better=formula.better,
        integrated=formula.integrated,
        standalone=formula.standalone,
        state=known["state"] if known else WAITING,
        because=known["because"] if known else "the figures have not been computed yet",
        numerator=known["numerator"] if known else 0,
        denominator=known["denominator"] if known else 0,
        p50=known["p50"] if known else None,
        p90=known["p90"] if known else None,
        as_of=known["as_of"] if known else None,
        agreement=check["agreement"] if check else UNCHECKED,
        checked_at=check["checked_at"] if check else None,
    )


async def basis(conn: asyncpg.Connection) -> Basis | None:
    """As of when the snapshot was computed, and with which cost; None before the first."""
    as_of = await conn.fetchval("select as_of from kpi_snapshot")
    cost = await conn.fetchval("select row from kpi_breakdown where kind = $1 and position = 0", COST)
    return Basis(as_of, _cost(json.loads(cost)) if cost else None) if as_of else None


def _cost(told: dict[str, Any]) -> Cost:
    return Cost(date.fromisoformat(told["first"]), date.fromisoformat(told["following"]), told["cents"])


async def snapshot(conn: asyncpg.Connection) -> Snapshot | None:
    """How fresh the figures are, and whether both computations agree."""
    row = await conn.fetchrow("select as_of, took_ms from kpi_snapshot")
    if row is None:
        return None
    checks = await conn.fetch("select agreement, max(checked_at) as checked_at from kpi_check group by agreement")
    said = {check["agreement"] for check in checks}
    state = next((one for one in (DIFFERS, MOVING) if one in said), "agrees" if said else UNCHECKED)
    checked_at = max((check["checked_at"] for check in checks), default=None)
    return Snapshot(row["as_of"], row["took_ms"], checked_at, state)


async def kpi_rows(
    conn: asyncpg.Connection, name: str, part: str = "all", after: str = "", limit: int = 50
) -> Page[KpiRow]:
    """The rows behind a KPI as of its snapshot, in the order of their keys. part: all, numerator or denominator."""
    formula = formula_of(name)
    if part not in sql.PARTS:
        raise Refused("part-unknown", f"a part is one of {', '.join(sql.PARTS)}")
    key, journey_id = read_token(after, 2) if after else ("", "")
    stands = await basis(conn)
    if stands is None or (formula.needs_cost and stands.cost is None):
        return Page((), "")
    wanted = limit_of(limit)
    found = await conn.fetch(sql.page_of(formula, stands, part), key, journey_id, wanted + 1)
    rows = tuple(KpiRow(*row) for row in found[:wanted])
    return Page(rows, token_of(rows[-1].key, rows[-1].journey_id) if len(found) > wanted else "")


async def cohorts(conn: asyncpg.Connection) -> tuple[Cohort, ...]:
    """Net collection by month of service, the newest first, by the rule of net-collection-rate; from the snapshot."""
    rows = await _breakdown(conn, COHORTS)
    return tuple(Cohort(**{**row, "month": date.fromisoformat(row["month"])}) for row in rows)


async def _breakdown(conn: asyncpg.Connection, kind: str) -> list[dict[str, Any]]:
    rows = await conn.fetch("select row from kpi_breakdown where kind = $1 order by position", kind)
    return [json.loads(row["row"]) for row in rows]


async def money_by_stage(conn: asyncpg.Connection) -> tuple[StageMoney, ...]:
    """Unfinished journeys by stage and class of payers, from the snapshot."""
    rows = await _breakdown(conn, STAGES)
    return tuple(StageMoney(**{**row, "oldest_since": _instant(row["oldest_since"])}) for row in rows)


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


async def revenue_by_provider(conn: asyncpg.Connection) -> tuple[ProviderRevenue, ...]:
    """By rendering provider, the largest first, from the snapshot."""
    return tuple(ProviderRevenue(**row) for row in await _breakdown(conn, PROVIDERS))


async def payer_scorecard(conn: asyncpg.Connection) -> tuple[PayerScore, ...]:
    """By payer, the one with most claims first, from the snapshot."""
    rows = await _breakdown(conn, PAYERS)
    return tuple(PayerScore(**{**row, "mix": tuple((c, n, cents) for c, n, cents in row["mix"])}) for row in rows)


async def denial_trends(conn: asyncpg.Connection, by: str, today: date, weeks: int = 13) -> tuple[DenialCell, ...]:
    """Denials by week and payer, carc (the first), category, feed or provider; the newest week and most cents first."""
    if by not in _TREND_COLUMNS:
        raise Refused("trend-unknown", f"denials are shown by {', '.join(_TREND_COLUMNS)}")
    monday = today - timedelta(days=today.weekday() + 7 * (weeks - 1))
    rows = await conn.fetch(
        f"""select date_trunc('week', denied_at at time zone 'UTC')::date as week, {_TREND_COLUMNS[by]} as key,
            count(*) as number, sum(cents)::bigint as cents
        from denial where kind = 'denied' and denied_at >= ($1::date::timestamp at time zone 'UTC')
        group by 1, 2 order by 1 desc, 4 desc, 2""",
        monday,
    )
    return tuple(DenialCell(*row) for row in rows)


async def denials(conn: asyncpg.Connection, wanted: DenialFilter, after: str = "", limit: int = 50) -> Page[DenialRow]:
    """Denials that match, the newest first."""
    at, denial_id = read_token(after, 2) if after else ("9999-12-31T00:00:00+00:00", "")
    number = limit_of(limit)
    begin = wanted.week or date(1, 1, 1)
    end = wanted.week + timedelta(days=7) if wanted.week else date(9999, 12, 31)
    found = await conn.fetch(
        f"""select {_DENIAL_COLUMNS} from denial
        where kind = 'denied' and (denied_at, denial_id) < ($1::timestamptz, $2)
            and denied_at >= ($4::date::timestamp at time zone 'UTC')
            and denied_at < ($5::date::timestamp at time zone 'UTC')
            and ($6 = '' or payer_id = $6) and ($7 = '' or carc = $7) and ($8 = '' or category = $8)
            and ($9 = '' or feed = $9) and ($10 = '' or provider = $10) and ($11 = '' or state = $11)
        order by denied_at desc, denial_id desc limit $3""",
        datetime.fromisoformat(at),
        denial_id,
        number + 1,
        begin,
        end,
        wanted.payer,
        wanted.carc,
        wanted.category,
        wanted.feed,
        wanted.provider,
        wanted.state,
    )
    rows = tuple(_denial(row) for row in found[:number])
    return Page(rows, token_of(rows[-1].denied_at.isoformat(), rows[-1].denial_id) if len(found) > number else "")


def _denial(row: asyncpg.Record) -> DenialRow:
    told = dict(row)
    lists = {
        name: tuple(filter(None, told.pop(name + "s", told.get(name, "")).split(","))) for name in ("carc", "rarc")
    }
    return DenialRow(**{**told, **lists, "codes": tuple(filter(None, told["codes"].split(",")))})


async def disagreements(conn: asyncpg.Connection) -> tuple[Disagreement, ...]:
    """KPIs whose two computations differed when they were last compared."""
    rows = await conn.fetch("select * from kpi_check where agreement = $1 order by name", DIFFERS)
    return tuple(_disagreement(row) for row in rows)


def _disagreement(row: asyncpg.Record) -> Disagreement:
    names: Sequence[str] = [name for name in Disagreement.__dataclass_fields__ if name != "rows"]
    return Disagreement(**{name: row[name] for name in names}, rows=tuple(json.loads(row["differing"])))
