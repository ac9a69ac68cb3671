"""Money is integer cents: the only way in and out of decimal text, and the only way to split an amount."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from kernel.errors import Unreadable

_AMOUNT_TEXT = re.compile(r"(-?)([0-9]{1,13})(?:\.([0-9]{1,2}))?")


def to_cents(value: Decimal | str, path: str = "") -> int:
    """Exact cents of a decimal amount with at most two decimals and thirteen whole digits; never rounds.

    `path` is where the amount stood, for the error. Raises Unreadable("amount_format") for exponents, NaN,
    infinities, a third decimal (even a zero) and anything else that is not plain digits; TypeError for floats.
    """
    if not isinstance(value, (Decimal, str)):
        raise TypeError("an amount is a Decimal or a str, never a float or an int of unknown unit")
    match = _AMOUNT_TEXT.fullmatch(str(value))
    if match is None:
        raise Unreadable("amount_format", path, "an amount has up to 13 digits and at most 2 decimals")
    sign, whole, decimals = match.groups()
    cents = int(whole) * 100 + int((decimals or "").ljust(2, "0"))
    return -cents if sign else cents


def from_cents(cents: int) -> str:
    """Decimal text with exactly two decimals: -1230 is "-12.30"."""
    whole, rest = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}{whole}.{rest:02d}"


def split_cents(total_cents: int, weights: Sequence[int]) -> tuple[int, ...]:
    """Split a total by weights with the largest-remainder method; the parts always sum to the total.

    Weights are whole numbers, none negative, not all zero (ValueError). Equal remainders favour the earlier part.
    """
    weight_sum = sum(weights)
    if weight_sum <= 0 or min(weights) < 0:
        raise ValueError("weights must be non-negative and not all zero")
    sign = -1 if total_cents < 0 else 1
    shares = [divmod(abs(total_cents) * weight, weight_sum) for weight in weights]
    parts = [share for share, _ in shares]
    by_remainder = sorted(range(len(parts)), key=lambda index: -shares[index][1])
    for index in by_remainder[: abs(total_cents) - sum(parts)]:
        parts[index] += 1
    return tuple(sign * part for part in parts)
