"""The question as X12 270 and the payer's 271 as an answer (005010X279A1)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal, InvalidOperation
from uuid import UUID

from clearinghouse import Trading, find_reply, x12_member, x12_text
from kernel.errors import Unreadable
from kernel.person import Person
from x12 import ViewError
from x12.views.eligibility import (
    Benefit as X12Benefit,
)
from x12.views.eligibility import (
    EligibilityInquiry,
    EligibilityReply,
    build_270,
    read_271,
)
from x12.views.parties import Member

from eligibility.model import Answer, Benefit, Question

_REMAINING = "29"
_YES = "Y"
_PRIMARY = "P"
_NETWORKS = {"Y": "in", "N": "out"}
# EB01 -> our kind, and the kind when EB06 says that it is what remains
_KINDS = {
    "A": ("coinsurance", "coinsurance"),
    "B": ("copay", "copay"),
    "C": ("deductible", "deductible-remaining"),
    "G": ("out-of-pocket", "out-of-pocket-remaining"),
    "F": ("limitation", "limitation"),
    "I": ("not-covered", "not-covered"),
}


def trace_of(verification_id: str) -> str:
    """TRN02 of an attempt: its id without hyphens."""
    return UUID(verification_id).hex.upper()


def write_270(question: Question, verification_id: str, trading: Trading, now: datetime) -> str:
    """One 270 in its own interchange. Unreadable when the record holds a value that X12 cannot carry."""
    inquiry = EligibilityInquiry(
        payer_id=question.payer_id,
        payer_name=x12_text(question.payer_name),
        provider_npi=question.provider_npi,
        provider_name=x12_text(question.provider_name),
        subscriber=x12_member(question.subscriber),
        dependent=x12_member(question.dependent) if question.dependent else None,
        trace_number=trace_of(verification_id),
        service_types=question.service_types,
        service_date=question.on,
    )
    try:
        return build_270(inquiry, trading.envelope(UUID(verification_id), now))
    except ViewError as error:
        raise Unreadable("inquiry-unbuildable", error.path, "the record holds what a 270 cannot carry") from error


def read_answer(text: str, verification_id: str) -> Answer:
    """The 271 that answers our trace number.

    Unreadable when the text is no X12, an acknowledgment that refuses the question (271-refused), or an answer to
    something else (271-foreign).
    """
    return _answer(find_reply(text, "271", read_271, trace_of(verification_id)))


def _answer(reply: EligibilityReply) -> Answer:
    known = reply.dependent or reply.subscriber
    return Answer(
        trace=reply.trace_number,
        active=reply.active(),
        rejections=tuple(rejection.code for rejection in reply.rejections),
        benefits=tuple(_benefits(reply)),
        plan_begin=reply.plan_begin,
        plan_end=reply.plan_end,
        person=_person(known) if known is not None else Person(),
        authorization=any(benefit.authorization == _YES for benefit in reply.benefits),
        other_payer_id=next((p.id for p in reply.other_payers if p.responsibility == _PRIMARY), ""),
    )


def _person(member: Member) -> Person:
    return Person(member.last, member.first, member.birth_date, member.gender, member.member_id)


def _benefits(reply: EligibilityReply) -> Iterator[Benefit]:
    for benefit in reply.benefits:
        if benefit.code in _KINDS:
            for service_type in benefit.service_types or ("",):
                yield _benefit(benefit, service_type)


def _benefit(benefit: X12Benefit, service_type: str) -> Benefit:
    kind, remaining = _KINDS[benefit.code]
    return Benefit(
        kind=remaining if benefit.period == _REMAINING else kind,
        service_type=service_type,
        amount_cents=benefit.amount_cents,
        percent=_per_cents(benefit.percent),
        network=_NETWORKS.get(benefit.network, "any"),
    )


def _per_cents(fraction: str) -> str:
    """EB08 is a fraction of one: .2 is 20 per cent."""
    if not fraction:
        return ""
    try:
        return format((Decimal(fraction) * 100).normalize(), "f")
    except InvalidOperation as error:
        raise Unreadable("271-unreadable", "EB08", "a percentage is no number") from error
