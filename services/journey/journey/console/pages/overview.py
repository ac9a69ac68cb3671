"""The first page: how the line does against what is published, where the money is, and what has waited longest."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from fastapi import APIRouter, Request
from fastapi.responses import Response
from markupsafe import Markup

from journey import store
from journey.console import charts, reads
from journey.console.charts.bars import Level
from journey.console.guard import Viewer
from journey.console.page import console_of, render
from journey.console.table_stages import HOLDER, HOLDERS
from journey.console.words import plain, short_dollars
from journey.kpi import read
from journey.kpi.model import DIFFERS, KpiValue, StageMoney
from journey.model import STAGES

# The figures that stand on top: those that the field compares itself by, and ours.
HEADLINES = (
    "clean-claim-rate",
    "initial-denial-rate",
    "days-in-ar",
    "net-collection-rate",
    "aged-ar-over-120",
    "cost-to-collect",
    "encounter-to-payment",
    "dnsp-days",
)
GROUPS = {
    "access": "Patient access",
    "pre-billing": "Before billing",
    "claims": "Claims",
    "accounts": "Accounts",
    "finance": "Finance",
    "line": "The line",
}


def router() -> APIRouter:
    """/"""
    routes = APIRouter()
    routes.add_api_route("/", show, methods=["GET"])
    return routes


async def show(request: Request, person: Viewer) -> Response:
    """Figures from the snapshot, stages and the oldest from the ledger."""
    console = console_of(request)
    now = console.database.clock.now()
    async with console.database.transaction(person.tenant) as conn:
        values = await read.overview(conn)
        stages = _by_stage(await read.money_by_stage(conn))
        oldest = await reads.oldest_unfinished(conn)
        objectives = await console.levels.of(conn, person.tenant, now)
        differs = await read.disagreements(conn)
        fresh = await read.snapshot(conn)
        unbegun, dead = await store.unbegun_count(conn), await store.dead_letters(conn)
    named = {value.name: value for value in values}
    return render(
        request,
        "overview.html",
        headlines=[(named[name], charts.against_benchmarks(named[name])) for name in HEADLINES if name in named],
        groups=_grouped(values),
        stages=stages,
        stage_chart=_chart(stages),
        holders=HOLDERS,
        oldest=oldest,
        objectives=objectives,
        differs=differs,
        disagree=DIFFERS,
        fresh=fresh,
        unbegun=unbegun,
        dead=dead,
    )


def _grouped(values: Iterable[KpiValue]) -> list[tuple[str, list[KpiValue]]]:
    groups: dict[str, list[KpiValue]] = {name: [] for name in GROUPS}
    for value in values:
        groups.setdefault(value.group, []).append(value)
    return [(GROUPS.get(name, name), found) for name, found in groups.items() if found]


def _by_stage(rows: Iterable[StageMoney]) -> list[tuple[str, int, int, datetime | None]]:
    """Stage, count, cents and since when the oldest, over all classes of payers, in the order of the line."""
    found: dict[str, tuple[str, int, int, datetime | None]] = {}
    for row in rows:
        _, count, cents, since = found.get(row.stage, (row.stage, 0, 0, None))
        known = [moment for moment in (since, row.oldest_since) if moment is not None]
        found[row.stage] = (row.stage, count + row.count, cents + row.cents, min(known, default=None))
    return [found[stage] for stage in STAGES if stage in found]


def _chart(stages: list[tuple[str, int, int, datetime | None]]) -> Markup:
    rows = [Level(plain(stage), cents, HOLDER[stage], f"{count:,} open") for stage, count, cents, _ in stages]
    says = "Dollars that wait, by stage: " + ", ".join(f"{one.name} {short_dollars(one.value)}" for one in rows)
    return charts.levels(rows, says, short_dollars)
