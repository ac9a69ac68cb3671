"""What the payers answer while somebody waits: is the member covered, is the service certified. Pure."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Protocol

from kernel.identifiers import npi_valid
from kernel.period import Period
from x12.views.authorization import AuthorizationReply, AuthorizationRequest, AuthorizationService, Decision
from x12.views.authorization.model import ServiceDecision
from x12.views.eligibility import Benefit, EligibilityInquiry, EligibilityReply
from x12.views.parties import Member, Rejection

from simulator.adjudicate import History
from simulator.model import Authorization, Payer, PayerRules, Person
from simulator.people import find_person, looks_like_member_id

_VALID_BEFORE = timedelta(days=7)
_VALID_AFTER = timedelta(days=90)
_ANY_SERVICE = "30"
_OFFICE_VISIT = "98"
_CORRECT_AND_RESEND = "C"
# HCR03 of a refusal and of a pend. Shaped like codes of X12 list 886, not traced to that list: nobody may read them
# for their meaning, only HCR01 decides.
_NOT_NEEDED = ("0V",)
_UNDER_REVIEW = ("0U",)


class Desk(Protocol):
    """The payer's authorization desk: it remembers what it was asked and what it gave."""

    def asked(self, payer_id: str, member_id: str, code: str) -> int:
        """Count one more asking for the same service; 1 at first."""
        ...

    def granted(self, payer_id: str, member_id: str, code: str, on: date) -> Authorization | None: ...

    def grant(self, payer_id: str, member_id: str, code: str, valid: Period) -> Authorization: ...


def answer_eligibility(
    inquiry: EligibilityInquiry, rules: PayerRules, history: History, today: date
) -> EligibilityReply:
    """The 271 for a 270: a rejection, or the member as the payer knows them with the benefits on the date."""
    payer = rules.payers.get(inquiry.payer_id)
    if payer is None:
        return _reply(inquiry, None, rejection=Rejection("2100A", "79", _CORRECT_AND_RESEND))
    if not npi_valid(inquiry.provider_npi):
        return _reply(inquiry, None, rejection=Rejection("2100B", "43", _CORRECT_AND_RESEND))
    person = find_person(inquiry.subscriber.member_id, payer.letter)
    problem = _identity_problem(inquiry.subscriber, person)
    if person is None or problem:
        return _reply(inquiry, inquiry.subscriber, rejection=Rejection("2100C", problem, _CORRECT_AND_RESEND))
    return _covered(inquiry, payer, person, history, inquiry.service_date or today)


def _identity_problem(asked: Member, person: Person | None) -> str:
    """AAA03, or empty when this is the member. A differing name is answered with the right one instead."""
    if person is None:
        return "72" if not asked.member_id or looks_like_member_id(asked.member_id) else "75"
    return "71" if asked.birth_date != person.birth_date else ""


def _reply(
    inquiry: EligibilityInquiry, subscriber: Member | None, *, rejection: Rejection | None = None, **more: object
) -> EligibilityReply:
    return EligibilityReply(
        payer_id=inquiry.payer_id,
        payer_name=inquiry.payer_name,
        payer_id_qualifier=inquiry.payer_id_qualifier,
        provider_npi=inquiry.provider_npi,
        provider_name=inquiry.provider_name,
        provider_first=inquiry.provider_first,
        provider_is_person=inquiry.provider_is_person,
        subscriber=subscriber,
        trace_number=inquiry.trace_number,
        trace_origin=inquiry.trace_origin,
        reference=inquiry.reference,
        rejections=(rejection,) if rejection else (),
        **more,  # type: ignore[arg-type]
    )


def _covered(inquiry: EligibilityInquiry, payer: Payer, person: Person, history: History, on: date) -> EligibilityReply:
    in_force = person.plan.contains(on)
    status = Benefit(code="1" if in_force else "6", service_types=(_ANY_SERVICE,), level="IND")
    amounts = _amounts(payer, person.member_id, history, on) if in_force else ()
    return _reply(
        inquiry,
        person.as_member(),
        benefits=(status, *amounts),
        plan_begin=person.plan.start,
        plan_end=person.plan.end,
        service_date=inquiry.service_date,
    )


def _amounts(payer: Payer, member_id: str, history: History, on: date) -> tuple[Benefit, ...]:
    """Coinsurance for everyone; copay and deductible where the plan has them, with what is left of it."""
    benefits = [_benefit("A", _ANY_SERVICE, percent=f"0.{payer.coinsurance_percent}".rstrip("0"))]
    if payer.copay_cents:
        benefits.append(_benefit("B", _OFFICE_VISIT, amount_cents=payer.copay_cents, period="27"))
    if member_id[-1:] in payer.deductible_digits:
        used = history.deductible_used_cents(payer.id, member_id, on.year)
        left = max(0, payer.deductible_cents - used)
        benefits += [
            _benefit("C", _ANY_SERVICE, amount_cents=payer.deductible_cents, period="23"),
            _benefit("C", _ANY_SERVICE, amount_cents=left, period="29"),
        ]
    return tuple(benefits)


def _benefit(
    code: str, service: str, *, amount_cents: int | None = None, percent: str = "", period: str = ""
) -> Benefit:
    return Benefit(
        code=code,
        service_types=(service,),
        level="IND",
        period=period,
        amount_cents=amount_cents,
        percent=percent,
        network="Y",
    )


def answer_authorization(
    request: AuthorizationRequest, rules: PayerRules, desk: Desk, today: date
) -> AuthorizationReply:
    """The 278 response: one decision for the event when all services fare alike, else one for each service."""
    payer = rules.payers.get(request.umo_id)
    if payer is None:
        return _decided(request, (), (), Rejection("2010A", "79", _CORRECT_AND_RESEND), people=False)
    if find_person(request.subscriber.member_id, payer.letter) is None:
        return _decided(request, (), (), Rejection("2010C", "75", _CORRECT_AND_RESEND))
    decisions = tuple(_decide(request, service, payer, rules, desk, today) for service in request.services)
    return _decided(request, request.services, decisions)


def _decided(
    request: AuthorizationRequest,
    services: tuple[AuthorizationService, ...],
    decisions: tuple[Decision, ...],
    rejection: Rejection | None = None,
    people: bool = True,
) -> AuthorizationReply:
    alike = decisions[0] if len(set(decisions)) == 1 else None
    return AuthorizationReply(
        trace_number=request.trace_number,
        trace_origin=request.trace_origin,
        umo_id=request.umo_id,
        umo_name=request.umo_name,
        umo_id_qualifier=request.umo_id_qualifier,
        requester_npi=request.requester_npi,
        requester_name=request.requester_name,
        requester_first=request.requester_first,
        requester_is_person=request.requester_is_person,
        subscriber=request.subscriber if people else None,
        dependent=request.dependent if people else None,
        decision=alike,
        services=tuple(
            ServiceDecision(service=service, decision=None if alike else decision)
            for service, decision in zip(services, decisions, strict=True)
        ),
        rejections=(rejection,) if rejection else (),
        diagnoses=request.diagnoses,
        category=request.category,
        certification_type=request.certification_type,
        service_type=request.service_type,
        place_of_service=request.place_of_service,
        level_of_service=request.level_of_service,
        event_from=request.event_from,
        event_to=request.event_to,
        reference=request.reference,
    )


def _decide(
    request: AuthorizationRequest,
    service: AuthorizationService,
    payer: Payer,
    rules: PayerRules,
    desk: Desk,
    today: date,
) -> Decision:
    """What the desk says of one service. Asking again for what was certified gives the same number."""
    member_id = request.subscriber.member_id
    behaviour = rules.behaviour(member_id)
    if service.code not in payer.authorization_codes:
        return Decision(action="NA")
    on = service.date_from or request.event_from or today
    given = desk.granted(payer.id, member_id, service.code, on)
    if given is None and behaviour == "authorization-denied":
        return Decision(action="A3", reasons=_NOT_NEEDED)
    if given is None and behaviour == "authorization-pended" and desk.asked(payer.id, member_id, service.code) == 1:
        return Decision(action="A4", reasons=_UNDER_REVIEW)
    span = Period(on - _VALID_BEFORE, on + _VALID_AFTER)
    given = given or desk.grant(payer.id, member_id, service.code, span)
    return Decision(
        action="A1", number=given.number, effective_from=given.valid.start, effective_to=given.valid.end, issued=today
    )
