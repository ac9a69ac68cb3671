"""`throughline kpi`: the key figures against their benchmarks, the rows behind each, and both computations compared."""

from __future__ import annotations

from typing import Annotated

import typer
from rcm.journey.v1 import kpi_pb2 as pb
from rich.table import Table

from cli import render
from cli.asking import HOME, Folder, ask_line

kpi_app = typer.Typer(help="Key figures by their published formulas.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="The KPI's name, as `kpi show` lists it.")]
_AGREEMENT = {"agrees": "green", "differs": "red", "moving": "yellow"}


@kpi_app.command("show")
def show(
    name: Annotated[str, typer.Argument(help="One KPI with its formula; without it all of them.")] = "",
    folder: Folder = HOME / "up",
) -> None:
    """The figures as they were last computed, beside their benchmarks."""
    answer = ask_line(folder, lambda line: line.kpi_service("ListKpis", pb.ListKpisRequest(name=name)))
    console = render.console()
    console.print(_overview(answer.kpis))
    if not name:
        return
    (found,) = answer.kpis
    console.print(f"\n{found.formula} (version {found.version})", highlight=False)
    for text in (found.note, found.because):
        if text:
            console.print(text, highlight=False)


def _overview(kpis: list[pb.Kpi]) -> Table:
    table = Table(box=None, pad_edge=False)
    for title in ("name", "title", "value", "p50", "p90", "integrated", "standalone", "twice"):
        table.add_column(title, justify="right" if title in ("value", "p50", "p90") else "left")
    for one in kpis:
        percentiles = [render.span(us) if us else "" for us in (one.p50_us, one.p90_us)]
        style = _AGREEMENT.get(one.agreement, "dim")
        value = one.shown if one.state == "ok" else one.state
        table.add_row(
            one.name, one.title, value, *percentiles, one.integrated, one.standalone, f"[{style}]{one.agreement}[/]"
        )
    return table


@kpi_app.command("rows")
def rows(
    name: Name,
    part: Annotated[str, typer.Option(help="all, numerator (what counts above the line) or denominator")] = "all",
    after: Annotated[str, typer.Option(help="The page after this token.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many at the most.")] = 50,
    folder: Folder = HOME / "up",
) -> None:
    """The rows behind a figure, each with the journey to look at."""
    request = pb.ListKpiRowsRequest(name=name, part=part, after=after, limit=limit)
    page = ask_line(folder, lambda line: line.kpi_service("ListKpiRows", request))
    table = Table("key", "journey", "claim", "at", "numerator", "denominator", box=None, pad_edge=False)
    for row in page.rows:
        at = f"{row.at.ToDatetime():%Y-%m-%d %H:%M:%S}" if row.HasField("at") else ""
        table.add_row(row.key, row.journey_id, row.claim_id, at, str(row.numerator), str(row.denominator))
    console = render.console()
    console.print(table)
    if page.next:
        console.print(f"more: --after {page.next}", highlight=False, soft_wrap=True)


@kpi_app.command("check")
def check(folder: Folder = HOME / "up") -> None:
    """Compute every figure twice, from the projections and from the raw facts. Exit 1 when any differs."""
    answer = ask_line(folder, lambda line: line.kpi_service("CheckKpis", pb.CheckKpisRequest()))
    console = render.console()
    for one in answer.compared:
        if one.agreement != "agrees":
            console.print(_difference(one), highlight=False)
            for row in one.rows:
                console.print(f"    {row}", highlight=False)
    agreed = sum(one.agreement == "agrees" for one in answer.compared)
    console.print(f"{agreed} of {len(answer.compared)} figures agree over {answer.facts} facts: {answer.state}")
    if answer.moving or answer.unbegun:
        console.print(f"left out: {answer.moving} with facts under way, {answer.unbegun} that nothing begins")
    if answer.state == "differs":
        raise typer.Exit(1)


def _difference(one: pb.ComparedKpi) -> str:
    first, second = (
        f"{top}/{bottom}"
        for top, bottom in (
            (one.first_numerator, one.first_denominator),
            (one.second_numerator, one.second_denominator),
        )
    )
    return f"{one.name}: {first} from the projections, {second} counted again ({one.agreement})"
