"""A work item as a FHIR R4 Task, the form in which people's queues and the FHIR API show it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import fhir_r4
from rcm.work.v1 import work_pb2

from coding.model import WorkItem
from coding.wire.elements import LINE

_STATUS = {"open": "requested", "resolved": "completed", "cancelled": "cancelled"}


def task_of(item: WorkItem, now: datetime) -> dict[str, Any]:
    """The Task. Coding knows no prices, so it states no dollars."""
    task = {
        "resourceType": "Task",
        "id": item.work_id,
        "status": _STATUS[item.state],
        "businessStatus": _concept("work-reason", item.reason),
        "intent": "order",
        "code": _concept("work", item.kind),
        "focus": {"reference": item.encounter},
        "encounter": {"reference": item.encounter},
        "authoredOn": item.opened_at.isoformat(),
        "lastModified": now.isoformat(),
        "performerType": [_concept("work-queue", item.owner)],
        "restriction": {"period": {"end": item.due_on.isoformat()}},
    }
    return task | ({"for": {"reference": item.patient}} if item.patient else {})


def work_opened(item: WorkItem, now: datetime) -> work_pb2.WorkOpened:
    return work_pb2.WorkOpened(
        work_id=item.work_id,
        kind=item.kind,
        reason=item.reason,
        due_on=item.due_on.isoformat(),
        encounter=item.encounter,
        task=fhir_r4.write(task_of(item, now)),
        owner=item.owner,
    )


def work_closed(item: WorkItem, now: datetime) -> work_pb2.WorkClosed:
    return work_pb2.WorkClosed(
        work_id=item.work_id, kind=item.kind, outcome=item.state, task=fhir_r4.write(task_of(item, now))
    )


def _concept(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": f"{LINE}/CodeSystem/{system}", "code": code}]}
