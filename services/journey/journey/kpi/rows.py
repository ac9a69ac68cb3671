"""The rows that the KPIs' SQL runs over: what one visit, claim, denial or movement of money comes to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A journey as charges see it. `gross_cents`: the last captured charges; `billed`: a primary claim was built."""

    journey_id: str
    feed: str
    provider: str
    service_on: date | None
    finished_at: datetime | None
    charged_at: datetime | None
    gross_cents: int
    cancelled: bool
    billed: bool
    missing_charge: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A claim, its first answers and its balance as it stands. `receivable_cents`: what payer and patient still owe."""

    claim_id: str
    journey_id: str
    payer_id: str
    payer_class: str
    provider: str
    feed: str
    is_primary: bool
    service_on: date | None
    billed_cents: int
    built_at: datetime | None
    clean: bool
    submitted_at: datetime | None
    accepted_at: datetime | None
    first_answer: str
    accepted: int
    rejected: int
    voided: bool
    posted_at: datetime | None
    received_at: datetime | None
    resolved_first: bool
    paid_cents: int
    adjusted_cents: int
    contractual_cents: int
    patient_cents: int
    open_cents: int
    patient_paid_cents: int
    receivable_cents: int
    denied_at: datetime | None
    denied_cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Denial:
    """A denial or underpayment (`kind`) and what became of it. Lists are joined by commas."""

    denial_id: str
    kind: str
    work_id: str
    journey_id: str
    claim_id: str
    payer_id: str
    payer_class: str
    provider: str
    feed: str
    category: str
    carc: str
    carcs: str
    rarcs: str
    codes: str
    cents: int
    initial: bool
    denied_at: datetime
    due_on: date | None
    state: str
    appealed_at: datetime | None
    resolved_at: datetime | None
    overturned_cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """One movement: charges captured (charge), a posting or its reversal (posting), a patient's payment (patient).

    Amounts are what changed, not what stands. `by_payer`: it came in an 835.
    """

    event_id: str
    kind: str
    journey_id: str
    claim_id: str
    at: datetime
    is_primary: bool
    by_payer: bool
    received_at: datetime | None
    gross_cents: int
    late: bool
    paid_cents: int
    contractual_cents: int
    point_of_service: bool


@dataclass(frozen=True, slots=True)
class Derived:
    """All rows of one journey."""

    visit: Visit
    claims: tuple[Claim, ...]
    denials: tuple[Denial, ...]
    money: tuple[Money, ...]
