"""What an eligibility question asks and what its answer says (005010X279A1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from x12.views.parties import Member, Rejection

ACTIVE_CODES = frozenset("12345")
INACTIVE_CODES = frozenset("678")


@dataclass(frozen=True, slots=True, kw_only=True)
class EligibilityInquiry:
    """One 270 question about a subscriber, or about a dependent on the subscriber's policy.

    `trace_number` is TRN02 and comes back in the 271; `trace_origin` (TRN03) is ten characters, "9" and an id.
    `reference` is BHT03; it defaults to the trace number.
    """

    payer_id: str
    payer_name: str
    provider_npi: str
    provider_name: str
    subscriber: Member
    trace_number: str
    dependent: Member | None = None
    service_types: tuple[str, ...] = ("30",)
    service_date: date | None = None
    service_date_to: date | None = None
    trace_origin: str = "9THROUGHLN"
    reference: str = ""
    provider_first: str = ""
    provider_is_person: bool = False
    payer_id_qualifier: str = "PI"


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherPayer:
    """A payer that the answering payer knows of besides itself: EB*R with its 2120 loop."""

    name: str
    id: str = ""
    id_qualifier: str = "PI"
    responsibility: str = ""
    member_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Benefit:
    """One EB segment with what hangs below it.

    `code` EB01 (1 active, 6 inactive, A coinsurance, B copay, C deductible, G out-of-pocket stop, F limitation),
    `level` EB02 (IND, FAM), `service_types` EB03, `insurance_type` EB04, `plan` EB05, `period` EB06
    (23 calendar year, 27 visit, 29 remaining), `amount_cents` EB07, `percent` EB08 as decimal text (0.2 is 20 %),
    `quantity_qualifier`/`quantity` EB09/EB10, `authorization` EB11 and `network` EB12 as Y, N, U, W or empty.
    """

    code: str
    service_types: tuple[str, ...] = ()
    level: str = ""
    insurance_type: str = ""
    plan: str = ""
    period: str = ""
    amount_cents: int | None = None
    percent: str = ""
    quantity_qualifier: str = ""
    quantity: str = ""
    authorization: str = ""
    network: str = ""
    procedure_qualifier: str = ""
    procedure: str = ""
    date_from: date | None = None
    date_to: date | None = None
    messages: tuple[str, ...] = ()
    other_payer: OtherPayer | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EligibilityReply:
    """One 271 answer. `subscriber` and `dependent` are as the payer knows them.

    `plan_begin`, `plan_end` come from DTP 346/347 or 291 of the person; rejections from any AAA on the way down.
    """

    payer_id: str
    payer_name: str
    provider_npi: str
    provider_name: str
    subscriber: Member | None
    trace_number: str
    dependent: Member | None = None
    benefits: tuple[Benefit, ...] = ()
    rejections: tuple[Rejection, ...] = ()
    plan_begin: date | None = None
    plan_end: date | None = None
    service_date: date | None = None
    trace_origin: str = "9THROUGHLN"
    reference: str = ""
    provider_first: str = ""
    provider_is_person: bool = False
    payer_id_qualifier: str = "PI"

    def active(self, service_type: str = "30") -> bool | None:
        """True or False as the payer says for the service type (or for the plan, type 30); None when it is silent."""
        codes = self.status_codes(service_type) or self.status_codes("30")
        if codes & ACTIVE_CODES:
            return True
        return False if codes & INACTIVE_CODES else None

    def status_codes(self, service_type: str) -> frozenset[str]:
        """The EB01 status codes stated for a service type."""
        known = ACTIVE_CODES | INACTIVE_CODES
        return frozenset(b.code for b in self.benefits if b.code in known and service_type in b.service_types)

    def of(self, code: str) -> tuple[Benefit, ...]:
        """The benefits with that EB01: A coinsurance, B copay, C deductible, G out-of-pocket stop."""
        return tuple(b for b in self.benefits if b.code == code)

    @property
    def other_payers(self) -> tuple[OtherPayer, ...]:
        """Other coverage that the payer reports."""
        return tuple(b.other_payer for b in self.benefits if b.other_payer is not None)
