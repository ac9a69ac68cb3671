"""The `throughline` command."""

from __future__ import annotations

import asyncio
import shutil
import signal
import tempfile
import threading
from collections import Counter
from pathlib import Path
from typing import Annotated

import httpx
import typer
from rich.console import Console

from cli import demo as demo_module
from cli import render
from cli.asking import HOME, Folder, ask_line, fail, place_of
from cli.channel import channel_app
from cli.client import Line, Place
from cli.clients import clients_app
from cli.connect import connect
from cli.journey import journey_app
from cli.kpi import kpi_app
from cli.message import message_app
from cli.migrate import migrate
from cli.person import person_app
from cli.reconcile import reconcile
from cli.stack import Stack, StackError
from cli.submit import files_in, submit_file

main = typer.Typer(
    name="throughline",
    help="Open revenue-cycle software: from a finished Encounter to a posted payment.\n\n"
    "Start with `throughline demo`, or `throughline up` and then, in another shell, `throughline submit FILE`.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
main.add_typer(journey_app, name="journey")
main.add_typer(kpi_app, name="kpi")
main.add_typer(clients_app, name="client")
main.add_typer(message_app, name="message")
main.add_typer(channel_app, name="channel")
main.add_typer(person_app, name="person")
main.command()(reconcile)
main.command()(migrate)
main.command()(connect)


@main.command()
def up(
    folder: Folder = HOME / "up",
    site: Annotated[
        Path | None,
        typer.Option(exists=True, file_okay=False, help="The site's rules and feeds: SITE/interface-engine/sources."),
    ] = None,
    tls: Annotated[
        bool, typer.Option("--tls", help="Mutual TLS on gRPC and NATS, by an authority of this folder's own.")
    ] = False,
) -> None:
    """Start everything on this machine and stay up until Ctrl-C. Data is kept between runs."""
    console = render.console()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        with Stack(folder, tell=lambda line: console.print(f"  {line}"), site=site, tls=tls) as stack:
            console.print("\n[bold green]Throughline is up.[/]")
            console.print(f"  console         {stack.console_url} (open it in a browser)")
            console.print(f"  FHIR endpoint   {stack.fhir_url}")
            for program in stack.programs():
                console.print(f"  {program:<18}{stack.grpc_address(program)} (gRPC, reflection on)")
            console.print(
                f"  token endpoint  {stack.clients['default'].token_url} (add a client: throughline client add)"
            )
            if stack.tls_dir is not None:
                console.print(f"  certificates    {stack.tls_dir} (for gRPC clients: tls.crt, tls.key and ca.crt)")
            console.print(f"  logs            {stack.logs_dir}\n  spans           {stack.traces_dir}")
            console.print("\nIn another shell: throughline submit FILE... or throughline status. Ctrl-C here stops it.")
            stop.wait()
            console.print("stopping")
    except StackError as error:
        raise fail(str(error)) from None


@main.command()
def demo(
    count: Annotated[int, typer.Option(help="How many encounters the EHR generator sends.")] = 200,
    seed: Annotated[int, typer.Option(help="Seed of the generator: the same seed, the same encounters.")] = 7,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for the journeys after the last was sent.")] = 240.0,
    keep: Annotated[bool, typer.Option(help="Keep the folder with data, logs and spans.")] = False,
) -> None:
    """Run the whole line once: real PostgreSQL, NATS and services, real X12, and every cent accounted for."""
    console = render.console()
    folder = Path(tempfile.mkdtemp(prefix="throughline-"))
    folder.chmod(0o711)  # the database may run as another user of the machine
    try:
        with Stack(folder, tell=lambda line: console.print(f"  {line}")) as stack:
            problems = asyncio.run(_run_demo(stack, folder, count, seed, timeout, console))
            console.print("\nstopping everything")
    except StackError as error:
        raise fail(str(error)) from None
    finally:
        if keep:
            console.print(f"kept in {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    if problems:
        raise fail("\n".join(problems[:40] + ([f"... and {len(problems) - 40} more"] if len(problems) > 40 else [])))


async def _run_demo(stack: Stack, folder: Path, count: int, seed: int, timeout_s: float, console: Console) -> list[str]:
    place = Place.read(folder / "stack.json")
    stories = await asyncio.to_thread(demo_module.make_stories, folder / "stories", seed, count)
    bundles = sum(len(story.files) for story in stories)
    console.print(f"\nsending {len(stories)} encounters in {bundles} bundles to {place.fhir_url}\n")
    line = Line(place)
    try:
        with demo_module.progress_bars(console) as show:
            problems = await demo_module.send_stories(place, stories, show)
            encounters = {story.encounter for story in stories}
            journeys = await demo_module.wait_settled(line, encounters, timeout_s, show)
        kinds = {story.encounter: story.kind for story in stories}
        demo_module.print_report(console, journeys, kinds, await line.ledger())
        console.print(f"\n{len(journeys)} of {len(stories)} journeys settled: {demo_module.summary(journeys)}")
    finally:
        await line.close()
    unequal = demo_module.equation_breaks(journeys)
    breaks = [f"journey {one}: billed is not paid + adjusted + patient + open" for one in unequal]
    return problems + breaks + demo_module.compare(stories, journeys)


@main.command()
def submit(
    paths: Annotated[list[Path], typer.Argument(exists=True, help="FHIR files (.json, .json.gz) or folders of them.")],
    source: Annotated[str, typer.Option(help="The feed that the files come from: its code map is used.")] = "default",
    wait: Annotated[float, typer.Option(help="Seconds to wait for the journeys to settle; 0 does not wait.")] = 60.0,
    folder: Folder = HOME / "up",
) -> None:
    """Send FHIR files to a running Throughline and say what became of each Encounter in them."""
    place = place_of(folder)
    if source not in place.clients:
        raise fail(f"no client for the source {source}: there are {', '.join(sorted(place.clients))}")
    if asyncio.run(_submit(place, list(files_in(paths)), source, wait)):
        raise typer.Exit(1)


async def _submit(place: Place, files: list[Path], source: str, wait_s: float) -> bool:
    console = render.console()
    line = Line(place)
    try:
        async with httpx.AsyncClient(timeout=120) as http:
            client = place.fhir(http, source)
            outcomes = []
            for file in files:
                outcome = await submit_file(client, file)
                word = "[red]refused[/]" if outcome.problem else "[green]taken in[/]"
                console.print(f"{word} {outcome.file.name}: {outcome.problem or f'{outcome.resources} resources'}")
                outcomes.append(outcome)
        encounters = {encounter for outcome in outcomes for encounter in outcome.encounters}
        if wait_s and encounters:
            with demo_module.progress_bars(console) as show:
                journeys = await demo_module.wait_settled(line, encounters, wait_s, show)
            reasons = Counter((one.outcome, one.reason) for one in journeys)
            for (ending, reason), number in reasons.most_common():
                console.print(f"{number:6} encounters  {ending or 'in flight'} {reason}")
            console.print(f"{len(journeys)} of {len(encounters)} encounters settled")
    finally:
        await line.close()
    return any(outcome.problem for outcome in outcomes)


@main.command()
def status(folder: Folder = HOME / "up") -> None:
    """What is on the line: counts, dollars, and how long each stage takes."""
    kpis = ask_line(folder, lambda line: line.kpis())
    ledger = ask_line(folder, lambda line: line.ledger())
    resources = ask_line(folder, lambda line: line.resource_counts())
    console = render.console()
    console.print(", ".join(f"{number} {kind}" for kind, number in sorted(resources.items())) or "no resources yet")
    for word, number in sorted(kpis.counts.items()):
        console.print(f"{number:8} journeys {word}")
    console.print(render.ledger_table(ledger))
    for stage, median in kpis.stage_p50_us.items():
        console.print(f"{stage:<16} median {render.span(median):>10}   p99 {render.span(kpis.stage_p99_us[stage]):>10}")


if __name__ == "__main__":
    main()
