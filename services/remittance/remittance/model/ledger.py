"""Double-entry books in integer cents. A posting that does not sum to zero cannot be made.

Every claim on account stands as billed = paid + adjusted + patient + open. `patient` is the patient's share; what the
patient has paid of it stands beside the equation: it settles the share and changes nothing between us and the payer.
A remittance is booked in two steps, so that
money whose claim we do not know is never lost: first the whole transfer against `unapplied` (with provider adjustments
to `plb`), then each claim that is found takes its part out of `unapplied`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

RECEIVABLE_PAYER = "receivable_payer"
RECEIVABLE_PATIENT = "receivable_patient"
CASH = "cash"
CONTRACTUAL = "contractual"
ADJUSTMENT = "adjustment"
REVENUE = "revenue"
UNAPPLIED = "unapplied"
PLB = "plb"
ACCOUNTS = (RECEIVABLE_PAYER, RECEIVABLE_PATIENT, CASH, CONTRACTUAL, ADJUSTMENT, REVENUE, UNAPPLIED, PLB)

BILLED = "billed"
TRANSFER = "transfer"
PAYMENT = "payment"
REVERSAL = "reversal"
WRITE_OFF = "write-off"
PATIENT_PAYMENT = "patient-payment"
POSTING_KINDS = (BILLED, TRANSFER, PAYMENT, REVERSAL, WRITE_OFF, PATIENT_PAYMENT)


@dataclass(frozen=True, slots=True)
class Entry:
    """One side of a posting. Exactly one of the two amounts is positive, the other is zero."""

    account: str
    debit_cents: int = 0
    credit_cents: int = 0

    def __post_init__(self) -> None:
        if self.account not in ACCOUNTS:
            raise ValueError("no such account")
        if min(self.debit_cents, self.credit_cents) != 0 or max(self.debit_cents, self.credit_cents) <= 0:
            raise ValueError("an entry is either a debit or a credit, and never nothing")

    @property
    def net_cents(self) -> int:
        """Debit minus credit."""
        return self.debit_cents - self.credit_cents


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """Entries that belong together and sum to zero (ValueError otherwise).

    `concerns` is the posting that a reversal or a write-off answers to; `mark` is what a takeback of a payment must
    negate (RFI 1429). A denial that moves no money is a posting
    without entries: it happened, and a takeback of it must find it.
    """

    posting_id: str
    kind: str
    entries: tuple[Entry, ...]
    claim_id: str = ""
    payer_id: str = ""
    remittance_id: str = ""
    reason: str = ""
    concerns: str = ""
    mark: str = ""

    def __post_init__(self) -> None:
        if self.kind not in POSTING_KINDS:
            raise ValueError("no such kind of posting")
        if sum(entry.net_cents for entry in self.entries) != 0:
            raise ValueError("a posting sums to zero")


@dataclass(frozen=True, slots=True)
class Balance:
    """A claim, a payer or a tenant: billed = paid + adjusted + patient + open, in cents.

    `contractual` is a part of `adjusted`; `patient_paid` is what the patient has paid of `patient`.
    """

    billed_cents: int = 0
    paid_cents: int = 0
    adjusted_cents: int = 0
    patient_cents: int = 0
    open_cents: int = 0
    contractual_cents: int = 0
    patient_paid_cents: int = 0

    def plus(self, other: Balance) -> Balance:
        """Both together."""
        return Balance(
            self.billed_cents + other.billed_cents,
            self.paid_cents + other.paid_cents,
            self.adjusted_cents + other.adjusted_cents,
            self.patient_cents + other.patient_cents,
            self.open_cents + other.open_cents,
            self.contractual_cents + other.contractual_cents,
            self.patient_paid_cents + other.patient_paid_cents,
        )

    @property
    def holds(self) -> bool:
        """Whether the equation holds."""
        return self.billed_cents == self.paid_cents + self.adjusted_cents + self.patient_cents + self.open_cents

    @property
    def patient_open_cents(self) -> int:
        """What the patient still owes; negative for what was paid ahead or too much."""
        return self.patient_cents - self.patient_paid_cents

    @property
    def patient_limit_cents(self) -> int:
        """The most that the patient can come to owe: their share, and all that the payer has not decided yet."""
        return max(self.patient_open_cents + max(self.open_cents, 0), 0)

    @property
    def credit_cents(self) -> int:
        """What is somebody's to give back: settled above the bill, or paid by the patient beyond all they may owe."""
        return max(-self.open_cents, 0) + max(-self.patient_open_cents - max(self.open_cents, 0), 0)


def entry_of(account: str, net_cents: int) -> tuple[Entry, ...]:
    """A debit for a positive net amount, a credit for a negative one, nothing for zero."""
    if net_cents == 0:
        return ()
    return (Entry(account, debit_cents=net_cents) if net_cents > 0 else Entry(account, credit_cents=-net_cents),)


def entries_of(*moves: tuple[str, int]) -> tuple[Entry, ...]:
    """Entries for (account, net cents) pairs in order."""
    return tuple(entry for account, net_cents in moves for entry in entry_of(account, net_cents))


def mirror(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """The same entries with debit and credit exchanged: what takes a posting back exactly."""
    return tuple(replace(entry, debit_cents=entry.credit_cents, credit_cents=entry.debit_cents) for entry in entries)


def bill(billed_cents: int) -> tuple[Entry, ...]:
    """A claim goes out: the payer owes it, and it is revenue."""
    return entries_of((RECEIVABLE_PAYER, billed_cents), (REVENUE, -billed_cents))


def transfer(amount_cents: int, claims_cents: int, provider_cents: int) -> tuple[Entry, ...]:
    """A remittance as a whole: BPR02 = sum of CLP04 - sum of PLB (005010X221A1). ValueError unless it holds."""
    if amount_cents != claims_cents - provider_cents:
        raise ValueError("a transfer balances")
    return entries_of((CASH, amount_cents), (PLB, provider_cents), (UNAPPLIED, -claims_cents))


def apply_payment(
    paid_cents: int, contractual_cents: int, adjustment_cents: int, patient_cents: int
) -> tuple[Entry, ...]:
    """A claim's part of a remittance, off what the payer owes."""
    settled = paid_cents + contractual_cents + adjustment_cents + patient_cents
    return entries_of(
        (UNAPPLIED, paid_cents),
        (CONTRACTUAL, contractual_cents),
        (ADJUSTMENT, adjustment_cents),
        (RECEIVABLE_PATIENT, patient_cents),
        (RECEIVABLE_PAYER, -settled),
    )


def write_off(cents: int) -> tuple[Entry, ...]:
    """A person gives an open amount up."""
    return entries_of((ADJUSTMENT, cents), (RECEIVABLE_PAYER, -cents))


def patient_payment(cents: int) -> tuple[Entry, ...]:
    """The patient pays of their share."""
    return entries_of((CASH, cents), (RECEIVABLE_PATIENT, -cents))


def balance_of(entries: Iterable[Entry]) -> Balance:
    """The balance of a claim from its own entries (those of one payer or tenant from all of its claims).

    Cash under a claim is its patient's: a payer's comes in with the transfer, which belongs to no single claim.
    """
    nets = dict.fromkeys(ACCOUNTS, 0)
    for entry in entries:
        nets[entry.account] += entry.net_cents
    return Balance(
        billed_cents=-nets[REVENUE],
        paid_cents=nets[UNAPPLIED],
        adjusted_cents=nets[CONTRACTUAL] + nets[ADJUSTMENT],
        patient_cents=nets[RECEIVABLE_PATIENT] + nets[CASH],
        open_cents=nets[RECEIVABLE_PAYER],
        contractual_cents=nets[CONTRACTUAL],
        patient_paid_cents=nets[CASH],
    )


@dataclass(frozen=True, slots=True)
class Line:
    """One entry as a statement shows it."""

    entry_id: str
    account: str
    debit_cents: int
    credit_cents: int
    claim_id: str
    reason: str
    remittance_id: str


@dataclass(frozen=True, slots=True)
class Statement:
    """Entries and balances of a claim or a tenant. Keys are claim ids and payer ids."""

    entries: tuple[Line, ...]
    claims: tuple[tuple[str, Balance], ...]
    payers: tuple[tuple[str, Balance], ...]
    tenant: Balance
