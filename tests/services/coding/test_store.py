"""Coding with a real Postgres: facts in, facts out, tenants apart, and the gRPC door on the same tables."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import fhir_r4
import pytest
from bus import Database, Event
from bus.event import decode, open_envelope
from coding.entry_events import EventEntry
from coding.entry_grpc import CodingServicer
from coding.rules import Rules
from kernel.clock import FixedClock
from kernel.errors import Unreadable
from kernel.identifiers import uuid7
from rcm.billing.v1 import billing_pb2
from rcm.coding.v1 import coding_pb2 as pb
from rcm.engine.v1 import engine_pb2

NOW = datetime(2026, 2, 10, 18, tzinfo=UTC)


@pytest.fixture
async def database(platform: Any) -> AsyncIterator[Database]:
    opened = Database(platform.url_for("coding"), "coding", FixedClock(NOW), pool_size=2)
    await opened.open()
    yield opened
    await opened.close()


async def hear(database: Database, rules: Rules, tenant: str, type: str, body: Any, version: int = 1) -> None:
    """What the consumer does with a fact, without a broker."""
    event = Event(uuid7(), type, tenant, "a" * 32, "Encounter/e1", version, NOW, "", body)
    entry = EventEntry(rules, timedelta(hours=24))
    subscription = next(one for one in entry.subscriptions() if one.event == type)
    async with database.unit(tenant, event) as unit:
        await subscription.handle(unit, event, None)


async def told(database: Database, tenant: str) -> list[Event]:
    async with database.transaction(tenant) as conn:
        rows = await conn.fetch("select envelope from outbox order by position")
    return [decode(open_envelope(row["envelope"]), {}) for row in rows]


def context(tenant: str) -> Any:
    return SimpleNamespace(invocation_metadata=lambda: (("rcm-tenant", tenant),))


async def test_a_sure_visit_leaves_as_encounter_coded(
    database: Database, rules: Rules, tenant: str, office: Any
) -> None:
    await hear(database, rules, tenant, "encounter.finished", office.message())
    await hear(database, rules, tenant, "encounter.finished", office.message())
    (event,) = await told(database, tenant)
    assert (event.type, event.ordering_key, event.journey_id, event.version) == (
        "encounter.coded",
        "Encounter/e1",
        "a" * 32,
        1,
    )
    assert event.body.facts == office.message().facts
    assert [line.code for line in event.body.lines] == ["99213"]
    assert not event.body.reviewed


async def test_a_review_is_listed_resolved_once_and_goes_on_with_its_journey(
    database: Database, rules: Rules, tenant: str, office: Any
) -> None:
    await hear(database, rules, tenant, "encounter.finished", office.visit("99215").message())
    door = CodingServicer(database, rules)
    (review,) = (await door.ListReviews(pb.ListReviewsRequest(), context(tenant))).reviews
    assert (review.encounter, review.state) == ("Encounter/e1", "open")
    assert [finding.rule_id for finding in review.findings] == ["em-over"]
    request = pb.ResolveReviewRequest(work_id=review.work_id, action="accept")
    answers = [(await door.ResolveReview(request, context(tenant))).state for _ in range(2)]
    assert answers == ["resolved", "resolved"]
    events = await told(database, tenant)
    assert [event.type for event in events] == ["work.opened", "work.closed", "encounter.coded"]
    assert {event.journey_id for event in events} == {"a" * 32}
    assert events[2].body.reviewed
    assert events[2].body.facts == office.message().facts
    assert (await door.ListReviews(pb.ListReviewsRequest(), context(tenant))).reviews == []
    for event in events[:2]:
        task = fhir_r4.read(event.body.task)
        assert fhir_r4.validate(task) == []
        assert task["id"] == event.body.work_id == review.work_id


async def test_a_coder_recodes_through_the_door(database: Database, rules: Rules, tenant: str, office: Any) -> None:
    await hear(database, rules, tenant, "encounter.finished", office.visit("99215").message())
    door = CodingServicer(database, rules)
    (review,) = (await door.ListReviews(pb.ListReviewsRequest(limit=1), context(tenant))).reviews
    line = billing_pb2.ServiceLine(code="99213", service_from="2026-02-10", source="Encounter/e1")
    request = pb.ResolveReviewRequest(
        work_id=review.work_id, action="recode", lines=[line], diagnoses=[billing_pb2.Diagnosis(icd10cm="I10")]
    )
    await door.ResolveReview(request, context(tenant))
    coded = (await told(database, tenant))[-1].body
    assert (coded.lines[0].code, coded.lines[0].place_of_service, coded.lines[0].units) == ("99213", "11", "1")
    line.pointers.append(7)
    with pytest.raises(Unreadable):
        await door.ResolveReview(pb.ResolveReviewRequest(work_id="x", lines=[line]), context(tenant))


async def test_cancelled_and_late_visits(database: Database, rules: Rules, tenant: str, office: Any) -> None:
    await hear(database, rules, tenant, "encounter.finished", office.message(), 1)
    office.procedure("20610")
    amended = office.message()
    amended.changed.append("Procedure/procedure-9")
    await hear(database, rules, tenant, "encounter.amended", amended, 2)
    gone = engine_pb2.EncounterCancelled(encounter="Encounter/e1", encounter_key="key-1")
    await hear(database, rules, tenant, "encounter.cancelled", gone, 3)
    events = await told(database, tenant)
    assert [event.type for event in events] == ["encounter.coded", "work.opened", "work.opened"]
    assert [event.body.reason for event in events[1:]] == ["late-charge", "encounter-cancelled"]


async def test_tenants_do_not_see_each_other(database: Database, rules: Rules, tenant: str, office: Any) -> None:
    await hear(database, rules, tenant, "encounter.finished", office.visit("99215").message())
    door = CodingServicer(database, rules)
    assert (await door.ListReviews(pb.ListReviewsRequest(), context(f"{tenant}x"))).reviews == []
    await hear(database, rules, f"{tenant}x", "encounter.finished", office.visit("99213").message())
    assert [event.type for event in await told(database, tenant)] == ["work.opened"]
    assert [event.type for event in await told(database, f"{tenant}x")] == ["encounter.coded"]


async def test_levels_and_edits_on_demand(database: Database, rules: Rules, tenant: str) -> None:
    door = CodingServicer(database, rules)
    request = pb.LevelEvaluationRequest(
        setting="office", problems="moderate", data="moderate", risk="low", total_minutes=20, selected="99213"
    )
    answer = await door.LevelEvaluation(request, context(tenant))
    assert (answer.by_mdm, answer.by_time, answer.supported, answer.comparison) == (
        "99214",
        "99213",
        "99214",
        "under-coded",
    )
    with pytest.raises(Unreadable, match="office"):
        await door.LevelEvaluation(pb.LevelEvaluationRequest(setting="moon"), context(tenant))
    lines = [
        billing_pb2.ServiceLine(code=code, service_from="2026-02-10", units="1", pointers=[1], source=code)
        for code in ("80053", "80048")
    ]
    asked = pb.CheckEditsRequest(diagnoses=[billing_pb2.Diagnosis(icd10cm="E11")], lines=lines)
    found = (await door.CheckEdits(asked, context(tenant))).findings
    assert [(one.rule_id, one.source) for one in found] == [("icd-not-billable", ""), ("ptp", "80048")]
