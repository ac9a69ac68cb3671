"""The request as X12 278 and the payer's 278 as an answer (005010X217)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from clearinghouse import Trading, find_reply, x12_member, x12_text
from kernel.errors import Unreadable
from x12 import ViewError
from x12.views.authorization import (
    AuthorizationReply,
    AuthorizationRequest,
    AuthorizationService,
    build_278_request,
    read_278_response,
)
from x12.views.authorization import Decision as X12Decision
from x12.views.parties import Diagnosis

from prior_auth.model import Answer, Order

_URGENT = "U"
_MOST_DIAGNOSES = 12


def write_278(order: Order, trading: Trading, now: datetime) -> str:
    """One 278 request in its own interchange. Unreadable when the record holds a value that X12 cannot carry."""
    try:
        return build_278_request(_request(order), trading.envelope(UUID(order.trace()), now))
    except ViewError as error:
        raise Unreadable("request-unbuildable", error.path, "the record holds what a 278 cannot carry") from error


def read_answer(text: str, order: Order) -> Answer:
    """The 278 response that answers our trace number.

    Unreadable when the text is no X12, an acknowledgment that refuses the request (278-refused), or an answer to
    something else (278-foreign).
    """
    return _answer(find_reply(text, "278", read_278_response, order.trace()), order)


def _request(order: Order) -> AuthorizationRequest:
    until = order.until if order.until != order.on else None
    service = AuthorizationService(code=order.code, units=order.units, date_from=order.on, date_to=until)
    return AuthorizationRequest(
        trace_number=order.trace(),
        umo_id=order.payer_id,
        umo_name=x12_text(order.payer_name),
        requester_npi=order.requester_npi,
        requester_name=x12_text(order.requester_name),
        subscriber=x12_member(order.subscriber),
        dependent=x12_member(order.dependent) if order.dependent else None,
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
