"""Dates as R4 searches them: every date is the range of moments that its precision covers.

https://hl7.org/fhir/R4/search.html#date. A day without a time zone is a day of UTC.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

# Open ends of a Period, a little inside of what datetime holds, so that no time zone takes them over the edge. Dates
# beyond are taken for the day at the edge: 9999-12-31 is a common way to say "open".
EARLIEST = datetime(1, 1, 2, tzinfo=UTC)
LATEST = datetime(9999, 12, 30, tzinfo=UTC)

_SHAPE = re.compile(r"\d{4}(?:-\d\d(?:-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.(\d{1,9}))?)?(?:Z|[+-]\d\d:\d\d)?)?)?)?", re.ASCII)
_YEAR, _MONTH, _DAY = len("2026"), len("2026-01"), len("2026-01-31")
_MICROSECOND_DIGITS = 6
_ONE_DAY = timedelta(days=1)
_LEAP_SECOND = re.compile(r"(T\d\d:\d\d):60")
_KEPT = 8192

Interval = tuple[datetime, datetime]


@lru_cache(maxsize=_KEPT)
def interval(text: str) -> Interval | None:
    """The moments from low up to but not including high, in UTC; None when the text is no FHIR date."""
    match = _SHAPE.fullmatch(text)
    if match is None:
        return None
    try:
        low, high = _days(text) if len(text) <= _DAY else _moment(text, match[1])
    except ValueError:
        return None
    return min(max(low, EARLIEST), LATEST - _ONE_DAY), max(min(high, LATEST), EARLIEST + _ONE_DAY)


def _days(text: str) -> Interval:
    low = datetime.fromisoformat(text + "0001-01-01"[len(text) :]).replace(tzinfo=UTC)
    if len(text) == _DAY:
        return low, _plus(low, _ONE_DAY)
    longest = timedelta(days=366 if len(text) == _YEAR else 31)
    if low >= LATEST - longest:
        return low, LATEST
    after = (low + longest).replace(day=1)
    return low, after.replace(month=1) if len(text) == _YEAR else after


def _moment(text: str, fraction: str | None) -> Interval:
    moment = datetime.fromisoformat(_LEAP_SECOND.sub(r"\1:59", _shortened(text, fraction)))
    zoned = moment.tzinfo is not None and EARLIEST.year < moment.year < LATEST.year
    low = moment.astimezone(UTC) if zoned else moment.replace(tzinfo=UTC)
    return low, _plus(low, _precision(text, fraction))


def _shortened(text: str, fraction: str | None) -> str:
    """Without the digits that are finer than a microsecond."""
    if fraction is None or len(fraction) <= _MICROSECOND_DIGITS:
        return text
    return text.replace(f".{fraction}", f".{fraction[:_MICROSECOND_DIGITS]}", 1)


def _precision(text: str, fraction: str | None) -> timedelta:
    if fraction is not None:
        return timedelta(microseconds=10 ** max(0, _MICROSECOND_DIGITS - len(fraction)))
    return timedelta(seconds=1) if text[16:17] == ":" else timedelta(minutes=1)


def _plus(low: datetime, length: timedelta) -> datetime:
    return low + length if low < LATEST - length else LATEST


def widened(low: datetime, high: datetime) -> Interval:
    """The range of `ap`: as long again on both sides, and no less than a day."""
    margin = max(high - low, _ONE_DAY)
    early = low - margin if low - EARLIEST > margin else EARLIEST
    late = high + margin if LATEST - high > margin else LATEST
    return early, late
