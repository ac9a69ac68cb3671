"""SQL around the rows of a formula: their sums, a page of them, and all of them for a comparison."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from journey.kpi.model import TIME, Basis, Formula

_COLUMNS = "(key, journey_id, claim_id, at, numerator, denominator)"
PARTS = {"all": "true", "numerator": "r.numerator <> 0", "denominator": "r.denominator <> 0"}


def _at(instant: datetime) -> str:
    return f"timestamptz '{instant.astimezone(UTC).isoformat()}'"


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def queries_of(formula: Formula, basis: Basis) -> list[str]:
    """The queries as of an instant. Only instants, days and cents of our own are put into the text."""
    today, cost = basis.as_of.astimezone(UTC).date(), basis.cost
    words = {
        "as_of": _at(basis.as_of),
        "since": _at(basis.as_of - timedelta(days=90)),
        "month": _at(basis.as_of - timedelta(days=30)),
        "weeks": _at(basis.as_of - timedelta(days=28)),
        "year_at": _at(basis.as_of - timedelta(days=365)),
        "today": f"date '{today.isoformat()}'",
        "year": f"date '{(today - timedelta(days=365)).isoformat()}'",
        "cost_from": _at(_midnight(cost.first)) if cost else "null::timestamptz",
        "cost_to": _at(_midnight(cost.following)) if cost else "null::timestamptz",
        "cost_cents": f"{cost.cents}::bigint" if cost else "0::bigint",
    }
    return [query.format(**words) for query in formula.rows]


def rows_of(formula: Formula, basis: Basis) -> str:
    """All rows as one query."""
    return " union all ".join(queries_of(formula, basis))


def total_of(formula: Formula, basis: Basis) -> str:
    """Sums over the rows and, for times, the discrete percentiles. $1 journeys and $2 claims are left out."""
    percentiles = "percentile_disc(array[0.5, 0.9]) within group (order by r.numerator)"
    return f"""select coalesce(sum(r.numerator), 0)::bigint as numerator,
        coalesce(sum(r.denominator), 0)::bigint as denominator,
        {percentiles if formula.unit == TIME else "null::bigint[]"} as percentiles
    from ({rows_of(formula, basis)}) r
    where (cardinality($1::text[]) = 0 or r.journey_id <> all($1))
        and (cardinality($2::text[]) = 0 or r.claim_id <> all($2))"""


def page_of(formula: Formula, basis: Basis, part: str) -> str:
    """$1, $2 key and journey after which to begin, $3 how many. KeyError for a part that is none.

    Each query gives its own first rows, which an index can do in order, before they are put in one order together.
    """
    pages = " union all ".join(
        f"""(select r.* from ({query}) r {_COLUMNS} where (r.key, r.journey_id) > ($1, $2) and {PARTS[part]}
        order by r.key, r.journey_id limit $3)"""
        for query in queries_of(formula, basis)
    )
    return f"select * from ({pages}) pages order by key, journey_id limit $3"
