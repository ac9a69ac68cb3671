"""Our facts as the events of the line, and FHIR Tasks for what a person must do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from fhir_r4 import write
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

Json = dict[str, Any]

_WORK = "https://throughline.example/fhir/CodeSystem/work"
_REASONS = "https://throughline.example/fhir/CodeSystem/work-reason"
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


def write_task(work_id: str, status: str, order: Order, now: datetime) -> Json:
    """The Task about one ordered service."""
    task: Json = {
        "resourceType": "Task",
        "id": work_id,
        "status": status,
        "intent": "order",
        "code": _coded(_WORK, _KIND),
        "focus": {"reference": order.order},
        "for": {"reference": order.patient},
        "lastModified": now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }
    if order.encounter:
        task["encounter"] = {"reference": order.encounter}
    return task


def _determined(fact: Determined, now: datetime) -> tuple[str, Message]:
    body = pb.AuthorizationDetermined(
        authorization=write_authorization(fact.authorization), encounter=fact.order.encounter
    )
    return "authorization.determined", body


def _opened(fact: WorkOpened, now: datetime) -> tuple[str, Message]:
    due_on = fact.order.on.isoformat()
    task = write_task(fact.work_id, "requested", fact.order, now) | {
        "businessStatus": _coded(_REASONS, fact.reason),
        "restriction": {"period": {"end": due_on}},
    }
    body = work_pb2.WorkOpened(
        work_id=fact.work_id,
        kind=_KIND,
        reason=fact.reason,
        due_on=due_on,
        encounter=fact.order.encounter,
        task=write(task),
        owner=_OWNER,
    )
    return "work.opened", body


def _closed(fact: WorkClosed, now: datetime) -> tuple[str, Message]:
    status = "completed" if fact.outcome == "resolved" else "cancelled"
    task = write(write_task(fact.work_id, status, fact.order, now))
    return "work.closed", work_pb2.WorkClosed(work_id=fact.work_id, kind=_KIND, outcome=fact.outcome, task=task)


def _coded(system: str, code: str) -> Json:
    return {"coding": [{"system": system, "code": code}]}


def _text(day: date | None) -> str:
    return day.isoformat() if day is not None else ""


_WRITERS: Mapping[type, Callable[[Any, datetime], tuple[str, Message]]] = {
    Determined: _determined,
    WorkOpened: _opened,
    WorkClosed: _closed,
}
