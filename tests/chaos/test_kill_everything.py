"""Kills services, NATS and Postgres with SIGKILL while the line runs: nothing is lost and nothing is doubled."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest
from cli.client import Place
from cli.demo import Story, send_stories
from cli.stack import PROGRAMS, Stack, StackError
from line_books import settled_books, story_problems
from stack import quiet, stories_of

SEED = 20_260_101
AT_A_TIME = 6
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
        assert len(pids) >= 10 and len(set(pids)) == len(pids)
        assert await all_restarted(stack)
        assert await story_problems(place, stories) == []
        assert await settled_books(stack.owner_url, place) == []
    finally:
        await asyncio.to_thread(stack.stop)
