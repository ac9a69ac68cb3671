"""What a request for prior authorization asks and what its answer decides (005010X217)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from x12.views.parties import Contact, Diagnosis, Member, Provider, Rejection


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationService:
    """One service to be authorized: SV1 with its dates. `units` is decimal text, `unit` UN, MJ or DA."""

    code: str
    qualifier: str = "HC"
    modifiers: tuple[str, ...] = ()
    units: str = "1"
    unit: str = "UN"
    charge_cents: int | None = None
    date_from: date | None = None
    date_to: date | None = None
    trace_number: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationRequest:
    """One 278 request: a patient event with its services.

    `category` UM01 (HS health services, AR admission, SC specialty care, IN individual), `certification_type` UM02
    (I initial, R renewal, S revised, 3 cancel), `service_type` UM03, `level_of_service` UM06 (U urgent, E elective,
    03 emergency), `prior_number` REF*BB, `attachment_control` PWK06.
    """

    trace_number: str
    umo_id: str
    umo_name: str
    requester_npi: str
    requester_name: str
    subscriber: Member
    dependent: Member | None = None
    services: tuple[AuthorizationService, ...] = ()
    diagnoses: tuple[Diagnosis, ...] = ()
    category: str = "HS"
    certification_type: str = "I"
    service_type: str = ""
    place_of_service: str = ""
    level_of_service: str = ""
    event_from: date | None = None
    event_to: date | None = None
    rendering: Provider | None = None
    prior_number: str = ""
    attachment_control: str = ""
    message: str = ""
    trace_origin: str = "9THROUGHLN"
    reference: str = ""
    requester_first: str = ""
    requester_is_person: bool = False
    requester_contact: Contact | None = None
    umo_id_qualifier: str = "PI"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """HCR with its certification dates.

    `action` A1 certified in total, A2 partial, A3 not certified, A4 pended, A6 modified, C cancelled,
    CT contact payer, NA no action required. `reasons` HCR03; `number` HCR02.
    """

    action: str
    number: str = ""
    reasons: tuple[str, ...] = ()
    effective_from: date | None = None
    effective_to: date | None = None
    issued: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceDecision:
    """What the reviewer says of one service; `decision` None when only the event was decided."""

    service: AuthorizationService
    decision: Decision | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationReply:
    """One 278 response. `decision` speaks for the whole event; `services` may decide one by one."""

    trace_number: str
    umo_id: str
    umo_name: str
    requester_npi: str
    requester_name: str
    subscriber: Member | None
    dependent: Member | None = None
    decision: Decision | None = None
    services: tuple[ServiceDecision, ...] = ()
    rejections: tuple[Rejection, ...] = ()
    diagnoses: tuple[Diagnosis, ...] = ()
    category: str = "HS"
    certification_type: str = "I"
    service_type: str = ""
    place_of_service: str = ""
    level_of_service: str = ""
    event_from: date | None = None
    event_to: date | None = None
    message: str = ""
    trace_origin: str = "9THROUGHLN"
    payer_trace_number: str = ""
    payer_trace_origin: str = ""
    reference: str = ""
    requester_first: str = ""
    requester_is_person: bool = False
    umo_id_qualifier: str = "PI"

    @property
    def action(self) -> str:
        """The event's action, else that of the first decided service, else empty."""
        found = self.decision or next((s.decision for s in self.services if s.decision), None)
        return found.action if found else ""

    @property
    def number(self) -> str:
        """The authorization number, wherever the reviewer put it."""
        decisions = (self.decision, *(s.decision for s in self.services))
        return next((d.number for d in decisions if d and d.number), "")
