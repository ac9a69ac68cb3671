"""Remittances as received, payments whose claim is not known, deposits of the bank, work that people must do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from remittance.model.advice import ClaimPayment, ProviderAdjustment

UNKNOWN_CLAIM = "unknown-claim"
CHARGE_DIFFERS = "charge-differs"
REVERSAL_WITHOUT_ORIGINAL = "reversal-without-original"
PREDETERMINATION_PAID = "predetermination-paid"

NO_REMITTANCE = "no-remittance"
NO_DEPOSIT = "no-deposit"
AMOUNT_DIFFERS = "amount-differs"
AMBIGUOUS = "ambiguous-trace"

# Where the money of a remittance is: at the bank, on its way there, or nothing that a bank would report.
MATCHED = "matched"
AWAITED = "awaited"
NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedRemittance:
    """One 835 that balances. `content` is the digest of its segments without ST and SE control numbers.

    `claims` counts its claim payments, `zero_paid` those of nothing (CLP04 = 0); `trace` is the burst that took it in.
    """

    remittance_id: str
    payer_id: str
    payer_name: str
    trace_number: str
    trace_origin: str
    method: str
    paid_cents: int
    payment_date: date
    content: str
    file_id: str
    received_at: datetime
    deposit_id: str = ""
    claims: int = 0
    zero_paid: int = 0
    trace: str = ""

    @property
    def awaits_deposit(self) -> bool:
        """Money that a bank will report: an ACH transfer of something."""
        return self.method == "ACH" and self.paid_cents > 0

    @property
    def settlement(self) -> str:
        """matched, awaited or none."""
        if self.deposit_id:
            return MATCHED
        return AWAITED if self.awaits_deposit else NONE

    def settlement_of(self, payment: ClaimPayment) -> str:
        """The same for one claim: what pays it nothing, or takes money back, waits for no bank."""
        return self.settlement if payment.paid_cents > 0 else NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class UnmatchedPayment:
    """A claim payment that could not be posted. It is kept whole and its money stays in `unapplied`."""

    payment_id: str
    remittance_id: str
    ordinal: int
    reason: str
    payment: ClaimPayment


@dataclass(frozen=True, slots=True, kw_only=True)
class Deposit:
    """A CCD+ credit at the bank: TRN02 and TRN03 of its addenda, cents, effective entry date."""

    deposit_id: str
    trace_number: str
    trace_origin: str
    amount_cents: int
    effective_on: date | None
    remittance_id: str = ""
    trace: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Something that a person must decide. `focus` names a FHIR resource or is empty; `due_on` may be unknown."""

    work_id: str
    kind: str
    reason: str
    owner: str
    dollars_cents: int = 0
    due_on: date | None = None
    encounter: str = ""
    patient: str = ""
    focus: str = ""
    journey_id: str = ""
    key: str = ""
    opened_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Readable:
    """An 835 that balances, as `wire` read it."""

    remittance: ReceivedRemittance
    payments: tuple[ClaimPayment, ...]
    provider_adjustments: tuple[ProviderAdjustment, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A file or an 835 that cannot be posted: which rule, at which segment ("CLP[3]"), and what is known of it."""

    content: str
    rule: str
    segment: str
    payer_id: str = ""
    paid_cents: int = 0
    claims: int = 0
    zero_paid: int = 0
    received_at: datetime | None = None


Reading = Readable | Broken
