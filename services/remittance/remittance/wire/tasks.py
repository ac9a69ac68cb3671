"""A work item as a FHIR R4 Task."""

from __future__ import annotations

from datetime import datetime

from remittance.model.remittance import Work
from remittance.wire.fhir import WORK, Json, concept, extension, money

_STATUS = {"": "requested", "resolved": "completed", "cancelled": "cancelled"}


def task_of(work: Work, now: datetime, outcome: str = "") -> Json:
    """Requested while it is open; completed or cancelled by its outcome."""
    opened = (work.opened_at or now).isoformat()
    task: Json = {
        "resourceType": "Task",
        "id": work.work_id,
        "extension": [extension("dollars", "valueMoney", money(work.dollars_cents))],
        "status": _STATUS[outcome],
        "businessStatus": concept(WORK, work.reason),
        "intent": "order",
        "code": concept(WORK, work.kind),
    }
    links = {"focus": work.focus, "for": work.patient, "encounter": work.encounter}
    task |= {name: {"reference": reference} for name, reference in links.items() if reference}
    task |= {"authoredOn": opened, "lastModified": now.isoformat()}
    if work.due_on is not None:
        task["restriction"] = {"period": {"end": work.due_on.isoformat()}}
    return task
