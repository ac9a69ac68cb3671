"""Identifiers that say nothing about a person: aggregate ids, journey ids, claim control numbers; and the NPI check."""

from __future__ import annotations

import secrets
import time
import uuid

_CONTROL_LETTERS = "BCDFGHJKMNPQRSTVWXYZ"  # no vowels (no words), no L (reads as 1)
_CONTROL_SYMBOLS = "0123456789" + _CONTROL_LETTERS
_CONTROL_LENGTH = 17  # the design fixes 17, well within the 20 that a CLM01 holds
_CONTROL_BITS = 82
_NPI_PREFIX_SUM = 24  # what the card issuer prefix 80840 adds to the Luhn sum


def new_id(clock_ms: int, rand: int) -> str:
    """UUIDv7 (RFC 9562) from Unix milliseconds and 74 random bits; sorts by time."""
    rand_a, rand_b = (rand >> 62) & 0xFFF, rand & 0x3FFF_FFFF_FFFF_FFFF
    value = (clock_ms & 0xFFFF_FFFF_FFFF) << 80 | 0x7 << 76 | rand_a << 64 | 0b10 << 62 | rand_b
    return str(uuid.UUID(int=value))


def uuid7() -> str:
    """A new id from the machine's own clock and randomness."""
    return new_id(time.time_ns() // 1_000_000, secrets.randbits(74))


def journey_id() -> str:
    """128 random bits as 32 lower-case hex digits, never all zero (W3C trace context forbids a zero trace id)."""
    return f"{secrets.randbelow((1 << 128) - 1) + 1:032x}"


def control_number(rand: int | None = None) -> str:
    """An opaque patient control number (CLM01): 17 characters, the first a letter so that nobody strips zeros.

    `rand` gives 82 bits for a repeatable number; without it they are drawn anew.
    """
    value = secrets.randbits(_CONTROL_BITS) if rand is None else rand
    value, first = divmod(value, len(_CONTROL_LETTERS))
    symbols = [_CONTROL_LETTERS[first]]
    for _ in range(_CONTROL_LENGTH - 1):
        value, index = divmod(value, len(_CONTROL_SYMBOLS))
        symbols.append(_CONTROL_SYMBOLS[index])
    return "".join(symbols)


def npi_valid(npi: str) -> bool:
    """Ten digits, the first 1 or 2, with the Luhn check digit over the prefix 80840 (45 CFR 162.406)."""
    if len(npi) != 10 or not (npi.isascii() and npi.isdigit()) or npi[0] not in "12":
        return False
    return (_NPI_PREFIX_SUM + sum(map(_luhn_value, range(10), npi))) % 10 == 0


def _luhn_value(position: int, digit: str) -> int:
    value = int(digit)
    if position % 2:
        return value
    return value * 2 - 9 if value > 4 else value * 2
