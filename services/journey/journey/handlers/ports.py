"""What the handlers need of others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import asyncpg

from journey.model import Fact, Journey

Transaction = Callable[[str], AbstractAsyncContextManager[asyncpg.Connection]]


class Projection(Protocol):
    """Tables beside the ledger that are filled from the same facts, in the same transactions."""

    @property
    def hears(self) -> frozenset[str]:
        """Types of facts that it wants when they are recorded."""
        ...

    async def record(self, conn: asyncpg.Connection, fact: Fact) -> None:
        """One fact, as it is recorded. Idempotent by its id; does nothing for a fact that it does not need."""
        ...

    async def project(self, conn: asyncpg.Connection, journeys: Sequence[tuple[Journey, Sequence[Fact]]]) -> None:
        """Journeys as they were added up, each with its facts: replaces what is there of them."""
        ...

    async def clear(self, conn: asyncpg.Connection, limit: int) -> bool:
        """Removes some rows, to be filled again; False when nothing is left, so that no statement takes long."""
        ...
