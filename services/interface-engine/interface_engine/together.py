"""Group commit: what comes at the same time is written in one transaction, and each waits until that is committed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


@dataclass
class Together(Generic[T, R]):
    """`write` gives one result for each item, in their order; nothing lingers: one write follows the other."""

    write: Callable[[list[T]], Awaitable[Sequence[R]]]
    most: int = 500
    _waiting: list[tuple[T, asyncio.Future[R]]] = field(default_factory=list)
    _writer: asyncio.Task[None] | None = None

    async def add(self, item: T) -> R:
        """The item's result once it is committed, or whatever `write` raised."""
        done: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, done))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_all())
        return await done

    async def _write_all(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[: self.most], self._waiting[self.most :]
            try:
                results = await self.write([item for item, _ in batch])
            except Exception as error:
                for _, done in batch:
                    if not done.done():  # whoever has stopped waiting in the meantime is left out
                        done.set_exception(error)
            else:
                for (_, done), result in zip(batch, results, strict=True):
                    if not done.done():
                        done.set_result(result)
