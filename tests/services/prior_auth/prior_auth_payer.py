"""A payer for the tests: answers the 278 that it is really sent with a real 278 response."""

from datetime import date

from x12 import transaction_sets
from x12.views.authorization import (
    AuthorizationReply,
    AuthorizationRequest,
    Decision,
    ServiceDecision,
    build_278_response,
    read_278_request,
)
from x12.views.envelope import Envelope
from x12.views.parties import Rejection

NUMBER = "AUTH00000001"
APPROVAL = Decision(action="A1", number=NUMBER, effective_from=date(2026, 3, 13), effective_to=date(2026, 6, 18))


def asked(text: str) -> AuthorizationRequest:
    (request,) = [each for ts in transaction_sets(text) for each in read_278_request(ts)]
    return request


def reply_to(text: str, now, decision=APPROVAL, on_service=False, rejections=(), trace="") -> str:
    """A 278 response that repeats the parties and the trace number."""
    request = asked(text)
    service = ServiceDecision(service=request.services[0], decision=decision if on_service else None)
    reply = AuthorizationReply(
        trace_number=trace or request.trace_number,
        umo_id=request.umo_id,
        umo_name=request.umo_name,
        requester_npi=request.requester_npi,
        requester_name=request.requester_name,
        subscriber=request.subscriber,
        dependent=request.dependent,
        decision=None if on_service else decision,
        services=(service,) if decision else (),
        rejections=rejections,
    )
    envelope = Envelope(sender_id="SYNCLEAR", receiver_id="THROUGHLINE", control_number=9, created=now)
    return build_278_response(reply, envelope)


def refusal_to(text: str, now, code: str) -> str:
    return reply_to(text, now, decision=None, rejections=(Rejection("2010C", code, "C"),))
