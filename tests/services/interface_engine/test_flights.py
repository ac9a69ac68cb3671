"""Work that is under way is shared by all who ask for the same, and by nobody who comes later."""

from __future__ import annotations

import asyncio

import pytest
from interface_engine.entry_http.flights import Flights


class Work:
    """Counts how often it is begun; ends when it is told to."""

    def __init__(self) -> None:
        self.begun = 0
        self.may_end = asyncio.Event()

    async def __call__(self) -> int:
        self.begun += 1
        await self.may_end.wait()
        return self.begun

    async def fail(self) -> int:
        self.begun += 1
        await self.may_end.wait()
        raise ValueError("no")


async def test_the_same_at_once_is_done_once_and_again_later() -> None:
    flights: Flights[int] = Flights()
    work, other = Work(), Work()
    joined = [asyncio.create_task(flights.join("a", work)) for _ in range(10)]
    apart = asyncio.create_task(flights.join("b", other))
    await asyncio.sleep(0)
    work.may_end.set()
    other.may_end.set()
    assert await asyncio.gather(*joined) == [1] * 10 and await apart == 1
    assert await flights.join("a", work) == 2


async def test_a_failure_is_everybodys_and_is_not_kept() -> None:
    flights: Flights[int] = Flights()
    work = Work()
    joined = [asyncio.create_task(flights.join("a", work.fail)) for _ in range(3)]
    await asyncio.sleep(0)
    work.may_end.set()
    assert {type(one) for one in await asyncio.gather(*joined, return_exceptions=True)} == {ValueError}
    assert work.begun == 1 and await flights.join("a", work) == 2


async def test_who_goes_away_does_not_take_the_work_along() -> None:
    flights: Flights[int] = Flights()
    work = Work()
    first = asyncio.create_task(flights.join("a", work))
    await asyncio.sleep(0)
    second = asyncio.create_task(flights.join("a", work))
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    work.may_end.set()
    assert await second == 1 and work.begun == 1
