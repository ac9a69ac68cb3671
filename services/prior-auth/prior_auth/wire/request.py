"""The request as X12 278 and the payer's 278 as an answer (005010X217)."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from kernel.errors import Unreadable
from x12 import ViewError, X12Error, transaction_sets
from x12.views.authorization import (
    AuthorizationReply,
    AuthorizationRequest,
    AuthorizationService,
    build_278_request,
    read_278_response,
)
from x12.views.authorization import Decision as X12Decision
from x12.views.envelope import Envelope
from x12.views.parties import Diagnosis, Member

from prior_auth.model import Answer, Order, Person

_CONTROL_NUMBERS = 999_999_999
_URGENT = "U"
_MOST_DIAGNOSES = 12


@dataclass(frozen=True, slots=True)
class Trading:
    """Who we are to the clearinghouse. `usage` is T or P."""

    submitter_id: str
    receiver_id: str
    usage: str


def write_278(order: Order, trading: Trading, now: datetime) -> str:
    """One 278 request in its own interchange. Unreadable when the record holds a value that X12 cannot carry."""
    envelope = Envelope(
        sender_id=trading.submitter_id,
        receiver_id=trading.receiver_id,
        control_number=UUID(order.trace()).int % _CONTROL_NUMBERS + 1,
        created=now,
        usage=trading.usage,
    )
    try:
        return build_278_request(_request(order), envelope)
    except ViewError as error:
        raise Unreadable("request-unbuildable", error.path, "the record holds what a 278 cannot carry") from error


def read_answer(text: str, order: Order) -> Answer:
    """The 278 response that answers our trace number.

    Unreadable when the text is no X12, an acknowledgment that refuses the request (278-refused), or an answer to
    something else (278-foreign).
    """
    try:
        replies = [reply for ts in transaction_sets(text) if ts.code == "278" for reply in read_278_response(ts)]
    except (X12Error, ViewError) as error:
        raise Unreadable("278-unreadable", "278", "the payer's answer cannot be read") from error
    if not replies:
        raise Unreadable("278-refused", "278", "the answer is no 278")
    found = next((reply for reply in replies if reply.trace_number in (order.trace(), "")), None)
    if found is None:
        raise Unreadable("278-foreign", "TRN02", "the answer carries another trace number")
    return _answer(found, order)


def x12_text(text: str) -> str:
    """Upper case without accents or the characters that X12 reserves, single spaces: what payers compare."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().upper()
    return " ".join("".join(c if c.isalnum() or c in " '-.,&/()" else " " for c in plain).split())


def _request(order: Order) -> AuthorizationRequest:
    until = order.until if order.until != order.on else None
    service = AuthorizationService(code=order.code, units=order.units, date_from=order.on, date_to=until)
    return AuthorizationRequest(
        trace_number=order.trace(),
        umo_id=order.payer_id,
        umo_name=x12_text(order.payer_name),
        requester_npi=order.requester_npi,
        requester_name=x12_text(order.requester_name),
        subscriber=_member(order.subscriber),
        dependent=_member(order.dependent) if order.dependent else None,
        services=(service,),
        diagnoses=tuple(_diagnoses(order)),
        place_of_service=order.place_of_service,
        level_of_service=_URGENT if order.urgent else "",
        event_from=order.on,
        event_to=until,
    )


def _diagnoses(order: Order) -> Iterator[Diagnosis]:
    for index, code in enumerate(order.diagnoses[:_MOST_DIAGNOSES]):
        yield Diagnosis(code, "ABF" if index else "ABK")


def _member(person: Person) -> Member:
    return Member(
        last=x12_text(person.last),
        first=x12_text(person.first),
        member_id=person.member_id,
        birth_date=person.birth_date,
        gender=person.gender,
    )


def _answer(reply: AuthorizationReply, order: Order) -> Answer:
    """The decision on our service where the payer decided it by itself, else that on the whole event."""
    decided = [each for each in reply.services if each.service.code == order.code and each.decision is not None]
    decision = (decided[0].decision if decided else None) or reply.decision or X12Decision(action="")
    units = decided[0].service.units if decided else ""
    return Answer(
        action=decision.action,
        number=decision.number or reply.number,
        reasons=decision.reasons,
        rejections=tuple(rejection.code for rejection in reply.rejections),
        valid_from=decision.effective_from,
        valid_to=decision.effective_to,
        units=units,
    )
