"""`throughline channel`: what a feed's configuration makes of samples and of stored traffic, before it is in force."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rcm.engine.v1 import channels_pb2 as pb
from rich.console import Console
from rich.table import Table

from cli import render
from cli.asking import HOME, Folder, ask_line, fail

channel_app = typer.Typer(help="Feeds: what is in force, and dry runs of what shall be.", no_args_is_help=True)
_COLORS = {"mapped": "green", "filtered": "cyan", "unreadable": "red", "invalid": "red"}
_MOST = 40
Samples = Annotated[list[Path], typer.Argument(exists=True, help="Files of messages or exports, or folders of them.")]
Config = Annotated[
    Path | None,
    typer.Option(
        "--config", exists=True, help="The feed's YAML; CSV files beside it go along. Without it: what is in force."
    ),
]


@channel_app.command("list")
def list_channels(folder: Folder = HOME / "up") -> None:
    """The feeds in force, with their versions."""
    answer = ask_line(folder, lambda line: line.channels("ListChannels", pb.ListChannelsRequest()))
    table = Table("channel", "format", "transport", "version", "since", "by", "digest")
    for one in answer.channels:
        table.add_row(
            one.name, one.format, one.transport, str(one.version or "-"), _when(one), one.recorded_by, one.sha256[:12]
        )
    console = render.console()
    console.print(table)
    if answer.refusal:
        console.print(f"[red]refused, the old ones stay in force:[/] {answer.refusal}", highlight=False)


@channel_app.command("show")
def show(
    name: Annotated[str, typer.Argument(help="The feed's name.")],
    at: Annotated[datetime | None, typer.Option(help="What was in force at this time (UTC).")] = None,
    files: Annotated[bool, typer.Option(help="Print the files of that version.")] = False,
    folder: Folder = HOME / "up",
) -> None:
    """One feed: its versions, and what was in force when."""
    request = pb.GetChannelRequest(name=name)
    if at is not None:
        request.at.FromDatetime(at if at.tzinfo else at.replace(tzinfo=UTC))
    answer = ask_line(folder, lambda line: line.channels("GetChannel", request))
    console = render.console()
    table = Table("version", "since", "by", "digest")
    for one in answer.versions:
        table.add_row(str(one.number), _when(one), one.recorded_by, one.sha256[:12])
    console.print(f"{answer.channel.name}: {answer.channel.format} by {answer.channel.transport}")
    console.print(table)
    for file in answer.files if files else ():
        console.rule(file.name)
        console.print(file.content.decode("utf-8", "replace"), markup=False, highlight=False)


@channel_app.command("test")
def test(
    samples: Samples,
    name: Annotated[str, typer.Option(help="The feed, when no --config is given.")] = "",
    config: Config = None,
    verbose: Annotated[bool, typer.Option("--elements", help="Every element with the field it came from.")] = False,
    folder: Folder = HOME / "up",
) -> None:
    """Dry-run samples: which fields are read, which codes nobody knows, and what changes. Exit 1 for errors."""
    request = pb.TestChannelRequest(name=_named(name, config), files=_config_files(config), samples=_files(samples))
    answer = ask_line(folder, lambda line: line.channels("TestChannel", request))
    console = render.console()
    _print_samples(console, answer.samples, verbose)
    _print_fields(console, answer.fields)
    _print_codes(console, answer)
    _print_charges(console, "charges", answer.charges)
    _print_differences(console, answer.differences)
    if any(one.outcome in ("unreadable", "invalid") for one in answer.samples):
        raise typer.Exit(1)


@channel_app.command("infer")
def infer(
    samples: Samples,
    name: Annotated[str, typer.Option(help="The new feed's name.")] = "new-feed",
    out: Annotated[
        Path | None, typer.Option(help="Folder to write the drafts into; without it they are printed.")
    ] = None,
    folder: Folder = HOME / "up",
) -> None:
    """Draft a feed's YAML and CSV from samples: messages, fields, codes, and where the CPT stands."""
    request = pb.InferChannelRequest(name=name, samples=_files(samples))
    answer = ask_line(folder, lambda line: line.channels("InferChannel", request))
    console = render.console()
    for finding in answer.findings:
        console.print(f"- {finding}", markup=False, highlight=False)
    for file in answer.files:
        if out is None:
            console.rule(file.name)
            console.print(file.content.decode(), markup=False, highlight=False)
            continue
        out.mkdir(parents=True, exist_ok=True)
        target = out / file.name
        if target.exists():
            raise fail(f"{target} is there already: name another folder with --out")
        target.write_bytes(file.content)
        console.print(f"written {target}")


@channel_app.command("replay")
def replay(
    name: Annotated[str, typer.Argument(help="The feed whose stored messages are played.")],
    config: Annotated[Path, typer.Option("--config", exists=True, help="The new YAML; CSV files beside it go along.")],
    since: Annotated[datetime | None, typer.Option(help="Messages received at this time (UTC) or later.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many, the newest.")] = 1_000,
    folder: Folder = HOME / "up",
) -> None:
    """Play stored traffic through a new configuration, and show what it would bill otherwise. Nothing is changed."""
    request = pb.ReplayChannelRequest(name=name, files=_config_files(config), limit=limit)
    if since is not None:
        request.since.FromDatetime(since if since.tzinfo else since.replace(tzinfo=UTC))
    answer = ask_line(folder, lambda line: line.channels("ReplayChannel", request))
    console = render.console()
    table = Table("", "messages", "filtered", "failed", "visits", "charges", "dollars", "held")
    for word, total in (("in force", answer.now), ("as configured", answer.then)):
        kept = [one for one in total.charges if one.disposition == "charge"]
        cents = sum(one.cents if one.kind == "charge" else -one.cents for one in kept)
        held = sum(one.count for one in total.charges if one.disposition == "hold")
        table.add_row(
            word, str(total.messages), str(total.filtered), str(total.failed), str(total.visits),
            str(sum(one.count for one in kept)), _dollars(cents), str(held),
        )  # fmt: skip
    console.print(table)
    _print_differences(console, answer.differences)


def _named(name: str, config: Path | None) -> str:
    if not name and config is None:
        raise fail("which feed? Give --name, or --config with a YAML file")
    return name


def _config_files(config: Path | None) -> list[pb.NamedFile]:
    """The YAML, and of the CSV files beside it those that it names."""
    if config is None:
        return []
    text = config.read_text(encoding="utf-8", errors="replace")
    beside = [file for file in sorted(config.parent.glob("*.csv")) if file.name in text]
    return [pb.NamedFile(name=file.name, content=file.read_bytes()) for file in (config, *beside)]


def _files(paths: Sequence[Path]) -> list[pb.NamedFile]:
    found = [file for path in paths for file in _within(path)]
    if not found:
        raise fail("there are no samples")
    return [pb.NamedFile(name=file.name, content=file.read_bytes()) for file in found]


def _within(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from sorted(file for file in path.rglob("*") if file.is_file() and not file.name.startswith("."))
    else:
        yield path


def _print_samples(console: Console, samples: Sequence[pb.SampleOutcome], verbose: bool) -> None:
    table = Table("sample", "message", "outcome", "reason", "where", "resources", title="samples")
    for one in samples:
        resources = len({made.resource for made in one.made})
        table.add_row(
            one.sample,
            one.kind,
            f"[{_COLORS[one.outcome]}]{one.outcome}[/]",
            one.reason,
            one.path,
            str(resources or ""),
        )
    console.print(table)
    for one in samples if verbose else ():
        console.rule(f"{one.sample} {one.kind}")
        elements = Table("element", "from")
        for made in one.made:
            elements.add_row(made.element, made.source)
        console.print(elements)


def _print_fields(console: Console, fields: Sequence[pb.FieldUse]) -> None:
    unread = [f"{one.field} ({one.filled})" for one in fields if not one.read]
    console.print(f"{len(fields)} fields are filled, {len(fields) - len(unread)} are read")
    if unread:
        console.print(f"filled and not read: {', '.join(unread)}", highlight=False)


def _print_codes(console: Console, answer: pb.TestChannelResponse) -> None:
    if answer.unmapped:
        table = Table("where", "system", "code", "times", title="codes that no map knows")
        for one in answer.unmapped:
            table.add_row(one.path, one.system, one.code, str(one.count))
        console.print(table)
    for flaw in answer.flaws:
        console.print(f"[yellow]left out:[/] {flaw}", highlight=False)


def _print_charges(console: Console, title: str, charges: Sequence[pb.ChargeTotal]) -> None:
    if not charges:
        return
    table = Table("disposition", "reason", "kind", "count", "dollars", title=title)
    for one in charges:
        table.add_row(one.disposition, one.reason, one.kind, str(one.count), _dollars(one.cents))
    console.print(table)


def _print_differences(console: Console, differences: Sequence[pb.LineDifference]) -> None:
    if not differences:
        console.print("no difference in what would be billed")
        return
    console.print(f"{len(differences)} differences in what would be billed:")
    for one in differences[:_MOST]:
        mark, color = ("+", "green") if one.change == "added" else ("-", "red")
        console.print(f"[{color}]{mark}[/] {one.line}", highlight=False)
    if len(differences) > _MOST:
        console.print(f"... and {len(differences) - _MOST} more")


def _dollars(cents: int) -> str:
    return f"{'-' if cents < 0 else ''}${abs(cents) // 100:,}.{abs(cents) % 100:02d}"


def _when(message: Any) -> str:
    return message.since.ToDatetime(UTC).strftime("%Y-%m-%d %H:%M") if message.HasField("since") else "-"
