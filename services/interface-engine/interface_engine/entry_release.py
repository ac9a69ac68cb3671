"""Lets go what was held for want of a code, when a code map has learned it: in the order in which it came."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from bus import Database

from interface_engine.handlers.announcing import Channel, announce_again
from interface_engine.handlers.messages import replay_message
from interface_engine.model_messages import KEPT
from interface_engine.store import Visits
from interface_engine.store.charges import Charges
from interface_engine.store.messages import Messages


@dataclass
class Release:
    """`changed` is told of feeds whose configuration is another now; `arrived` wakes the worker of messages."""

    database: Database
    tenant: str
    announcing: Channel
    arrived: asyncio.Event
    log: Any
    _waiting: asyncio.Queue[tuple[str, ...]] = field(default_factory=asyncio.Queue)

    def changed(self, names: tuple[str, ...]) -> None:
        """To be done soon; nothing is done here."""
        self._waiting.put_nowait(names)

    async def run(self) -> None:
        """Until cancelled. Nothing is forgotten when it fails: it begins again with the same feeds."""
        while True:
            names = await self._waiting.get()
            try:
                await self.release(names)
            except BaseException:
                self._waiting.put_nowait(names)
                raise

    async def release(self, names: tuple[str, ...]) -> int:
        """Has the messages worked on again and tells of the visits again; how many visits those were."""
        async with self.database.unit(self.tenant) as unit:
            messages = await Charges(unit).messages_on_hold(names)
            visits = await Visits(unit).unmapped(names)
        for message_id in messages:
            async with self.database.unit(self.tenant) as unit:
                store = Messages(unit)
                message = await store.message(message_id, lock=True)
                if message is not None and message.state == KEPT:
                    await replay_message(store, unit, message_id)
        for encounter in visits:
            async with self.database.unit(self.tenant) as unit:
                await announce_again(Visits(unit), self.announcing, encounter)
        self.arrived.set()
        if messages or visits:
            self.log.info("holds looked at again", count=len(visits), channel=",".join(names)[:100])
        return len(visits)
