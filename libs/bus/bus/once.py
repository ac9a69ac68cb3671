"""A command that many send at once is carried out once, over all replicas, and everyone gets its answer.

Its service has a table `submission` with key, digest, about, answer, status, leased_until and answered_at. Whoever
comes first leases the key and acts; the others look until the answer stands there. The answer is kept in the
transaction of the effect, so that neither exists without the other.
A lease that runs out without an answer means that its holder has died: the next one acts.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from kernel.errors import Refused

from bus.unit import Database, Unit

_BEGIN = """
insert into submission (key, digest, leased_until) values ($1, $2, $3)
on conflict (tenant, key) do update
set digest = excluded.digest, leased_until = excluded.leased_until, answer = '', status = '', answered_at = null
where case when submission.answered_at is null then submission.leased_until <= $4
    else submission.answered_at <= $5 end
returning key
"""
_KEEP = "update submission set answer = $2, status = $3, about = $4, answered_at = $5 where key = $1"
_NEVER = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Answer:
    """What everyone who sent the command gets."""

    content: bytes
    status: str


@dataclass(frozen=True, slots=True)
class Ticket:
    """`key` names the command, `digest` its content. After `repeat_s` seconds an answer is too old to be repeated."""

    key: str
    digest: str
    repeat_s: float | None = None

    @classmethod
    def of(
        cls, client_id: str, idempotency_key: str, digest: str, around: str = "", repeat_s: float | None = None
    ) -> Ticket:
        """The client's own key names the command; without one its content does, together with what is `around` it."""
        parts = ("key", client_id, idempotency_key) if idempotency_key else ("content", client_id, digest, around)
        key = hashlib.sha256("\n".join(parts).encode()).hexdigest()
        return cls(key, digest, None if idempotency_key else repeat_s)

    async def keep(self, unit: Unit, answer: Answer, about: str = "") -> None:
        """Stores the answer with the effect. `about` is the id of what came of it."""
        await unit.conn.execute(_KEEP, self.key, answer.content, answer.status, about, unit.now)


Act = Callable[[Ticket], Awaitable[Answer]]


class Once:
    """Carries commands out. `lease_s` is longer than the longest of them takes."""

    def __init__(self, database: Database, lease_s: float = 60.0, look_every_s: float = 0.05) -> None:
        self._database = database
        self._lease_s = lease_s
        self._look_every_s = look_every_s
        self._running: dict[tuple[str, Ticket], asyncio.Task[Answer]] = {}

    async def answer(self, tenant: str, ticket: Ticket, act: Act) -> Answer:
        """The answer, of `act` or of whoever came first; `act` keeps it by the ticket.

        It goes on when the caller gives up. Refused("idempotency-key-reused") when the key came with other content;
        an error of `act` goes to everyone who waits for it here, and the next one may act.
        """
        place = (tenant, ticket)
        running = self._running.get(place)
        if running is None:
            running = self._running[place] = asyncio.ensure_future(self._answer(tenant, ticket, act))
            running.add_done_callback(lambda task: self._forget(place, task))
        return await asyncio.shield(running)

    def _forget(self, place: tuple[str, Ticket], task: asyncio.Task[Answer]) -> None:
        self._running.pop(place, None)
        if not task.cancelled():
            task.exception()  # seen here, because everyone who waited for it may be gone

    async def _answer(self, tenant: str, ticket: Ticket, act: Act) -> Answer:
        while True:
            async with self._database.unit(tenant) as unit:
                ours = await self._begin(unit, ticket)
                known = None if ours else await _known(unit, ticket)
            if ours:
                return await self._act(tenant, ticket, act)
            if known is not None:
                return known
            await asyncio.sleep(self._look_every_s)

    async def _begin(self, unit: Unit, ticket: Ticket) -> bool:
        until = unit.now + timedelta(seconds=self._lease_s)
        stale = unit.now - timedelta(seconds=ticket.repeat_s) if ticket.repeat_s is not None else _NEVER
        found = await unit.conn.fetchval(_BEGIN, ticket.key, ticket.digest, until, unit.now, stale)
        return found is not None

    async def _act(self, tenant: str, ticket: Ticket, act: Act) -> Answer:
        try:
            return await act(ticket)
        except BaseException:
            async with self._database.unit(tenant) as unit:
                await unit.conn.execute("delete from submission where key = $1 and answered_at is null", ticket.key)
            raise


async def _known(unit: Unit, ticket: Ticket) -> Answer | None:
    """The answer that stands under the key; None while somebody works on it."""
    query = "select digest, answer, status, answered_at from submission where key = $1"
    row = await unit.conn.fetchrow(query, ticket.key)
    if row is None:
        return None
    if row["digest"] != ticket.digest:
        raise Refused("idempotency-key-reused", "the same idempotency key came with other content")
    return Answer(row["answer"], row["status"]) if row["answered_at"] is not None else None


async def answers_about(unit: Unit, about: str) -> dict[str, Answer]:
    """What was answered about an id, by the digest of the content; of several answers to one content the newest."""
    query = "select digest, answer, status from submission where about = $1 and answered_at is not null"
    rows = await unit.conn.fetch(f"{query} order by answered_at", about)
    return {row["digest"]: Answer(row["answer"], row["status"]) for row in rows}
