"""Takes messages in, whatever door they come by: stored first, and only then answered."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from bus import Database, Unit
from chassis.storage_errors import STORAGE_ERRORS
from kernel.errors import Unavailable

from interface_engine.handlers.messages import open_work
from interface_engine.model_messages import QUARANTINED, Arrival, Taken
from interface_engine.rules import Channel
from interface_engine.store.messages import Messages
from interface_engine.store.shapes import RETRIED
from interface_engine.together import Together
from interface_engine.wire.arrivals import arrival_of, in_quarantine, torn_arrival

_TRIES = 6


@dataclass
class Intake:
    """`arrived` is set when there is something to work on."""

    database: Database
    tenant: str
    numbers_kept: timedelta
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self._together: Together[Arrival, Taken] = Together(self._write)

    async def take(self, channel: Channel, raw: bytes) -> Taken:
        """Returns when the message is on disk. Unavailable when it cannot be kept: then it must not be acknowledged."""
        return await self._add(arrival_of(channel, raw, self.database.clock.now()))

    async def take_torn(self, channel: Channel, raw: bytes) -> Taken:
        """Keeps what came of a message before its frame broke; it has failed already and is not acknowledged."""
        return await self._add(torn_arrival(channel, raw, self.database.clock.now()))

    async def _add(self, arrival: Arrival) -> Taken:
        try:
            taken = await self._together.add(arrival)
        except (*STORAGE_ERRORS, *RETRIED) as error:
            raise Unavailable("message-store-away", "messages cannot be kept now; send it again", 2.0) from error
        self.arrived.set()
        return taken

    async def _write(self, arrivals: Sequence[Arrival]) -> list[Taken]:
        for attempt in range(_TRIES):
            try:
                return await self._write_once(arrivals)
            except RETRIED:
                if attempt == _TRIES - 1:
                    raise
        raise AssertionError("the last attempt returns or raises")

    async def _write_once(self, arrivals: Sequence[Arrival]) -> list[Taken]:
        async with self.database.unit(self.tenant) as unit:
            return await self.keep(unit, arrivals)

    async def keep(self, unit: Unit, arrivals: Sequence[Arrival]) -> list[Taken]:
        """Keeps them in the open transaction, in the order given."""
        store = Messages(unit)
        taken = await store.take(arrivals, self.numbers_kept)
        for place, (arrival, one) in enumerate(zip(arrivals, taken, strict=True)):
            if one.state == QUARANTINED and not one.again:
                apart = in_quarantine(arrival, unit.now)
                taken[place] = await store.quarantine(apart)
                await _tell(unit, apart, taken[place])
            else:
                await _tell(unit, arrival, one)
        return taken


async def _tell(unit: Unit, arrival: Arrival, taken: Taken) -> None:
    """A message that came and cannot be worked on is somebody's work."""
    if arrival.work_id and not taken.again:
        await open_work(unit, arrival.id, arrival.work_id, arrival.reason)
