"""A command is carried out once for all who send it: in one process, over several, after errors and after deaths."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from bus import Database
from bus.once import Answer, Once, Ticket, answers_about
from kernel.errors import Refused, Unavailable

TICKET = Ticket("k1", "d1")


class Deed:
    """Counts how often it is done, and keeps its answer with an effect."""

    def __init__(self, database: Database, tenant: str, trouble: Exception | None = None) -> None:
        self.database, self.tenant, self.trouble, self.done = database, tenant, trouble, 0

    async def __call__(self, ticket: Ticket) -> Answer:
        self.done += 1
        await asyncio.sleep(0.05)
        async with self.database.unit(self.tenant) as unit:
            await unit.conn.execute("insert into effect (key, number) values ($1, 1)", ticket.key)
            answer = Answer(f"answer {self.done}".encode(), "complete")
            await ticket.keep(unit, answer, "thing-1")
            if self.trouble is not None:
                raise self.trouble
        return answer

    async def effects(self) -> int:
        async with self.database.unit(self.tenant) as unit:
            return int(await unit.conn.fetchval("select count(*) from effect"))


async def test_a_hundred_over_several_replicas_get_one_answer(database: Database, tenant: str) -> None:
    deed, replicas = Deed(database, tenant), [Once(database) for _ in range(4)]
    answers = await asyncio.gather(*(replicas[n % 4].answer(tenant, TICKET, deed) for n in range(100)))
    assert (deed.done, await deed.effects()) == (1, 1)
    assert set(answers) == {Answer(b"answer 1", "complete")}
    assert await Once(database).answer(tenant, TICKET, deed) == answers[0]


async def test_another_tenant_or_key_is_another_command(database: Database, tenant: str) -> None:
    once, deed = Once(database), Deed(database, tenant)
    await once.answer(tenant, TICKET, deed)
    await once.answer(tenant, Ticket("k2", "d1"), deed)
    other = Deed(database, f"{tenant}x")
    await once.answer(f"{tenant}x", TICKET, other)
    assert (deed.done, other.done) == (2, 1)


async def test_a_key_with_other_content_is_refused(database: Database, tenant: str) -> None:
    once, deed = Once(database), Deed(database, tenant)
    await once.answer(tenant, TICKET, deed)
    with pytest.raises(Refused) as refused:
        await once.answer(tenant, Ticket("k1", "d2"), deed)
    assert (refused.value.code, deed.done) == ("idempotency-key-reused", 1)


async def test_an_error_leaves_nothing_and_the_next_one_acts(database: Database, tenant: str) -> None:
    once, failing = Once(database), Deed(database, tenant, Unavailable("away", "away"))
    found = await asyncio.gather(*(once.answer(tenant, TICKET, failing) for _ in range(5)), return_exceptions=True)
    assert {type(one) for one in found} == {Unavailable}
    assert await failing.effects() == 0
    deed = Deed(database, tenant)
    assert (await once.answer(tenant, TICKET, deed)).status == "complete"
    assert await deed.effects() == 1


async def test_whoever_gives_up_does_not_stop_it(database: Database, tenant: str) -> None:
    once, deed = Once(database), Deed(database, tenant)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await once.answer(tenant, TICKET, deed)
    assert (await once.answer(tenant, TICKET, deed)).content == b"answer 1"
    assert deed.done == 1


async def test_a_dead_holder_is_relieved_when_the_lease_ends(database: Database, tenant: str) -> None:
    async with database.unit(tenant) as unit:
        until = unit.now + timedelta(seconds=0.3)
        await unit.conn.execute("insert into submission (key, digest, leased_until) values ('k1', 'd1', $1)", until)
    deed = Deed(database, tenant)
    answers = await asyncio.gather(*(Once(database).answer(tenant, TICKET, deed) for _ in range(3)))
    assert (deed.done, {one.content for one in answers}) == (1, {b"answer 1"})


async def test_an_answer_is_repeated_for_its_time_only(database: Database, tenant: str) -> None:
    once, deed = Once(database), Deed(database, tenant)
    ticket = Ticket("k1", "d1", repeat_s=60)
    await once.answer(tenant, ticket, deed)
    await once.answer(tenant, ticket, deed)
    assert deed.done == 1
    async with database.unit(tenant) as unit:
        await unit.conn.execute("update submission set answered_at = answered_at - interval '61 seconds'")
    assert (await once.answer(tenant, ticket, deed)).content == b"answer 2"


async def test_what_was_answered_about_a_thing_is_found_by_content(database: Database, tenant: str) -> None:
    await Once(database).answer(tenant, TICKET, Deed(database, tenant))
    async with database.unit(tenant) as unit:
        assert await answers_about(unit, "thing-1") == {"d1": Answer(b"answer 1", "complete")}
        assert await answers_about(unit, "thing-2") == {}


def test_the_clients_key_names_the_command_else_its_content_and_surroundings() -> None:
    keyed = [Ticket.of("c1", "key", "d1", "around"), Ticket.of("c1", "key", "d1", "elsewhere", 5)]
    assert keyed[0] == keyed[1]
    plain = Ticket.of("c1", "", "d1", "around", 5)
    others = [Ticket.of("c2", "", "d1", "around"), Ticket.of("c1", "", "d2", "around"), Ticket.of("c1", "", "d1", "x")]
    assert plain.repeat_s == 5
    assert len({plain.key, keyed[0].key, *(one.key for one in others)}) == 5
