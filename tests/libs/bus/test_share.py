"""Duties are spread over the members: each has one holder, none has two, and who goes is replaced."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import asyncpg
import pytest
from bus import Database, Hold, Share
from bus.share import fair_shares
from bus_replicas import stop, until
from hypothesis import given
from hypothesis import strategies as st

DUTIES = ("a", "b", "c", "d")


@given(st.dictionaries(st.integers(1, 50), st.integers(0, 8), min_size=1, max_size=9), st.integers(0, 12))
def test_a_fair_share_differs_by_one_at_most_and_moves_as_little_as_it_can(held: dict[int, int], duties: int) -> None:
    fair = fair_shares(held, duties)
    assert sum(fair.values()) == duties
    assert max(fair.values()) - min(fair.values()) <= 1
    if sum(held.values()) == duties and max(held.values()) - min(held.values()) <= 1:
        assert fair == held  # nobody moves where all is well
    given_up = sum(max(0, held[member] - fair[member]) for member in held)
    each, over = divmod(duties, len(held))
    best = sorted(held.values(), reverse=True)
    assert given_up == sum(max(0, count - each - (rank < over)) for rank, count in enumerate(best))


class Members:
    """Replicas that do nothing but hold duties, and notice when somebody else does."""

    def __init__(self, database: Database) -> None:
        self.name = f"probe-{uuid4().hex[:8]}"
        self.database = database
        self.holders: Counter[str] = Counter()
        self.doubled: list[str] = []
        self.shares: list[Share] = []
        self.tasks: list[asyncio.Task[None]] = []

    async def work(self, hold: Hold) -> None:
        self.holders[hold.name] += 1
        if self.holders[hold.name] > 1:
            self.doubled.append(hold.name)
        try:
            await hold.leaving
        finally:
            self.holders[hold.name] -= 1

    def join(self, patience_s: float = 10.0) -> Share:
        duties = {f"{self.name}:{duty}": self.work for duty in DUTIES}
        share = Share(self.database, self.name, duties, patience_s=patience_s)
        self.shares.append(share)
        self.tasks.append(asyncio.create_task(_again(share)))
        return share

    async def leave(self, number: int) -> None:
        task = self.tasks.pop(number)
        self.shares.pop(number)
        await stop(task)

    def spread(self) -> list[int]:
        return sorted((len(share.held) for share in self.shares), reverse=True)

    def is_spread(self, *counts: int) -> bool:
        return self.spread() == list(counts) and +self.holders == Counter({f"{self.name}:{d}": 1 for d in DUTIES})


async def _again(share: Share) -> None:
    while True:
        with contextlib.suppress(Exception):
            await share.run()
        await asyncio.sleep(0.05)


@asynccontextmanager
async def members_of(database: Database) -> AsyncIterator[Members]:
    members = Members(database)
    try:
        yield members
    finally:
        while members.tasks:
            await members.leave(0)


async def sessions(owner_url: str, name: str) -> list[int]:
    """The server processes of the members, in the order of their numbers."""
    owner = await asyncpg.connect(owner_url)
    try:
        rows = await owner.fetch(
            """select distinct pid from pg_locks where locktype = 'advisory' and granted
            and ((classid::bigint << 32) | objid::bigint) = hashtextextended($1, 0) order by pid""",
            name,
        )
    finally:
        await owner.close()
    return [row["pid"] for row in rows]


async def test_from_one_to_three_to_one_each_duty_has_one_holder(database: Database) -> None:
    async with members_of(database) as members:
        members.join()
        await until(lambda: members.is_spread(4))
        members.join()
        members.join()
        await until(lambda: members.is_spread(2, 1, 1))
        first = members.shares[0].held
        await members.leave(2)
        await until(lambda: members.is_spread(2, 2))
        assert members.shares[0].held == first  # what need not change hands does not
        await members.leave(0)
        await until(lambda: members.is_spread(4))
        assert members.doubled == []


async def test_more_members_than_duties_leave_nobody_out_of_work_who_has_some(database: Database) -> None:
    async with members_of(database) as members:
        for _ in range(6):
            members.join()
        await until(lambda: members.is_spread(1, 1, 1, 1, 0, 0))
        idle = next(number for number, share in enumerate(members.shares) if not share.held)
        await members.leave(idle)
        busy = next(number for number, share in enumerate(members.shares) if share.held)
        await members.leave(busy)
        await until(lambda: members.is_spread(1, 1, 1, 1))
        assert members.doubled == []


async def test_a_member_whose_session_is_killed_is_replaced(platform, database: Database) -> None:  # type: ignore[no-untyped-def]
    async with members_of(database) as members:
        members.join()
        members.join()
        await until(lambda: members.is_spread(2, 2))
        for pid in await sessions(platform.owner_url, f"member:{members.name}"):
            owner = await asyncpg.connect(platform.owner_url)
            await owner.execute("select pg_terminate_backend($1)", pid)
            await owner.close()
            await asyncio.sleep(0.3)
        await until(lambda: members.is_spread(2, 2))
        # Who has lost the session stops at once, and may be a moment behind whoever takes the duty then: that moment
        # is the inbox's.
        assert +members.holders == Counter({f"{members.name}:{duty}": 1 for duty in DUTIES})


async def test_a_work_that_does_not_leave_is_cancelled(database: Database) -> None:
    async def stays(_: Hold) -> None:
        await asyncio.sleep(3600)

    name = f"probe-{uuid4().hex[:8]}"
    shares = [Share(database, name, dict.fromkeys(DUTIES, stays), patience_s=patience) for patience in (0.2, 0.0)]
    tasks = [asyncio.create_task(share.run()) for share in shares[:1]]
    await until(lambda: len(shares[0].held) == 4)
    tasks.append(asyncio.create_task(shares[1].run()))
    await until(lambda: [len(share.held) for share in shares] == [2, 2])
    for task in tasks:
        await stop(task)


async def test_who_is_not_able_is_no_member(database: Database) -> None:
    able = True
    name = f"probe-{uuid4().hex[:8]}"

    async def stays(hold: Hold) -> None:
        await hold.leaving

    one = Share(database, name, dict.fromkeys(DUTIES, stays), able=lambda: able)
    other = Share(database, name, dict.fromkeys(DUTIES, stays))
    tasks = [asyncio.create_task(share.run()) for share in (one, other)]
    await until(lambda: [len(one.held), len(other.held)] == [2, 2])
    able = False
    await until(lambda: [len(one.held), len(other.held)] == [0, 4])
    able = True
    await until(lambda: [len(one.held), len(other.held)] == [2, 2])
    for task in tasks:
        await stop(task)


async def test_no_session_goes_back_to_its_pool_with_a_lock(platform, database: Database) -> None:  # type: ignore[no-untyped-def]
    async with members_of(database) as members:
        members.join()
        await until(lambda: members.is_spread(4))
        await members.leave(0)
        for duty in DUTIES:
            assert await sessions(platform.owner_url, f"{members.name}:{duty}") == []
        assert await sessions(platform.owner_url, f"member:{members.name}") == []


async def test_what_a_work_raises_is_told(database: Database) -> None:
    async def breaks(_: Hold) -> None:
        raise ValueError("broken")

    share = Share(database, f"probe-{uuid4().hex[:8]}", {"broken": breaks})
    with pytest.raises(ValueError, match="broken"):
        await asyncio.wait_for(share.run(), 30)
    assert share.held == frozenset()
