"""The words of prior authorization: what was ordered, whether the payer wants to be asked, and what it decided."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

from kernel.person import Person

_TRACES = uuid.UUID("ea541e2c-3784-50d5-8442-1747c7538a76")


class Requirement(StrEnum):
    """Whether a payer wants to authorize a service beforehand. UNSPECIFIED: nobody can tell, the payer is not known."""

    UNSPECIFIED = "unspecified"
    NOT_REQUIRED = "not-required"
    REQUIRED = "required"


class Decision(StrEnum):
    """What the payer decided. UNKNOWN: it could not be asked, or its answer decides nothing."""

    NOT_ASKED = "not-asked"
    APPROVED = "approved"
    PARTIAL = "partial"
    DENIED = "denied"
    PENDED = "pended"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One ordered service, with everything needed to ask the payer about it.

    `authorization_id` is derived from order and code; `subject_key` stands for patient and coverage. `patient`,
    `coverage`, `order`, `encounter` are FHIR references. `on` to `until` is when the service is to take place.
    `units` is exact decimal text, `diagnoses` ICD-10-CM without the point. `obstacle` names why the payer cannot be
    asked, empty when it can. `off` when the order has been withdrawn. `request_id` names the submitted request that it
    is an item of.
    """

    authorization_id: str
    subject_key: str
    patient: str
    order: str
    on: date
    until: date
    code: str = ""
    coverage: str = ""
    encounter: str = ""
    payer_id: str = ""
    payer_name: str = ""
    requester_npi: str = ""
    requester_name: str = ""
    subscriber: Person = field(default_factory=Person)
    dependent: Person | None = None
    units: str = "1"
    diagnoses: tuple[str, ...] = ()
    place_of_service: str = ""
    urgent: bool = False
    obstacle: str = ""
    off: bool = False
    journey_id: str = ""
    request_id: str = ""

    @property
    def ordering_key(self) -> str:
        return self.encounter or self.order

    def digest(self) -> str:
        """Changes with every fact that could change the payer's decision."""
        what = (self.payer_id, self.code, self.units, self.diagnoses, self.place_of_service, self.on, self.until)
        who = (self.requester_npi, self.subscriber, self.dependent, self.urgent, self.obstacle)
        return hashlib.sha256(repr((what, who)).encode()).hexdigest()

    def trace(self) -> str:
        """TRN02: the same for the same request, so that the payer knows a repeated question; new once it changes."""
        return uuid.uuid5(_TRACES, f"{self.authorization_id}|{self.digest()}").hex.upper()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What the rule rows say: the requirement, the row that decided it, and its sentence."""

    requirement: Requirement
    rule_id: str = ""
    because: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a 278 says: HCR01 `action`, HCR02 `number`, HCR03 `reasons`, AAA03 `rejections`; days and units if told."""

    action: str = ""
    number: str = ""
    reasons: tuple[str, ...] = ()
    rejections: tuple[str, ...] = ()
    valid_from: date | None = None
    valid_to: date | None = None
    units: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One attempt to ask: raw 278s, the answer when it could be read, else the code of the failure."""

    sent: bytes = b""
    received: bytes = b""
    answer: Answer | None = None
    failure: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorization:
    """The standing of one ordered service. `number` goes to the claim's REF*G1 while `valid_from`..`valid_to` holds.

    `retriable`: nobody decided and asking again can help. `asked_at` is the first attempt with these facts. `action`
    and `review_reasons` are the payer's own codes (HCR01, HCR03), empty when it gave none.
    """

    authorization_id: str
    subject_key: str
    code: str
    payer_id: str
    order: str
    requirement: Requirement
    decision: Decision
    number: str = ""
    valid_from: date | None = None
    valid_to: date | None = None
    units: str = ""
    rule_id: str = ""
    reason: str = ""
    retriable: bool = False
    digest: str = ""
    version: int = 0
    asked_at: datetime | None = None
    action: str = ""
    review_reasons: tuple[str, ...] = ()

    def covers(self, on: date) -> bool:
        """Whether the day lies in the validity; an unlimited side is open, a validity never told covers nothing."""
        if self.valid_from is None and self.valid_to is None:
            return False
        return (self.valid_from or on) <= on <= (self.valid_to or on)

    @property
    def needs_person(self) -> bool:
        """The service may not be done, or not be paid, unless somebody acts."""
        if self.requirement is not Requirement.REQUIRED:
            return False
        granted = self.decision in (Decision.APPROVED, Decision.PARTIAL)
        return not self.number if granted else self.decision is not Decision.PENDED

    @property
    def settled(self) -> bool:
        """Nothing is gained by asking with the same facts again."""
        return self.decision not in (Decision.PENDED, Decision.UNKNOWN)

    def says_the_same(self, other: Authorization | None) -> bool:
        """Whether the line learns nothing new from it."""
        return other is not None and self._told() == other._told()

    def _told(self) -> tuple[object, ...]:
        what = (self.requirement, self.decision, self.number, self.reason, self.rule_id)
        return (*what, self.valid_from, self.valid_to, self.units, self.payer_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A request that waits for a timer, what the rules said of it, and how often it has been sent."""

    order: Order
    ruling: Ruling
    version: int = 0
    tries: int = 0


@dataclass(frozen=True, slots=True)
class WorkItem:
    """The work item of one authorization. `round` rises each time that it opens again after it was closed."""

    authorization_id: str
    round: int
    work_id: str
    open: bool


@dataclass(frozen=True, slots=True)
class Determined:
    """authorization.determined."""

    order: Order
    authorization: Authorization


@dataclass(frozen=True, slots=True)
class WorkOpened:
    """Somebody must obtain the authorization, or decide to go without, before `order.on`."""

    work_id: str
    order: Order
    reason: str


@dataclass(frozen=True, slots=True)
class WorkClosed:
    """The authorization has been granted since ("resolved"), or nobody needs it any more ("cancelled")."""

    work_id: str
    order: Order
    outcome: str = "resolved"


Fact = Determined | WorkOpened | WorkClosed


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceQuestion:
    """What a claim asks about one code: is an authorization required there and then, and which one covers it."""

    payer_id: str
    code: str
    on: date
    place_of_service: str = ""
    diagnoses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PayerRow:
    """A payer whose requirements are on file, in force from and to a day, both included."""

    id: str
    name: str
    effective_from: date
    effective_to: date | None = None

    def in_force(self, on: date) -> bool:
        return self.effective_from <= on and (self.effective_to is None or on <= self.effective_to)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How requests without a decision are repeated (seconds), and when a pended one becomes a person's matter.

    A payer has 72 hours for an urgent and 7 calendar days for a standard request (CMS-0057-F, from 2026-01-01).
    """

    retry_waits_s: tuple[int, ...] = (30, 120, 600, 3600)
    max_tries: int = 5
    urgent_hours: int = 72
    standard_hours: int = 168

    def wait_after(self, tries: int) -> timedelta:
        return timedelta(seconds=self.retry_waits_s[min(max(tries, 1), len(self.retry_waits_s)) - 1])

    def time_to_decide(self, order: Order) -> timedelta:
        return timedelta(hours=self.urgent_hours if order.urgent else self.standard_hours)


Payers = Mapping[str, PayerRow]


@dataclass(frozen=True, slots=True)
class SubmittedItem:
    """One item of a Claim that was submitted for preauthorization. `sequence` is the sender's and never changes."""

    sequence: int
    order: Order


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmittedRequest:
    """A submitted Claim as it is kept for $inquire: the texts that came, and what it can be found by.

    `member_key` stands for the payer's member, whoever sent the request; `identifiers` are "system|value".
    """

    request_id: str
    client_id: str
    subject_key: str
    member_key: str
    identifiers: tuple[str, ...]
    codes: tuple[str, ...]
    resource: bytes
    context: bytes
