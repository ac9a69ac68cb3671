"""What a running stack leaves in its folder for the other commands: addresses and the clients' keys."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from cli.access import Credentials
from cli.client import Line, Place
from cli.own_clients import register_own

STATE_FILE = "stack.json"
T = TypeVar("T")


def register_clients(place: Place, keys: Path) -> dict[str, Credentials]:
    """One client of the FHIR endpoint for each source; keys of an earlier run in this folder serve again."""

    async def register() -> dict[str, Credentials]:
        line = Line(place)
        try:
            return await register_own(line, keys)
        finally:
            await line.close()

    return _apart(register())


def write_state(folder: Path, state: Mapping[str, Any]) -> None:
    """Whole or not at all, and readable by its owner only."""
    file = folder / STATE_FILE
    draft = file.with_suffix(".new")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(state))
    draft.replace(file)


def remove_state(folder: Path) -> None:
    """Nothing runs here any more."""
    (folder / STATE_FILE).unlink(missing_ok=True)


def _apart(task: Coroutine[Any, Any, T]) -> T:
    """The task's result from an event loop of its own: the caller may have one already."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, task).result()
