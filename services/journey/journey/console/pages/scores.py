"""Payers by how they answer, providers by what their work earns."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter, Request
from fastapi.responses import Response
from markupsafe import Markup

from journey.console import charts
from journey.console.charts.bars import Level
from journey.console.guard import Viewer
from journey.console.page import console_of, render
from journey.console.words import dollars, share
from journey.kpi import read
from journey.kpi.model import ProviderRevenue

MOST_PROVIDERS = 500
SUMMED = ("claims", "gross_cents", "paid_cents", "adjusted_cents", "patient_cents", "patient_paid_cents", "open_cents")


def router() -> APIRouter:
    """/payers and /providers"""
    routes = APIRouter()
    routes.add_api_route("/payers", show_payers, methods=["GET"])
    routes.add_api_route("/providers", show_providers, methods=["GET"])
    return routes


async def show_payers(request: Request, person: Viewer) -> Response:
    """The scorecard, from the snapshot."""
    async with console_of(request).database.transaction(person.tenant) as conn:
        scores = await read.payer_scorecard(conn)
        fresh = await read.snapshot(conn)
    return render(request, "payers.html", scores=scores, fresh=fresh, share=share)


async def show_providers(request: Request, person: Viewer) -> Response:
    """Revenue, from the snapshot."""
    async with console_of(request).database.transaction(person.tenant) as conn:
        found = await read.revenue_by_provider(conn)
        fresh = await read.snapshot(conn)
    shown = found[:MOST_PROVIDERS]
    return render(
        request,
        "providers.html",
        rows=[(one, _made_of(one)) for one in shown],
        left_out=len(found) - len(shown),
        sums=_sums(found),
        fresh=fresh,
        share=share,
    )


def _made_of(one: ProviderRevenue) -> Markup:
    parts = [
        Level("paid", one.paid_cents, "paid"),
        Level("adjusted", one.adjusted_cents, "adjusted"),
        Level("patient", one.patient_cents, "patient"),
        Level("open", one.open_cents, "open"),
    ]
    return charts.split(parts, ", ".join(f"{part.name} {dollars(part.value)}" for part in parts), dollars, 240)


def _sums(found: Sequence[ProviderRevenue]) -> dict[str, int]:
    return {name: sum(getattr(one, name) for one in found) for name in SUMMED}
