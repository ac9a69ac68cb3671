"""The three families of refusal, so that every transport can answer each of them from one table.

No text here may hold patient data: a reason names paths, positions and rule ids, never the offending value.
"""

from __future__ import annotations

from typing import Literal

RefusalKind = Literal["failed_precondition", "not_found", "already_exists"]


class LineError(Exception):
    """What every family shares: a stable `code` for machines and a `reason` for people."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason


class Refused(LineError):
    """The business says no. Trying again unchanged gives the same answer."""

    def __init__(self, code: str, reason: str, kind: RefusalKind = "failed_precondition") -> None:
        super().__init__(code, reason)
        self.kind: RefusalKind = kind


class Unreadable(LineError):
    """What came in cannot be understood: `path` (element path or "") and `position` (offset or ordinal) say where."""

    def __init__(self, code: str, path: str, reason: str, position: int | None = None) -> None:
        super().__init__(code, reason)
        self.path = path
        self.position = position


class Unavailable(LineError):
    """Something that we need does not answer now; `retry_after_s` is the least wait in seconds, when known."""

    def __init__(self, code: str, reason: str, retry_after_s: float | None = None) -> None:
        super().__init__(code, reason)
        self.retry_after_s = retry_after_s
