"""One event as the ledger keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any


@dataclass(frozen=True, slots=True)
class Fact:
    """What the ledger keeps of an event. `qualifier`: the state, kind or outcome inside it; `detail`: ids and cents.

    `causation_id` is the event that led to it ("" at a door), `heard_at` when the ledger was told (None: not stored
    yet), `copies` how often it was told.
    """

    event_id: str
    journey_id: str
    type: str
    producer: str
    occurred_at: datetime
    qualifier: str = ""
    reason: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)
    trace_id: str = ""
    causation_id: str = ""
    heard_at: datetime | None = None
    copies: int = 1

    def text(self, name: str) -> str:
        """A detail as text, "" when it was not told."""
        return str(self.detail.get(name) or "")


def microseconds(span: timedelta) -> int:
    """A length in whole microseconds, which is all that Postgres and the events keep."""
    return span // timedelta(microseconds=1)
