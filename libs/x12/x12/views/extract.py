"""X12 values back to Python values, with a path when they cannot be."""

from __future__ import annotations

from datetime import date

from x12.amounts import AmountError, to_cents
from x12.loops import guide_of, walk
from x12.tree import Loop, Segment, TransactionSet
from x12.views.compose import ViewError


def opened(transaction: TransactionSet, *names: str) -> Loop:
    """The loops of a set whose guide is one of `names`; ViewError for any other set."""
    guide = guide_of(transaction)
    if guide is None or guide.name not in names:
        raise ViewError("ST01", f"not a {' or '.join(names)} of a guide that is known")
    root = walk(guide, transaction.segments, transaction.delimiters.component)
    return root.loop()


def cents(text: str, path: str) -> int:
    """Cents of an amount; 0 for an absent one."""
    try:
        return to_cents(text) if text else 0
    except AmountError as error:
        raise ViewError(path, str(error)) from None


def optional_cents(text: str, path: str) -> int | None:
    """Cents of an amount; None for an absent one."""
    return cents(text, path) if text else None


def amount(loop: Loop, qualifier: str) -> int | None:
    """AMT02 of the AMT with that qualifier."""
    return optional_cents(loop.value("AMT", 2, qualifier), f"AMT*{qualifier}")


def day(text: str, path: str) -> date | None:
    """A date of CCYYMMDD; None for an absent one."""
    if not text:
        return None
    try:
        if len(text) != 8 or not (text.isascii() and text.isdigit()):
            raise ValueError
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        raise ViewError(path, "not a date") from None


def required_day(text: str, path: str) -> date:
    """A date that must be there."""
    found = day(text, path)
    if found is None:
        raise ViewError(path, "a date is missing")
    return found


def period(segment: Segment | None, path: str) -> tuple[date | None, date | None]:
    """Start and end of a DTP; the end is None when it gives one day. A date with a time keeps its day."""
    if segment is None:
        return None, None
    start, _, end = segment.get(3).partition("-")
    first, last = day(start[:8], path), day(end[:8], path)
    return first, None if last == first else last


def split(text: str, mark: str, count: int) -> list[str]:
    """The components of a composite, padded with empty ones up to `count`."""
    parts = text.split(mark) if mark else [text]
    return parts + [""] * (count - len(parts))


def listed(text: str, mark: str) -> tuple[str, ...]:
    """The repetitions of an element."""
    return tuple(text.split(mark) if mark else [text]) if text else ()


def whole(text: str, path: str) -> int:
    """An integer."""
    if not (text.isascii() and text.lstrip("-").isdigit()):
        raise ViewError(path, "not a whole number")
    return int(text)
