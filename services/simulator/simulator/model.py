"""The words of this world: payers, people on their books, authorizations they gave."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from kernel.period import Period
from x12.views.parties import Address, Member


@dataclass(frozen=True, slots=True)
class Payer:
    """One payer's policy. Percentages are whole numbers of hundredths; `letter` stands in its members' ids."""

    id: str
    letter: str
    name: str
    filing_indicator: str
    allowed_percent: int
    coinsurance_percent: int
    copay_cents: int
    copay_codes: frozenset[str]
    deductible_cents: int
    deductible_digits: frozenset[str]
    timely_filing_days: int
    authorization_codes: frozenset[str]
    tax_id: str
    routing: str
    account: str
    address: Address


@dataclass(frozen=True, slots=True)
class PayerRules:
    """Every payer by id, and what a member id's last digit makes it do."""

    payers: dict[str, Payer]
    behaviours: dict[str, str]

    def behaviour(self, member_id: str) -> str:
        """The effect for this member, empty when the payer just follows its policy."""
        return self.behaviours.get(member_id[-1:], "")


@dataclass(frozen=True, slots=True)
class Person:
    """A member as the payer's books have them. `plan` is when the coverage is in force."""

    member_id: str
    last: str
    first: str
    birth_date: date
    gender: str
    address: Address
    plan: Period

    def as_member(self) -> Member:
        """The same person in the words of X12."""
        return Member(
            last=self.last,
            first=self.first,
            member_id=self.member_id,
            birth_date=self.birth_date,
            gender=self.gender,
            address=self.address,
        )


@dataclass(frozen=True, slots=True)
class Authorization:
    """What a payer certified: good for one member, one code and a span of days."""

    number: str
    payer_id: str
    member_id: str
    code: str
    valid: Period
