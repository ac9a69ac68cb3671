"""A payer for the tests: answers the 270 that it is really sent with a real 271."""

from dataclasses import replace
from datetime import date

from x12 import transaction_sets
from x12.views.eligibility import Benefit, EligibilityInquiry, EligibilityReply, build_271, read_270
from x12.views.envelope import Envelope
from x12.views.parties import Rejection

ACTIVE = Benefit(code="1", service_types=("30",))
BENEFITS = (
    ACTIVE,
    Benefit(code="B", service_types=("98",), period="27", amount_cents=2500, network="Y"),
    Benefit(code="A", service_types=("30",), percent=".2", network="Y"),
    Benefit(code="C", service_types=("30",), level="IND", period="23", amount_cents=100000, network="Y"),
    Benefit(code="C", service_types=("30",), level="IND", period="29", amount_cents=45050, network="Y"),
)


def reply_to(text: str, now, benefits=BENEFITS, **changes) -> str:
    """A 271 that repeats the question's parties and trace number, with the changes asked for."""
    inquiry = asked(text)
    reply = EligibilityReply(
        payer_id=inquiry.payer_id,
        payer_name=inquiry.payer_name,
        provider_npi=inquiry.provider_npi,
        provider_name=inquiry.provider_name,
        subscriber=inquiry.subscriber,
        dependent=inquiry.dependent,
        trace_number=inquiry.trace_number,
        benefits=benefits,
        plan_begin=date(2026, 1, 1),
        plan_end=date(2026, 12, 31),
    )
    envelope = Envelope(sender_id="SYNCLEAR", receiver_id="THROUGHLINE", control_number=7, created=now)
    return build_271(replace(reply, **changes), envelope)


def refusal_to(text: str, now, code: str) -> str:
    return reply_to(text, now, benefits=(), rejections=(Rejection("2100C", code, "C"),), plan_begin=None, plan_end=None)


def asked(text: str) -> EligibilityInquiry:
    (inquiry,) = [each for ts in transaction_sets(text) for each in read_270(ts)]
    return inquiry
