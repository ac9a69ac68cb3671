"""The judgement of a check: what one exchange with a payer says about a coverage, and for how long that holds."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from datetime import date, datetime, timedelta

from kernel.person import Person

from eligibility.model import Answer, Exchange, Mismatch, Policy, Question, Status, Tables, Verification

_UNKNOWN_REJECTION_REMEDY = "The payer refused the question: ask it for the reason."
_OUR_FAULT = frozenset({"inquiry-unbuildable"})  # asking again with the same record fares the same
_LAST_NAME_LENGTH, _FIRST_NAME_LENGTH = 60, 35  # NM103 and NM104 hold no more


def verify(question: Question, exchange: Exchange, tables: Tables, checked_at: datetime) -> Verification:
    """One verification from a question and what came of asking it.

    What cannot be read as a plain yes or no is UNKNOWN, with a reason and whether asking again can help.
    """
    answer = exchange.answer
    if question.obstacle or answer is None:
        reason = question.obstacle or exchange.failure
        retriable = not question.obstacle and reason not in _OUR_FAULT
        return _verification(question, exchange, checked_at, Status.UNKNOWN, reason, retriable, ())
    status, reason, retriable = _outcome(answer, question.on, tables)
    mismatches = () if retriable else tuple(_mismatches(question.person, answer, tables))
    if status is Status.ACTIVE and mismatches:
        reason = f"mismatch-{mismatches[0].field}"
    return _verification(question, exchange, checked_at, status, reason, retriable, mismatches)


def holds_on(found: Verification, question: Question, now: datetime, policy: Policy) -> bool:
    """Whether an earlier verification still answers the question.

    It must be known, about the same facts, cover the day, be no older than the policy, and for a service of today
    or the past no older than the service: coverage ends between a booking and a visit.
    """
    if found.status is Status.UNKNOWN or found.digest != question.digest() or not _covers(found, question.on):
        return False
    if now - found.checked_at > timedelta(hours=policy.max_age_hours):
        return False
    return question.on > now.date() or found.checked_at.date() >= question.on


def _covers(found: Verification, on: date) -> bool:
    """Asked about that very day, or active for a stretch whose both ends the payer told."""
    if found.on == on:
        return True
    begin, end = found.plan_begin, found.plan_end
    return found.status is Status.ACTIVE and begin is not None and end is not None and begin <= on <= end


def _outcome(answer: Answer, on: date, tables: Tables) -> tuple[Status, str, bool]:
    if answer.rejections:
        rows = [tables.rejections.get(code) for code in answer.rejections]
        later = all(row is not None and row.retry for row in rows)
        return (Status.UNKNOWN if later else Status.REJECTED), f"aaa-{answer.rejections[0].lower()}", later
    if answer.active is None:
        return Status.UNKNOWN, "status-not-told", True
    if answer.active and answer.plan_begin is not None and on < answer.plan_begin:
        return Status.INACTIVE, "plan-not-begun", False
    if answer.active and answer.plan_end is not None and answer.plan_end < on:
        return Status.INACTIVE, "plan-ended", False
    return (Status.ACTIVE, "", False) if answer.active else (Status.INACTIVE, "inactive", False)


def _mismatches(ours: Person, answer: Answer, tables: Tables) -> Iterator[Mismatch]:
    for code in answer.rejections:
        row = tables.rejections.get(code)
        field, remedy = (row.field, row.remedy) if row else ("request", _UNKNOWN_REJECTION_REMEDY)
        yield Mismatch(field=field, aaa=code, remedy=remedy)
    if not answer.rejections:
        for field in differences(ours, answer.person):
            yield Mismatch(field=field, aaa="", remedy=tables.remedies.get(field, ""))


def differences(ours: Person, theirs: Person) -> Iterator[str]:
    """The fields in which the payer's record differs from ours; what it does not repeat is no difference."""
    if _differ(ours.last, theirs.last, _LAST_NAME_LENGTH) or _differ(ours.first, theirs.first, _FIRST_NAME_LENGTH):
        yield "name"
    if ours.birth_date and theirs.birth_date and ours.birth_date != theirs.birth_date:
        yield "birth-date"
    if _differ(ours.member_id, theirs.member_id, len(ours.member_id) + len(theirs.member_id)):
        yield "member-id"


def _differ(ours: str, theirs: str, length: int) -> bool:
    """Compares what survives an X12 element: letters and digits, no accents, no case, cut to its length."""
    one, other = letters(ours[:length]), letters(theirs[:length])
    return bool(one and other) and one != other


def letters(text: str) -> str:
    """ASCII letters and digits in upper case: O'Brien-Núñez is OBRIENNUNEZ."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return "".join(filter(str.isalnum, plain)).upper()


def _verification(
    question: Question,
    exchange: Exchange,
    checked_at: datetime,
    status: Status,
    reason: str,
    retriable: bool,
    mismatches: tuple[Mismatch, ...],
) -> Verification:
    answer = exchange.answer or Answer()
    return Verification(
        verification_id=exchange.verification_id,
        subject_key=question.subject_key,
        on=question.on,
        checked_at=checked_at,
        status=status,
        reason=reason,
        retriable=retriable,
        payer_id=question.payer_id,
        digest=question.digest(),
        benefits=answer.benefits,
        mismatches=mismatches,
        plan_begin=answer.plan_begin,
        plan_end=answer.plan_end,
        authorization=answer.authorization,
        other_payer_id=answer.other_payer_id,
    )
