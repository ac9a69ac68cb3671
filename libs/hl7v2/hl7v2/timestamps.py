"""HL7 times (DTM, before 2.5 TS): `YYYY[MM[DD[HH[MM[SS[.S[S[S[S]]]]]]]]][+/-ZZZZ]`, and what senders make of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone, tzinfo
from typing import Literal

from kernel.errors import Unreadable

Precision = Literal["year", "month", "day", "hour", "minute", "second", "fraction"]
_PRECISIONS: tuple[Precision, ...] = ("year", "month", "day", "hour", "minute", "second", "fraction")

_ZONE = r"\s*(?P<zone>Z|[+-]\d{2}(?::?\d{2})?)?"


def _time(colon: str) -> str:
    seconds = colon + r"(?P<second>\d{2})(?:[.,](?P<fraction>\d+))?"
    return rf"(?P<hour>\d{{2}})(?:{colon}(?P<minute>\d{{2}})(?:{seconds})?)?"


_STANDARD = re.compile(
    rf"(?P<year>\d{{4}})(?:(?P<month>\d{{2}})(?:(?P<day>\d{{2}})(?:[T ]?{_time('')})?)?)?{_ZONE}", re.ASCII
)
_ISO = re.compile(rf"(?P<year>\d{{4}})-(?P<month>\d{{2}})(?:-(?P<day>\d{{2}})(?:[T ]{_time(':')})?)?{_ZONE}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Timestamp:
    """A `date` (the first day of it) to the precision of a day and coarser, else a `datetime` with its zone."""

    value: date | datetime
    precision: Precision

    @property
    def day(self) -> date:
        """The calendar day in the zone of the sender."""
        return self.value.date() if isinstance(self.value, datetime) else self.value


def parse_timestamp(text: str, zone: tzinfo, path: str = "") -> Timestamp:
    """The time that `text` states; `zone` holds where it states no offset.

    Tolerated: ISO 8601 forms, a space before the time or the offset, a degree of precision after `^`, month or day 00
    (as coarser), 24:00, second 60. A text that could be read in two ways (03/04/2026) is not guessed at.
    Error: `hl7.timestamp` with `path`.
    """
    stated = text.partition("^")[0].strip()
    match = _ISO.fullmatch(stated) or _STANDARD.fullmatch(stated)
    if match is None:
        raise _unreadable(path, "not of the form YYYYMMDDHHMMSS.SSSS+ZZZZ")
    try:
        return _timestamp(match, zone)
    except (ValueError, OverflowError):
        raise _unreadable(path, "no such day, time or offset") from None


def _timestamp(match: re.Match[str], zone: tzinfo) -> Timestamp:
    year, month, day = (int(match[name] or 0) for name in ("year", "month", "day"))
    if not month or not day:
        return Timestamp(date(year, month or 1, 1), "month" if month else "year")
    if match["hour"] is None:
        return Timestamp(date(year, month, day), "day")
    moment = datetime(year, month, day, tzinfo=_zone(match["zone"]) or zone) + _since_midnight(match)
    depth = 3 + sum(match[name] is not None for name in ("minute", "second", "fraction"))
    return Timestamp(moment, _PRECISIONS[depth])


def _since_midnight(match: re.Match[str]) -> timedelta:
    """The wall clock's reading; 24:00 and second 60 run over into what follows."""
    hour, minute, second = (int(match[name] or 0) for name in ("hour", "minute", "second"))
    micros = int((match["fraction"] or "0")[:6].ljust(6, "0"))
    if hour > 24 or minute > 59 or second > 60 or (hour == 24 and (minute or second or micros)):
        raise ValueError
    return timedelta(hours=hour, minutes=minute, seconds=second, microseconds=micros)


def _zone(text: str | None) -> tzinfo | None:
    if not text:
        return None
    digits = text[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    if offset > timedelta(hours=14) or int(digits[2:]) > 59:
        raise ValueError
    return timezone(-offset if text[0] == "-" else offset)


def _unreadable(path: str, reason: str) -> Unreadable:
    return Unreadable("hl7.timestamp", path, reason)


def format_timestamp(moment: datetime) -> str:
    """DTM of a moment with a zone: to the second, with a fraction of four digits where there is one."""
    if moment.utcoffset() is None:
        raise ValueError("a moment without a zone")
    fraction = f".{moment.microsecond // 100:04d}" if moment.microsecond else ""
    return f"{moment:%Y%m%d%H%M%S}{fraction}{moment:%z}"[: 19 + len(fraction)]
