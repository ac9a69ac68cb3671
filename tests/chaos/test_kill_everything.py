"""Kills services, NATS and Postgres with SIGKILL while the line runs: nothing is lost and nothing is doubled."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest
from cli.client import Line, Place
from cli.demo import compare, equation_breaks
from cli.stack import PROGRAMS, Stack
from stack import doubled, run_stories, stories_of, unsent

KILLS = 14
SEED = 20_260_101
ENCOUNTERS = 60
SCHEMAS = tuple(program.module for program in PROGRAMS if program.name != "simulator")


def victims() -> list[str]:
    """Every service once, NATS and Postgres at least twice, in an order that the seed decides."""
    order = [program.name for program in PROGRAMS] + ["nats", "postgres"] * 3
    random.Random(SEED).shuffle(order)
    return order[:KILLS] if len(set(order[:KILLS])) == len(PROGRAMS) + 2 else order


async def kill_them(stack: Stack, names: list[str]) -> list[int]:
    """One after the other, a few seconds apart, so that some die while others are still coming back."""
    pids = []
    for name in names:
        await asyncio.sleep(2.0)
        while True:
            try:
                pids.append(await asyncio.to_thread(stack.kill, name))
                break
            except (ProcessLookupError, RuntimeError):
                await asyncio.sleep(0.2)
    return pids


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("chaos")
    made.chmod(0o711)
    return made


async def test_nothing_is_lost_or_doubled_when_everything_is_killed(folder: Path) -> None:
    stories = await asyncio.to_thread(stories_of, folder / "stories", SEED, ENCOUNTERS)
    stack = Stack(folder / "line", trace=False)
    await asyncio.to_thread(stack.start)
    try:
        killing = asyncio.create_task(kill_them(stack, victims()))
        run = await run_stories(stack, stories, timeout_s=240)
        pids = await killing
        assert len(pids) >= 10
        place = Place.read(stack.folder / "stack.json")
        line = Line(place)
        ledger = await line.ledger()
        await line.close()
        assert run.problems == []
        assert compare(stories, run.journeys) == []
        assert equation_breaks(run.journeys) == []
        balance = ledger.tenant
        assert balance.billed_cents == (
            balance.paid_cents + balance.adjusted_cents + balance.patient_cents + balance.open_cents
        )
        assert balance.billed_cents > 0
        assert await doubled(stack.owner_url) == []
        assert await unsent(stack.owner_url, SCHEMAS) == 0
        assert stack.restarts.keys() >= set(victims())
    finally:
        await asyncio.to_thread(stack.stop)
