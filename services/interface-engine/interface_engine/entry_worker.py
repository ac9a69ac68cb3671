"""Works on stored messages: a patient's in their order, patients side by side, and one that cannot succeed alone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bus import Database, Unit
from chassis.storage_errors import STORAGE_ERRORS
from kernel.errors import LineError, Unavailable, Unreadable

from interface_engine.handlers.messages import fail_message
from interface_engine.model import Rejected
from interface_engine.model_messages import FAILED, RECEIVED, Ending, Message
from interface_engine.store.messages import Messages
from interface_engine.store.shapes import RETRIED

Process = Callable[[Unit, Message], Awaitable[Ending]]
# What stands in the way now and will not for ever.
_COMES_BACK: tuple[type[BaseException], ...] = (Unavailable, *STORAGE_ERRORS, *RETRIED)
_BATCH = 128
_LONGEST_REST_S = 0.5
_TRIES = 6
_LEASE = timedelta(seconds=15)  # how long the messages in hand of an engine that died wait for another
_LONGEST_WAIT_S = 60.0


class _DoneElsewhere(Exception):
    """Another worker was faster: what we did is taken back."""


@dataclass
class MessageWorker:
    """`process` does one message in its unit. Several workers on one database share the messages."""

    database: Database
    tenant: str
    process: Process
    arrived: asyncio.Event
    log: Any
    parallel: int = 2
    every_s: float = 0.5

    async def run(self) -> None:
        """Until cancelled. Unavailable when the store is away: run it again after a while."""
        while True:
            self.arrived.clear()
            began = asyncio.get_running_loop().time()
            if not await self.work():
                await self._wait()
            elif self.arrived.is_set():
                # Senders wait for their answers: taking in goes before working on.
                took = asyncio.get_running_loop().time() - began
                await asyncio.sleep(min(_LONGEST_REST_S, took))

    async def work(self) -> int:
        """Works on what may be worked on now; how many messages that were."""
        try:
            async with self.database.unit(self.tenant) as unit:
                claimed = await Messages(unit).claim(unit.now + _LEASE, _BATCH)
        except STORAGE_ERRORS as error:
            raise Unavailable("message-store-away", "the message store does not answer", 1.0) from error
        gate = asyncio.Semaphore(self.parallel)

        async def one(message: Message) -> None:
            async with gate:
                await self._work_on(message)

        await asyncio.gather(*(one(message) for message in claimed))
        return len(claimed)

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(self.every_s):
                await self.arrived.wait()
        except TimeoutError:
            pass

    async def _work_on(self, message: Message) -> None:
        try:
            await self._keep(message)
        except _COMES_BACK as error:
            self.log.info("message waits", channel=message.channel, error=type(error).__name__)
            await self._later(message)
        except LineError as error:
            path = error.path if isinstance(error, Unreadable) else ""
            await self._fail(message, Ending(FAILED, error.code, path))
        except Rejected as error:
            await self._fail(message, _ending_of(error))
        except Exception as error:
            self.log.error("message failed", channel=message.channel, exc_info=error)
            await self._fail(message, Ending(FAILED, "unexpected-error"))

    async def _keep(self, message: Message) -> None:
        """Others may write the same resources meanwhile: again from the start."""
        for attempt in range(_TRIES):
            try:
                async with self.database.unit(self.tenant) as unit:
                    ending = await self.process(unit, message)
                    if not await Messages(unit).finish(message.id, ending):
                        raise _DoneElsewhere
                return
            except _DoneElsewhere:
                return
            except RETRIED:
                if attempt == _TRIES - 1:
                    raise

    async def _fail(self, message: Message, ending: Ending) -> None:
        try:
            async with self.database.unit(self.tenant) as unit:
                await fail_message(Messages(unit), unit, message, ending)
        except STORAGE_ERRORS:
            pass  # its lease runs out, and it fails again then

    async def _later(self, message: Message) -> None:
        wait = min(_LONGEST_WAIT_S, 0.5 * 2.0 ** min(message.attempts, 10))
        try:
            async with self.database.unit(self.tenant) as unit:
                await Messages(unit).later(message.id, unit.now + timedelta(seconds=wait))
        except STORAGE_ERRORS:
            pass  # its lease runs out


def _ending_of(error: Rejected) -> Ending:
    """The first issue of what the FHIR store said."""
    issue = error.outcome["issue"][0]
    codings = (issue.get("details") or {}).get("coding") or [{}]
    expression = issue.get("expression") or [""]
    return Ending(FAILED, codings[0].get("code") or str(issue["code"]), expression[0])


@dataclass(frozen=True)
class Endings:
    """Waits for what became of a message, whichever engine worked on it."""

    database: Database
    tenant: str
    longest_s: float = 30.0
    every_s: float = 0.1

    async def of(self, message_id: str) -> str:
        """The state that it ended in, or the one that it is in when nobody waits longer."""
        state = ""
        for _ in range(max(1, int(self.longest_s / self.every_s))):
            async with self.database.unit(self.tenant) as unit:
                message = await Messages(unit).message(message_id)
            state = message.state if message is not None else ""
            if state != RECEIVED:
                break
            await asyncio.sleep(self.every_s)
        return state


@dataclass(frozen=True)
class Pruning:
    """Deletes messages that were done with so many days ago; 0 days keep them all."""

    database: Database
    tenant: str
    days: int
    every_s: float = 3600.0

    async def run(self) -> None:
        """Until cancelled."""
        while self.days:
            while await self.prune():
                pass
            await asyncio.sleep(self.every_s)
        await asyncio.Event().wait()

    async def prune(self) -> int:
        """A bounded number of them; how many those were."""
        async with self.database.unit(self.tenant) as unit:
            return await Messages(unit).prune(unit.now - timedelta(days=self.days))
