"""A professional claim as one frozen value (005010X222A1). Money in integer cents, dates as dates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from x12.views.parties import Address, Adjustment, Contact, Diagnosis, Member, Payer, Provider


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitter:
    """Loop 1000A; `id` is the id at the receiver (NM109 with 46)."""

    id: str
    name: str
    contact: Contact


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """Loop 1000B."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BillingProvider:
    """Loop 2000A/2010AA. `tax_id` goes out as REF*EI, or REF*SY when `tax_id_qualifier` says so."""

    npi: str
    tax_id: str
    name: str
    address: Address
    taxonomy: str = ""
    first: str = ""
    is_person: bool = False
    tax_id_qualifier: str = "EI"
    contact: Contact | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """SBR: the place of the destination payer and the plan.

    `responsibility` P, S, T; `filing_indicator` SBR09 (CI commercial, MB Medicare B, MC Medicaid, HM HMO);
    `group_number` SBR03, `group_name` SBR04, `insurance_type` SBR05 (only when Medicare is not primary).
    """

    responsibility: str = "P"
    filing_indicator: str = "CI"
    group_number: str = ""
    group_name: str = ""
    insurance_type: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accident:
    """CLM11 and DTP*439: what the care is related to. `state` belongs to an auto accident."""

    date: date | None = None
    auto: bool = False
    employment: bool = False
    other: bool = False
    state: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drug:
    """Loop 2410: an eleven-digit NDC, its quantity (decimal text) and unit F2, GR, ME, ML or UN; REF*XZ number."""

    ndc: str
    quantity: str
    unit: str
    prescription: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineAdjudication:
    """Loop 2430: what another payer did to the line. SV102 - sum(adjustments) = paid."""

    payer_id: str
    paid_cents: int
    code: str
    paid_date: date
    qualifier: str = "HC"
    modifiers: tuple[str, ...] = ()
    units: str = "1"
    adjustments: tuple[Adjustment, ...] = ()
    remaining_cents: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherCoverage:
    """Loops 2320, 2330A and 2330B: one other payer of the claim. `relationship` SBR02 (18 self)."""

    payer: Payer
    subscriber: Member
    coverage: Coverage
    relationship: str = "18"
    adjustments: tuple[Adjustment, ...] = ()
    paid_cents: int | None = None
    remaining_cents: int | None = None
    non_covered_cents: int | None = None
    assignment: str = "Y"
    release: str = "Y"
    paid_date: date | None = None
    claim_control: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimLine:
    """Loop 2400. `units` decimal text with `unit` UN or MJ; `pointers` 1-based into the claim's diagnoses.

    `line_control` is REF*6R: unique within the claim, it returns in the 835.
    """

    code: str
    charge_cents: int
    units: str
    date_from: date
    pointers: tuple[int, ...]
    line_control: str = ""
    qualifier: str = "HC"
    modifiers: tuple[str, ...] = ()
    unit: str = "UN"
    date_to: date | None = None
    place_of_service: str = ""
    emergency: bool = False
    description: str = ""
    drug: Drug | None = None
    rendering: Provider | None = None
    ordering: Provider | None = None
    referring: Provider | None = None
    adjudications: tuple[LineAdjudication, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim837:
    """One claim. `control_number` (CLM01) has at most 17 characters; `total_cents` equals the sum of the lines.

    `patient` only when the patient is a dependent without an own member id (loop 2000C; `relationship` there).
    `prior_authorization` REF*G1, `referral_number` REF*9F, `payer_claim_control` REF*F8 (frequency 7 and 8),
    `clia` REF*X4, `onset_date` DTP*431, `admission_date` DTP*435, `discharge_date` DTP*096.

    Of providers, the taxonomy goes out for those who render, the address for the facility and for who orders a line:
    the guide has no place for others. A subscriber's group number stands in `coverage`.
    """

    control_number: str
    total_cents: int
    place_of_service: str
    submitter: Submitter
    receiver: Receiver
    billing: BillingProvider
    subscriber: Member
    payer: Payer
    diagnoses: tuple[Diagnosis, ...]
    lines: tuple[ClaimLine, ...]
    frequency: str = "1"
    coverage: Coverage = Coverage()
    patient: Member | None = None
    prior_authorization: str = ""
    referral_number: str = ""
    payer_claim_control: str = ""
    clia: str = ""
    rendering: Provider | None = None
    referring: Provider | None = None
    service_facility: Provider | None = None
    supervising: Provider | None = None
    accident: Accident | None = None
    onset_date: date | None = None
    admission_date: date | None = None
    discharge_date: date | None = None
    patient_paid_cents: int | None = None
    other_coverages: tuple[OtherCoverage, ...] = ()
    assignment: str = "A"
    benefits_assigned: str = "Y"
    release: str = "Y"
    signature_on_file: bool = True
    note: str = ""
