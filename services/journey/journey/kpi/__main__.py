"""`python -m journey.kpi`: the child that `apart` asks. A question on standard input, an answer on standard output."""

from __future__ import annotations

import asyncio
import os
import sys

import asyncpg
import msgspec

from journey.kpi.apart import Answer, Question
from journey.kpi.check import check

NICENESS = 10
SCHEMA, ROLE = "journey", "journey_app"


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
    """Reads the question, writes the answer."""
    os.nice(NICENESS)
    question = msgspec.json.decode(sys.stdin.buffer.read(), type=Question)
    sys.stdout.buffer.write(msgspec.json.encode(asyncio.run(_answer(question))))


if __name__ == "__main__":
    main()
