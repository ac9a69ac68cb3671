"""Finding, starting and ending one server process that outlives the command that started it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import psutil


def read_pid(file: Path) -> int | None:
    """The number in the first line of a pid file; None where there is none."""
    try:
        return int(file.read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return None


def is_ours(pid: int | None, name: str, argument: str) -> bool:
    """Whether the process is the server `name` that was started with `argument`.

    A pid alone proves nothing: after a restart of the machine or the container it may be anybody's.
    """
    if pid is None:
        return False
    try:
        process = psutil.Process(pid)
        alive = process.status() != psutil.STATUS_ZOMBIE
        return bool(alive and process.name().startswith(name) and argument in " ".join(process.cmdline()))
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False


def wait_until(ready: Callable[[], bool], within_s: float, every_s: float = 0.05) -> bool:
    """Ask again until `ready` says yes. False when the time is over."""
    end = time.monotonic() + within_s
    while not ready():
        if time.monotonic() > end:
            return False
        time.sleep(every_s)
    return True


def last_lines(log: Path, count: int = 5) -> str:
    """The end of a server's log, for the text of an error."""
    if not log.exists():
        return "no log was written"
    return "\n".join(log.read_text(errors="replace").splitlines()[-count:])
