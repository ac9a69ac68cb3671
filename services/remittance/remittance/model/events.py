"""The facts that remittance tells the line, as handlers state them; `wire` gives them their messages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from remittance.model.advice import ClaimPayment, ProviderAdjustment
from remittance.model.claim import Adjudication, ClaimAccount
from remittance.model.ledger import Balance
from remittance.model.remittance import Deposit, ReceivedRemittance, Work

# What a dispute is about to be told as.
DENIED = "denied"
UNDERPAID = "underpaid"
APPEALED = "appealed"


@dataclass(frozen=True, slots=True, kw_only=True)
class RemittanceTaken:
    """remittance.received. `settled` are (claim id, paid cents) of what was posted; none when it was `known`."""

    remittance: ReceivedRemittance
    claims: int
    unmatched: int
    settled: tuple[tuple[str, int], ...] = ()
    known: bool = False
    provider_adjustments: tuple[ProviderAdjustment, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RemittanceQuarantined:
    """remittance.quarantined: `rule` and the exact `segment` ("CLP[3]") that breaks it. Nothing of it is posted."""

    remittance_id: str
    payer_id: str
    paid_cents: int
    claims: int
    rule: str
    segment: str
    zero_paid: int = 0
    received_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimSettled:
    """payment.posted, payment.reversed: what a payer decided, and how the claim stands afterwards.

    `payment` and `remittance` are None when no payer but a person moved the balance (a write-off).
    """

    account: ClaimAccount
    posting_id: str
    balance: Balance
    outcome: str
    next: str
    reversed: bool = False
    adjudication: Adjudication | None = None
    payment: ClaimPayment | None = None
    remittance: ReceivedRemittance | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimDisputed:
    """claim.denied, claim.underpaid, claim.appealed by its `kind`: what to fight for, and until when."""

    account: ClaimAccount
    category: str
    cents: int
    due_on: date
    carc: tuple[str, ...] = ()
    rarc: tuple[str, ...] = ()
    work_id: str = ""
    codes: tuple[str, ...] = ()
    kind: str = DENIED


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientPaid:
    """patient.paid: `balance` is the claim's afterwards."""

    account: ClaimAccount
    payment_id: str
    paid_cents: int
    point_of_service: bool
    method: str
    balance: Balance


@dataclass(frozen=True, slots=True, kw_only=True)
class DepositSeen:
    """deposit.matched when the deposit names its remittance, deposit.unmatched with the `reason` otherwise."""

    deposit: Deposit
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkChanged:
    """work.opened, or work.closed with its `outcome` (resolved, cancelled)."""

    work: Work
    outcome: str = ""


Fact = RemittanceTaken | RemittanceQuarantined | ClaimSettled | ClaimDisputed | PatientPaid | DepositSeen | WorkChanged
