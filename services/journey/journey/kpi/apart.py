"""The second computation in a process of its own: minutes of plain Python that never hold up this service's doors.

The child is asked over its standard input, since the database's address is nothing for a command line, and answers
with one JSON text. It gives way to everything else on the machine, and dies with the one who asked.
"""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from dataclasses import dataclass

import asyncpg
import msgspec

from journey.kpi.check import check
from journey.kpi.model import Basis, CheckResult

NICENESS = 10
SCHEMA, ROLE = "journey", "journey_app"


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
    child = await asyncio.create_subprocess_exec(sys.executable, "-m", "journey.kpi.apart", stdin=PIPE, stdout=PIPE)
    try:
        told, _ = await child.communicate(msgspec.json.encode(question))
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    answer = msgspec.json.decode(told, type=Answer) if told else Answer(error=f"exit {child.returncode}")
    if answer.result is None:
        raise CheckStopped(answer.error)
    return answer.result


async def _answer(question: Question) -> Answer:
    try:
        conn = await asyncpg.connect(
            question.url,
            server_settings={
                "search_path": SCHEMA,
                "role": ROLE,
                "application_name": "journey-check",
                "app.tenant": question.tenant,
            },
        )
        try:
            async with conn.transaction():
                return Answer(await check(conn, question.basis))
        finally:
            await conn.close()
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        return Answer(error=type(error).__name__)


def main() -> None:
    """The child."""
    os.nice(NICENESS)
    question = msgspec.json.decode(sys.stdin.buffer.read(), type=Question)
    sys.stdout.buffer.write(msgspec.json.encode(asyncio.run(_answer(question))))


if __name__ == "__main__":
    main()
