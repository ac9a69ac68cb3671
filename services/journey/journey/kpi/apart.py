"""The second computation in a process of its own: minutes of plain Python that never hold up this service's doors.

The child is asked over its standard input, since the database's address is nothing for a command line, and answers
with one JSON text. It gives way to everything else on the machine, and dies with the one who asked.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from subprocess import PIPE, Popen

import msgspec

from journey.kpi.model import Basis, CheckResult


class CheckStopped(Exception):
    """The second computation came to no end; the text is the type of what stopped it."""


@dataclass(frozen=True, slots=True)
class Question:
    """What the child is asked: everything of one tenant, as of an instant."""

    url: str
    tenant: str
    basis: Basis


@dataclass(frozen=True, slots=True)
class Answer:
    """The comparison, or the type of the error that stopped it."""

    result: CheckResult | None = None
    error: str = ""


async def check_apart(question: Question) -> CheckResult:
    """Both computations compared by a child. CheckStopped when it could not."""
    # Not asyncio's own way to start a child: under uvloop that is a fork, which gRPC does not take well.
    child = await asyncio.to_thread(Popen, [sys.executable, "-m", "journey.kpi"], stdin=PIPE, stdout=PIPE)
    try:
        told, _ = await asyncio.to_thread(child.communicate, msgspec.json.encode(question))
    finally:
        if child.poll() is None:
            child.kill()
            await asyncio.to_thread(child.wait)
    answer = msgspec.json.decode(told, type=Answer) if told else Answer(error=f"exit {child.returncode}")
    if answer.result is None:
        raise CheckStopped(answer.error)
    return answer.result
