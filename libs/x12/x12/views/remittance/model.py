"""A remittance advice as one frozen value (005010X221A1). Money in integer cents, dates as dates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from x12.views.parties import Address, Adjustment, Contact


@dataclass(frozen=True, slots=True, kw_only=True)
class RemitPayer:
    """Loop 1000A. `contact` is the technical contact (PER*BL), `claims_contact` PER*CX; `id` REF*2U."""

    name: str
    address: Address | None = None
    id: str = ""
    contact: Contact | None = None
    claims_contact: Contact | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemitPayee:
    """Loop 1000B: by NPI (`npi`) or, when that is empty, by `tax_id`; with both, the tax id goes in REF*TJ."""

    name: str
    npi: str = ""
    tax_id: str = ""
    address: Address | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BankTransfer:
    """BPR06-09 and BPR12-15: routing numbers and accounts of an ACH transfer."""

    sender_routing: str
    sender_account: str
    receiver_routing: str
    receiver_account: str
    sender_qualifier: str = "DA"
    receiver_qualifier: str = "DA"


@dataclass(frozen=True, slots=True, kw_only=True)
class RemitPerson:
    """NM1 of a claim: patient QC, insured IL, corrected 74, rendering 82."""

    last: str = ""
    first: str = ""
    middle: str = ""
    suffix: str = ""
    id: str = ""
    id_qualifier: str = ""
    is_person: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class LinePayment:
    """Loop 2110. charge - sum(adjustments) = paid. `units` SVC05 decimal text ("1" when absent).

    `original_*` SVC06/SVC07: what was billed when the payer adjudicated something else (bundled, down-coded).
    `remark_codes` LQ*HE; `allowed_cents` AMT*B6; `line_control` REF*6R; `rendering_npi` REF*HPI.
    """

    code: str
    charge_cents: int
    paid_cents: int
    qualifier: str = "HC"
    modifiers: tuple[str, ...] = ()
    revenue_code: str = ""
    units: str = "1"
    original_code: str = ""
    original_qualifier: str = ""
    original_modifiers: tuple[str, ...] = ()
    original_units: str = ""
    date_from: date | None = None
    date_to: date | None = None
    adjustments: tuple[Adjustment, ...] = ()
    line_control: str = ""
    allowed_cents: int | None = None
    remark_codes: tuple[str, ...] = ()
    rendering_npi: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimPayment:
    """Loop 2100. charge - sum(claim and line adjustments) = paid.

    `status` CLP02: 1, 2, 3 processed as primary, secondary, tertiary; 4 only "patient not recognised"; 19-21 forwarded;
    22 reversal; 23 not ours, forwarded; 25 predetermination. `remark_codes` from MOA/MIA. `coverage_cents` AMT*AU,
    `interest_cents` AMT*I. `assigned_number` is the LX that the claim stands under.
    """

    control_number: str
    status: str
    charge_cents: int
    paid_cents: int
    patient_responsibility_cents: int = 0
    filing_indicator: str = "12"
    payer_claim_number: str = ""
    place_of_service: str = ""
    frequency: str = ""
    patient: RemitPerson | None = None
    insured: RemitPerson | None = None
    corrected: RemitPerson | None = None
    rendering: RemitPerson | None = None
    crossover_payer: str = ""
    crossover_payer_id: str = ""
    adjustments: tuple[Adjustment, ...] = ()
    lines: tuple[LinePayment, ...] = ()
    date_from: date | None = None
    date_to: date | None = None
    received_date: date | None = None
    coverage_expired: date | None = None
    group_number: str = ""
    original_claim_number: str = ""
    prior_authorization: str = ""
    remark_codes: tuple[str, ...] = ()
    coverage_cents: int | None = None
    interest_cents: int | None = None
    assigned_number: str = "1"

    @property
    def is_reversal(self) -> bool:
        """Status 22: negates the original's amounts (RFI 1429)."""
        return self.status == "22"

    def every_adjustment(self) -> tuple[Adjustment, ...]:
        """The claim's adjustments and those of its lines."""
        return self.adjustments + tuple(a for line in self.lines for a in line.adjustments)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderAdjustment:
    """One pair of a PLB segment. A positive amount reduces the payment.

    `reason` WO recovery, FB carried forward, 72 refund acknowledged, L6 interest, CS, IR, J1, LE.
    """

    provider_id: str
    fiscal_period_end: date
    reason: str
    amount_cents: int
    reference: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remittance:
    """One 835. sum(claims' paid) - sum(provider adjustments) = amount.

    `method` BPR04 (ACH, CHK, NON, FWT), `credit_debit` BPR03, `handling` BPR01 (I remittance only, H notification),
    `trace_number` TRN02 equals that of the EFT, `trace_origin` TRN03 ("1" and the payer's tax id).
    """

    payer: RemitPayer
    payee: RemitPayee
    amount_cents: int
    payment_date: date
    trace_number: str
    trace_origin: str
    claims: tuple[ClaimPayment, ...] = ()
    provider_adjustments: tuple[ProviderAdjustment, ...] = ()
    method: str = "CHK"
    credit_debit: str = "C"
    handling: str = "I"
    payment_format: str = ""
    bank: BankTransfer | None = None
    originating_company: str = ""
    receiver_id: str = ""
    production_date: date | None = None
