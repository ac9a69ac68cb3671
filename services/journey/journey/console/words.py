"""How the console writes amounts, instants, lengths of time and shares: the same everywhere, exact, for people."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

MICROSECOND = timedelta(microseconds=1)
# Unit, its length in microseconds: lengths are written in the two largest that they have.
UNITS: tuple[tuple[str, int], ...] = (
    ("d", 86_400_000_000),
    ("h", 3_600_000_000),
    ("min", 60_000_000),
    ("s", 1_000_000),
)
NOTHING = "–"


def dollars(cents: int | None) -> str:
    """Cents as dollars with two decimals: 1234567 -> $12,345.67."""
    if cents is None:
        return NOTHING
    sign = "−" if cents < 0 else ""
    return f"{sign}${abs(cents) // 100:,}.{abs(cents) % 100:02d}"


def short_dollars(cents: int | None) -> str:
    """Cents in three digits, for charts: 1234567 -> $12.3k."""
    if cents is None:
        return NOTHING
    sign, whole = ("−" if cents < 0 else ""), abs(cents) / 100
    for size, letter in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if whole >= size:
            return f"{sign}${whole / size:.3g}{letter}" if whole / size < 1000 else f"{sign}${whole / size:.0f}{letter}"
    return f"{sign}${whole:.0f}"


def number(value: int | None) -> str:
    """A count with separators."""
    return NOTHING if value is None else f"{value:,}"


def share(numerator: float, denominator: float) -> str:
    """A share in percent with one decimal; nothing of nothing has none."""
    return f"{100 * numerator / denominator:.1f} %" if denominator else NOTHING


def lasting(length_us: float | timedelta | None) -> str:
    """A length of time in its two largest units: 3 d 4 h, 152 ms."""
    if length_us is None:
        return NOTHING
    us = length_us // MICROSECOND if isinstance(length_us, timedelta) else round(length_us)
    if us < 0:
        return "−" + lasting(-us)
    if us < 1_000:
        return f"{us} µs" if us else "0 s"
    if us < 1_000_000:
        return f"{us / 1_000:.3g} ms" if us < 99_950 else f"{us // 1_000} ms"
    if us < 60_000_000:
        return f"{us / 1_000_000:.3g} s"
    return _two_units(us)


def _two_units(us: int) -> str:
    parts: list[str] = []
    for name, size in UNITS:
        count, us = divmod(us, size)
        if count or parts:
            parts.append(f"{count} {name}" if count else "")
    return " ".join(part for part in parts[:2] if part)


def instant(moment: datetime | None) -> str:
    """A moment to the second, with its zone: 2026-03-01 14:05:09 UTC."""
    return NOTHING if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def exact(moment: datetime | None) -> str:
    """A moment to the microsecond."""
    return NOTHING if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f UTC")


def second(moment: datetime | None) -> str:
    """A moment to the second, for columns whose head names the zone."""
    return NOTHING if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def milli(moment: datetime | None) -> str:
    """A moment to the millisecond, for columns whose head names the zone."""
    return NOTHING if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def minute(moment: datetime | None) -> str:
    """A moment to the minute, for columns whose head names the zone."""
    return NOTHING if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M")


def day(moment: date | datetime | None) -> str:
    """A date."""
    return NOTHING if moment is None else moment.strftime("%Y-%m-%d")


def machine_time(moment: datetime) -> str:
    """A moment for the attribute of a <time> element."""
    return moment.astimezone(UTC).isoformat()


def plain(word: Any) -> str:
    """A code of ours as words: coder-review -> coder review; nothing -> a dash."""
    return str(word).replace("-", " ").replace("_", " ") if word else NOTHING


def or_dash(value: Any) -> str:
    """The value, or a dash where there is none."""
    return NOTHING if value in (None, "") else str(value)


def as_they_are(values: Iterable[str]) -> list[tuple[str, str]]:
    """Values for a choice that shows them unchanged."""
    return [(value, value) for value in values]


FILTERS: dict[str, Callable[..., Any]] = {
    "dollars": dollars,
    "short_dollars": short_dollars,
    "number": number,
    "lasting": lasting,
    "instant": instant,
    "exact": exact,
    "minute": minute,
    "second": second,
    "milli": milli,
    "as_they_are": as_they_are,
    "day": day,
    "machine_time": machine_time,
    "plain": plain,
    "or_dash": or_dash,
}
