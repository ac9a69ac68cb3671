"""The Task of a work item is valid FHIR whatever is known of the item, and says nothing that is not."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from fhir_r4 import read, validate, write
from fhir_r4.work_task import work_task

OPENED, MODIFIED = datetime(2026, 2, 10, 12, 0, 0, 1999, UTC), datetime(2026, 2, 10, 13, tzinfo=UTC)
LINE = "https://throughline.example/fhir"


@pytest.mark.parametrize(
    ("state", "status"), [("open", "requested"), ("resolved", "completed"), ("cancelled", "cancelled")]
)
def test_the_least_that_is_known_is_a_valid_task(state, status):
    task = work_task("w1", "coverage-gap", state, MODIFIED, focus="Patient/p1")
    assert task == {
        "resourceType": "Task",
        "id": "w1",
        "status": status,
        "intent": "order",
        "code": {"coding": [{"system": f"{LINE}/CodeSystem/work", "code": "coverage-gap"}]},
        "focus": {"reference": "Patient/p1"},
        "lastModified": "2026-02-10T13:00:00.000Z",
    }
    assert validate(task) == []


def test_everything_that_is_known_is_a_valid_task():
    task = work_task(
        "w1",
        "missing-charge",
        "open",
        MODIFIED,
        focus="ServiceRequest/o1",
        patient="Patient/p1",
        encounter="Encounter/e1",
        reason="not-charged",
        owner="coder",
        due_on=date(2026, 2, 11),
        opened_at=OPENED,
        dollars_cents=15500,
    )
    assert validate(task) == []
    assert read(write(task)) == task
    assert task["extension"] == [
        {"url": f"{LINE}/StructureDefinition/dollars", "valueMoney": {"value": Decimal("155.00"), "currency": "USD"}}
    ]
    assert (task["for"], task["encounter"]) == ({"reference": "Patient/p1"}, {"reference": "Encounter/e1"})
    assert task["restriction"] == {"period": {"end": "2026-02-11"}}
    assert task["authoredOn"] == "2026-02-10T12:00:00.001Z"
    assert [task[name]["coding"][0]["code"] for name in ("code", "businessStatus")] == ["missing-charge", "not-charged"]
    assert task["performerType"][0]["coding"] == [{"system": f"{LINE}/CodeSystem/work-queue", "code": "coder"}]


def test_a_state_that_is_none_is_refused():
    with pytest.raises(KeyError):
        work_task("w1", "coverage-gap", "lost", MODIFIED, focus="Patient/p1")
