"""Our facts as the events of the line with their Tasks, and a verification as the message that answers others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from fhir_r4 import write
from fhir_r4.work_task import work_task
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from rcm.eligibility.v1 import eligibility_pb2 as pb
from rcm.work.v1.work_pb2 import WorkClosed, WorkOpened

from eligibility.model import CoverageFound, Fact, GapClosed, GapOpened, Question, Status, Verification
from eligibility.wire.response import write_response

_STATUS = {
    Status.ACTIVE: pb.COVERAGE_STATUS_ACTIVE,
    Status.INACTIVE: pb.COVERAGE_STATUS_INACTIVE,
    Status.UNKNOWN: pb.COVERAGE_STATUS_UNKNOWN,
    Status.REJECTED: pb.COVERAGE_STATUS_REJECTED,
}
_KIND, _OWNER = "coverage-gap", "front-desk"


def write_fact(fact: Fact, now: datetime) -> tuple[str, Message]:
    """The event's type and body."""
    return _WRITERS[type(fact)](fact, now)


def write_verification(question: Question, found: Verification) -> pb.CoverageVerification:
    """The outcome with its FHIR resource."""
    checked_at = Timestamp()
    checked_at.FromDatetime(found.checked_at)
    return pb.CoverageVerification(
        verification_id=found.verification_id,
        status=_STATUS[found.status],
        date=found.on.isoformat(),
        checked_at=checked_at,
        benefits=[
            pb.Benefit(
                kind=benefit.kind,
                service_type=benefit.service_type,
                amount_cents=benefit.amount_cents or 0,
                percent=benefit.percent,
                network=benefit.network,
            )
            for benefit in found.benefits
        ],
        mismatches=[pb.Mismatch(field=each.field, aaa=each.aaa, remedy=each.remedy) for each in found.mismatches],
        plan_begin=_text(found.plan_begin),
        plan_end=_text(found.plan_end),
        reason=found.reason,
        response_json=write(write_response(question, found)),
        payer_id=found.payer_id,
        authorization_may_be_required=found.authorization,
        other_payer_id=found.other_payer_id,
    )


def _found(fact: CoverageFound, now: datetime) -> tuple[str, Message]:
    body = pb.CoverageVerified(
        verification=write_verification(fact.question, fact.verification),
        coverage=fact.question.coverage,
        subject_key=fact.question.subject_key,
    )
    return ("coverage.gap_found" if fact.verification.gap else "coverage.verified"), body


def _opened(fact: GapOpened, now: datetime) -> tuple[str, Message]:
    body = WorkOpened(
        work_id=fact.work_id,
        kind=_KIND,
        reason=fact.reason,
        due_on=fact.question.on.isoformat(),
        encounter=fact.question.encounter,
        task=_task(fact.question, fact.work_id, "open", now, fact.reason, fact.question.on),
        owner=_OWNER,
    )
    return "work.opened", body


def _closed(fact: GapClosed, now: datetime) -> tuple[str, Message]:
    task = _task(fact.question, fact.work_id, fact.outcome, now)
    return "work.closed", WorkClosed(work_id=fact.work_id, kind=_KIND, outcome=fact.outcome, task=task)


def _task(
    question: Question, work_id: str, state: str, now: datetime, reason: str = "", due_on: date | None = None
) -> bytes:
    task = work_task(
        work_id,
        _KIND,
        state,
        now,
        focus=question.coverage or question.patient,
        patient=question.patient,
        encounter=question.encounter,
        reason=reason,
        due_on=due_on,
    )
    return write(task)


def _text(day: date | None) -> str:
    return day.isoformat() if day is not None else ""


_WRITERS: Mapping[type, Callable[[Any, datetime], tuple[str, Message]]] = {
    CoverageFound: _found,
    GapOpened: _opened,
    GapClosed: _closed,
}
