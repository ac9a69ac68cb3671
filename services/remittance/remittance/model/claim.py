"""A claim on account, and what one payment in an 835 means for it once each adjustment has been classified."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass

from remittance.model.advice import Adjustment, ClaimPayment, LinePayment

# What an adjustment is to us. Only `denial` leaves the amount open with the payer.
CONTRACTUAL = "contractual"
ADJUSTED = "adjustment"
PATIENT = "patient"
DENIAL = "denial"
ADJUSTMENT_KINDS = (CONTRACTUAL, ADJUSTED, PATIENT, DENIAL)

PAID = "paid"
PARTLY_PAID = "partly_paid"
DENIED = "denied"
PREDETERMINATION = "25"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountLine:
    """A line as we billed it. `control_number` is REF*6R; `units` is exact decimal text."""

    sequence: int
    control_number: str
    code: str
    charge_cents: int
    modifiers: tuple[str, ...] = ()
    units: str = "1"
    service_from: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimAccount:
    """A claim that went out and is owed. References are FHIR: "Encounter/<id>"; `trace` is the burst that sent it."""

    claim_id: str
    control_number: str
    payer_id: str
    billed_cents: int
    encounter: str = ""
    patient: str = ""
    coverage: str = ""
    provider: str = ""
    insurer: str = ""
    journey_id: str = ""
    trace: str = ""
    payer_claim_number: str = ""
    responsibility: int = 1
    lines: tuple[AccountLine, ...] = ()
    payer_class: str = ""


@dataclass(frozen=True, slots=True)
class Classified:
    """An adjustment with its kind and, for a denial, its category."""

    adjustment: Adjustment
    kind: str
    category: str
    wording: str = ""


@dataclass(frozen=True, slots=True)
class Adjudication:
    """What a payer decided on a claim, each adjustment classified. Amounts in cents."""

    paid_cents: int
    classified: tuple[Classified, ...]

    def cents_of(self, kind: str) -> int:
        """The adjustments of one kind together."""
        return sum(item.adjustment.amount_cents for item in self.classified if item.kind == kind)

    @property
    def denials(self) -> tuple[Classified, ...]:
        """What was denied, the largest first: the primary cause leads, the others are tags."""
        found = (item for item in self.classified if item.kind == DENIAL)
        return tuple(sorted(found, key=lambda item: -item.adjustment.amount_cents))

    @property
    def settled_cents(self) -> int:
        """What the payer or the patient bears: a decision to pay, be it all to the deductible."""
        return self.paid_cents + self.cents_of(PATIENT)


def outcome_of(adjudication: Adjudication, denied_cents: int) -> str:
    """paid, partly_paid or denied. `denied_cents` is what the denials leave open.

    Decided from the adjustments and not from CLP02: ordinary denials arrive as 1, 2 or 3 (RFI 1423, 1079).
    """
    if denied_cents <= 0:
        return PAID
    return PARTLY_PAID if adjudication.settled_cents else DENIED


@dataclass(frozen=True, slots=True)
class Shortfall:
    """Allowed below the contract: both in cents."""

    expected_cents: int
    allowed_cents: int

    @property
    def short_cents(self) -> int:
        """What is missing."""
        return self.expected_cents - self.allowed_cents


def find_account(payment: ClaimPayment, by_control: Mapping[str, ClaimAccount], named: Set[str]) -> ClaimAccount | None:
    """The claim by CLP01; where that came back as none of ours, by REF*6R, when all lines are of one claim of ours.

    `named` are the claims that the remittance pays under their own numbers: what repeats their lines is another thing.
    """
    found = by_control.get(payment.control_number)
    if found is not None or len(payment.line_claims) != 1 or payment.line_claims[0] in named:
        return found
    account = by_control.get(payment.line_claims[0])
    ours = {line.control_number for line in account.lines} if account is not None else set()
    return account if all(line.line_control in ours for line in payment.lines) else None


def match_lines(billed: tuple[AccountLine, ...], paid: tuple[LinePayment, ...]) -> tuple[AccountLine | None, ...]:
    """For each line of the payment the line that we billed: by REF*6R, else by code and charge, else None.

    Modifiers are not compared: some payers return a line without the one that we sent.
    """
    free = list(billed)
    found: list[AccountLine | None] = []
    for line in paid:
        match = _find_line(free, line)
        if match is not None:
            free.remove(match)
        found.append(match)
    return tuple(found)


def _find_line(free: list[AccountLine], line: LinePayment) -> AccountLine | None:
    if line.line_control:
        by_control = next((own for own in free if own.control_number == line.line_control), None)
        if by_control is not None:
            return by_control
    codes = (line.original_code or line.code, line.code)
    return next((own for own in free if own.code in codes and own.charge_cents == line.charge_cents), None)
