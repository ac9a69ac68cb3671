"""Tasks come back after errors, and end when they are told to."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from chassis import supervise
from chassis.supervise import Tasks, keep_running, next_wait_s
from hypothesis import given
from hypothesis import strategies as st


class Log:
    """Remembers what was said."""

    def __init__(self) -> None:
        self.said: list[tuple[str, dict[str, Any]]] = []

    def warning(self, event: str, **keys: Any) -> None:
        self.said.append((event, keys))


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervise, "FIRST_WAIT_S", 0.001)
    monkeypatch.setattr(supervise, "ROUND_S", 0.05)


async def test_an_error_is_logged_and_the_task_runs_again(log: Log) -> None:
    rounds: list[int] = []

    async def stumble() -> None:
        rounds.append(1)
        if len(rounds) < 4:
            raise ValueError("DOE^JANE")

    await keep_running("poll", stumble, log)
    assert len(rounds) == 4
    assert [keys["attempt"] for _, keys in log.said] == [1, 2, 3]
    assert {event for event, _ in log.said} == {"task failed"}


async def test_what_ends_by_itself_stays_ended(log: Log) -> None:
    rounds: list[int] = []

    async def once() -> None:
        rounds.append(1)

    tasks = Tasks(log)
    tasks.start("once", once)
    await asyncio.sleep(0.05)
    await tasks.stop()
    assert (len(rounds), log.said) == (1, [])


async def test_a_task_that_loses_a_cancellation_ends_all_the_same(log: Log) -> None:
    caught: list[int] = []

    async def hard_of_hearing() -> None:
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                caught.append(1)
                if len(caught) > 2:
                    raise

    tasks = Tasks(log)
    tasks.start("deaf", hard_of_hearing)
    await asyncio.sleep(0.01)
    await tasks.stop()
    assert (len(caught), log.said) == (3, [])


async def test_a_task_that_never_stops_is_left_behind(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervise, "ROUNDS", 2)
    release = asyncio.Event()

    async def deaf() -> None:
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue

    tasks = Tasks(log)
    tasks.start("deaf", deaf)
    await asyncio.sleep(0.01)
    await tasks.stop()
    assert log.said == [("task does not stop", {"task": "deaf"})]
    release.set()


@given(st.integers(min_value=1, max_value=10_000))
def test_waits_grow_to_a_limit(failures: int) -> None:
    assert 0 < next_wait_s(failures) <= supervise.LONGEST_WAIT_S * 1.2
