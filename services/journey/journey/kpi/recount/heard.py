"""A fact as the second computation reads it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

MICROSECOND = timedelta(microseconds=1)


class Heard(NamedTuple):
    """One raw fact."""

    event_id: str
    journey_id: str
    type: str
    at: datetime
    qualifier: str
    reason: str
    detail: Mapping[str, Any]
    cause: str = ""

    def number(self, name: str) -> int:
        """An amount or count; 0 when it is not told."""
        return int(self.detail.get(name) or 0)

    def word(self, name: str) -> str:
        """A text; "" when it is not told."""
        value = self.detail.get(name)
        return str(value) if value else ""


def parse_day(text: str) -> date | None:
    """A calendar day, None when the text is none."""
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - a day has no zone
    except ValueError:
        return None


def parse_instant(text: str) -> datetime | None:
    """An instant in UTC, None when the text is none."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def lag_us(begin: datetime, end: datetime) -> int:
    """Microseconds from one instant to another, never below 0."""
    return max(0, (end - begin) // MICROSECOND)
