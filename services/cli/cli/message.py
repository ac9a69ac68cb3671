"""`throughline message`: what the feeds sent, how it was answered, what became of it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rcm.engine.v1 import messages_pb2 as pb
from rich.table import Table

from cli import render
from cli.asking import HOME, Folder, ask_line, fail

message_app = typer.Typer(help="Messages of the feeds: search, show, replay.", no_args_is_help=True)
_COLORS = {"kept": "green", "failed": "red", "quarantined": "red", "received": "yellow"}
Channel = Annotated[str, typer.Option(help="Only this feed's.")]
State = Annotated[
    list[str] | None,
    typer.Option("--state", help="received, kept, filtered, failed, quarantined or dismissed; repeatable."),
]


@message_app.command("search")
def search(
    channel: Channel = "",
    mrn: Annotated[str, typer.Option(help="Medical record number.")] = "",
    account: Annotated[str, typer.Option(help="Account number.")] = "",
    visit: Annotated[str, typer.Option(help="Visit number.")] = "",
    control_id: Annotated[str, typer.Option(help="The sender's number of the message (MSH-10).")] = "",
    resource: Annotated[str, typer.Option(help="Claim/ID, Encounter/ID, Patient/ID: what it had a part in.")] = "",
    state: State = None,
    since: Annotated[datetime | None, typer.Option(help="Received at this time (UTC) or later.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500)] = 50,
    folder: Folder = HOME / "up",
) -> None:
    """Find messages, the newest first."""
    request = pb.SearchMessagesRequest(
        channel=channel, mrn=mrn, account=account, visit=visit, control_id=control_id, resource=resource,
        states=state, limit=limit,
    )  # fmt: skip
    if since is not None:
        request.since.FromDatetime(since if since.tzinfo else since.replace(tzinfo=UTC))
    _print(request, folder)


@message_app.command("dead-letters")
def dead_letters(channel: Channel = "", folder: Folder = HOME / "up") -> None:
    """Messages that failed or stand in quarantine: what somebody has to decide."""
    _print(pb.SearchMessagesRequest(channel=channel, states=["failed", "quarantined"], limit=500), folder)


@message_app.command("show")
def show(
    message: Annotated[str, typer.Argument(help="The message's id, as search prints it.")],
    raw: Annotated[bool, typer.Option(help="The message as it came, byte for byte, and nothing else.")] = False,
    folder: Folder = HOME / "up",
) -> None:
    """One message with its text: patient data, for your eyes."""
    found = ask_line(folder, lambda line: line.message(message))
    if raw:
        typer.get_binary_stream("stdout").write(found.raw)
        return
    console = render.console()
    console.print(_table([found.message]))
    for resource in found.message.resources:
        console.print(f"  changed {resource}")
    console.print(found.raw.decode("utf-8", "replace").replace("\r", "\n"), markup=False, highlight=False)


@message_app.command("replay")
def replay(
    messages: Annotated[list[str] | None, typer.Argument(help="Ids of messages.")] = None,
    channel: Channel = "",
    state: State = None,
    since: Annotated[datetime | None, typer.Option(help="Received at this time (UTC) or later.")] = None,
    folder: Folder = HOME / "up",
) -> None:
    """Work on messages again with today's configuration: those named, or those that match.

    What a message did already is not done twice: it finds its own resources and charges again.
    """
    matching = pb.SearchMessagesRequest(channel=channel, states=state)
    if since is not None:
        matching.since.FromDatetime(since if since.tzinfo else since.replace(tzinfo=UTC))
    if not messages and not (channel or state or since):
        raise fail("name messages, or what to look for: --channel, --state, --since")
    done = ask_line(folder, lambda line: line.replay_messages(messages or [], matching))
    render.console().print(f"{len(done.replayed)} messages will be worked on again")
    if done.refused:
        raise fail(f"{len(done.refused)} cannot be: {', '.join(done.refused[:10])}")


@message_app.command("dismiss")
def dismiss(
    message: Annotated[str, typer.Argument(help="The message's id.")],
    reason: Annotated[str, typer.Option(help="A short code, such as sent-in-error.")],
    folder: Folder = HOME / "up",
) -> None:
    """Decide that a message shall not be worked on; what waited behind it goes on."""
    found = ask_line(folder, lambda line: line.dismiss_message(message, reason))
    render.console().print(f"{found.id} is dismissed ({found.reason})")


def _print(request: pb.SearchMessagesRequest, folder: Path) -> None:
    found = ask_line(folder, lambda line: line.search_messages(request))
    console = render.console()
    console.print(_table(list(found.messages)) if found.messages else "no message matches")
    if found.next:
        console.print(f"there are more: name what you look for, or raise --limit (shown: {len(found.messages)})")


def _table(messages: list[pb.FeedMessage]) -> Table:
    table = Table("id", "received", "feed", "kind", "control id", "mrn", "visit", "state", "reason")
    for one in messages:
        color = _COLORS.get(one.state, "default")
        received = one.received_at.ToDatetime().isoformat(" ", "seconds")
        reason = f"{one.reason} {one.path}".strip()
        table.add_row(
            one.id, received, one.channel, one.kind, one.control_id, one.mrn, one.visit,
            f"[{color}]{one.state}[/]", reason,
        )  # fmt: skip
    return table
