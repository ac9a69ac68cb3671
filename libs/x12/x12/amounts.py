"""Money between integer cents and X12 decimal text, exactly."""

from __future__ import annotations

import re

_DECIMAL = re.compile(r"(-?)([0-9]*)(?:\.([0-9]*))?")
_MOST_DIGITS = 30


class AmountError(ValueError):
    """The text is not an amount of whole cents. Never holds the text."""


def to_cents(text: str) -> int:
    """Cents of an X12 decimal ("12", "12.5", "-.75"); AmountError for anything else, also for a third decimal."""
    # the two usual forms first: this is done for every amount of a file
    whole, point, fraction = text.partition(".")
    digits = whole + fraction
    if len(digits) <= _MOST_DIGITS and digits.isdigit() and digits.isascii():
        if len(fraction) == 2:
            return int(digits)
        if not point:
            return int(digits) * 100
    match = _DECIMAL.fullmatch(text)
    if match is None:
        raise AmountError("not an X12 decimal number")
    sign, whole, fraction = match.group(1), match.group(2), match.group(3) or ""
    if not whole and not fraction:
        raise AmountError("an amount without digits")
    if len(fraction) > 2:
        raise AmountError("more than two decimals")
    # far beyond the 18 digits of element 782; Python itself refuses to read thousands of digits
    if len(whole) > _MOST_DIGITS:
        raise AmountError("too many digits")
    cents = int(whole or "0") * 100 + int(fraction.ljust(2, "0") or "0")
    return -cents if sign else cents


def from_cents(cents: int) -> str:
    """The shortest X12 text of an amount: 1250 -> "12.5", 1200 -> "12", -75 -> "-.75" as "-0.75"."""
    whole, rest = divmod(abs(cents), 100)
    text = f"{whole}.{rest:02d}".rstrip("0").rstrip(".") if rest else str(whole)
    return f"-{text}" if cents < 0 else text
