"""`throughline journey`: where an encounter is, how long each step took, its trace again, the ledger's own proof."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import httpx
import typer
from google.protobuf.timestamp_pb2 import Timestamp
from rcm.journey.v1 import journey_pb2 as pb
from rich.table import Table

from cli import render
from cli.asking import HOME, Folder, ask_line, fail
from cli.client import Line

journey_app = typer.Typer(help="Where an encounter is, and how long each step took.", no_args_is_help=True)
One = Annotated[str, typer.Argument(help="A journey id, or an encounter reference such as Encounter/123.")]


@journey_app.command("show")
def show(journey: One, folder: Folder = HOME / "up") -> None:
    """One journey: its money, its stages over time, and every fact."""
    found = ask_line(folder, lambda line: line.journey(journey))
    console = render.console()
    console.print(render.encounter_table([found], {}))
    console.print()
    console.print(render.waterfall(found))
    console.print()
    console.print(render.steps_table(found))
    if found.notices:
        console.print()
        console.print(_notices(found))


def _notices(journey: pb.Journey) -> Table:
    table = Table(title="What was odd about the facts", title_justify="left", box=None, pad_edge=False)
    for name in ("notice", "facts", "widest gap"):
        table.add_column(name)
    for notice in journey.notices:
        table.add_row(notice.kind, str(notice.count), render.span(notice.us))
    return table


@journey_app.command("list")
def list_journeys(
    state: Annotated[str, typer.Option(help="in-flight, waiting or ended")] = "",
    outcome: Annotated[
        str, typer.Option(help="paid, partly-paid, denied, held, review, rejected, refused, written-off")
    ] = "",
    stage: Annotated[str, typer.Option(help="Where it is now: coding, hold, payer, settlement, patient, ...")] = "",
    payer: Annotated[str, typer.Option(help="Payer id of the first claim.")] = "",
    feed: Annotated[str, typer.Option(help="The feed that it came from.")] = "",
    text: Annotated[str, typer.Option(help="Exact journey id, encounter reference or claim id.")] = "",
    since: Annotated[datetime | None, typer.Option(help="Started at or after this instant (UTC).")] = None,
    until: Annotated[datetime | None, typer.Option(help="Started before this instant (UTC).")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at the most.")] = 100,
    folder: Folder = HOME / "up",
) -> None:
    """Journeys, the newest first, one line each."""
    request = pb.FindJourneysRequest(
        state=state, outcome=outcome, stage=stage, payer_id=payer, feed=feed, text=text, limit=min(limit, 1000)
    )
    for name, instant in (("from", since), ("to", until)):
        if instant is not None:
            getattr(request, name).CopyFrom(_stamp(instant))
    found = ask_line(folder, lambda line: _pages(line, request, limit))
    console = render.console()
    for one in found:
        console.print(f"{one.journey_id}  {one.encounter:<44} {one.stage:<15}", render.status_of(one))


def _stamp(instant: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(instant.replace(tzinfo=instant.tzinfo or UTC))
    return stamp


async def _pages(line: Line, request: pb.FindJourneysRequest, limit: int) -> list[pb.Journey]:
    found: list[pb.Journey] = []
    while len(found) < limit:
        page = await line.journey_service("FindJourneys", request)
        found.extend(page.journeys)
        if not page.next:
            break
        request.after = page.next
    return found[:limit]


@journey_app.command("export")
def export(
    journey: One,
    otlp: Annotated[str, typer.Option(help="Collector that takes it in over HTTP: http://collector:4318")] = "",
    out: Annotated[Path | None, typer.Option(help="File for the spans, a JSON row each; - prints.")] = None,
    folder: Folder = HOME / "up",
) -> None:
    """The journey's own trace again, from the ledger: the same spans as when its stages ended."""
    by_encounter = "/" in journey
    request = pb.ExportJourneyRequest(
        journey_id="" if by_encounter else journey, encounter=journey if by_encounter else ""
    )
    answer = ask_line(folder, lambda line: line.journey_service("ExportJourney", request))
    if otlp:
        _post(otlp, answer.otlp)
        typer.echo(f"{len(answer.span_json)} spans sent")
    text = "".join(f"{row}\n" for row in answer.span_json)
    if out is not None and str(out) != "-":
        out.write_text(text)
        typer.echo(f"{len(answer.span_json)} spans written")
    elif not otlp:
        typer.echo(text, nl=False)


def _post(collector: str, body: bytes) -> None:
    try:
        answer = httpx.post(
            f"{collector.rstrip('/')}/v1/traces",
            content=body,
            headers={"content-type": "application/x-protobuf"},
            timeout=30,
        )
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise fail(f"the collector did not answer ({type(error).__name__})") from None
    if answer.status_code >= 400:
        raise fail(f"the collector refused the spans ({answer.status_code})")


@journey_app.command("rebuild")
def rebuild(
    check: Annotated[bool, typer.Option("--check", help="Compare only; exit 1 when anything differs.")] = False,
    folder: Folder = HOME / "up",
) -> None:
    """Add every fact up again, and put right what differs."""
    _rebuild(check, folder)


@journey_app.command("check")
def check_ledger(folder: Folder = HOME / "up") -> None:
    """Whether the ledger is what its facts add up to; exit 1 when it is not. The same as `rebuild --check`."""
    _rebuild(True, folder)


def _rebuild(check: bool, folder: Path) -> None:
    last = ask_line(folder, lambda line: _follow(line, check))
    typer.echo(f"{last.journeys} journeys from {last.facts} facts: {last.differing} differed")
    typer.echo(f"{last.unbegun} journeys that nothing has begun, {last.dead_letters} facts that could not be taken in")
    for journey_id in last.differing_ids:
        typer.echo(f"  {journey_id}")
    if check and last.differing:
        raise fail("the ledger is not what its facts add up to: run `throughline journey rebuild`")


async def _follow(line: Line, check: bool) -> pb.RebuildProgress:
    last = pb.RebuildProgress()
    async for last in line.rebuild(check=check):
        if not last.done:
            typer.echo(f"{last.journeys} of {last.journeys_expected} journeys, {last.facts} facts", err=True)
    return last
