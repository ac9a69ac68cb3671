"""The people and organisations that several transactions name in the same way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Address:
    """N3 and N4. `postal_code` without a hyphen; `country` only outside the United States."""

    line1: str
    city: str
    state: str = ""
    postal_code: str = ""
    line2: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True)
class Contact:
    """PER: telephone, e-mail, fax and extension of a contact."""

    name: str = ""
    phone: str = ""
    email: str = ""
    fax: str = ""
    extension: str = ""


@dataclass(frozen=True, slots=True)
class Payer:
    """Who pays. `id_qualifier` is NM108: PI payer id, XV health plan id."""

    id: str
    name: str
    id_qualifier: str = "PI"
    address: Address | None = None


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider by NPI. `last` is the organisation's name when `first` is empty and `is_person` false."""

    npi: str
    last: str = ""
    first: str = ""
    middle: str = ""
    suffix: str = ""
    is_person: bool = True
    taxonomy: str = ""
    address: Address | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """A person on a policy. `gender` is F, M, U or empty; `relationship` is INS02/PAT01 for a dependent."""

    last: str
    first: str = ""
    member_id: str = ""
    birth_date: date | None = None
    gender: str = ""
    middle: str = ""
    suffix: str = ""
    group_number: str = ""
    address: Address | None = None
    relationship: str = ""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """An ICD-10-CM code without its point; ABK principal, ABF other. `present` is the present-on-admission indicator
    of an institutional claim (HI-9): Y, N, U, W or empty."""

    code: str
    qualifier: str = "ABK"
    present: str = ""


@dataclass(frozen=True, slots=True)
class Adjustment:
    """One reason of a CAS segment: group CO, PR, OA or PI, CARC, cents taken off the charge, and a quantity."""

    group: str
    reason: str
    amount_cents: int
    quantity: str = ""


@dataclass(frozen=True, slots=True)
class Rejection:
    """AAA: the request could not be worked on. `level` is the loop, `code` AAA03, `follow_up` AAA04."""

    level: str
    code: str
    follow_up: str = ""
    valid_request: bool = False
