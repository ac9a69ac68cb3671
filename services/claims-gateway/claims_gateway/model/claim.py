"""A claim: the draft that the record gives, what others know about it, what the edits found. Nothing here waits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from claims_gateway.model.record import Diagnosis, Line, Visit
from claims_gateway.model.states import DRAFT


@dataclass(frozen=True, slots=True)
class Mismatch:
    field: str
    aaa: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageAnswer:
    """What the payer said about the coverage on `on`. `status` is active, inactive, rejected or unknown."""

    status: str
    on: date | None = None
    reason: str = ""
    payer_id: str = ""
    other_payer_id: str = ""
    plan_begin: date | None = None
    plan_end: date | None = None
    mismatches: tuple[Mismatch, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationAnswer:
    """Whether a code needs an authorization, and the one that covers it. `decision` as in the proto, lower case."""

    code: str
    required: bool
    decision: str = ""
    number: str = ""
    valid_from: date | None = None
    valid_to: date | None = None
    units: str = ""

    @property
    def granted(self) -> bool:
        return self.decision in {"approved", "partial"} and bool(self.number)


@dataclass(frozen=True, slots=True)
class Answers:
    """What others know about the claim. No coverage answer means that nobody could be asked."""

    coverage: CoverageAnswer | None = None
    authorizations: tuple[AuthorizationAnswer, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """An edit that fired at a place of the claim. `carc` is the denial that it prevents."""

    edit_id: str
    severity: str
    path: str
    carc: str
    because: str
    waits_for: str = "person"


@dataclass(frozen=True, slots=True)
class Sources:
    """The original FHIR bytes that other services ask for. b"" where the record has none."""

    patient: bytes = b""
    coverage: bytes = b""
    payor: bytes = b""
    provider: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """Charges as they arrived: everything of a claim that does not depend on us.

    `submitter` stands for the sender of a ready-made claim and the sender's own identifier for it; "" otherwise.
    """

    encounter: str
    encounter_key: str
    journey_id: str
    version: int
    trace: str
    visit: Visit
    diagnoses: tuple[Diagnosis, ...]
    lines: tuple[Line, ...]
    sources: Sources = Sources()
    submitter: str = ""

    @property
    def payer_id(self) -> str:
        return self.visit.insurance.payer_id if self.visit.insurance else ""

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(line.code for line in self.lines if line.code))

    @property
    def service_date(self) -> date | None:
        """The first day of service, from which filing clocks run."""
        return min((line.service_from for line in self.lines if line.service_from), default=None)

    @property
    def place_of_service(self) -> str:
        return next((line.place_of_service for line in self.lines if line.place_of_service), "")

    @property
    def total_cents(self) -> int:
        return sum(line.charge_cents for line in self.lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One claim of one encounter to one payer. `control_number` is CLM01; `responsibility` 1 primary, 2 secondary.

    `touched`: a person has released, waived or corrected it. `sent_before`: ISA13 of the files that carried it in vain,
    before it was corrected.
    """

    claim_id: str
    control_number: str
    draft: Draft
    state: str = DRAFT
    frequency: str = "1"
    responsibility: int = 1
    answers: Answers = Answers()
    findings: tuple[Finding, ...] = ()
    waived: tuple[str, ...] = ()
    given_authorization: str = ""
    payer_claim_number: str = ""
    original_adjudicated: bool = False
    filing_deadline: date | None = None
    payer_class: str = ""
    touched: bool = False
    sent_before: tuple[int, ...] = ()

    @property
    def payer_id(self) -> str:
        return self.draft.payer_id

    @property
    def total_cents(self) -> int:
        return self.draft.total_cents

    @property
    def errors(self) -> tuple[Finding, ...]:
        """Findings that hold the claim: errors that nobody has overruled."""
        return tuple(f for f in self.findings if f.severity == "error" and f.edit_id not in self.waived)

    @property
    def rendering_npi(self) -> str:
        return next((line.rendering_npi for line in self.draft.lines if line.rendering_npi), "")

    @property
    def authorization_number(self) -> str:
        """REF*G1: what a person gave, else the number that was found."""
        found = (answer.number for answer in self.answers.authorizations if answer.required and answer.granted)
        return self.given_authorization or next(found, "")


@dataclass(frozen=True, slots=True)
class BilledLine:
    """A line of another claim of the same patient that the payer has or will have."""

    claim_id: str
    payer_id: str
    code: str
    modifiers: tuple[str, ...]
    service_from: date
    units: str
    rendering_npi: str
