"""Kills services, NATS and Postgres with SIGKILL while the line runs: nothing is lost and nothing is doubled."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest
from cli.client import Line, Place
from cli.demo import Story, compare, equation_breaks, send_stories
from cli.stack import PROGRAMS, Stack, StackError
from rcm.journey.v1 import journey_pb2
from stack import doubled, query, quiet, settled, stories_of, unsent

SEED = 20_260_101
AT_A_TIME = 6
SCHEMAS = tuple(program.module for program in PROGRAMS if program.name != "simulator")
BEFORE_THE_KILL_S = (0.2, 0.6, 1.2)  # so that the same server dies at different points of the line
BETWEEN_KILLS_S = 1.5


def victims() -> list[str]:
    """Every service once, NATS and Postgres three times, in an order that the seed decides."""
    order = [program.name for program in PROGRAMS] + ["nats", "postgres"] * 3
    random.Random(SEED).shuffle(order)
    return order


async def kill(stack: Stack, name: str) -> int:
    """SIGKILL; waits for a server that is still coming back from the kill before."""
    while True:
        try:
            return await asyncio.to_thread(stack.kill, name)
        except (ProcessLookupError, StackError):
            await asyncio.sleep(0.2)


async def send_and_kill(stack: Stack, place: Place, stories: list[Story]) -> tuple[list[int], list[str]]:
    """For each victim: a few encounters on their way, and then the kill; the pids that were hit, and the problems."""
    sending, pids = [], []
    for number, name in enumerate(victims()):
        chunk = stories[number * AT_A_TIME : (number + 1) * AT_A_TIME]
        sending.append(asyncio.create_task(send_stories(place, chunk, quiet)))
        await asyncio.sleep(BEFORE_THE_KILL_S[number % len(BEFORE_THE_KILL_S)])
        pids.append(await kill(stack, name))
        await asyncio.sleep(BETWEEN_KILLS_S)
    return pids, [problem for problems in await asyncio.gather(*sending) for problem in problems]


async def as_told(place: Place, stories: list[Story]) -> list[journey_pb2.Journey]:
    """The journeys once each has ended as its story says. A hold for a payer that was dead ends with its retry."""
    encounters = {story.encounter for story in stories}
    journeys: list[journey_pb2.Journey] = []
    for _ in range(60):
        journeys = await settled(place, encounters, timeout_s=120)
        if not compare(stories, journeys):
            break
        await asyncio.sleep(2)
    return journeys


async def all_restarted(stack: Stack) -> bool:
    """Whether everything that was killed runs again, within a few seconds of the watcher."""
    for _ in range(100):
        if stack.restarts.keys() >= set(victims()):
            return True
        await asyncio.sleep(0.1)
    return False


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("chaos")
    made.chmod(0o711)
    return made


async def test_nothing_is_lost_or_doubled_when_everything_is_killed(folder: Path) -> None:
    count = len(victims()) * AT_A_TIME
    stories = await asyncio.to_thread(stories_of, folder / "stories", SEED, count)
    stack = Stack(folder / "line", trace=False)
    await asyncio.to_thread(stack.start)
    try:
        place = Place.read(stack.folder / "stack.json")
        pids, problems = await send_and_kill(stack, place, stories)
        assert problems == []
        journeys = await as_told(place, stories)
        assert len(pids) >= 10 and len(set(pids)) == len(pids)
        assert await all_restarted(stack)
        assert compare(stories, journeys) == []
        assert equation_breaks(journeys) == []
        await check_books(stack, place)
    finally:
        await asyncio.to_thread(stack.stop)


async def check_books(stack: Stack, place: Place) -> None:
    """The ledger's equation, nothing twice, nothing left in an outbox, nothing among the dead letters."""
    line = Line(place)
    balance = (await line.ledger()).tenant
    await line.close()
    parts = balance.paid_cents + balance.adjusted_cents + balance.patient_cents + balance.open_cents
    assert balance.billed_cents == parts > 0
    assert await doubled(stack.owner_url) == []
    assert await unsent(stack.owner_url, SCHEMAS) == 0
    for schema in SCHEMAS:
        assert await query(stack.owner_url, f"select type, reason from {schema}.dead_letter") == []
