"""Journeys: the list with its filters, and one of them over real time with its money, its facts and its bursts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from kernel.errors import Unreadable
from markupsafe import Markup

from journey import handlers, store
from journey.console import charts, reads
from journey.console.access import record_access
from journey.console.charts.bars import Level
from journey.console.charts.waterfall import SCALES, fitting_scale
from journey.console.guard import Viewer
from journey.console.page import console_of, link, render
from journey.console.table_stages import HOLDER, HOLDERS, OUTCOMES, PAYER_CLASSES, STATES, TONES
from journey.console.words import dollars
from journey.model import STAGES, Fact, Journey
from journey.search import Search, cursor_of

PAGE = 50
MOST_FACTS = 400
FILTERS = ("text", "state", "outcome", "stage", "payer", "payer_class", "feed", "since", "until")


def router() -> APIRouter:
    """/journeys and /journeys/{id}"""
    routes = APIRouter()
    routes.add_api_route("/journeys", show_list, methods=["GET"])
    routes.add_api_route("/journeys/{journey_id}", show_one, methods=["GET"])
    return routes


async def show_list(request: Request, person: Viewer, after: str = "") -> Response:
    """A page of journeys, the newest first. What names exactly one leads to it."""
    console = console_of(request)
    given = {name: request.query_params.get(name, "").strip()[:200] for name in FILTERS}
    search = _search(given, after)
    await record_access(console.database, person, "list", "journey")
    async with console.database.transaction(person.tenant) as conn:
        found = await store.find_journeys(conn, search)
        if given["text"] and len(found) == 1 and not after:
            return RedirectResponse(f"/journeys/{found[0].journey_id}", 303)
        offered = await reads.choices(conn)
    shown, more = found[:PAGE], len(found) > PAGE
    now = console.database.clock.now()
    asked = {name: value for name, value in given.items() if value}
    return render(
        request,
        "journeys.html",
        rows=[(journey, charts.strip(journey, now), now - journey.stage_since) for journey in shown],
        given=given,
        narrowed=bool(asked),
        offered=offered,
        states=STATES,
        outcomes=OUTCOMES,
        stages=STAGES,
        payer_classes=PAYER_CLASSES,
        tones=TONES,
        next_url=link("/journeys", asked, after=cursor_of(shown[-1])) if more else "",
        first_url=link("/journeys", asked) if after else "",
    )


def _search(given: dict[str, str], after: str) -> Search:
    return Search(
        text=given["text"],
        state=given["state"],
        outcome=given["outcome"],
        stage=given["stage"],
        payer_id=given["payer"],
        payer_class=given["payer_class"],
        feed=given["feed"],
        since=_day(given["since"], "since"),
        until=_day(given["until"], "until", timedelta(days=1)),
        after=after,
        limit=PAGE + 1,
    )


def _day(text: str, name: str, plus: timedelta = timedelta(0)) -> datetime | None:
    """The beginning of a day; `until` means its end. Unreadable(date) when it is no date."""
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
        return datetime(day.year, day.month, day.day, tzinfo=UTC) + plus
    except (ValueError, OverflowError):
        raise Unreadable("date", name, "a day is written as 2026-03-01") from None


@dataclass(frozen=True, slots=True)
class Burst:
    """One technical trace that worked on the journey: from its first fact to its last."""

    trace_id: str
    first: datetime
    last: datetime
    facts: tuple[str, ...]
    url: str


async def show_one(request: Request, person: Viewer, journey_id: str, scale: str = "") -> Response:
    """One journey, computed from its facts. Refused(not_found) when this tenant has none of this id."""
    console = console_of(request)
    journey, facts = await handlers.get_journey(console.database.transaction, person.tenant, journey_id, "")
    await record_access(console.database, person, "read", "journey", journey.journey_id, journey.journey_id)
    now = console.database.clock.now()
    chosen = scale if scale in SCALES else fitting_scale(journey, now)
    return render(
        request,
        "journey.html",
        journey=journey,
        stages=_stage_rows(journey, now),
        chart=charts.waterfall(journey, now, chosen),
        scale=chosen,
        scales=SCALES,
        holders=HOLDERS,
        holder=HOLDER,
        tones=TONES,
        money=_money(journey),
        money_chart=_money_chart(journey),
        facts=facts[:MOST_FACTS],
        left_out=max(0, len(facts) - MOST_FACTS),
        bursts=_bursts(facts, console.settings.trace_url),
        trace_url=_trace_link(console.settings.trace_url, journey.journey_id),
        remittances=_told(facts, "remittance_id"),
        work=_told(facts, "work_id"),
        age=now - journey.started_at,
    )


def _stage_rows(journey: Journey, now: datetime) -> list[tuple[Any, timedelta, float]]:
    """Each stage with its length so far and its share of the whole in percent."""
    lengths = [(stage.ended_at or now) - stage.started_at for stage in journey.stages]
    whole = sum(lengths, timedelta(0)) or timedelta(microseconds=1)
    return [(stage, length, 100 * (length / whole)) for stage, length in zip(journey.stages, lengths, strict=True)]


def _money(journey: Journey) -> list[tuple[str, int]]:
    cents = journey.cents
    return [
        ("Gross charges", journey.gross_cents),
        ("Billed", cents["billed_cents"]),
        ("Paid by payers", cents["paid_cents"]),
        ("Adjusted", cents["adjusted_cents"]),
        ("Patient's share", cents["patient_cents"]),
        ("of it still owed", journey.patient_open_cents),
        ("Open", cents["open_cents"]),
    ]


def _money_chart(journey: Journey) -> Markup:
    parts = [
        Level("paid", journey.cents["paid_cents"], "paid"),
        Level("adjusted", journey.cents["adjusted_cents"], "adjusted"),
        Level("patient", journey.cents["patient_cents"], "patient"),
        Level("open", journey.cents["open_cents"], "open"),
    ]
    if not any(part.value > 0 for part in parts):
        return Markup("")
    says = "Billed is " + ", ".join(f"{part.name} {dollars(part.value)}" for part in parts)
    return charts.split(parts, says, dollars)


def _bursts(facts: Sequence[Fact], template: str) -> list[Burst]:
    by_trace: dict[str, list[Fact]] = {}
    for fact in facts:
        if fact.trace_id:
            by_trace.setdefault(fact.trace_id, []).append(fact)
    return [
        Burst(
            trace_id,
            min(fact.occurred_at for fact in found),
            max(fact.occurred_at for fact in found),
            tuple(fact.type for fact in found),
            _trace_link(template, trace_id),
        )
        for trace_id, found in by_trace.items()
    ]


def _trace_link(template: str, trace_id: str) -> str:
    """Where a trace is looked at; empty when nobody has said where, or the id is no trace id."""
    fits = len(trace_id) == 32 and all(letter in "0123456789abcdef" for letter in trace_id)
    return template.replace("{trace_id}", trace_id) if template and fits else ""


def _told(facts: Sequence[Fact], name: str) -> list[str]:
    return list(dict.fromkeys(fact.text(name) for fact in facts if fact.text(name)))
