"""`throughline reconcile`: every charge that a feed sent, and what became of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from kernel.money import from_cents
from rcm.engine.v1 import charges_pb2 as pb
from rich.table import Table

from cli import render
from cli.asking import HOME, Folder, ask_line, fail


def reconcile(
    day: Annotated[
        str, typer.Option(help="YYYY-MM-DD by the feed's own clock; without it today, wherever that is.")
    ] = "",
    days: Annotated[int, typer.Option(min=1, max=400, help="So many days, that one being the last.")] = 1,
    channel: Annotated[str, typer.Option(help="Only this feed.")] = "",
    folder: Folder = HOME / "up",
) -> None:
    """Show that every charge of a feed's day is a charge, a hold or a rejection with a name.

    Ends with 1 when counts or dollars are missing.
    """
    try:
        # A feed east of Greenwich may have begun its next day already.
        last = datetime.fromisoformat(day).date() if day else (datetime.now(UTC) + timedelta(hours=14)).date()
    except ValueError:
        raise fail("a day is YYYY-MM-DD") from None
    first = last - timedelta(days=days - 1 if day else days)
    request = pb.ReconcileRequest(first_day=first.isoformat(), last_day=last.isoformat(), channel=channel)
    found = ask_line(folder, lambda line: line.reconcile(request))
    console = render.console()
    if not found.days:
        console.print("no feed sent charges in that time")
        return
    console.print(_table(found))
    if not found.balances:
        raise fail("charges are missing: look for their messages with `throughline message search --channel`")
    console.print("[green]everything that came in is accounted for[/]")


def _table(found: pb.ReconcileResponse) -> Table:
    table = Table("day", "feed", "", "reason")
    table.add_column("charges", justify="right")
    table.add_column("dollars", justify="right")
    for day in found.days:
        table.add_row(day.day, day.channel, "[bold]came in[/]", "", str(day.count_in), from_cents(day.cents_in))
        for one in day.became:
            table.add_row("", "", one.disposition, one.reason, str(one.count), from_cents(one.cents))
        if day.count_missing or day.cents_missing:
            missing = (str(day.count_missing), from_cents(day.cents_missing))
            table.add_row("", "", "[red]missing[/]", "", *(f"[red]{text}[/]" for text in missing))
    return table
