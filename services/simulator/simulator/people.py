"""Who the payers' members are. A member id says it all: whoever knows the id, EHR or payer, derives the same person.

So the payers' books hold any number of members without a table, and a demo, a test and a load run of any seed agree.
Names are visibly invented; nobody real is described.

A member id is `SYN`, the payer's letter, nine digits of serial (odd: male), a plan digit (9: plan ended), a check
digit, and a last digit that chooses the payer's behaviour.
"""

from __future__ import annotations

import hashlib
import re
from datetime import date, timedelta

from kernel.period import Period
from x12.views.parties import Address

from simulator.model import Person

_ID = re.compile(r"SYN([AB])([0-9]{9})([0-9])([0-9])([0-9])")
_LAPSED = "9"
_PLAN_BEGIN = date(2015, 1, 1)
_PLAN_END = date(2023, 12, 31)
_SEED_STRIDE = 1_000_003

_LAST = tuple(
    f"{mark}-{tree}"
    for mark, trees in (
        ("Sample", ("Alder", "Ash", "Aspen", "Beech", "Cedar", "Elm", "Fir", "Hazel", "Holly", "Juniper", "Larch")),
        ("Test", ("Birch", "Cypress", "Hawthorn", "Hemlock", "Hickory", "Magnolia", "Maple", "Oak", "Pine", "Rowan")),
    )
    for tree in trees
)
_FIRST = {
    "F": ["Testa", "Demoia", "Fictia", "Mockia", "Sampla", "Trialle", "Placida", "Exampla"],
    "M": ["Testor", "Demos", "Fictus", "Mockus", "Samplo", "Trial", "Placidus", "Exemplar"],
}
_STREETS = ("Sample", "Test", "Example", "Placeholder", "Fixture")
# Commercial members are of working age, members of the Medicare-like payer at least 65.
_BORN = {"A": (date(1966, 1, 1), 14_000), "B": (date(1932, 1, 1), 9_000)}


def member_id(letter: str, seed: int, index: int, *, gender: str, digit: str, lapsed: bool = False) -> str:
    """The id of the `index`-th member of a seed; unique for up to a million members of one seed."""
    serial = (seed * _SEED_STRIDE + index) * 2 % 1_000_000_000 + (gender == "M")
    body = f"{serial:09d}{_LAPSED if lapsed else '0'}"
    return f"SYN{letter}{body}{_check_digit(letter + body)}{digit}"


def find_person(member_id: str, letter: str) -> Person | None:
    """The member whom the payer with that letter knows by this id, if any."""
    match = _ID.fullmatch(member_id)
    if match is None or match[1] != letter or match[4] != _check_digit(letter + match[2] + match[3]):
        return None
    draw = int.from_bytes(hashlib.sha256(member_id.encode()).digest(), "big")
    gender = "M" if int(match[2]) % 2 else "F"
    born, span = _BORN[letter]
    return Person(
        member_id=member_id,
        last=_LAST[draw % len(_LAST)],
        first=_FIRST[gender][(draw >> 16) % len(_FIRST[gender])],
        birth_date=born + timedelta(days=(draw >> 32) % span),
        gender=gender,
        address=_address(draw >> 64),
        plan=Period(_PLAN_BEGIN, _PLAN_END if match[3] == _LAPSED else None),
    )


def looks_like_member_id(member_id: str) -> bool:
    """A member id of this world, though perhaps mistyped: the payer asks for a correct one instead of a person."""
    return _ID.fullmatch(member_id) is not None


def _address(draw: int) -> Address:
    street = _STREETS[(draw >> 16) % len(_STREETS)]
    return Address(f"{draw % 9000 + 1} {street} Street", "Austin", "TX", f"78701{draw % 9000 + 1:04d}")


def _check_digit(text: str) -> str:
    """Luhn over the digits, the payer's letter counting by its place in the alphabet: no single slip goes unseen."""
    digits = [int(sign) if sign.isdigit() else ord(sign) - ord("A") + 1 for sign in text]
    doubled = [value if place % 2 else value * 2 - 9 * (value > 4) for place, value in enumerate(reversed(digits))]
    return str(-sum(doubled) % 10)
