"""Claim status as frozen values (005010X212). Money in integer cents, dates as dates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from x12.views.acknowledgment.model import Status
from x12.views.parties import Member


@dataclass(frozen=True, slots=True, kw_only=True)
class LineInquiry:
    """Loop 2210: SVC and DTP*472 of one line, `line_control` REF*FJ."""

    code: str
    charge_cents: int
    date_from: date
    date_to: date | None = None
    qualifier: str = "HC"
    modifiers: tuple[str, ...] = ()
    units: str = "1"
    line_control: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusInquiry:
    """One 276 question: what became of a claim.

    `trace_number` TRN02 of 2200D (2200E for a dependent) returns in the reply. `payer_claim_number` REF*1K,
    `control_number` REF*EJ (CLM01), `bill_type` REF*BLT, `clearinghouse_number` REF*D9, `charge_cents` AMT*T3,
    `service_from`/`service_to` DTP*472. `receiver` is who asks (NM1*41), `provider` whose claim it is (NM1*1P).
    """

    payer_id: str
    payer_name: str
    receiver_id: str
    receiver_name: str
    provider_npi: str
    provider_name: str
    subscriber: Member
    trace_number: str
    dependent: Member | None = None
    payer_claim_number: str = ""
    control_number: str = ""
    bill_type: str = ""
    clearinghouse_number: str = ""
    charge_cents: int | None = None
    service_from: date | None = None
    service_to: date | None = None
    lines: tuple[LineInquiry, ...] = ()
    payer_id_qualifier: str = "PI"
    provider_first: str = ""
    provider_is_person: bool = False
    reference: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineStatus:
    """Loop 2220: SVC, STC, REF*FJ and DTP*472 of one line."""

    code: str
    charge_cents: int
    paid_cents: int
    statuses: tuple[Status, ...]
    status_date: date
    date_from: date
    date_to: date | None = None
    qualifier: str = "HC"
    modifiers: tuple[str, ...] = ()
    units: str = "1"
    line_control: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusInfo:
    """One claim of a 277: STC of loop 2200D or 2200E with what it belongs to.

    `trace_number` TRN02, the question's. `charge_cents` STC04, `paid_cents` STC05, `adjudicated` STC06,
    `payment_date` STC08, `payment_number` STC09 (cheque or EFT), `payer_claim_number` REF*1K, `control_number` REF*EJ.
    """

    payer_id: str
    payer_name: str
    receiver_id: str
    receiver_name: str
    provider_npi: str
    provider_name: str
    subscriber: Member
    trace_number: str
    statuses: tuple[Status, ...]
    status_date: date
    dependent: Member | None = None
    charge_cents: int | None = None
    paid_cents: int | None = None
    adjudicated: date | None = None
    payment_date: date | None = None
    payment_number: str = ""
    payer_claim_number: str = ""
    control_number: str = ""
    bill_type: str = ""
    clearinghouse_number: str = ""
    service_from: date | None = None
    service_to: date | None = None
    lines: tuple[LineStatus, ...] = ()
    payer_id_qualifier: str = "PI"
    provider_first: str = ""
    provider_is_person: bool = False
    reference: str = ""

    @property
    def is_final(self) -> bool:
        """Every status is of a category F: the claim is decided."""
        return bool(self.statuses) and all(status.category.startswith("F") for status in self.statuses)

    @property
    def is_unknown(self) -> bool:
        """Some status says that the claim was not found or the question could not be answered (A4, D0, E)."""
        return any(status.category in {"A4", "D0"} or status.category.startswith("E") for status in self.statuses)
