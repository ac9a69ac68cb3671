"""A missing charge as a FHIR R4 Task, the form in which people's queues and the FHIR API show it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import fhir_r4
from kernel.money import from_cents
from rcm.work.v1 import work_pb2

from charge_capture.model import WorkItem
from charge_capture.wire.charges import LINE

_OWNER = "coder"


def task_of(item: WorkItem, now: datetime) -> dict[str, Any]:
    """The Task: about the order that was performed where there is one, else about the encounter."""
    task: dict[str, Any] = {
        "resourceType": "Task",
        "id": item.work_id,
        "extension": _dollars(item.cents),
        "status": "requested" if item.state == "open" else "completed",
        "businessStatus": _concept("work-reason", item.reason),
        "intent": "order",
        "code": _concept("work", item.kind),
        "focus": {"reference": item.order_ref or item.encounter},
        "for": {"reference": item.patient} if item.patient else None,
        "encounter": {"reference": item.encounter},
        "authoredOn": item.opened_at.isoformat(),
        "lastModified": now.isoformat(),
        "performerType": [_concept("work-queue", _OWNER)],
        "restriction": {"period": {"end": item.due_on.isoformat()}},
    }
    return {name: value for name, value in task.items() if value}


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


def _dollars(cents: int) -> list[dict[str, Any]]:
    """Nothing is said where the amount is not known."""
    money = {"value": Decimal(from_cents(cents)), "currency": "USD"}
    return [{"url": f"{LINE}/StructureDefinition/dollars", "valueMoney": money}] if cents else []


def _concept(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": f"{LINE}/CodeSystem/{system}", "code": code}]}
