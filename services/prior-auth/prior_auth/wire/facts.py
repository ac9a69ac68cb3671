"""Our facts as the events of the line, and FHIR Tasks for what a person must do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from fhir_r4 import write
from fhir_r4.work_task import work_task
from google.protobuf.message import Message
from rcm.priorauth.v1 import priorauth_pb2 as pb
from rcm.work.v1 import work_pb2

from prior_auth.model import (
    Authorization,
    Decision,
    Determined,
    Fact,
    Order,
    Requirement,
    Ruling,
    WorkClosed,
    WorkOpened,
)

_KIND, _OWNER = "authorization-needed", "authorization"
_REQUIREMENT = {
    Requirement.UNSPECIFIED: pb.REQUIREMENT_UNSPECIFIED,
    Requirement.NOT_REQUIRED: pb.REQUIREMENT_NOT_REQUIRED,
    Requirement.REQUIRED: pb.REQUIREMENT_REQUIRED,
}
_DECISION = {
    Decision.NOT_ASKED: pb.DECISION_UNSPECIFIED,
    Decision.APPROVED: pb.DECISION_APPROVED,
    Decision.PARTIAL: pb.DECISION_PARTIAL,
    Decision.DENIED: pb.DECISION_DENIED,
    Decision.PENDED: pb.DECISION_PENDED,
    Decision.UNKNOWN: pb.DECISION_UNKNOWN,
}


def write_fact(fact: Fact, now: datetime) -> tuple[str, Message]:
    """The event's type and body."""
    return _WRITERS[type(fact)](fact, now)


def write_authorization(found: Authorization) -> pb.Authorization:
    return pb.Authorization(
        authorization_id=found.authorization_id,
        requirement=_REQUIREMENT[found.requirement],
        decision=_DECISION[found.decision],
        number=found.number,
        valid_from=_text(found.valid_from),
        valid_to=_text(found.valid_to),
        units=found.units,
        code=found.code,
        rule_id=found.rule_id,
        reason=found.reason,
        payer_id=found.payer_id,
        order=found.order,
    )


def write_ruling(ruling: Ruling) -> pb.DetermineRequirementResponse:
    return pb.DetermineRequirementResponse(
        requirement=_REQUIREMENT[ruling.requirement], rule_id=ruling.rule_id, because=ruling.because
    )


def _determined(fact: Determined, now: datetime) -> tuple[str, Message]:
    body = pb.AuthorizationDetermined(
        authorization=write_authorization(fact.authorization), encounter=fact.order.encounter
    )
    return "authorization.determined", body


def _opened(fact: WorkOpened, now: datetime) -> tuple[str, Message]:
    body = work_pb2.WorkOpened(
        work_id=fact.work_id,
        kind=_KIND,
        reason=fact.reason,
        due_on=fact.order.on.isoformat(),
        encounter=fact.order.encounter,
        task=_task(fact.order, fact.work_id, "open", now, fact.reason, fact.order.on),
        owner=_OWNER,
    )
    return "work.opened", body


def _closed(fact: WorkClosed, now: datetime) -> tuple[str, Message]:
    task = _task(fact.order, fact.work_id, fact.outcome, now)
    return "work.closed", work_pb2.WorkClosed(work_id=fact.work_id, kind=_KIND, outcome=fact.outcome, task=task)


def _task(order: Order, work_id: str, state: str, now: datetime, reason: str = "", due_on: date | None = None) -> bytes:
    task = work_task(
        work_id,
        _KIND,
        state,
        now,
        focus=order.order,
        patient=order.patient,
        encounter=order.encounter,
        reason=reason,
        due_on=due_on,
    )
    return write(task)


def _text(day: date | None) -> str:
    return day.isoformat() if day is not None else ""


_WRITERS: Mapping[type, Callable[[Any, datetime], tuple[str, Message]]] = {
    Determined: _determined,
    WorkOpened: _opened,
    WorkClosed: _closed,
}
