"""One key figure: its formula and version, both computations, and the rows that it adds up."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, Request
from fastapi.responses import Response

from journey.console import charts
from journey.console.access import record_access
from journey.console.guard import Viewer
from journey.console.page import console_of, link, render
from journey.console.words import dollars, lasting, number
from journey.kpi import read
from journey.kpi.model import TIME, KpiValue

PARTS = {"all": "All rows", "numerator": "Above the line", "denominator": "Below the line"}
# Figures whose rows are amounts, in cents; the others count, or multiply cents by days.
IN_DOLLARS = frozenset(
    {"net-collection-rate", "gross-collection-rate", "point-of-service-cash", "denials-overturned-dollars"}
)
AGED = "aged-ar-"
WITH_COHORTS = "net-collection-rate"


def router() -> APIRouter:
    """/kpis/{name}"""
    routes = APIRouter()
    routes.add_api_route("/kpis/{name}", show, methods=["GET"])
    return routes


async def show(request: Request, person: Viewer, name: str, part: str = "all", after: str = "") -> Response:
    """Refused(kpi-unknown) when there is none of this name."""
    console = console_of(request)
    part = part if part in PARTS else "all"
    async with console.database.transaction(person.tenant) as conn:
        value = await read.kpi(conn, name)
    await record_access(console.database, person, "list", "kpi-row", name)
    async with console.database.transaction(person.tenant) as conn:
        page = await read.kpi_rows(conn, name, part, after)
        differs = next((one for one in await read.disagreements(conn) if one.name == name), None)
        cohorts = await read.cohorts(conn) if name == WITH_COHORTS else ()
    return render(
        request,
        "kpi.html",
        value=value,
        scale=charts.against_benchmarks(value),
        page=page,
        part=part,
        parts=PARTS,
        differs=differs,
        cohorts=cohorts,
        shown=_shown(value),
        next_url=link(f"/kpis/{name}", part=part, after=page.next) if page.next else "",
        first_url=link(f"/kpis/{name}", part=part) if after else "",
    )


def _shown(value: KpiValue) -> Callable[[int], str]:
    """How the numbers of a figure's rows are written."""
    if value.unit == TIME:
        return lasting
    return dollars if value.name in IN_DOLLARS or value.name.startswith(AGED) else number
