"""Who we are to a clearinghouse, and the record's words in the form in which trading partners compare them."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from kernel.person import Person
from x12.views.envelope import Envelope
from x12.views.parties import Member

_CONTROL_NUMBERS = 999_999_999


@dataclass(frozen=True, slots=True)
class Trading:
    """Our id (ISA06), the clearinghouse's (ISA08), and whether we test (T) or produce (P)."""

    submitter_id: str
    receiver_id: str
    usage: str

    def envelope(self, message: UUID, now: datetime) -> Envelope:
        """An interchange of its own for one message, whose id gives the control number."""
        return Envelope(
            sender_id=self.submitter_id,
            receiver_id=self.receiver_id,
            control_number=message.int % _CONTROL_NUMBERS + 1,
            created=now,
            usage=self.usage,
        )


def x12_text(text: str) -> str:
    """Upper case without accents or the characters that X12 reserves, single spaces: what payers compare."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().upper()
    return " ".join("".join(c if c.isalnum() or c in " '-.,&/()" else " " for c in plain).split())


def x12_member(person: Person) -> Member:
    """A person of the record as a loop of subscriber or dependent holds them."""
    return Member(
        last=x12_text(person.last),
        first=x12_text(person.first),
        member_id=person.member_id,
        birth_date=person.birth_date,
        gender=person.gender,
    )
