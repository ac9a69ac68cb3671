"""Messages over a real database: stored before they are answered, once each, in order for each patient, searchable."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import hl7v2
import pytest
import structlog
from bus import Database, Unit
from bus.event import decode, open_envelope
from interface_engine.entry_intake import Intake
from interface_engine.entry_worker import MessageWorker
from interface_engine.handlers.messages import dismiss_message, replay_message
from interface_engine.model import Rejected
from interface_engine.model_messages import (
    DISMISSED,
    FAILED,
    FILTERED,
    KEPT,
    MESSAGE_STATES,
    QUARANTINED,
    RECEIVED,
    Ending,
    Message,
    Taken,
    Wanted,
)
from interface_engine.rules.channel import Channel, Transport
from interface_engine.store.messages import Messages
from interface_engine.store.shapes import Overtaken
from kernel.clock import FixedClock
from kernel.errors import Refused, Unavailable, Unreadable
from message_feed import feed
from platform_fixture import Platform

NOW = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)
FEED = feed()


def text(control_id: str = "1", mrn: str = "M1", event: str = "A04", tail: str = "", **msh: str) -> bytes:
    head = f"MSH|^~\\&|EHR|CLINIC|RCM|HUB|20260320120000||ADT^{event}|{control_id}|P|2.5.1"
    if msh:
        head += f"|||{msh.get('accept', '')}|{msh.get('application', '')}"
    return f"{head}\rEVN|{event}|20260320120000\rPID|1||{mrn}^^^CLINIC^MR||EXAMPLE^PAT{tail}\r".encode()


@dataclass
class House:
    tenant: str
    database: Database
    clock: FixedClock
    intake: Intake
    worker: MessageWorker
    worked: list[tuple[str, str]] = field(default_factory=list)
    outcome: dict[str, Ending | Exception] = field(default_factory=dict)

    async def process(self, unit: Unit, message: Message) -> Ending:
        self.worked.append((message.mrn, message.control_id))
        await asyncio.sleep(0.001)
        found = self.outcome.get(message.control_id, Ending(KEPT, resources=(f"Patient/{message.mrn}",)))
        if isinstance(found, Exception):
            raise found
        return found

    async def take(self, *raws: bytes, channel: Channel = FEED) -> list[Taken]:
        return [await self.intake.take(channel, raw) for raw in raws]

    async def work_all(self) -> None:
        while await self.worker.work():
            pass

    async def find(self, **wanted: Any) -> list[Message]:
        async with self.database.unit(self.tenant) as unit:
            return await Messages(unit).find(Wanted(**wanted))

    async def states(self) -> list[str]:
        return [one.state for one in reversed(await self.find())]

    async def facts(self) -> list[str]:
        async with self.database.transaction(self.tenant) as conn:
            rows = await conn.fetch("select envelope from outbox order by position")
        return [decode(open_envelope(row["envelope"]), {}).type for row in rows]


@pytest.fixture
async def house(platform: Platform, tenant: str) -> AsyncIterator[House]:
    clock = FixedClock(NOW)
    database = Database(platform.url_for("interface-engine"), "interface_engine", clock)
    await database.open()
    intake = Intake(database, tenant, timedelta(days=30))
    made: list[House] = []

    async def process(unit: Unit, message: Message) -> Ending:
        return await made[0].process(unit, message)

    worker = MessageWorker(database, tenant, process, intake.arrived, structlog.get_logger())
    made.append(House(tenant, database, clock, intake, worker))
    yield made[0]
    await database.close()


# Taking in


async def test_a_message_is_on_disk_before_it_is_answered(house: House) -> None:
    (taken,) = await house.take(text("77"))
    found = await house.find(control_id="77")
    assert (found[0].id, found[0].raw, found[0].state) == (taken.id, text("77"), RECEIVED)
    answer = hl7v2.parse_ack(taken.ack)
    assert (answer.code, answer.control_id) == ("AA", "77")


async def test_what_cannot_be_kept_is_not_acknowledged(house: House) -> None:
    await house.database.close()
    with pytest.raises(Unavailable):
        await house.take(text())
    await house.database.open()
    assert await house.find() == []


async def test_the_same_message_again_gets_the_same_answer_and_is_no_second_message(house: House) -> None:
    first, again = await house.take(text("1"), text("1"))
    assert (again.id, again.ack, again.again) == (first.id, first.ack, True)
    assert len(await house.find()) == 1


async def test_a_hundred_times_at_once_is_one_message(house: House) -> None:
    taken = await asyncio.gather(*(house.intake.take(FEED, text("1")) for _ in range(100)))
    assert len({(one.id, one.ack) for one in taken}) == 1
    assert len(await house.find()) == 1


async def test_two_engines_take_the_same_message_once(house: House) -> None:
    other = Intake(house.database, house.tenant, timedelta(days=30))
    taken = await asyncio.gather(
        *(intake.take(FEED, text(str(number))) for number in range(30) for intake in (house.intake, other))
    )
    assert len({one.id for one in taken}) == 30


async def test_a_number_with_another_text_goes_into_quarantine_and_the_sender_is_told(house: House) -> None:
    first, other, again = await house.take(text("1"), text("1", tail="^X"), text("1", tail="^X"))
    assert hl7v2.parse_ack(other.ack).code == "AE"
    assert b"205" in other.ack
    assert (again.id, again.ack) == (other.id, other.ack)
    assert first.id != other.id
    assert await house.states() == [RECEIVED, QUARANTINED]
    await house.work_all()
    assert await house.states() == [KEPT, QUARANTINED]


async def test_numbers_that_begin_again_after_a_while_are_new_messages(house: House) -> None:
    await house.take(text("1"))
    house.clock.advance(timedelta(days=31))
    (later,) = await house.take(text("1", tail="^X"))
    assert hl7v2.parse_ack(later.ack).code == "AA"
    assert await house.states() == [RECEIVED, RECEIVED]


async def test_the_same_number_from_another_sender_or_feed_is_another_message(house: House) -> None:
    elsewhere = text("1").replace(b"|CLINIC|RCM", b"|OTHER|RCM")
    await house.take(text("1"), elsewhere)
    await house.take(text("1"), channel=replace(FEED, name="second"))
    assert await house.states() == [RECEIVED] * 3


@pytest.mark.parametrize("raw", [b"", b"hello", b"\x00\xff\xfe", b"MSH|", b"PID|1\r", b"MSH" + b"\xff" * 50])
async def test_rubbish_is_kept_refused_and_answered(house: House, raw: bytes) -> None:
    (taken,) = await house.take(raw)
    assert hl7v2.parse_ack(taken.ack).code == "AR"
    (found,) = await house.find()
    assert (found.raw, found.state) == (raw, FAILED)
    assert found.reason.startswith("hl7.")


@pytest.mark.parametrize(
    ("accept", "application", "code"),
    [("", "", "AA"), ("AL", "NE", "CA"), ("AL", "AL", "CA"), ("NE", "AL", ""), ("ER", "NE", ""), ("SU", "ER", "CA")],
)
async def test_both_modes_of_acknowledgement(house: House, accept: str, application: str, code: str) -> None:
    raw = text("1", accept=accept, application=application)
    (taken,) = await house.take(raw)
    assert (hl7v2.parse_ack(taken.ack).code if taken.ack else "") == code


@pytest.mark.parametrize(
    ("mode", "good", "wrong", "rubbish"), [("auto", "AA", "AE", "AR"), ("enhanced", "CA", "CE", "CR")]
)
async def test_a_refusal_is_in_the_mode_of_the_feed(
    house: House, mode: str, good: str, wrong: str, rubbish: str
) -> None:
    channel = replace(FEED, name="moded", transport=Transport(kind="mllp", acknowledge=mode))
    taken = await house.take(text("1"), text("1", tail="^X"), b"rubbish", channel=channel)
    assert [hl7v2.parse_ack(one.ack).code for one in taken] == [good, wrong, rubbish]


async def test_what_cannot_be_worked_on_when_it_comes_is_somebodys_work_once(house: House) -> None:
    for _ in range(2):
        await house.take(b"rubbish", text("1"), text("1", tail="^X"))
    assert await house.facts() == ["work.opened"] * 2
    assert [one.work_id != "" for one in await house.find(states=(FAILED, QUARANTINED))] == [True, True]


async def test_the_feeds_own_rule_of_answering_goes_first(house: House) -> None:
    original = replace(FEED, name="fixed", transport=Transport(kind="mllp", acknowledge="original"))
    (taken,) = await house.take(text("1", accept="NE", application="NE"), channel=original)
    assert hl7v2.parse_ack(taken.ack).code == "AA"


# Working


async def test_a_patients_messages_are_worked_on_in_their_order_and_patients_side_by_side(house: House) -> None:
    for number in range(40):
        await house.take(text(str(number), mrn=f"M{number % 4}"))
    await house.work_all()
    for mrn in ("M0", "M1", "M2", "M3"):
        numbers = [int(control) for one, control in house.worked if one == mrn]
        assert numbers == sorted(numbers)
    assert len(house.worked) == 40
    assert set(await house.states()) == {KEPT}


async def test_two_workers_share_the_work_and_keep_the_order(house: House) -> None:
    for number in range(60):
        await house.take(text(str(number), mrn=f"M{number % 5}"))
    other = MessageWorker(house.database, house.tenant, house.process, asyncio.Event(), structlog.get_logger())

    async def until_done(worker: MessageWorker) -> None:
        while RECEIVED in await house.states():
            await worker.work()

    await asyncio.gather(until_done(house.worker), until_done(other))
    assert len(house.worked) == 60
    for mrn in {one for one, _ in house.worked}:
        numbers = [int(control) for one, control in house.worked if one == mrn]
        assert numbers == sorted(numbers)


POISON: list[Exception] = [
    Unreadable("field-unreadable", "FT1(2)-7", "not a code"),
    Refused("not-possible", "no"),
    Rejected(412, {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "multiple-matches"}]}),
    RuntimeError("a bug"),
]


@pytest.mark.parametrize("error", POISON)
async def test_one_message_that_cannot_succeed_holds_back_its_patient_and_nobody_else(
    house: House, error: Exception
) -> None:
    house.outcome["2"] = error
    await house.take(text("1"), text("2"), text("3"), text("4", mrn="M2"))
    await house.work_all()
    assert await house.states() == [KEPT, FAILED, RECEIVED, KEPT]
    (failed,) = await house.find(states=(FAILED,))
    assert failed.reason
    assert failed.work_id
    assert await house.facts() == ["work.opened"]


async def test_replayed_with_better_rules_it_goes_through_and_what_waited_follows_in_order(house: House) -> None:
    house.outcome["1"] = Unreadable("code-unmapped", "FT1-7", "no row")
    await house.take(text("1"), text("2"), text("3"))
    await house.work_all()
    assert await house.states() == [FAILED, RECEIVED, RECEIVED]
    house.outcome.clear()
    house.worked.clear()
    (failed,) = await house.find(states=(FAILED,))
    async with house.database.unit(house.tenant) as unit:
        await replay_message(Messages(unit), unit, failed.id)
    await house.work_all()
    assert [control for _, control in house.worked] == ["1", "2", "3"]
    assert await house.states() == [KEPT] * 3
    assert await house.facts() == ["work.opened", "work.closed"]


async def test_dismissed_it_is_never_worked_on_and_what_waited_follows(house: House) -> None:
    house.outcome["1"] = Refused("not-possible", "no")
    await house.take(text("1"), text("2"))
    await house.work_all()
    (failed,) = await house.find(states=(FAILED,))
    for _ in range(2):
        async with house.database.unit(house.tenant) as unit:
            await dismiss_message(Messages(unit), unit, failed.id, "sent-in-error")
    await house.work_all()
    assert await house.states() == [DISMISSED, KEPT]
    assert await house.facts() == ["work.opened", "work.closed"]


async def test_what_is_kept_cannot_be_dismissed_and_what_is_not_there_not_replayed(house: House) -> None:
    await house.take(text("1"))
    await house.work_all()
    (kept,) = await house.find()
    async with house.database.unit(house.tenant) as unit:
        with pytest.raises(Refused):
            await dismiss_message(Messages(unit), unit, kept.id, "why")
        with pytest.raises(Refused):
            await replay_message(Messages(unit), unit, str(uuid.uuid4()))


async def test_what_is_away_is_tried_again_later_and_in_its_place(house: House) -> None:
    house.outcome["1"] = Unavailable("database", "away")
    await house.take(text("1"), text("2"))
    await house.worker.work()
    assert await house.states() == [RECEIVED, RECEIVED]
    assert await house.worker.work() == 0
    house.outcome.clear()
    house.clock.advance(timedelta(seconds=2))
    await house.work_all()
    assert [control for _, control in house.worked] == ["1", "1", "2"]


async def test_others_writing_the_same_resources_only_mean_another_try(house: House) -> None:
    house.outcome["1"] = Overtaken()
    await house.take(text("1"))
    await house.worker.work()
    assert len(house.worked) == 6
    assert await house.states() == [RECEIVED]


async def test_a_worker_that_died_is_followed_by_another_after_its_lease(house: House) -> None:
    await house.take(text("1"))
    async with house.database.unit(house.tenant) as unit:
        assert len(await Messages(unit).claim(unit.now + timedelta(seconds=60), 10)) == 1
    assert await house.worker.work() == 0
    house.clock.advance(timedelta(seconds=61))
    assert await house.worker.work() == 1


async def test_the_effects_of_a_message_that_another_worker_finished_are_taken_back(house: House) -> None:
    await house.take(text("1"))

    async def process(unit: Unit, message: Message) -> Ending:
        await unit.conn.execute("select 1")
        async with house.database.unit(house.tenant) as other:
            await Messages(other).finish(message.id, Ending(FILTERED))
        await unit.schedule("probe", "x", NOW)
        return Ending(KEPT)

    worker = MessageWorker(house.database, house.tenant, process, asyncio.Event(), structlog.get_logger())
    await worker.work()
    assert await house.states() == [FILTERED]
    async with house.database.transaction(house.tenant) as conn:
        assert await conn.fetchval("select count(*) from timer where kind = 'probe'") == 0


# People


async def test_messages_are_found_by_what_people_know(house: House) -> None:
    await house.take(text("1", mrn="M1"), text("2", mrn="M2"), text("3", mrn="M2"))
    await house.work_all()
    assert [one.control_id for one in await house.find(mrn="M2")] == ["3", "2"]
    assert [one.control_id for one in await house.find(control_id="1")] == ["1"]
    assert [one.control_id for one in await house.find(resource="Patient/M2")] == ["3", "2"]
    assert await house.find(resource="Patient/nobody") == []
    assert await house.find(mrn="nobody") == []
    newest = await house.find(limit=1)
    assert [one.control_id for one in await house.find(before=newest[0].position)] == ["2", "1"]
    assert await house.find(since=NOW + timedelta(seconds=1)) == []
    assert newest[0].resources == ("Patient/M2",)


async def test_another_tenant_sees_none_of_it(house: House) -> None:
    await house.take(text("1"))
    async with house.database.unit(f"{house.tenant}-other") as unit:
        assert await Messages(unit).find(Wanted()) == []
        assert await Messages(unit).claim(NOW + timedelta(days=1), 10) == []


async def test_old_messages_go_and_open_ones_stay(house: House) -> None:
    house.outcome["2"] = Refused("not-possible", "no")
    await house.take(text("1", mrn="M1"), text("2", mrn="M2"))
    await house.work_all()
    house.clock.advance(timedelta(days=400))
    await house.take(text("3", mrn="M3"))
    async with house.database.unit(house.tenant) as unit:
        assert await Messages(unit).prune(unit.now - timedelta(days=365)) == 1
    assert [one.control_id for one in await house.find()] == ["3", "2"]


def test_every_step_of_a_message_is_in_the_table() -> None:
    legal = {(one, two) for one, two, allowed in MESSAGE_STATES.every_pair() if allowed}
    assert (KEPT, DISMISSED) not in legal
    assert (RECEIVED, DISMISSED) not in legal
    assert (QUARANTINED, KEPT) not in legal
    assert {two for _, two in legal} == MESSAGE_STATES.states - {QUARANTINED}
