"""What is kept, in a real database: round trips, tenants apart, one work item under parallel checks."""

import asyncio
import itertools
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta

import pytest
from bus import Database
from eligibility.app import open_work
from eligibility.handlers import RETRY, CoverageDesk, Rulebook, record_check
from eligibility.model import (
    Answer,
    Benefit,
    Exchange,
    Gap,
    Mismatch,
    Occasion,
    Pending,
    Policy,
    Question,
    Status,
    Verification,
    Visit,
)
from eligibility.rules import load_tables
from eligibility.store import read_pending
from kernel.clock import FixedClock
from kernel.identifiers import uuid7
from kernel.person import Person

NOW = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)
ON = date(2026, 3, 10)
RULEBOOK = Rulebook(load_tables(), Policy())
QUESTION = Question(
    subject_key="s1",
    patient="Patient/p1",
    coverage="Coverage/c1",
    on=ON,
    payer_id="SYNPA",
    subscriber=Person("Sample-Alder", "Nora", date(1980, 5, 17), "F", "TST100000001"),
    dependent=Person("Sample-Alder", "Finn", date(2015, 1, 2), "M", ""),
    encounter="Encounter/e1",
    journey_id="c" * 32,
)
RAW = Exchange(verification_id="v", sent=b"ISA*270~", received=b"ISA*271~", answer=Answer(active=True))


@pytest.fixture
async def database(platform):
    opened = Database(platform.url_for("eligibility"), "eligibility", FixedClock(NOW))
    await opened.open()
    yield opened
    await opened.close()


def verification(**changes):
    base = {"verification_id": uuid7(), "subject_key": "s1", "on": ON, "checked_at": NOW, "status": Status.ACTIVE}
    return Verification(**(base | changes))


async def keep(database, tenant, *verifications, key=""):
    async with database.unit(tenant) as unit:
        for each in verifications:
            await open_work(unit).keep(each, RAW, key)


async def newest_known(database, tenant, **changes):
    async with database.unit(tenant) as unit:
        return await open_work(unit).newest_known(Question(subject_key="s1", patient="Patient/p1", **changes))


async def test_a_verification_comes_back_as_it_was(database, tenant):
    whole = verification(
        status=Status.REJECTED,
        reason="aaa-72",
        payer_id="SYNPA",
        digest="d",
        benefits=(Benefit(kind="copay", service_type="98", amount_cents=2500, network="in"),),
        mismatches=(Mismatch(field="member-id", aaa="72", remedy="r"),),
        plan_begin=date(2026, 1, 1),
        authorization=True,
        other_payer_id="SYNPB",
    )
    await keep(database, tenant, whole, key="k1")
    async with database.unit(tenant) as unit:
        work = open_work(unit)
        assert await work.newest(QUESTION) == whole
        assert await work.under_idempotency_key("k1") == whole
        assert await work.under_idempotency_key("k2") is None
        row = await unit.conn.fetchrow("select sent, received from verification")
    assert (row["sent"], row["received"]) == (RAW.sent, RAW.received)


async def test_the_newest_known_is_that_of_the_day_first(database, tenant):
    of_the_day = verification()
    later_other_day = verification(on=date(2026, 3, 12), checked_at=NOW + timedelta(hours=1))
    unknown = verification(status=Status.UNKNOWN, checked_at=NOW + timedelta(hours=2))
    await keep(database, tenant, of_the_day, later_other_day, unknown)
    assert await newest_known(database, tenant, on=ON) == of_the_day
    assert await newest_known(database, tenant, on=date(2026, 3, 20)) == later_other_day
    async with database.unit(tenant) as unit:
        assert await open_work(unit).newest(QUESTION) == unknown


async def test_no_tenant_sees_anothers(database, tenant):
    await keep(database, tenant, verification(), key="k1")
    assert await newest_known(database, f"{tenant}x", on=ON) is None
    async with database.unit(f"{tenant}x") as unit:
        assert await open_work(unit).under_idempotency_key("k1") is None


async def test_visits_and_gaps_are_replaced(database, tenant):
    async with database.unit(tenant) as unit:
        work = open_work(unit)
        assert (await work.visit("Appointment/a1"), await work.gap("k")) == (None, None)
        for version in (1, 2):
            await work.keep_visit(Visit("Appointment/a1", version, f"k{version}"))
            await work.keep_gap(Gap("k", version, f"w{version}", open=version == 1))
        assert await work.visit("Appointment/a1") == Visit("Appointment/a1", 2, "k2")
        assert await work.gap("k") == Gap("k", 2, "w2", open=False)


async def test_a_waiting_question_comes_back_whole(database, tenant):
    pending = Pending(QUESTION, 3)
    async with database.unit(tenant) as unit:
        await open_work(unit).schedule(RETRY, QUESTION.key, NOW + timedelta(seconds=30), pending)
        row = await unit.conn.fetchrow("select payload, journey_id, due_at from timer")
    assert read_pending(row["payload"]) == pending
    assert (row["journey_id"], row["due_at"]) == ("c" * 32, NOW + timedelta(seconds=30))
    async with database.unit(tenant) as unit:
        await open_work(unit).cancel(RETRY, QUESTION.key)
        assert await unit.conn.fetchval("select count(*) from timer") == 0


async def test_checks_at_the_same_time_open_one_work_item(database, tenant):
    async def check():
        async with database.unit(tenant) as unit:
            exchange = Exchange(verification_id=uuid7(), answer=Answer(active=False))
            await record_check(open_work(unit), RULEBOOK, QUESTION, exchange, Occasion.VISIT)

    await asyncio.gather(*(check() for _ in range(6)))
    async with database.unit(tenant) as unit:
        rows = await unit.conn.fetch("select type, count(*) as n from outbox group by type")
        assert await unit.conn.fetchval("select count(*) from verification") == 6
    assert {row["type"]: row["n"] for row in rows} == {"coverage.gap_found": 6, "work.opened": 1}


async def test_an_error_leaves_nothing_behind(database, tenant):
    with pytest.raises(OSError, match="gone"):
        async with database.unit(tenant) as unit:
            await record_check(open_work(unit), RULEBOOK, QUESTION, RAW, Occasion.VISIT)
            raise OSError("gone")
    async with database.unit(tenant) as unit:
        for table in ("verification", "outbox", "gap"):
            assert await unit.conn.fetchval(f"select count(*) from {table}") == 0


async def test_parallel_claims_ask_once_and_later_ones_not_at_all(database, tenant):
    class Payer:
        asked = 0

        async def ask(self, question, verification_id):
            self.asked += 1
            await asyncio.sleep(0.05)
            return Exchange(verification_id=verification_id, answer=Answer(active=True))

    @asynccontextmanager
    async def work_for(name):
        async with database.unit(name) as unit:
            yield open_work(unit)

    payer, ids = Payer(), itertools.count()
    desk = CoverageDesk(payer, work_for, RULEBOOK, lambda: f"0198c5f0-0000-7000-8000-{next(ids):012d}")
    answers = await asyncio.gather(*(desk.coverage_on(tenant, QUESTION) for _ in range(25)))
    again = await desk.coverage_on(tenant, QUESTION)
    assert payer.asked == 1
    assert len({found.verification_id for found, _ in answers}) == 1
    assert (again[1], again[0]) == (False, answers[0][0])
