"""What is kept, in a real database: round trips, history of attempts, tenants apart."""

from datetime import UTC, date, datetime, timedelta

import pytest
from bus import Database
from kernel.clock import FixedClock
from kernel.person import Person
from prior_auth.app import open_work
from prior_auth.handlers import INQUIRE, Prepared, determine_order
from prior_auth.model import (
    Answer,
    Authorization,
    Decision,
    Exchange,
    Order,
    Pending,
    Policy,
    Requirement,
    Ruling,
    WorkItem,
)
from prior_auth.store import read_pending

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
ON = date(2026, 3, 20)
REQUIRED = Ruling(requirement=Requirement.REQUIRED, rule_id="row-1", because="because")
ORDER = Order(
    authorization_id="a1",
    subject_key="s1",
    patient="Patient/p1",
    order="ServiceRequest/o1",
    on=ON,
    until=ON + timedelta(days=90),
    code="70553",
    payer_id="SYNPA",
    subscriber=Person("Sample-Alder", "Nora", date(1980, 5, 17), "F", "TST100000001"),
    dependent=Person("Sample-Alder", "Finn"),
    diagnoses=("R519",),
    urgent=True,
    journey_id="c" * 32,
)
RAW = Exchange(sent=b"ISA*278~", received=b"ISA*278R~", answer=Answer(action="A1", number="N1"))
SILENCE = Exchange(sent=b"ISA*278~", failure="timeout")


@pytest.fixture
async def database(platform):
    opened = Database(platform.url_for("prior-auth"), "prior_auth", FixedClock(NOW))
    await opened.open()
    yield opened
    await opened.close()


def authorization(**changes):
    base = {
        "authorization_id": "a1",
        "subject_key": "s1",
        "code": "70553",
        "payer_id": "SYNPA",
        "order": "ServiceRequest/o1",
        "requirement": Requirement.REQUIRED,
        "decision": Decision.APPROVED,
        "number": "N1",
        "valid_from": ON,
        "units": "1",
        "asked_at": NOW,
    }
    return Authorization(**(base | changes))


async def test_an_authorization_comes_back_as_it_was_and_is_replaced(database, tenant):
    async with database.unit(tenant) as unit:
        work = open_work(unit)
        assert await work.authorization("a1") is None
        await work.keep(authorization(decision=Decision.PENDED, number=""), SILENCE)
        await work.keep(authorization(), RAW)
        assert await work.authorization("a1") == authorization()
        rows = await unit.conn.fetch("select failure, sent, received from attempt")
    assert {tuple(row) for row in rows} == {("timeout", b"ISA*278~", b""), ("", RAW.sent, RAW.received)}


async def test_what_was_never_sent_leaves_no_attempt(database, tenant):
    async with database.unit(tenant) as unit:
        await open_work(unit).keep(authorization(requirement=Requirement.NOT_REQUIRED), Exchange())
        assert await unit.conn.fetchval("select count(*) from attempt") == 0


async def test_the_authorizations_of_a_subject_for_some_codes(database, tenant):
    others = [
        authorization(authorization_id="a2", code="72148"),
        authorization(authorization_id="a3", subject_key="s2"),
        authorization(authorization_id="a4", code="99213"),
    ]
    async with database.unit(tenant) as unit:
        for each in [authorization(), *others]:
            await open_work(unit).keep(each, Exchange())
        found = await open_work(unit).of_subject("s1", ["70553", "72148"])
    assert [each.authorization_id for each in found] == ["a1", "a2"]
    async with database.unit(f"{tenant}x") as unit:
        assert await open_work(unit).of_subject("s1", ["70553"]) == []
        assert await open_work(unit).authorization("a1") is None


async def test_work_items_are_replaced(database, tenant):
    async with database.unit(tenant) as unit:
        work = open_work(unit)
        assert await work.work_item("a1") is None
        await work.keep_work_item(WorkItem("a1", 1, "w1", open=True))
        await work.keep_work_item(WorkItem("a1", 2, "w2", open=False))
        assert await work.work_item("a1") == WorkItem("a1", 2, "w2", open=False)


async def test_a_waiting_request_comes_back_whole_with_its_trace_number(database, tenant):
    pending = Pending(order=ORDER, ruling=REQUIRED, version=4, tries=2)
    async with database.unit(tenant) as unit:
        await open_work(unit).schedule(INQUIRE, "a1", NOW, pending)
        row = await unit.conn.fetchrow("select payload, journey_id from timer")
    assert read_pending(row["payload"]) == pending
    assert read_pending(row["payload"]).order.trace() == ORDER.trace()
    assert row["journey_id"] == "c" * 32


async def test_an_error_leaves_nothing_behind(database, tenant):
    with pytest.raises(OSError, match="gone"):
        async with database.unit(tenant) as unit:
            await determine_order(open_work(unit), Policy(), Prepared(ORDER, REQUIRED, SILENCE), 1)
            raise OSError("gone")
    async with database.unit(tenant) as unit:
        for table in ("authorization_standing", "attempt", "work_item", "timer", "outbox"):
            assert await unit.conn.fetchval(f"select count(*) from {table}") == 0
