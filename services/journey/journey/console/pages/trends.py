"""Denials over the weeks, by whatever they may have in common, and the denials behind each number."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from fastapi import APIRouter, Request
from fastapi.responses import Response
from kernel.errors import Unreadable
from markupsafe import Markup

from journey.console import charts
from journey.console.access import record_access
from journey.console.guard import Viewer
from journey.console.page import console_of, link, render
from journey.console.table_denials import BENCHMARKS, STATES, WAYS
from journey.console.words import plain, short_dollars
from journey.kpi import read
from journey.kpi.model import DenialCell, DenialFilter

WEEKS = 13
MOST_SERIES = 6
OTHERS = "all others"
PAGE = 50
DEFAULT = "category"


def router() -> APIRouter:
    """/denials"""
    routes = APIRouter()
    routes.add_api_route("/denials", show, methods=["GET"])
    return routes


async def show(
    request: Request, person: Viewer, by: str = DEFAULT, measure: str = "cents", week: str = "", after: str = ""
) -> Response:
    """Stacked weeks, the table behind them, and a page of the denials that match the filters."""
    console = console_of(request)
    today = console.database.clock.now().date()
    by = by if by in WAYS else DEFAULT
    measure = "count" if measure == "count" else "cents"
    given = {name: request.query_params.get(name, "").strip()[:200] for name in (*WAYS, "state")}
    await record_access(console.database, person, "list", "denial")
    async with console.database.transaction(person.tenant) as conn:
        cells = await read.denial_trends(conn, by, today, WEEKS)
        found = await read.denials(conn, DenialFilter(week=_week(week), **given), after, PAGE)
    weeks = _weeks(today)
    series = _series(cells, weeks, measure)
    kept = {name: value for name, value in given.items() if value} | {"by": by, "measure": measure, "week": week}
    return render(
        request,
        "denials.html",
        by=by,
        ways=WAYS,
        measure=measure,
        weeks=weeks,
        series=series,
        chart=_chart(series, weeks, by, measure),
        totals=_totals(cells),
        benchmarks=BENCHMARKS,
        page=found,
        given=given,
        week=week,
        kept=kept,
        states=STATES,
        next_url=link("/denials", kept, after=found.next) if found.next else "",
        first_url=link("/denials", kept) if after else "",
    )


def _week(text: str) -> date | None:
    """Unreadable(date) when it is no date."""
    try:
        day = date.fromisoformat(text) if text else None
    except ValueError:
        raise Unreadable("date", "week", "a week is written as its Monday, like 2026-03-02") from None
    return day - timedelta(days=day.weekday()) if day else None


def _weeks(today: date) -> list[date]:
    monday = today - timedelta(days=today.weekday())
    return [monday - timedelta(weeks=back) for back in reversed(range(WEEKS))]


Series = list[tuple[str, list[int]]]


def _series(cells: Sequence[DenialCell], weeks: Sequence[date], measure: str) -> Series:
    """A row of weekly values for each of the largest keys, and one for all the others."""
    sums: dict[str, int] = {}
    for cell in cells:
        sums[cell.key] = sums.get(cell.key, 0) + getattr(cell, measure)
    largest = sorted(sums, key=lambda key: (-sums[key], key))
    named = largest if len(largest) <= MOST_SERIES + 1 else [*largest[:MOST_SERIES], OTHERS]
    rows = {key: [0] * len(weeks) for key in named}
    place = {week: number for number, week in enumerate(weeks)}
    for cell in cells:
        row = rows.get(cell.key, rows.get(OTHERS))
        if row is not None and cell.week in place:
            row[place[cell.week]] += getattr(cell, measure)
    return list(rows.items())


def _chart(series: Series, weeks: Sequence[date], by: str, measure: str) -> Markup:
    shown = short_dollars if measure == "cents" else lambda value: f"{value:,}"
    what = "Dollars denied" if measure == "cents" else "Denials"
    named = [(plain(key), values) for key, values in series]
    return charts.columns([f"{week:%d %b}" for week in weeks], named, f"{what} by week and {WAYS[by].lower()}", shown)


def _totals(cells: Sequence[DenialCell]) -> list[tuple[str, int, int]]:
    """Key, count and cents over all weeks, the most dollars first."""
    sums: dict[str, tuple[int, int]] = {}
    for cell in cells:
        count, cents = sums.get(cell.key, (0, 0))
        sums[cell.key] = (count + cell.count, cents + cell.cents)
    return sorted(((key, *of) for key, of in sums.items()), key=lambda row: (-row[2], row[0]))
