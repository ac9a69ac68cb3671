"""The words of a coverage check: what is asked, what the payer said, what we make of it, and what the line is told."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from kernel.person import Person


class Status(StrEnum):
    """What is known of a coverage on a day. UNKNOWN is never passed on as active."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    UNKNOWN = "unknown"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One coverage to be verified on one day, with everything needed to ask its payer.

    `subject_key` stands for patient and coverage; `patient`, `coverage`, `payor`, `provider` are FHIR references.
    `obstacle` names why the payer cannot be asked at all ("no-coverage", "payer-unknown", ...), empty when it can.
    `encounter` or `appointment` say what the check is for; both are empty when a claim asks.
    """

    subject_key: str
    patient: str
    on: date
    coverage: str = ""
    payor: str = ""
    provider: str = ""
    payer_id: str = ""
    payer_name: str = ""
    provider_npi: str = ""
    provider_name: str = ""
    subscriber: Person = field(default_factory=Person)
    dependent: Person | None = None
    service_types: tuple[str, ...] = ("30",)
    obstacle: str = ""
    encounter: str = ""
    appointment: str = ""
    journey_id: str = ""

    @property
    def key(self) -> str:
        """Names the coverage and the day: timers, gaps and parallel calls meet under it."""
        return f"{self.subject_key}|{self.on.isoformat()}"

    @property
    def ordering_key(self) -> str:
        """Facts of one visit keep their order; without a visit those of one coverage do."""
        return self.encounter or self.appointment or self.subject_key

    @property
    def person(self) -> Person:
        """Who the coverage question is about."""
        return self.dependent or self.subscriber

    def digest(self) -> str:
        """Changes with every fact that could change the payer's answer, the day apart."""
        people = (self.subscriber, self.dependent)
        asked = (self.payer_id, self.provider_npi, people, self.service_types, self.obstacle)
        return hashlib.sha256(repr(asked).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Benefit:
    """One amount or limit of the plan. `percent` is exact decimal text of per cents, `network` in, out or any.

    `kind` is copay, coinsurance, deductible, deductible-remaining, out-of-pocket, out-of-pocket-remaining,
    limitation or not-covered.
    """

    kind: str
    service_type: str
    amount_cents: int | None = None
    percent: str = ""
    network: str = "any"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one 271 says. `active` is None when it says nothing; `rejections` are AAA03 codes in order."""

    trace: str = ""
    active: bool | None = None
    rejections: tuple[str, ...] = ()
    benefits: tuple[Benefit, ...] = ()
    plan_begin: date | None = None
    plan_end: date | None = None
    person: Person = field(default_factory=Person)
    authorization: bool = False
    other_payer_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One attempt to ask: raw 270, what came back, the answer when it could be read, else the code of the failure."""

    verification_id: str
    sent: bytes = b""
    received: bytes = b""
    answer: Answer | None = None
    failure: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """Where the record and the payer differ: the field, the payer's AAA03 when it gave one, and what to do."""

    field: str
    aaa: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """The outcome of a check, kept with its moment. `reason` is empty only for a clean active coverage."""

    verification_id: str
    subject_key: str
    on: date
    checked_at: datetime
    status: Status
    reason: str = ""
    retriable: bool = False
    payer_id: str = ""
    digest: str = ""
    benefits: tuple[Benefit, ...] = ()
    mismatches: tuple[Mismatch, ...] = ()
    plan_begin: date | None = None
    plan_end: date | None = None
    authorization: bool = False
    other_payer_id: str = ""

    @property
    def clean(self) -> bool:
        """Active, and the payer knows the person as we do."""
        return self.status is Status.ACTIVE and not self.mismatches

    @property
    def gap(self) -> bool:
        """A person must correct something; an answer that is still being awaited is no gap yet."""
        return not self.clean and not self.retriable

    def says_the_same(self, other: Verification | None) -> bool:
        """Whether the line learns nothing new from it."""
        return other is not None and (self.status, self.reason, self.mismatches) == (
            other.status,
            other.reason,
            other.mismatches,
        )


@dataclass(frozen=True, slots=True)
class Pending:
    """A question that waits for a timer, and how often it has been asked in vain."""

    question: Question
    tries: int = 0


class Occasion(StrEnum):
    """Why a coverage is checked: for a visit, again after no answer, or because a claim asks."""

    VISIT = "visit"
    RETRY = "retry"
    CLAIM = "claim"


@dataclass(frozen=True, slots=True)
class Visit:
    """The newest version seen of an appointment or encounter, and the `key` of the question that it led to."""

    reference: str
    version: int
    key: str


@dataclass(frozen=True, slots=True)
class Gap:
    """A work item about one coverage and day. `round` rises each time that it opens again after it was closed."""

    key: str
    round: int
    work_id: str
    open: bool


@dataclass(frozen=True, slots=True)
class CoverageFound:
    """A check came to an outcome: coverage.verified, or coverage.gap_found when a person must act."""

    question: Question
    verification: Verification


@dataclass(frozen=True, slots=True)
class GapOpened:
    """A person must look at a coverage before `question.on`."""

    work_id: str
    question: Question
    reason: str


@dataclass(frozen=True, slots=True)
class GapClosed:
    """The coverage of a work item has been verified since ("resolved"), or nobody needs it any more ("cancelled")."""

    work_id: str
    question: Question
    outcome: str = "resolved"


Fact = CoverageFound | GapOpened | GapClosed


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """A row on a refusal code (AAA03): the field at fault, what to do, and whether asking again later can help."""

    code: str
    field: str
    remedy: str
    retry: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PayerRow:
    """A payer that can be asked, in force from and to a day, both included."""

    id: str
    name: str
    effective_from: date
    effective_to: date | None = None

    def in_force(self, on: date) -> bool:
        return self.effective_from <= on and (self.effective_to is None or on <= self.effective_to)


@dataclass(frozen=True, slots=True)
class Tables:
    """The rows that decide checks: payers by id, refusal codes by code, remedies of found differences by field."""

    payers: Mapping[str, PayerRow]
    rejections: Mapping[str, Rejection]
    remedies: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How long an answer holds (hours), and how a question without an answer is repeated (seconds)."""

    max_age_hours: int = 72
    retry_waits_s: tuple[int, ...] = (30, 120, 600, 3600)
    max_tries: int = 5
    previsit_hours: int = 24

    def wait_after(self, tries: int) -> int | None:
        """Seconds until the next attempt after `tries` vain ones; None when it is a person's turn."""
        if tries >= self.max_tries:
            return None
        return self.retry_waits_s[min(tries, len(self.retry_waits_s)) - 1]
