"""The handlers over an in-memory transaction and a payer that says what the test wants."""

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prior_auth.handlers import INQUIRE, Prepared, ask_if_required, determine_order, find_authorizations, inquire_again
from prior_auth.model import (
    Answer,
    Decision,
    Determined,
    Exchange,
    Order,
    Policy,
    Requirement,
    Ruling,
    ServiceQuestion,
    WorkClosed,
    WorkOpened,
)
from prior_auth.rules import load_requirements

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
ON = date(2026, 3, 20)
POLICY = Policy()
REQUIRED = Ruling(requirement=Requirement.REQUIRED, rule_id="row-1")
NOT_REQUIRED = Ruling(requirement=Requirement.NOT_REQUIRED)
APPROVED, DENIED, PENDED = Answer(action="A1", number="N1"), Answer(action="A3"), Answer(action="A4")


class Memory:
    """A Work that keeps everything in dictionaries."""

    def __init__(self, tenant="t1"):
        self.tenant, self.now = tenant, NOW
        self.kept, self.items, self.told, self.timers = {}, {}, [], {}

    async def authorization(self, authorization_id):
        return self.kept.get(authorization_id)

    async def of_subject(self, subject_key, codes):
        return [each for each in self.kept.values() if each.subject_key == subject_key and each.code in codes]

    async def keep(self, authorization, exchange):
        self.kept[authorization.authorization_id] = authorization

    async def work_item(self, authorization_id):
        return self.items.get(authorization_id)

    async def keep_work_item(self, item):
        self.items[item.authorization_id] = item

    async def announce(self, fact):
        self.told.append(fact)

    async def schedule(self, kind, key, due_at, pending):
        self.timers[kind, key] = (due_at, pending)

    async def cancel(self, kind, key):
        self.timers.pop((kind, key), None)

    def told_of(self, kind):
        return [fact for fact in self.told if isinstance(fact, kind)]

    @property
    def standing(self):
        return self.kept["a1"]


@pytest.fixture
def work():
    return Memory()


def order(**changes):
    base = {"authorization_id": "a1", "subject_key": "s1", "patient": "Patient/p1", "order": "ServiceRequest/o1"}
    return Order(**(base | {"on": ON, "until": ON, "code": "70553", "payer_id": "SYNPA"} | changes))


async def place(work, answer=None, failure="", ruling=REQUIRED, version=1, **changes):
    exchange = Exchange(answer=answer, failure=failure)
    await determine_order(work, POLICY, Prepared(order(**changes), ruling, exchange), version)


async def wake(work, answer=None, failure=""):
    """Runs the open timer at its time."""
    due_at, pending = work.timers.pop((INQUIRE, "a1"))
    work.now = due_at
    await inquire_again(work, POLICY, pending, Exchange(answer=answer, failure=failure))


class Counting:
    def __init__(self):
        self.asked = []

    async def ask(self, order):
        self.asked.append(order)
        return Exchange(answer=APPROVED)


@pytest.mark.parametrize(
    ("ruling", "changes", "asks"),
    [
        (REQUIRED, {}, 1),
        (NOT_REQUIRED, {}, 0),
        (Ruling(requirement=Requirement.UNSPECIFIED), {}, 0),
        (REQUIRED, {"obstacle": "member-id-missing"}, 0),
        (REQUIRED, {"off": True}, 0),
    ],
)
async def test_the_payer_is_asked_only_when_it_must_and_can_be(ruling, changes, asks):
    payer = Counting()
    prepared = await ask_if_required(payer, order(**changes), ruling, None)
    assert len(payer.asked) == asks
    assert prepared.exchange is not None


async def test_what_is_decided_is_not_asked_again_until_the_facts_change(work):
    await place(work, APPROVED)
    payer = Counting()
    again = await ask_if_required(payer, order(), REQUIRED, work.standing)
    assert (again.exchange, payer.asked) == (None, [])
    before = list(work.told)
    await determine_order(work, POLICY, again, 2)
    assert work.told == before
    await ask_if_required(payer, order(units="2"), REQUIRED, work.standing)
    assert len(payer.asked) == 1


async def test_an_approval_is_told_with_its_number_and_nothing_waits(work):
    await place(work, APPROVED)
    assert work.told == [Determined(order(), work.standing)]
    assert (work.standing.number, work.timers, work.items) == ("N1", {}, {})


async def test_what_is_not_required_is_told_too(work):
    await place(work, ruling=NOT_REQUIRED)
    (fact,) = work.told
    assert (fact.authorization.requirement, fact.authorization.decision) == (
        Requirement.NOT_REQUIRED,
        Decision.NOT_ASKED,
    )


async def test_a_denial_opens_one_work_item(work):
    await place(work, DENIED)
    await place(work, DENIED, version=2)
    assert [fact.reason for fact in work.told_of(WorkOpened)] == ["hcr-a3"]
    assert len(work.told_of(Determined)) == 1
    assert work.timers == {}


async def test_a_later_approval_closes_the_work_item(work):
    await place(work, DENIED)
    await place(work, APPROVED, version=2, units="1.0")
    assert [fact.work_id for fact in work.told_of(WorkClosed)] == [work.told_of(WorkOpened)[0].work_id]


async def test_work_items_are_the_same_on_replay_and_differ_between_tenants():
    works = [Memory(), Memory(), Memory("t2")]
    for each in works:
        await place(each, DENIED)
    one, same, other = (each.told_of(WorkOpened)[0].work_id for each in works)
    assert one == same
    assert one != other


async def test_a_pended_request_is_repeated_with_the_same_trace_until_it_is_decided(work):
    await place(work, PENDED)
    due_at, pending = work.timers[INQUIRE, "a1"]
    assert due_at == NOW + timedelta(seconds=30)
    assert pending.order.trace() == order().trace()
    await wake(work, PENDED)
    assert work.timers[INQUIRE, "a1"][0] == work.now + timedelta(seconds=120)
    await wake(work, APPROVED)
    decisions = [fact.authorization.decision for fact in work.told_of(Determined)]
    assert decisions == [Decision.PENDED, Decision.APPROVED]
    assert (work.timers, work.told_of(WorkOpened)) == ({}, [])


@pytest.mark.parametrize(("urgent", "hours"), [(False, 168), (True, 72)])
async def test_a_payer_that_takes_longer_than_it_may_becomes_a_persons_matter(work, urgent, hours):
    await place(work, PENDED, urgent=urgent)
    while not work.told_of(WorkOpened):
        await wake(work, PENDED)
    assert work.now - NOW >= timedelta(hours=hours)
    assert work.now - NOW < timedelta(hours=hours + 2)
    assert [fact.reason for fact in work.told_of(WorkOpened)] == ["decision-overdue"]
    await wake(work, APPROVED)
    assert len(work.told_of(WorkClosed)) == 1


async def test_a_vain_repetition_does_not_forget_that_the_payer_has_the_request(work):
    await place(work, PENDED)
    await wake(work, failure="timeout")
    assert work.standing.decision is Decision.PENDED
    assert (INQUIRE, "a1") in work.timers
    assert work.told_of(WorkOpened) == []


async def test_no_answer_opens_work_at_once_and_is_repeated_a_few_times(work):
    await place(work, failure="timeout")
    repeats = 0
    while work.timers:
        await wake(work, failure="timeout")
        repeats += 1
    assert repeats == POLICY.max_tries - 1
    assert [fact.reason for fact in work.told_of(WorkOpened)] == ["timeout"]
    assert len(work.told_of(Determined)) == 1


async def test_an_answer_after_silence_resolves_by_itself(work):
    await place(work, failure="timeout")
    await wake(work, APPROVED)
    assert len(work.told_of(WorkClosed)) == 1
    assert work.timers == {}


async def test_an_older_version_changes_nothing(work):
    await place(work, APPROVED, version=3)
    await place(work, DENIED, version=2)
    assert work.standing.decision is Decision.APPROVED
    assert len(work.told) == 1


async def test_a_timer_of_an_overtaken_version_is_dropped(work):
    await place(work, PENDED)
    _, pending = work.timers[INQUIRE, "a1"]
    await place(work, APPROVED, version=2, units="2")
    told = len(work.told)
    await inquire_again(work, POLICY, pending, Exchange(answer=DENIED))
    assert (work.standing.decision, len(work.told)) == (Decision.APPROVED, told)


async def test_a_withdrawn_order_leaves_nothing_behind(work):
    await place(work, failure="timeout")
    await place(work, version=2, off=True)
    assert work.timers == {}
    assert [fact.outcome for fact in work.told_of(WorkClosed)] == ["cancelled"]


async def test_what_cannot_be_asked_opens_work_and_is_not_repeated(work):
    await place(work, obstacle="member-id-missing")
    assert [fact.reason for fact in work.told_of(WorkOpened)] == ["member-id-missing"]
    assert work.timers == {}


async def test_a_claim_is_answered_for_every_code_in_order(work):
    await place(work, APPROVED)
    codes = ("99213", "70553", "J0897")
    questions = [ServiceQuestion(payer_id="SYNPA", code=code, on=ON) for code in codes]
    found = await find_authorizations(work, load_requirements(), "s1", questions)
    assert [(each.code, each.requirement, each.decision, each.number) for each in found] == [
        ("99213", Requirement.NOT_REQUIRED, Decision.NOT_ASKED, ""),
        ("70553", Requirement.REQUIRED, Decision.APPROVED, "N1"),
        ("J0897", Requirement.REQUIRED, Decision.NOT_ASKED, ""),
    ]
    (stranger,) = await find_authorizations(work, load_requirements(), "s2", questions[1:2])
    assert stranger.number == ""


OUTCOMES = {
    "approved": (APPROVED, ""),
    "denied": (DENIED, ""),
    "pended": (PENDED, ""),
    "call": (Answer(action="CT"), ""),
    "waived": (Answer(action="NA"), ""),
    "refused": (Answer(rejections=("75",)), ""),
    "silent": (None, "timeout"),
}


@given(st.lists(st.tuples(st.booleans(), st.sampled_from(sorted(OUTCOMES))), max_size=25))
def test_whatever_happens_the_line_knows_what_is_kept_and_one_item_at_most_is_open(story):
    asyncio.run(check_story(story))


async def check_story(story):
    work = Memory()
    for version, (by_timer, name) in enumerate(story, 1):
        answer, failure = OUTCOMES[name]
        if by_timer and work.timers:
            await wake(work, answer, failure)
        else:
            await place(work, answer, failure, version=version)
        opened, closed = work.told_of(WorkOpened), work.told_of(WorkClosed)
        open_items = len(opened) - len(closed)
        standing = work.standing
        assert standing.says_the_same(work.told_of(Determined)[-1].authorization)
        assert len({fact.work_id for fact in opened}) == len(opened)
        assert open_items in (0, 1)
        assert standing.needs_person <= (open_items == 1)
        assert (standing.decision is Decision.APPROVED) <= (open_items == 0 and not work.timers)
        assert (standing.decision is Decision.PENDED) <= bool(work.timers)
