"""A database that is away is not an error of the caller's: whoever asks is told to try again."""

from __future__ import annotations

import asyncpg
from kernel.errors import LineError, Unavailable

# The same that the bus's consumers wait out.
STORAGE_ERRORS: tuple[type[BaseException], ...] = (
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
    OSError,
    TimeoutError,
)


def line_error_of(error: BaseException) -> LineError | None:
    """The error in our own terms; None when it is an unexpected one."""
    if isinstance(error, LineError):
        return error
    if isinstance(error, STORAGE_ERRORS):
        return Unavailable("storage_unavailable", "something that this service needs does not answer", 1.0)
    return None
