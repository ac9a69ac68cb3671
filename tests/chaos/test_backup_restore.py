"""A backup while the line runs; then Postgres and NATS are lost, and Postgres alone comes back from the backup.

The outside has lived on. The clearinghouse holds claims that the restored database has not sent, or not even built,
with their answers and payments. What was committed at the backup settles by itself; what came later is sent again by
those who sent it, and ends once.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest
from chassis.embedded.postgres import INSTALLATION, WHEEL
from cli.client import Line, Place
from cli.demo import Story, compare, equation_breaks, send_stories
from cli.stack import PROGRAMS, Stack
from rcm.journey.v1 import journey_pb2
from stack import doubled, query, quiet, settled, stories_of, unsent

SEED = 20_260_301
BEFORE, DURING, AFTER = 8, 12, 6  # stories sent before, around and after the backup
# Long enough to read what the clearinghouse has answered meanwhile; days at a real one.
RESTORED_WAIT_S = 6
SETTLE_S = 150.0
SCHEMAS = tuple(program.module for program in PROGRAMS if program.name != "simulator")


def back_up(owner_url: str, into: Path) -> None:
    """What an operator runs: a copy of the whole cluster, taken while it works."""
    spec = find_spec(WHEEL)
    assert spec is not None and spec.submodule_search_locations
    program = Path(spec.submodule_search_locations[0]) / INSTALLATION / "bin" / "pg_basebackup"
    host = parse_qs(urlsplit(owner_url).query)["host"][0]
    command = [str(program), "-h", host, "-U", "postgres", "-D", str(into), "-c", "fast", "-X", "stream"]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, timeout=60)


def restore(backup: Path, data: Path) -> None:
    """The copy in the place of the data folder, under the same user."""
    owner = data.stat()
    shutil.rmtree(data)
    shutil.copytree(backup, data)
    for place in (data, *data.rglob("*")):
        os.chown(place, owner.st_uid, owner.st_gid)
    data.chmod(0o700)


async def send_each(place: Place, stories: list[Story], done: set[str]) -> list[str]:
    """Sends the stories side by side and notes each whose last bundle was answered; the problems."""

    async def one(story: Story) -> list[str]:
        problems = await send_stories(place, [story], quiet)
        done.add(story.encounter)
        return problems

    return [problem for problems in await asyncio.gather(*map(one, stories)) for problem in problems]


async def as_told(place: Place, stories: list[Story]) -> list[journey_pb2.Journey]:
    """The journeys once each has ended as its story says, or as they are when time is over."""
    encounters = {story.encounter for story in stories}
    journeys: list[journey_pb2.Journey] = []
    end = asyncio.get_running_loop().time() + SETTLE_S
    while asyncio.get_running_loop().time() < end:
        journeys = await settled(place, encounters, timeout_s=SETTLE_S)
        if not compare(stories, journeys):
            break
        await asyncio.sleep(1)
    return journeys


def files_outside(folder: Path) -> list[str]:
    """ISA13 of every file that the clearinghouse has taken in."""
    with closing(sqlite3.connect(folder / "simulator" / "world.sqlite")) as world:
        rows = world.execute("select content from received").fetchall()
    return [bytes(content).decode().split("*")[13] for (content,) in rows]


def payments_outside(folder: Path) -> Counter[str]:
    """How often the payers have decided each claim, by CLM01: the outside's own memory, which was not restored."""
    with closing(sqlite3.connect(folder / "simulator" / "world.sqlite")) as world:
        rows = world.execute("select json_extract(content, '$.control_number') from payment").fetchall()
    return Counter(number for (number,) in rows)


@asynccontextmanager
async def nothing_sent(owner_url: str) -> AsyncIterator[Callable[[int, set[str]], Awaitable[None]]]:
    """Keeps the gateway from writing a file, so that the backup holds claims as ready that are sent after it.

    Gives a function that waits until so many stories are done and a claim is ready.
    """
    connection = await asyncpg.connect(owner_url)
    await connection.execute("begin; lock table claims_gateway.interchange in exclusive mode")

    async def claims_wait(count: int, done: set[str]) -> None:
        ready = "select count(*) from claims_gateway.claim where state = 'ready'"
        async with asyncio.timeout(SETTLE_S):
            while len(done) < count or not await connection.fetchval(ready):  # noqa: ASYNC110 - a database is asked
                await asyncio.sleep(0.05)

    try:
        yield claims_wait
    finally:
        await connection.close()


async def live_and_lose(folder: Path, stories: list[Story], backup: Path) -> tuple[list[Story], Counter[str]]:
    """The time before: stories, the backup in their midst, more stories, then the loss of both servers.

    Gives the stories that were wholly answered before the backup began, and what the payers have decided.
    """
    stack = Stack(folder, trace=False)
    await asyncio.to_thread(stack.start)
    try:
        place = Place.read(folder / "stack.json")
        done: set[str] = set()
        first, middle, last = stories[:BEFORE], stories[BEFORE:-AFTER], stories[-AFTER:]
        assert await send_each(place, first, done) == []
        async with nothing_sent(stack.owner_url) as claims_wait:
            sending = asyncio.create_task(send_each(place, middle, done))
            await claims_wait(BEFORE + DURING // 2, done)
            committed = [story for story in stories if story.encounter in done]
            await asyncio.to_thread(back_up, stack.owner_url, backup)
        assert await sending == []
        assert await send_each(place, last, done) == []
        assert compare(stories, await as_told(place, stories)) == []
        for server in ("postgres", "nats"):
            await asyncio.to_thread(stack.kill, server)
    finally:
        await asyncio.to_thread(stack.stop)
    return committed, payments_outside(folder)


@pytest.fixture
def folder() -> Iterator[Path]:
    """Not below pytest's own folder, which a second pytest shuts to the user under whom PostgreSQL runs."""
    made = Path(tempfile.mkdtemp(prefix="rcm-restore-"))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made, ignore_errors=True)


async def test_a_restored_line_loses_nothing_and_doubles_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RCM_POSTGRES_URL", "RCM_NATS_URL"):
        monkeypatch.delenv(name, raising=False)
    stories = await asyncio.to_thread(stories_of, folder / "stories", SEED, BEFORE + DURING + AFTER)
    line, backup = folder / "line", folder / "backup"
    committed, outside = await live_and_lose(line, stories, backup)
    assert len(committed) < len(stories)
    restore(backup, line / "postgres")
    shutil.rmtree(line / "nats")
    restored = {"RCM_RESTORED_AT": datetime.now(UTC).isoformat(), "RCM_RESTORED_WAIT_S": str(RESTORED_WAIT_S)}
    stack = Stack(line, extra={"claims-gateway": restored}, trace=False)
    await asyncio.to_thread(stack.start)
    try:
        place = Place.read(line / "stack.json")
        assert compare(committed, await as_told(place, committed)) == []
        known = {story.encounter for story in committed}
        again = [story for story in stories if story.encounter not in known]
        assert await send_each(place, again, set()) == []
        journeys = await as_told(place, stories)
        assert compare(stories, journeys) == []
        assert equation_breaks(journeys) == []
        assert payments_outside(line) == outside
        assert len(files_outside(line)) == len(set(files_outside(line)))
        known_outside = "select count(*) as n from claims_gateway.claim_event where reason = 'sent-before-restore'"
        assert (await query(stack.owner_url, known_outside))[0]["n"] > 0
        await check_books(stack, place)
    finally:
        await asyncio.to_thread(stack.stop)


async def check_books(stack: Stack, place: Place) -> None:
    """The ledger's equation, nothing twice, no money without its claim, nothing given up."""
    line = Line(place)
    balance = (await line.ledger()).tenant
    await line.close()
    parts = balance.paid_cents + balance.adjusted_cents + balance.patient_cents + balance.open_cents
    assert balance.billed_cents == parts > 0
    unapplied = "select coalesce(sum(debit_cents - credit_cents), 0) as cents from remittance.entry"
    assert (await query(stack.owner_url, f"{unapplied} where account = 'unapplied'"))[0]["cents"] == 0
    assert (
        await query(stack.owner_url, "select reason from remittance.unmatched_payment where settled_at is null") == []
    )
    assert await doubled(stack.owner_url) == []
    assert await unsent(stack.owner_url, SCHEMAS) == 0
    for schema in SCHEMAS:
        assert await query(stack.owner_url, f"select type, reason from {schema}.dead_letter") == []
