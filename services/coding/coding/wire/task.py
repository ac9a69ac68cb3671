"""A work item as a FHIR R4 Task, and as what the line is told when it opens and closes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import fhir_r4
from fhir_r4.work_task import work_task
from rcm.work.v1 import work_pb2

from coding.model import WorkItem


def task_of(item: WorkItem, now: datetime) -> dict[str, Any]:
    """The Task. Coding knows no prices, so it states no dollars."""
    return work_task(
        item.work_id,
        item.kind,
        item.state,
        now,
        focus=item.encounter,
        patient=item.patient,
        encounter=item.encounter,
        reason=item.reason,
        owner=item.owner,
        due_on=item.due_on,
        opened_at=item.opened_at,
    )


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
