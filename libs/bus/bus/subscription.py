"""What a service wants to hear, how long a failure waits, and which failures are nobody's fault."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import asyncpg

from bus.event import Event
from bus.unit import Unit

BACKOFF_S = (0.5, 1.0, 2.0, 5.0, 15.0, 30.0, 60.0)
DATABASE_ERRORS: tuple[type[BaseException], ...] = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # what asyncpg says when a server dies in the middle of an answer
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.InvalidCachedStatementError,  # a migration has changed a table since the statement was prepared
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.ReadOnlySQLTransactionError,  # a primary that has become a standby
    OSError,
    TimeoutError,
)
Prepare = Callable[[Event], Awaitable[Any]]
Handle = Callable[[Unit, Event, Any], Awaitable[None]]
OnFailure = Callable[[str, str, str, int], None]


@dataclass(frozen=True, slots=True)
class Subscription:
    """What to do with one kind of fact.

    `prepare` runs outside the transaction (calls to others) and its value is given to `handle`, which runs inside.
    """

    event: str
    handle: Handle
    prepare: Prepare | None = None


def backoff_s(attempt: int) -> float:
    """Seconds to wait after the n-th failed attempt, n from 1."""
    return BACKOFF_S[min(attempt, len(BACKOFF_S)) - 1]
