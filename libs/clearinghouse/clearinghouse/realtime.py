"""A question to a payer and its answer in real time: whatever goes wrong outside is a reason, never an exception."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

from kernel.errors import LineError, Unreadable
from x12 import TransactionSet, ViewError, X12Error, transaction_sets

from clearinghouse.mailbox import Clearinghouse

_TIMEOUT = "timeout"
_REASONS = {"clearinghouse-timeout": _TIMEOUT}


class Reply(Protocol):
    """What every view of an answer has: the trace number (TRN02) of its question, empty when it repeats none."""

    @property
    def trace_number(self) -> str: ...


R = TypeVar("R", bound=Reply)


async def ask_payer(clearinghouse: Clearinghouse, question: str, timeout_s: float) -> tuple[str, str]:
    """The answer's X12 and an empty reason, or the other way round."""
    try:
        async with asyncio.timeout(timeout_s):
            return await clearinghouse.realtime(question, timeout_s=timeout_s), ""
    except TimeoutError:
        return "", _TIMEOUT
    except LineError as error:
        return "", _REASONS.get(error.code, error.code)


def find_reply(text: str, code: str, read: Callable[[TransactionSet], Iterable[R]], trace_number: str) -> R:
    """The reply in transaction sets of this code (271, 278) that answers our trace number.

    Unreadable: <code>-unreadable (no X12, or no such set), <code>-refused (an acknowledgment that refuses the
    question), <code>-foreign (an answer to something else).
    """
    try:
        replies = [reply for ts in transaction_sets(text) if ts.code == code for reply in read(ts)]
    except (X12Error, ViewError) as error:
        raise Unreadable(f"{code}-unreadable", code, "the payer's answer cannot be read") from error
    if not replies:
        raise Unreadable(f"{code}-refused", code, f"the answer is no {code}")
    found = next((reply for reply in replies if reply.trace_number in (trace_number, "")), None)
    if found is None:
        raise Unreadable(f"{code}-foreign", "TRN02", "the answer carries another trace number")
    return found
