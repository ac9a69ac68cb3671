"""What a ruling and a payer's 278 mean for an ordered service, and which authorization covers a claim's line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from prior_auth.model import Answer, Authorization, Decision, Exchange, Order, Requirement, Ruling, ServiceQuestion

_LATER = frozenset({"42", "80"})  # AAA03: the payer's system is down, or gave no answer in time
_OUR_FAULT = frozenset({"request-unbuildable"})  # asking again with the same record fares the same
_NOT_NEEDED = "NA"
# HCR01 (005010X217) -> our decision. CT wants a telephone call, so it decides nothing.
_ACTIONS = {
    "A1": Decision.APPROVED,
    "A2": Decision.PARTIAL,
    "A3": Decision.DENIED,
    "A4": Decision.PENDED,
    "A6": Decision.PARTIAL,
    "C": Decision.DENIED,
    "CT": Decision.UNKNOWN,
}
_GRANTED = (Decision.APPROVED, Decision.PARTIAL)
_PREFERENCE = (Decision.APPROVED, Decision.PARTIAL, Decision.PENDED, Decision.DENIED, Decision.UNKNOWN)


@dataclass(frozen=True, slots=True)
class _Verdict:
    decision: Decision
    reason: str = ""
    retriable: bool = False
    requirement: Requirement = Requirement.REQUIRED


def decide(order: Order, ruling: Ruling, exchange: Exchange, asked_at: datetime, version: int) -> Authorization:
    """The standing of an order. Only a payer's own grant is a grant; what cannot be read decides nothing."""
    verdict = _verdict(order, ruling, exchange)
    answer = exchange.answer or Answer()
    granted = verdict.decision in _GRANTED or verdict.requirement is not ruling.requirement
    return Authorization(
        authorization_id=order.authorization_id,
        subject_key=order.subject_key,
        code=order.code,
        payer_id=order.payer_id,
        order=order.order,
        requirement=verdict.requirement,
        decision=verdict.decision,
        number=answer.number if verdict.decision in _GRANTED else "",
        valid_from=(answer.valid_from or order.on) if granted else None,
        valid_to=(answer.valid_to or order.until) if granted else None,
        units=(answer.units or order.units) if granted else "",
        rule_id=ruling.rule_id,
        reason=verdict.reason,
        retriable=verdict.retriable,
        digest=order.digest(),
        version=version,
        asked_at=asked_at,
        action=answer.action,
        review_reasons=answer.reasons,
    )


def _verdict(order: Order, ruling: Ruling, exchange: Exchange) -> _Verdict:
    if ruling.requirement is not Requirement.REQUIRED:
        reason = order.obstacle if ruling.requirement is Requirement.UNSPECIFIED else ""
        return _Verdict(Decision.NOT_ASKED, reason, requirement=ruling.requirement)
    if order.obstacle:
        return _Verdict(Decision.UNKNOWN, order.obstacle)
    if exchange.answer is None:
        return _Verdict(Decision.UNKNOWN, exchange.failure, exchange.failure not in _OUR_FAULT)
    return _answered(exchange.answer)


def _answered(answer: Answer) -> _Verdict:
    if answer.rejections:
        later = _LATER.issuperset(answer.rejections)
        return _Verdict(Decision.UNKNOWN, f"aaa-{answer.rejections[0].lower()}", later)
    if answer.action == _NOT_NEEDED:
        return _Verdict(Decision.NOT_ASKED, "hcr-na", requirement=Requirement.NOT_REQUIRED)
    decision = _ACTIONS.get(answer.action, Decision.UNKNOWN)
    if decision in _GRANTED and not answer.number:
        return _Verdict(decision, "number-missing")
    return _Verdict(decision, "" if decision is Decision.APPROVED else _reason(answer))


def _reason(answer: Answer) -> str:
    """hcr-a3-<review reason>: a denial must say why (CMS-0057-F), a code is enough for the line."""
    parts = ("hcr", answer.action or "none", *answer.reasons[:1])
    return "-".join(parts).lower()


def choose(question: ServiceQuestion, ruling: Ruling, stored: Iterable[Authorization]) -> Authorization:
    """What covers a claim's line: a grant valid on the day first, else the newest standing, else nothing was asked.

    `stored` are the authorizations of the same patient and coverage for the code, newest first. A payer's word that it
    needs no authorization for an order of that day outweighs the rows.
    """
    ours = [each for each in stored if each.payer_id == question.payer_id and each.code == question.code]
    granted = [each for each in ours if each.decision in _GRANTED and each.covers(question.on)]
    if granted:
        return replace(min(granted, key=_rank), requirement=ruling.requirement, rule_id=ruling.rule_id)
    if ruling.requirement is not Requirement.REQUIRED:
        return _nothing(question, ruling)
    waived = [each for each in ours if each.requirement is Requirement.NOT_REQUIRED and each.covers(question.on)]
    standing = [each for each in ours if each.requirement is Requirement.REQUIRED and each.decision not in _GRANTED]
    return next(iter([*waived, *sorted(standing, key=_rank)]), _nothing(question, ruling))


def _rank(authorization: Authorization) -> tuple[bool, int]:
    """What can go on a claim comes first."""
    decision = authorization.decision
    return not authorization.number, _PREFERENCE.index(decision) if decision in _PREFERENCE else len(_PREFERENCE)


def _nothing(question: ServiceQuestion, ruling: Ruling) -> Authorization:
    return Authorization(
        authorization_id="",
        subject_key="",
        code=question.code,
        payer_id=question.payer_id,
        order="",
        requirement=ruling.requirement,
        decision=Decision.NOT_ASKED,
        rule_id=ruling.rule_id,
    )
