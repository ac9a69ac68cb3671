"""A database that is away is not an error of the caller's: whoever asks is told to try again."""

from __future__ import annotations

from bus.subscription import DATABASE_ERRORS
from kernel.errors import LineError, Unavailable

STORAGE_ERRORS = DATABASE_ERRORS  # what the bus's consumers wait out, callers are told to wait out


def line_error_of(error: BaseException) -> LineError | None:
    """The error in our own terms; None when it is an unexpected one."""
    if isinstance(error, LineError):
        return error
    if isinstance(error, STORAGE_ERRORS):
        return Unavailable("storage_unavailable", "something that this service needs does not answer", 1.0)
    return None
