"""A work item as a FHIR R4 Task, the form in which people's queues and the FHIR API show it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from fhir_r4.compose import instant, money, own_concept, own_extension

# How a work item stands, and the Task.status that says so.
_STATUS = {"open": "requested", "resolved": "completed", "cancelled": "cancelled"}


def work_task(
    work_id: str,
    kind: str,
    state: str,
    modified_at: datetime,
    *,
    focus: str,
    patient: str = "",
    encounter: str = "",
    reason: str = "",
    owner: str = "",
    due_on: date | None = None,
    opened_at: datetime | None = None,
    dollars_cents: int = 0,
) -> dict[str, Any]:
    """The Task; `state` is open, resolved or cancelled. What is not given is not said, nor an amount of nothing.

    `focus`, `patient` and `encounter` are literal references, `owner` is the queue of people that works on it.
    """
    task: dict[str, Any] = {
        "resourceType": "Task",
        "id": work_id,
        "extension": [own_extension("dollars", "Money", money(dollars_cents))] if dollars_cents else None,
        "status": _STATUS[state],
        "businessStatus": own_concept("work-reason", reason) if reason else None,
        "intent": "order",
        "code": own_concept("work", kind),
        "focus": _reference(focus),
        "for": _reference(patient),
        "encounter": _reference(encounter),
        "authoredOn": instant(opened_at) if opened_at else None,
        "lastModified": instant(modified_at),
        "performerType": [own_concept("work-queue", owner)] if owner else None,
        "restriction": {"period": {"end": due_on.isoformat()}} if due_on else None,
    }
    return {name: value for name, value in task.items() if value}


def _reference(reference: str) -> dict[str, str] | None:
    return {"reference": reference} if reference else None
