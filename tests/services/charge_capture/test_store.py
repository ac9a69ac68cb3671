"""Charge capture with a real Postgres: facts in, facts out, missing charges decided, nothing charged twice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import fhir_r4
import pytest
from bus import Database, Event
from bus.event import decode, open_envelope
from charge_capture.entry_events import EventEntry
from charge_capture.entry_grpc import ChargeCaptureServicer
from charge_capture.model import TRANSITIONS
from charge_capture.rules import ChargeMaster
from kernel.clock import FixedClock
from kernel.errors import Refused, Unreadable
from kernel.identifiers import uuid7
from rcm.billing.v1 import billing_pb2
from rcm.charge.v1 import charge_pb2 as pb
from rcm.engine.v1 import engine_pb2

NOW = datetime(2026, 2, 10, 18, tzinfo=UTC)
DUE = timedelta(hours=24)


class Site:
    """One tenant's charge capture: hears facts, answers calls, shows what it told."""

    def __init__(self, database: Database, master: ChargeMaster, tenant: str) -> None:
        self.database, self.tenant = database, tenant
        self.entry = EventEntry(master, DUE)
        self.door = ChargeCaptureServicer(database, master, DUE)
        self.context: Any = SimpleNamespace(invocation_metadata=lambda: (("rcm-tenant", tenant),))

    async def hear(self, type: str, body: Any, version: int = 1) -> None:
        event = Event(uuid7(), type, self.tenant, "a" * 32, "Encounter/e1", version, NOW, "", body)
        subscription = next(one for one in self.entry.subscriptions() if one.event == type)
        async with self.database.unit(self.tenant, event) as unit:
            await subscription.handle(unit, event, None)

    async def told(self) -> list[Event]:
        async with self.database.transaction(self.tenant) as conn:
            rows = await conn.fetch("select envelope from outbox order by position")
        return [decode(open_envelope(row["envelope"]), {}) for row in rows]

    async def names(self) -> list[str]:
        return [event.type for event in await self.told()]

    async def missing(self) -> list[pb.MissingCharge]:
        answer = await self.door.ListMissingCharges(pb.ListMissingChargesRequest(), self.context)
        return list(answer.missing)

    async def answer(self, work_id: str, not_billable: bool = False, **line: Any) -> str:
        request = pb.AddChargeRequest(work_id=work_id, not_billable=not_billable, line=billing_pb2.ServiceLine(**line))
        return str((await self.door.AddCharge(request, self.context)).state)


@pytest.fixture
async def site(platform: Any, master: ChargeMaster, tenant: str) -> AsyncIterator[Site]:
    opened = Database(platform.url_for("charge-capture"), "charge_capture", FixedClock(NOW), pool_size=2)
    await opened.open()
    yield Site(opened, master, tenant)
    await opened.close()


async def test_a_coded_visit_is_charged_once_whatever_is_sent_twice(site: Site, coded: Any) -> None:
    coded.line("99213").line("80053", "ServiceRequest/o1").add("ServiceRequest", "o1", code="80053")
    for version in (1, 1, 2):
        await site.hear("encounter.coded", coded.message(), version)
    (event,) = await site.told()
    assert (event.type, event.ordering_key, event.journey_id) == ("charges.captured", "Encounter/e1", "a" * 32)
    assert event.body.total_cents == 21500 == sum(line.charge_cents for line in event.body.lines)
    assert len(event.body.charge_items) == 2
    assert await site.missing() == []


async def test_nothing_billable_is_captured_with_nothing(site: Site, coded: Any) -> None:
    coded.reviewed = True
    await site.hear("encounter.coded", coded.message())
    (event,) = await site.told()
    assert (event.body.total_cents, list(event.body.lines)) == (0, [])


async def test_a_missing_charge_waits_until_it_is_added(site: Site, coded: Any) -> None:
    coded.line("99213").add("ServiceRequest", "o1", code="2345-7")
    await site.hear("encounter.coded", coded.message())
    assert await site.names() == ["work.opened"]
    (item,) = await site.missing()
    assert (item.encounter, item.order, item.code) == ("Encounter/e1", "ServiceRequest/o1", "2345-7")
    assert [await site.answer(item.work_id, code="82947") for _ in range(2)] == ["added", "added"]
    events = await site.told()
    assert [event.type for event in events] == ["work.opened", "work.closed", "charges.captured"]
    added = events[-1].body.lines[1]
    assert (added.code, added.charge_cents, added.order) == ("82947", 2500, "ServiceRequest/o1")
    assert (added.service_from, added.place_of_service, added.rendering_npi) == ("2026-02-10", "11", "1000000012")
    assert await site.missing() == []


async def test_a_missing_charge_may_be_not_billable(site: Site, coded: Any) -> None:
    coded.line("99213").add("ServiceRequest", "o1", code="2345-7")
    await site.hear("encounter.coded", coded.message())
    (item,) = await site.missing()
    assert await site.answer(item.work_id, not_billable=True) == "not-billable"
    assert (await site.told())[-1].body.total_cents == 15500


async def test_two_missing_charges_are_both_waited_for(site: Site, coded: Any) -> None:
    coded.line("99213").line("99499").add("ServiceRequest", "o1", code="2345-7")
    await site.hear("encounter.coded", coded.message())
    by_reason = {event.body.reason: event.body.work_id for event in await site.told()}
    assert set(by_reason) == {"no-charge", "no-price"}
    await site.answer(by_reason["no-charge"], not_billable=True)
    assert "charges.captured" not in await site.names()
    with pytest.raises(Refused) as refused:
        await site.answer(by_reason["no-price"], code="99499")
    assert refused.value.code == "still-no-price"
    assert await site.answer(by_reason["no-price"], unit_charge_cents=4200) == "added"
    assert (await site.told())[-1].body.total_cents == 19700


async def test_a_bad_answer_changes_nothing(site: Site, coded: Any) -> None:
    coded.line("99213").add("ServiceRequest", "o1", code="2345-7")
    await site.hear("encounter.coded", coded.message())
    (item,) = await site.missing()
    for line in ({"code": ""}, {"code": "82947", "units": "0"}, {"code": "82947", "unit_charge_cents": -1}):
        with pytest.raises(Unreadable):
            await site.answer(item.work_id, **line)
    with pytest.raises(Refused) as unknown:
        await site.answer("nobody", not_billable=True)
    assert unknown.value.kind == "not_found"
    assert len(await site.missing()) == 1
    assert await site.names() == ["work.opened"]


async def test_an_added_line_without_a_price_waits_again(site: Site, coded: Any) -> None:
    coded.line("99213").add("ServiceRequest", "o1", code="2345-7")
    await site.hear("encounter.coded", coded.message())
    (item,) = await site.missing()
    await site.answer(item.work_id, code="99499")
    (again,) = await site.missing()
    assert again.work_id != item.work_id
    assert await site.names() == ["work.opened", "work.closed", "work.opened"]
    await site.answer(again.work_id, not_billable=True)
    assert (await site.told())[-1].body.total_cents == 15500


async def test_a_newer_coding_closes_what_is_no_longer_missing(site: Site, coded: Any) -> None:
    order = coded.line("99213").add("ServiceRequest", "o1", code="2345-7")
    await site.hear("encounter.coded", coded.message(), 2)
    await site.hear("encounter.coded", coded.line("82947", order).message(), 1)
    assert await site.names() == ["work.opened"]
    await site.hear("encounter.coded", coded.message(), 3)
    assert await site.names() == ["work.opened", "work.closed", "charges.captured"]


async def test_an_order_performed_before_the_visit_was_coded_is_remembered(site: Site, coded: Any) -> None:
    order = {"resourceType": "ServiceRequest", "id": "o7", "code": {"coding": [{"code": "80053"}]}}
    body = engine_pb2.OrderPlaced(order="ServiceRequest/o7", encounter="Encounter/e1", order_json=fhir_r4.write(order))
    await site.hear("order.performed", body)
    await site.hear("order.performed", body)
    assert await site.names() == []
    await site.hear("encounter.coded", coded.line("99213").message())
    assert [item.order for item in await site.missing()] == ["ServiceRequest/o7"]


async def test_lines_that_come_after_the_capture_are_late(site: Site, coded: Any) -> None:
    await site.hear("encounter.coded", coded.line("99213").message(), 1)
    await site.hear("encounter.coded", coded.line("80053").message(), 2)
    await site.hear("encounter.coded", coded.message(), 3)
    events = await site.told()
    assert [event.type for event in events] == ["charges.captured", "work.opened"]
    assert (events[1].body.kind, events[1].body.reason) == ("late-charge", "after-capture")
    assert await site.answer(events[1].body.work_id, not_billable=True) == "not-billable"
    assert await site.names() == ["charges.captured", "work.opened", "work.closed"]


async def test_a_line_that_was_dropped_is_not_late_when_it_comes_again(site: Site, coded: Any) -> None:
    await site.hear("encounter.coded", coded.line("99213").line("99499").message(), 1)
    (item,) = await site.missing()
    await site.answer(item.work_id, not_billable=True)
    await site.hear("encounter.coded", coded.message(), 2)
    assert await site.names() == ["work.opened", "work.closed", "charges.captured"]


async def test_tasks_are_valid_fhir_and_tell_what_is_at_stake(site: Site, coded: Any) -> None:
    coded.line("99213").line("99499").add("ServiceRequest", "o1", code="80053", occurrenceDateTime="2026-02-10")
    await site.hear("encounter.coded", coded.message())
    for event in await site.told():
        task = fhir_r4.read(event.body.task)
        assert fhir_r4.validate(task) == []
        assert ("extension" in task) == (event.body.dollars_cents > 0)
    assert {event.body.dollars_cents for event in await site.told()} == {0, 6000}


async def test_prices_on_demand(site: Site) -> None:
    lines = [billing_pb2.ServiceLine(code=code, units="2", service_from="2026-02-10") for code in ("80053", "99499")]
    priced = (await site.door.PriceLines(pb.PriceLinesRequest(lines=lines), site.context)).lines
    assert [(line.unit_charge_cents, line.charge_cents) for line in priced] == [(6000, 12000), (0, 0)]


async def test_tenants_do_not_see_each_other(site: Site, coded: Any, master: ChargeMaster, tenant: str) -> None:
    coded.line("99213").add("ServiceRequest", "o1", code="2345-7")
    await site.hear("encounter.coded", coded.message())
    other = Site(site.database, master, f"{tenant}x")
    assert await other.missing() == []
    (item,) = await site.missing()
    with pytest.raises(Refused):
        await other.answer(item.work_id, not_billable=True)


def test_every_transition_is_decided() -> None:
    legal = {(a, b) for a, b, allowed in TRANSITIONS.every_pair() if allowed}
    assert legal == {("waiting", "waiting"), ("waiting", "captured")}
