"""Files from the clearinghouse: 835 and CCD, read in the mailbox's order, each in one transaction with its cursor."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from bus import Database, Unit, current_trace, linked_trace
from bus.subscription import DATABASE_ERRORS
from clearinghouse import Clearinghouse, MailFile
from kernel.errors import Unavailable, Unreadable

from remittance.desk import desk_of
from remittance.handlers.deposits import receive_deposit
from remittance.handlers.remittances import receive_remittances
from remittance.model.events import RemittanceQuarantined, RemittanceTaken
from remittance.model.remittance import Broken, Reading
from remittance.rules import Rulebook
from remittance.store import PostgresBooks
from remittance.wire.era import digest_of, read_remittances
from remittance.wire.nacha import read_deposits

ERA = "835"
DEPOSIT = "CCD"
KINDS = (ERA, DEPOSIT)
HANDLING_FAILED = "handling-failed"
_OUTSIDE: tuple[type[BaseException], ...] = (*DATABASE_ERRORS, Unavailable)


async def take_remittance_file(
    unit: Unit, rules: Rulebook, raw: bytes, came_at: datetime | None = None
) -> list[RemittanceTaken | RemittanceQuarantined]:
    """An 835 file: kept as it came, then each of its remittances is posted or quarantined.

    `came_at` is when we first saw it; without one it came just now.
    """
    file_id = digest_of(raw)
    await PostgresBooks(unit.conn, unit.now).keep_file(file_id, ERA, raw)
    readings = read_remittances(raw, file_id, min(came_at or unit.now, unit.now))
    return await receive_remittances(desk_of(unit, rules), list(map(_traced, readings)), file_id)


def _traced(reading: Reading) -> Reading:
    """With the burst that took it in, to which the bank's money will link."""
    if isinstance(reading, Broken):
        return reading
    return replace(reading, remittance=replace(reading.remittance, trace=current_trace()))


async def take_deposit_file(unit: Unit, rules: Rulebook, raw: bytes) -> None:
    """A bank's file: kept as it came, then its deposits are matched; quarantined whole when its totals are off."""
    file_id = digest_of(raw)
    await PostgresBooks(unit.conn, unit.now).keep_file(file_id, DEPOSIT, raw)
    desk = desk_of(unit, rules)
    try:
        deposits = read_deposits(raw)
    except Unreadable as error:
        broken = Broken(content=file_id, rule=error.code, segment=error.path)
        await receive_remittances(desk, [broken], file_id)
        return
    for deposit in deposits:
        await receive_deposit(desk, replace(deposit, trace=current_trace()))


async def set_file_aside(unit: Unit, rules: Rulebook, kind: str, raw: bytes) -> None:
    """A file that breaks us again and again: quarantined, so that those behind it are not held up."""
    file_id = digest_of(raw)
    await PostgresBooks(unit.conn, unit.now).keep_file(file_id, kind, raw)
    broken = Broken(content=file_id, rule=HANDLING_FAILED, segment="file")
    await receive_remittances(desk_of(unit, rules), [broken], file_id)


@dataclass(frozen=True, slots=True)
class Mailbox:
    """Our mailbox for one tenant. `run` goes on until cancelled; an error ends it and the chassis starts it again."""

    database: Database
    clearinghouse: Clearinghouse
    rules: Rulebook
    tenant: str
    every_s: float
    attempts: int
    log: Any
    failures: Counter[str] = field(default_factory=Counter)
    seen_at: dict[str, datetime] = field(default_factory=dict)

    async def run(self) -> None:
        while True:
            if not await self.read_once():
                await asyncio.sleep(self.every_s)

    async def read_once(self) -> int:
        """Reads what is new; how many files there were."""
        count = 0
        for kind in KINDS:
            async with self.database.unit(self.tenant) as unit:
                after = await PostgresBooks(unit.conn, unit.now).cursor(kind)
            files = await self.clearinghouse.list_files([kind], after)
            for file in files:
                self.seen_at.setdefault(file.id, self.database.clock.now())
            for file in files:
                await self._take(file)
            count += len(files)
        return count

    async def _take(self, file: MailFile) -> None:
        raw = await self.clearinghouse.fetch(file.id)
        with linked_trace("", f"receive {file.kind}"):
            try:
                await self._handle(file, raw, aside=False)
            except _OUTSIDE:
                raise
            except Exception as error:
                self.failures[file.id] += 1
                if self.failures[file.id] < self.attempts:
                    raise
                self.log.error("file set aside", kind=file.kind, attempts=self.attempts, exc_info=error)
                await self._handle(file, raw, aside=True)

    async def _handle(self, file: MailFile, raw: bytes, *, aside: bool) -> None:
        """Effect and cursor in one transaction; whoever comes second finds the cursor moved and does nothing."""
        async with self.database.unit(self.tenant) as unit:
            books = PostgresBooks(unit.conn, unit.now)
            await books.lock([f"mailbox:{file.kind}"])
            if await books.cursor(file.kind) >= file.cursor:
                self.seen_at.pop(file.id, None)
                return
            if aside:
                await set_file_aside(unit, self.rules, file.kind, raw)
            elif file.kind == ERA:
                await take_remittance_file(unit, self.rules, raw, self.seen_at.get(file.id))
            else:
                await take_deposit_file(unit, self.rules, raw)
            await books.move_cursor(file.kind, file.cursor)
        self.failures.pop(file.id, None)
        self.seen_at.pop(file.id, None)
