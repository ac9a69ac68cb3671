"""Sends what is ready: file stored first, then handed over, then noted. After a crash the same bytes go again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bus import Database, Unit, continue_trace
from clearinghouse import Clearinghouse
from kernel.errors import Refused, Unavailable, Unreadable

from claims_gateway import handlers
from claims_gateway.entry_events import publish
from claims_gateway.entry_mailbox import take_early_answers
from claims_gateway.model import ClaimMoved, Fact, Interchange
from claims_gateway.rules import RuleBook
from claims_gateway.store import Claims
from claims_gateway.wire.facts import write_fact
from claims_gateway.wire.professional import Sender, build_batch

_SEQUENCE = "interchange"
SKIPPED_NUMBERS = 1_000_000


@dataclass(frozen=True, slots=True)
class Restore:
    """Our database came from a backup at `at`: what was sent after the backup, only the clearinghouse knows.

    Nothing goes out for `wait_s`, nor before `read` has found no more answers, and no ISA13 is used a second time.
    """

    at: datetime
    wait_s: float
    read: Callable[[str], Awaitable[int]]
    skipped: set[str] = field(default_factory=set)
    caught_up: set[str] = field(default_factory=set)

    async def is_over(self, unit: Unit) -> bool:
        """Whether the wait is over; sees to the numbers first, once for a tenant and a restore."""
        if unit.tenant not in self.skipped:
            await Claims(unit.conn).skip_control_numbers(_SEQUENCE, SKIPPED_NUMBERS, f"restored {self.at.isoformat()}")
            self.skipped.add(unit.tenant)
        return unit.now >= self.at + timedelta(seconds=self.wait_s)

    async def catch_up(self, tenant: str) -> None:
        """Reads all that the clearinghouse has answered, however short the wait was."""
        while tenant not in self.caught_up:
            if not await self.read(tenant):
                self.caught_up.add(tenant)


@dataclass(frozen=True, slots=True)
class Submission:
    """`senders` and `boxes` are keyed by tenant."""

    database: Database
    book: RuleBook
    senders: Mapping[str, Sender]
    boxes: Mapping[str, Clearinghouse]
    batch: int
    every_s: float
    lease_s: float
    restore: Restore | None = None

    async def run(self) -> None:
        """Until cancelled. Raises Unavailable when the clearinghouse is away: run it again after a while."""
        while True:
            sent = [await self.submit_ready(tenant) for tenant in self.senders]
            if not any(sent):
                await asyncio.sleep(self.every_s)

    async def submit_ready(self, tenant: str) -> int:
        """Files handed over. What an earlier run left unconfirmed goes before anything new."""
        if not await self._may_send(tenant):
            return 0
        handed_over = 0
        while left := await self._lease(tenant):
            await self._hand_over(tenant, left)
            handed_over += 1
        async with self.database.unit(tenant) as unit:
            payers = await Claims(unit.conn).payers_with_ready()
        for payer_id in payers:
            if interchange := await self._store_file(tenant, payer_id):
                await self._hand_over(tenant, interchange)
                handed_over += 1
        return handed_over

    async def _may_send(self, tenant: str) -> bool:
        if self.restore is None:
            return True
        async with self.database.unit(tenant) as unit:
            if not await self.restore.is_over(unit):
                return False
        await self.restore.catch_up(tenant)
        return True

    async def _lease(self, tenant: str) -> Interchange | None:
        async with self.database.unit(tenant) as unit:
            return await Claims(unit.conn).lease_unsent(unit.now, unit.now + timedelta(seconds=self.lease_s))

    async def _store_file(self, tenant: str, payer_id: str) -> Interchange | None:
        """One transaction: claims taken, control number drawn, file built and kept. Refused claims are held."""
        async with self.database.unit(tenant) as unit:
            claims = Claims(unit.conn)
            ready = await take_early_answers(unit, await claims.lock_ready(payer_id, self.batch))
            if not ready:
                return None
            control = await claims.next_control_number(_SEQUENCE)
            batch = build_batch(ready, self.book.payers, self.senders[tenant], control, unit.now)
            for claim, path in batch.refused:
                await publish(unit, await handlers.refuse_claim(claims, claim, path, unit.now))
            if not batch.claims:
                return None
            until = unit.now + timedelta(seconds=self.lease_s)
            return await handlers.claim_ready(claims, tenant, control, batch.content, batch.claims, unit.now, until)

    async def _hand_over(self, tenant: str, interchange: Interchange) -> None:
        try:
            with continue_trace(interchange.trace, "claims hand over"):
                file_id = await self.boxes[tenant].send_batch(interchange.content, interchange.interchange_id)
        except Refused as error:
            await self._refuse(tenant, interchange, error.code)
            return
        except (Unavailable, Unreadable) as error:  # it may have arrived: only the same bytes may go again
            async with self.database.unit(tenant) as unit:
                await Claims(unit.conn).release_lease(interchange.interchange_id, unit.now)
            raise Unavailable(error.code, error.reason) from error
        async with self.database.unit(tenant) as unit:
            facts = await handlers.mark_submitted(Claims(unit.conn), interchange.interchange_id, file_id, unit.now)
            await self._publish_each(unit, facts)

    async def _refuse(self, tenant: str, interchange: Interchange, code: str) -> None:
        async with self.database.unit(tenant) as unit:
            claims = Claims(unit.conn)
            facts = await handlers.refuse_batch(claims, interchange.interchange_id, code, unit.now)
            await publish(unit, facts)

    async def _publish_each(self, unit: Unit, facts: list[Fact]) -> None:
        """The wait for the batch was short and our own: each claim's trace goes on up to the hand-over."""
        for fact in facts:
            if isinstance(fact, ClaimMoved):
                type, body, key, journey_id = write_fact(fact, unit.tenant, unit.now)
                with continue_trace(fact.claim.draft.trace, "claim submit", **{"rcm.journey.id": journey_id}):
                    await unit.emit(type, body, key=key, journey_id=journey_id)
