"""Remittances and denials as people look at them. Cents throughout; instants are UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from remittance.model.advice import Adjustment, ProviderAdjustment
from remittance.model.claim import ClaimAccount
from remittance.model.denial import Denial
from remittance.model.remittance import Deposit

POSTED = "posted"
QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownRemittance:
    """An 835 as a list shows it. `rule` and `segment` say why it lies in quarantine."""

    remittance_id: str
    state: str
    received_at: datetime
    file_id: str
    payer_id: str = ""
    payer_name: str = ""
    trace_number: str = ""
    method: str = ""
    paid_cents: int = 0
    payment_date: date | None = None
    claims: int = 0
    zero_paid: int = 0
    unmatched: int = 0
    settlement: str = ""
    deposit_id: str = ""
    content: str = ""
    rule: str = ""
    segment: str = ""


@dataclass(frozen=True, slots=True)
class ShownDenial:
    """A denial with its claim, and since when it is what it is."""

    denial: Denial
    account: ClaimAccount
    opened_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Sum:
    """charge - adjusted = paid, or not."""

    charge_cents: int
    adjusted_cents: int
    paid_cents: int

    @property
    def balanced(self) -> bool:
        """Whether it adds up."""
        return self.charge_cents - self.adjusted_cents == self.paid_cents


@dataclass(frozen=True, slots=True)
class ShownLine:
    """A line of an 835 with its sum."""

    code: str
    control_number: str
    sum: Sum
    adjustments: tuple[Adjustment, ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ShownClaim:
    """A claim of an 835 with its sum. `ordinal` counts from 1."""

    ordinal: int
    control_number: str
    status: str
    sum: Sum
    adjustments: tuple[Adjustment, ...]
    remarks: tuple[str, ...]
    lines: tuple[ShownLine, ...]


@dataclass(frozen=True, slots=True)
class ShownBreak:
    """A sum that fails: `level` is line, claim or transaction, `segment` the place ("SVC[7]")."""

    level: str
    segment: str
    expected_cents: int
    found_cents: int


@dataclass(frozen=True, slots=True)
class Opened:
    """A stored 835 opened at one page of its claims and one of its lines. The tokens are "" on the last page."""

    claims_paid_cents: int = 0
    provider_adjustment_cents: int = 0
    total_cents: int = 0
    breaks: tuple[ShownBreak, ...] = ()
    balanced: bool = False
    claims: tuple[ShownClaim, ...] = ()
    claims_next: str = ""
    provider_adjustments: tuple[ProviderAdjustment, ...] = ()
    readable: tuple[str, ...] = ()
    readable_next: str = ""


@dataclass(frozen=True, slots=True)
class Booked:
    """What became of a claim payment: the claim that it was posted to, or why it waits."""

    claim_id: str = ""
    journey_id: str = ""
    waits_for: str = ""


@dataclass(frozen=True, slots=True)
class RemittancePage:
    """All that one look at a remittance shows; `booked` by the ordinals of the claims on the page."""

    remittance: ShownRemittance
    opened: Opened
    booked: dict[int, Booked]
    deposit: Deposit | None
