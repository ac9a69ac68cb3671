"""Keeps long tasks going: what ends with an error is started again, after a wait that grows while it keeps failing."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

FIRST_WAIT_S = 0.2
LONGEST_WAIT_S = 15.0
ROUNDS, ROUND_S = 20, 0.5
CALM_S = 30.0  # having run this long, an error counts as the first again


def next_wait_s(failures: int) -> float:
    """Seconds to wait after so many failures in a row, a little apart so that not all come at once."""
    wait: float = min(FIRST_WAIT_S * 2 ** min(failures - 1, 10), LONGEST_WAIT_S)
    return wait * random.uniform(0.8, 1.2)


async def keep_running(name: str, run: Callable[[], Awaitable[None]], log: Any) -> None:
    """Run until it returns or we are cancelled; an error is logged and it is run again."""
    clock, failures = asyncio.get_running_loop().time, 0
    while True:
        began = clock()
        try:
            await run()
            return
        except Exception as error:
            failures = 1 if clock() - began > CALM_S else failures + 1
            wait_s = next_wait_s(failures)
            log.warning("task failed", task=name, attempt=failures, retry_in_s=round(wait_s, 2), exc_info=error)
        await asyncio.sleep(wait_s)


class Tasks:
    """A group of tasks that are kept running, and stopped together."""

    def __init__(self, log: Any) -> None:
        self._log = log
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        """Keep this running from now on."""
        self._tasks.append(asyncio.create_task(keep_running(name, run, self._log), name=name))

    async def stop(self) -> None:
        """Cancel all and wait for them to end; what has not ended after ten seconds is left behind and logged.

        A task is cancelled more than once: up to Python 3.11, wait_for loses a cancellation that meets its result.
        """
        waiting = set(self._tasks)
        for _ in range(ROUNDS):
            for task in waiting:
                task.cancel()
            if waiting:
                _, waiting = await asyncio.wait(waiting, timeout=ROUND_S)
        for task in waiting:
            self._log.warning("task does not stop", task=task.get_name())
        self._tasks.clear()
