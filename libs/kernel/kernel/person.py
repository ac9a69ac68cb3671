"""Somebody on a policy, in the words that payers compare."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Person:
    """As the record or as the payer has them. `gender` is F, M, U or empty."""

    last: str = ""
    first: str = ""
    birth_date: date | None = None
    gender: str = ""
    member_id: str = ""
