"""What every command does: find the running Throughline, ask it, and say in one line what went wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

import grpc
import typer
from chassis import SettingsError
from kernel.errors import LineError

from cli.client import Line, Place

HOME = Path(".run")
T = TypeVar("T")
Folder = Annotated[Path, typer.Option("--folder", help="Where it keeps its data, logs and addresses.")]


def fail(text: str) -> typer.Exit:
    """Says what went wrong, to be raised: exit 1."""
    typer.secho(text, err=True, fg="red")
    return typer.Exit(1)


def place_of(folder: Path) -> Place:
    """The Throughline that runs in a folder. Exit 1 when none does, or when its certificates cannot be used."""
    try:
        place = Place.read(folder / "stack.json")
        place.certificates()
        return place
    except SettingsError as error:
        raise fail(str(error)) from None
    except FileNotFoundError:
        raise fail(f"nothing runs in {folder}: start it with `throughline up`, or name its --folder") from None


def ask_line(folder: Path, question: Callable[[Line], Awaitable[T]]) -> T:
    """Asks a running Throughline one question; a clear line when it cannot answer."""

    async def run() -> T:
        line = Line(place_of(folder))
        try:
            return await question(line)
        finally:
            await line.close()

    try:
        return asyncio.run(run())
    except LineError as error:
        raise fail(error.reason) from None
    except grpc.aio.AioRpcError as error:
        raise fail(f"no answer ({error.code().name}): is it still up?") from None
