"""An institutional claim as one frozen value (005010X223A2). Money in integer cents, dates as dates."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, time

from x12.views.claim.model import (
    BillingProvider,
    Coverage,
    Drug,
    LineAdjudication,
    OtherCoverage,
    Receiver,
    Submitter,
)
from x12.views.parties import Diagnosis, Member, Payer, Provider


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """DTP*435 and CL1: the day (and hour) care began, CL101 type, CL102 source."""

    date: date
    time: time | None = None
    type: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class ValueCode:
    """HI*BE: a value code and its amount in cents (days and percents are written the same way: 3 days are 300)."""

    code: str
    amount_cents: int


@dataclass(frozen=True, slots=True)
class Occurrence:
    """HI*BH, or HI*BI when it has an end."""

    code: str
    date_from: date
    date_to: date | None = None


@dataclass(frozen=True, slots=True)
class Procedure:
    """HI*BBR or HI*BBQ: an ICD-10-PCS code and its day."""

    code: str
    date: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InstitutionalLine:
    """Loop 2400. `revenue_code` SV201 (four digits), `code` SV202-2 when there is one, `units` decimal text with `unit`
    UN or DA, `non_covered_cents` SV207, `line_control` REF*6R."""

    revenue_code: str
    charge_cents: int
    units: str = "1"
    unit: str = "UN"
    code: str = ""
    qualifier: str = "HC"
    modifiers: tuple[str, ...] = ()
    description: str = ""
    non_covered_cents: int | None = None
    date_from: date | None = None
    date_to: date | None = None
    line_control: str = ""
    drug: Drug | None = None
    adjudications: tuple[LineAdjudication, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class InstitutionalClaim:
    """One claim. The type of bill is `facility_type` (CLM05-1, two digits) and `frequency` (CLM05-3).

    `statement_from`/`statement_to` DTP*434, `discharge_time` DTP*096, `patient_status` CL103. `diagnoses` the principal
    one (ABK) first, then others (ABF); `admitting_diagnosis` HI*ABJ, `visit_reasons` HI*APR, `external_causes`
    HI*ABN, `drg` HI*DR, `principal_procedure` HI*BBR, `procedures` HI*BBQ, `conditions` HI*BG, `treatments` HI*TC.
    Providers: 2310A attending, B operating, C other operating, D rendering, E facility, F referring. `accident_state`
    REF*LU, `medical_record` REF*EA, `estimated_due_cents` AMT*F3, `note` NTE*ADD.
    """

    control_number: str
    total_cents: int
    facility_type: str
    statement_from: date
    statement_to: date
    patient_status: str
    submitter: Submitter
    receiver: Receiver
    billing: BillingProvider
    subscriber: Member
    payer: Payer
    diagnoses: tuple[Diagnosis, ...]
    lines: tuple[InstitutionalLine, ...]
    frequency: str = "1"
    coverage: Coverage = field(default_factory=Coverage)
    patient: Member | None = None
    admission: Admission | None = None
    discharge_time: time | None = None
    admitting_diagnosis: str = ""
    visit_reasons: tuple[str, ...] = ()
    external_causes: tuple[Diagnosis, ...] = ()
    drg: str = ""
    principal_procedure: Procedure | None = None
    procedures: tuple[Procedure, ...] = ()
    occurrences: tuple[Occurrence, ...] = ()
    values: tuple[ValueCode, ...] = ()
    conditions: tuple[str, ...] = ()
    treatments: tuple[str, ...] = ()
    attending: Provider | None = None
    operating: Provider | None = None
    other_operating: Provider | None = None
    rendering: Provider | None = None
    service_facility: Provider | None = None
    referring: Provider | None = None
    prior_authorization: str = ""
    referral_number: str = ""
    payer_claim_control: str = ""
    medical_record: str = ""
    accident_state: str = ""
    estimated_due_cents: int | None = None
    other_coverages: tuple[OtherCoverage, ...] = ()
    assignment: str = "A"
    benefits_assigned: str = "Y"
    release: str = "Y"
    note: str = ""
