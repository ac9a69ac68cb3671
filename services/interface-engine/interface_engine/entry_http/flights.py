"""Requests that ask for the same at the same time share one piece of work."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

Made = TypeVar("Made")


class Flights(Generic[Made]):
    """Work that is under way, by what it is for: who asks for the same waits for it and gets the same.

    The work goes on when the one who began it goes away, for the sake of those who wait with it.
    """

    def __init__(self) -> None:
        self._running: dict[object, asyncio.Task[Made]] = {}

    async def join(self, key: object, work: Callable[[], Coroutine[Any, Any, Made]]) -> Made:
        task = self._running.get(key)
        if task is None:
            task = asyncio.create_task(work())
            self._running[key] = task
            task.add_done_callback(lambda done: self._land(key, done))
        return await asyncio.shield(task)

    def _land(self, key: object, task: asyncio.Task[Made]) -> None:
        self._running.pop(key, None)
        if not task.cancelled():
            task.exception()  # whoever waited has been told; nobody may be left who does
