"""The handlers over an in-memory transaction and a payer that says what the test wants."""

import asyncio
import itertools
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta

import pytest
from eligibility.handlers import (
    PREVISIT,
    RETRY,
    CoverageDesk,
    Rulebook,
    ask_payer,
    cancel_visit,
    check_visit,
    record_check,
)
from eligibility.model import (
    Answer,
    CoverageFound,
    Exchange,
    GapClosed,
    GapOpened,
    Occasion,
    Policy,
    Question,
    Status,
)
from eligibility.rules import load_tables
from hypothesis import given
from hypothesis import strategies as st
from kernel.person import Person

RULEBOOK = Rulebook(load_tables(), Policy())
NOW = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)
ACTIVE, INACTIVE = Answer(active=True), Answer(active=False)


class Memory:
    """A Work that keeps everything in lists."""

    def __init__(self):
        self.tenant, self.now = "t1", NOW
        self.kept, self.keys, self.visits, self.gaps, self.told, self.timers = [], {}, {}, {}, [], {}

    async def keep(self, verification, exchange, idempotency_key):
        self.kept.append(verification)
        self.keys.setdefault(idempotency_key, verification)

    async def newest(self, question):
        same = [v for v in self.kept if (v.subject_key, v.on) == (question.subject_key, question.on)]
        return same[-1] if same else None

    async def newest_known(self, question):
        same = [v for v in self.kept if v.subject_key == question.subject_key and v.status is not Status.UNKNOWN]
        return max(same, key=lambda v: (v.on == question.on, self.kept.index(v))) if same else None

    async def under_idempotency_key(self, key):
        return self.keys.get(key)

    async def visit(self, reference):
        return self.visits.get(reference)

    async def keep_visit(self, visit):
        self.visits[visit.reference] = visit

    async def gap(self, key):
        return self.gaps.get(key)

    async def keep_gap(self, gap):
        self.gaps[gap.key] = gap

    async def announce(self, fact):
        self.told.append(fact)

    async def schedule(self, kind, key, due_at, pending):
        self.timers[kind, key] = (due_at, pending)

    async def cancel(self, kind, key):
        self.timers.pop((kind, key), None)

    def told_of(self, kind):
        return [fact for fact in self.told if isinstance(fact, kind)]


@pytest.fixture
def work():
    return Memory()


def question(**changes):
    base = {"subject_key": "s1", "patient": "Patient/p1", "coverage": "Coverage/c1", "on": NOW.date()}
    return Question(**(base | {"subscriber": Person("Sample-Alder")} | changes))


IDS = itertools.count()


def exchange(answer=None, failure=""):
    return Exchange(verification_id=f"v{next(IDS)}", answer=answer, failure=failure)


async def record(work, answer=None, failure="", occasion=Occasion.VISIT, tries=0, **changes):
    return await record_check(work, RULEBOOK, question(**changes), exchange(answer, failure), occasion, tries)


async def test_a_clean_coverage_is_told_and_nothing_waits(work):
    found = await record(work, ACTIVE)
    assert work.told == [CoverageFound(question(), found)]
    assert (work.timers, work.gaps, work.kept) == ({}, {}, [found])


async def test_a_gap_opens_one_work_item_however_often_it_is_found(work):
    await record(work, INACTIVE)
    await record(work, Answer(rejections=("72",)))
    opened = work.told_of(GapOpened)
    assert [fact.reason for fact in opened] == ["inactive"]
    assert len(work.told_of(CoverageFound)) == 2


async def test_a_mended_coverage_closes_its_work_item_once(work):
    await record(work, INACTIVE)
    await record(work, ACTIVE)
    await record(work, ACTIVE)
    assert [fact.work_id for fact in work.told_of(GapClosed)] == [work.told_of(GapOpened)[0].work_id]


async def test_a_gap_that_comes_again_gets_a_new_work_item(work):
    for answer in (INACTIVE, ACTIVE, INACTIVE):
        await record(work, answer)
    first, second = (fact.work_id for fact in work.told_of(GapOpened))
    assert first != second


async def test_the_same_gap_has_the_same_work_item_on_replay():
    one, other = Memory(), Memory()
    await record(one, INACTIVE)
    await record(other, INACTIVE)
    other_tenant = Memory()
    other_tenant.tenant = "t2"
    await record(other_tenant, INACTIVE)
    assert one.told_of(GapOpened)[0].work_id == other.told_of(GapOpened)[0].work_id
    assert one.told_of(GapOpened)[0].work_id != other_tenant.told_of(GapOpened)[0].work_id


async def test_no_answer_is_told_as_unknown_and_repeated_until_a_person_must_look(work):
    waits = []
    for tries in range(5):
        occasion = Occasion.VISIT if tries == 0 else Occasion.RETRY
        await record(work, failure="timeout", occasion=occasion, tries=tries)
        if timer := work.timers.get((RETRY, question().key)):
            waits.append((timer[0] - NOW).total_seconds())
            assert timer[1].tries == tries + 1
    assert waits == [30, 120, 600, 3600]
    assert work.timers == {}
    assert [fact.verification.status for fact in work.told_of(CoverageFound)] == [Status.UNKNOWN]
    assert [fact.reason for fact in work.told_of(GapOpened)] == ["timeout"]


async def test_an_answer_ends_the_repetition_and_is_told(work):
    await record(work, failure="timeout")
    await record(work, ACTIVE, occasion=Occasion.RETRY, tries=1)
    assert work.timers == {}
    assert [f.verification.status for f in work.told_of(CoverageFound)] == [Status.UNKNOWN, Status.ACTIVE]
    assert work.told_of(GapOpened) == []


async def test_a_claim_that_asks_again_in_vain_tells_nothing_and_leaves_the_timer(work):
    await record(work, failure="timeout", tries=2)
    before = dict(work.timers)
    await record(work, failure="timeout", occasion=Occasion.CLAIM)
    assert work.timers == before
    assert len(work.told_of(CoverageFound)) == 1


async def test_what_cannot_be_asked_is_not_asked_and_not_repeated(work):
    class Nobody:
        async def ask(self, question, verification_id):
            raise AssertionError("asked")

    asked = question(obstacle="no-coverage", coverage="")
    empty = await ask_payer(Nobody(), asked, lambda: "v0")
    found = await record_check(work, RULEBOOK, asked, empty, Occasion.VISIT)
    assert (found.status, found.reason) == (Status.UNKNOWN, "no-coverage")
    assert work.timers == {}
    assert [fact.reason for fact in work.told_of(GapOpened)] == ["no-coverage"]


async def visit(work, version=1, hours=48, answer=ACTIVE, **changes):
    asked = question(**({"appointment": "Appointment/a1"} | changes))
    await check_visit(work, RULEBOOK, asked, exchange(answer), version, NOW + timedelta(hours=hours))


async def test_a_booking_is_checked_now_and_a_day_before(work):
    await visit(work)
    due_at, pending = work.timers[PREVISIT, "Appointment/a1"]
    assert due_at == NOW + timedelta(hours=24)
    assert (pending.tries, pending.question.appointment) == (0, "Appointment/a1")


async def test_a_visit_within_a_day_has_no_further_check(work):
    await visit(work, hours=24)
    assert work.timers == {}


async def test_a_check_in_schedules_nothing(work):
    asked = question(encounter="Encounter/e1")
    await check_visit(work, RULEBOOK, asked, exchange(ACTIVE), 1, None)
    assert work.timers == {}
    assert len(work.told_of(CoverageFound)) == 1


async def test_an_older_version_changes_nothing(work):
    await visit(work, version=3)
    await visit(work, version=2, answer=INACTIVE)
    assert len(work.kept) == 1
    assert work.told_of(GapOpened) == []


async def test_a_moved_appointment_gives_up_what_waited_for_the_old_day(work):
    await visit(work, answer=INACTIVE)
    await visit(work, version=2, hours=96, on=date(2026, 3, 14))
    assert [fact.outcome for fact in work.told_of(GapClosed)] == ["cancelled"]
    assert work.timers[PREVISIT, "Appointment/a1"][0] == NOW + timedelta(hours=72)


async def test_a_cancelled_appointment_leaves_nothing_behind(work):
    await visit(work, answer=None)
    assert {kind for kind, _ in work.timers} == {RETRY, PREVISIT}
    await cancel_visit(work, question(appointment="Appointment/a1"), 2)
    assert work.timers == {}
    await visit(work, version=1)
    assert work.timers == {}


async def test_a_cancellation_that_comes_late_is_ignored(work):
    await visit(work, version=3)
    await cancel_visit(work, question(appointment="Appointment/a1"), 2)
    assert (PREVISIT, "Appointment/a1") in work.timers


class Slow:
    """A payer that counts and answers when it is let."""

    def __init__(self, answer=ACTIVE):
        self.answer, self.asked, self.gate = answer, 0, asyncio.Event()

    async def ask(self, question, verification_id):
        self.asked += 1
        await self.gate.wait()
        return Exchange(verification_id=verification_id, answer=self.answer)


@pytest.fixture
def payer():
    return Slow()


@pytest.fixture
def desk(work, payer):
    @asynccontextmanager
    async def work_for(tenant):
        yield work

    ids = (f"d{number}" for number in itertools.count())
    return CoverageDesk(payer, work_for, RULEBOOK, lambda: next(ids))


async def test_parallel_calls_ask_once(desk, payer, work):
    calls = [asyncio.ensure_future(desk.coverage_on("t1", question())) for _ in range(20)]
    await asyncio.sleep(0)
    payer.gate.set()
    answers = await asyncio.gather(*calls)
    assert payer.asked == 1
    assert {(found.verification_id, asked) for found, asked in answers} == {("d0", True)}
    assert len(work.kept) == 1


async def test_what_is_known_is_not_asked_again_until_it_is_too_old(desk, payer, work):
    payer.gate.set()
    await desk.coverage_on("t1", question())
    found, asked = await desk.coverage_on("t1", question())
    assert (found.verification_id, asked, payer.asked) == ("d0", False, 1)
    work.now += timedelta(hours=73)
    assert (await desk.coverage_on("t1", question()))[1] is True


async def test_a_caller_who_gives_up_does_not_take_the_answer_from_the_others(desk, payer):
    first = asyncio.ensure_future(desk.coverage_on("t1", question()))
    second = asyncio.ensure_future(desk.coverage_on("t1", question()))
    await asyncio.sleep(0)
    first.cancel()
    payer.gate.set()
    assert (await second)[0].clean
    assert payer.asked == 1


async def test_an_unknown_is_asked_again_at_the_next_call(desk, payer):
    payer.gate.set()
    payer.answer = None
    found, _ = await desk.coverage_on("t1", question())
    assert found.status is Status.UNKNOWN
    await desk.coverage_on("t1", question())
    assert payer.asked == 2


async def test_check_coverage_asks_now_but_once_per_idempotency_key(desk, payer):
    payer.gate.set()
    first = await desk.check_coverage("t1", question(), "k1")
    assert await desk.check_coverage("t1", question(), "k1") == first
    assert payer.asked == 1
    await desk.check_coverage("t1", question(), "k2")
    await desk.check_coverage("t1", question())
    assert payer.asked == 3


async def test_different_days_tenants_and_facts_are_different_questions(desk, payer):
    asked = [
        ("t1", question()),
        ("t2", question()),
        ("t1", question(on=date(2026, 3, 11))),
        ("t1", question(payer_id="SYNPB")),
    ]
    calls = [asyncio.ensure_future(desk.coverage_on(*each)) for each in asked]
    for _ in range(10):  # every call gets as far as the payer's gate
        await asyncio.sleep(0)
    assert payer.asked == len(asked)
    payer.gate.set()
    assert all(asked_now for _, asked_now in await asyncio.gather(*calls))


async def test_a_failure_inside_reaches_the_caller_and_is_not_remembered(desk, payer, work):
    payer.gate.set()

    async def broken(*_):
        raise OSError("gone")

    healthy, work.keep = work.keep, broken
    with pytest.raises(OSError, match="gone"):
        await desk.coverage_on("t1", question())
    work.keep = healthy
    assert (await desk.coverage_on("t1", question()))[0].clean


OUTCOMES = {
    "active": (ACTIVE, ""),
    "inactive": (INACTIVE, ""),
    "refused": (Answer(rejections=("72",)), ""),
    "stranger": (Answer(active=True, person=Person("Other")), ""),
    "silent": (None, "timeout"),
    "down": (Answer(rejections=("42",)), ""),
}


@given(st.lists(st.tuples(st.sampled_from(Occasion), st.sampled_from(sorted(OUTCOMES))), max_size=25))
def test_whatever_happens_the_line_knows_what_is_kept_and_nobody_is_asked_twice(story):
    asyncio.run(check_story(story))


async def check_story(story):
    work, open_items = Memory(), 0
    for occasion, name in story:
        timer = work.timers.pop((RETRY, question().key), None) if occasion is Occasion.RETRY else None
        tries = timer[1].tries if timer else 0
        answer, failure = OUTCOMES[name]
        found = await record(work, answer, failure, occasion, tries)
        opened, closed = work.told_of(GapOpened), work.told_of(GapClosed)
        open_items = len(opened) - len(closed)
        assert open_items in (0, 1)
        assert len({fact.work_id for fact in opened}) == len(opened)
        assert found.says_the_same(work.told_of(CoverageFound)[-1].verification)
        assert found.clean <= (open_items == 0)
        assert found.gap <= (open_items == 1)
        waits = (RETRY, question().key) in work.timers
        assert found.retriable or not waits
        assert not found.retriable or waits or open_items == 1 or occasion is Occasion.CLAIM
