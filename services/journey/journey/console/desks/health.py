"""The health desk: how the services are, what piles up between them, and what has waited longest."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, Request
from fastapi.responses import Response

from journey import store
from journey.console.desks.desk import owners_of, show
from journey.console.desks.vitals import vitals_of
from journey.console.guard import Viewer
from journey.console.page import console_of


def router() -> APIRouter:
    """The routes of this desk."""
    made = APIRouter()
    made.add_api_route("/health", health, methods=["GET"])
    return made


async def health(request: Request, person: Viewer) -> Response:
    """All services at once; each that hangs costs its own row and a second, not the page."""
    console = console_of(request)
    runtime = console.runtime
    rows = await vitals_of(owners_of(request, person), runtime.http, runtime.settings.metrics_urls)
    async with console.database.transaction(person.tenant) as conn:
        unfinished = await store.unfinished(conn)
        unbegun, dead = await store.unbegun_count(conn), await store.dead_letters(conn)
    stages = stages_of(unfinished)
    return show(request, "health.html", rows=rows, stages=stages, unbegun=unbegun, dead=dead)


@dataclass(frozen=True, slots=True)
class Waiting:
    """The unfinished journeys of a stage."""

    stage: str
    count: int
    cents: int
    oldest: datetime


def stages_of(unfinished: Iterable[store.Unfinished]) -> list[Waiting]:
    """By stage over all payers, the longest waiting first."""
    found: dict[str, Waiting] = {}
    for one in unfinished:
        before = found.get(one.stage, Waiting(one.stage, 0, 0, one.oldest))
        oldest = min(before.oldest, one.oldest)
        found[one.stage] = Waiting(one.stage, before.count + one.count, before.cents + one.cents, oldest)
    return sorted(found.values(), key=lambda one: one.oldest)
