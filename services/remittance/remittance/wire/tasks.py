"""A work item as a FHIR R4 Task."""

from __future__ import annotations

from datetime import datetime

from fhir_r4.work_task import work_task

from remittance.model.remittance import Work
from remittance.wire.fhir import Json


def task_of(work: Work, now: datetime, outcome: str = "") -> Json:
    """Requested while it is open; completed or cancelled by its outcome."""
    return work_task(
        work.work_id,
        work.kind,
        outcome or "open",
        now,
        focus=work.focus,
        patient=work.patient,
        encounter=work.encounter,
        reason=work.reason,
        owner=work.owner,
        due_on=work.due_on,
        opened_at=work.opened_at or now,
        dollars_cents=work.dollars_cents,
    )
