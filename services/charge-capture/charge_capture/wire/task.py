"""A missing charge as a FHIR R4 Task, and as what the line is told when it opens and closes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import fhir_r4
from fhir_r4.work_task import work_task
from rcm.work.v1 import work_pb2

from charge_capture.model import WorkItem

_OWNER = "coder"


def task_of(item: WorkItem, now: datetime) -> dict[str, Any]:
    """The Task: about the order that was performed where there is one, else about the encounter."""
    return work_task(
        item.work_id,
        item.kind,
        "open" if item.state == "open" else "resolved",
        now,
        focus=item.order_ref or item.encounter,
        patient=item.patient,
        encounter=item.encounter,
        reason=item.reason,
        owner=_OWNER,
        due_on=item.due_on,
        opened_at=item.opened_at,
        dollars_cents=item.cents,
    )


def work_opened(item: WorkItem, now: datetime) -> work_pb2.WorkOpened:
    return work_pb2.WorkOpened(
        work_id=item.work_id,
        kind=item.kind,
        reason=item.reason,
        dollars_cents=item.cents,
        due_on=item.due_on.isoformat(),
        encounter=item.encounter,
        task=fhir_r4.write(task_of(item, now)),
        owner=_OWNER,
    )


def work_closed(item: WorkItem, now: datetime) -> work_pb2.WorkClosed:
    task = fhir_r4.write(task_of(item, now))
    return work_pb2.WorkClosed(work_id=item.work_id, kind=item.kind, outcome="resolved", task=task)
