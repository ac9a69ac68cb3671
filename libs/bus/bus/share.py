"""What one replica may do at a time is shared among a service's replicas, by one session of each.

Every replica is a member (an advisory lock that all hold together), and a duty belongs to whoever holds its own lock.
In pg_locks everybody sees who is there and who holds what: takes what is free up to its fair share, and lets go of
what is above it. What is seen decides only who tries; that no duty has two holders is the doing of its lock, and that
none keeps a holder who has gone is the doing of the session.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from bus.unit import Database

LOOK_EVERY_S = 1.0  # a member that joins or leaves in order tells the others; one that dies is missed by then
MISSES = 3  # looks at which this replica was not able, in a row
ANSWER_S = 10.0
PATIENCE_S = 10.0
ROUNDS, ROUND_S = 20, 0.5

_KEY = "hashtextextended({0}, 0)"
_SEEN = f"""
select name, l.pid from unnest($1::text[]) as name join pg_locks l
on ((l.classid::bigint << 32) | l.objid::bigint) = {_KEY.format("name")}
where l.locktype = 'advisory' and l.objsubid = 1 and l.granted
    and l.database = (select oid from pg_database where datname = current_database())
"""
_JOIN = f"select pg_try_advisory_lock_shared({_KEY.format('$1')})"
_TAKE = f"select pg_try_advisory_lock({_KEY.format('$1')})"
_FREE = f"select pg_advisory_unlock({_KEY.format('$1')}), pg_notify($2, '')"
_LEAVE = "select pg_advisory_unlock_all(), pg_notify($1, '')"
_TELL = "select pg_notify($1, '')"


def _future() -> asyncio.Future[float]:
    return asyncio.get_running_loop().create_future()


@dataclass(frozen=True, slots=True)
class Hold:
    """A duty for as long as we have it.

    `leaving` is done once it is to be handed over (its result is the loop's time): finish what is in hand and return.
    """

    name: str
    leaving: asyncio.Future[float] = field(default_factory=_future)


Work = Callable[[Hold], Awaitable[None]]


def fair_shares(held: Mapping[int, int], duties: int) -> dict[int, int]:
    """How many duties each member should have, by how many it has now: as few as possible change hands."""
    each, over = divmod(duties, len(held))
    ranked = sorted(held, key=lambda member: (-held[member], member))
    return {member: each + (rank < over) for rank, member in enumerate(ranked)}


class Share:
    """This replica's part in the duties of a service. `duties`: work by the name of its lock.

    A work that is to be handed over is told by its hold, and cancelled when it has not ended after `patience_s`. While
    it is not `able` for more than a moment, this replica is no member. What a work raises ends `run`; one that returns
    is begun again.
    """

    def __init__(
        self,
        database: Database,
        name: str,
        duties: Mapping[str, Work],
        *,
        patience_s: float = PATIENCE_S,
        able: Callable[[], bool] = lambda: True,
    ) -> None:
        self._database = database
        self._member = f"member:{name}"
        self._duties = dict(duties)
        self._patience_s = patience_s
        self._able = able
        self._held: dict[str, tuple[Hold, asyncio.Task[None]]] = {}
        self._woken = asyncio.Event()

    @property
    def held(self) -> frozenset[str]:
        """The duties that this replica has now."""
        return frozenset(self._held)

    async def run(self) -> None:
        """Takes part until cancelled. Raises on a lost session, having stopped all work: run it again."""
        while True:
            if self._able():
                async with self._database.own_session() as conn:
                    await self._take_part(conn)
            self._woken.clear()
            await self._wait()

    async def _take_part(self, conn: asyncpg.Connection) -> None:
        conn.add_termination_listener(self._wake)
        try:
            await conn.add_listener(self._member, self._wake)
            await conn.fetchval(_JOIN, self._member, timeout=ANSWER_S)
            await conn.fetchval(_TELL, self._member, timeout=ANSWER_S)
            misses = 0
            while (misses := 0 if self._able() else misses + 1) < MISSES:
                self._woken.clear()
                await self._settle(conn)
                await self._wait()
        finally:
            conn.remove_termination_listener(self._wake)
            await self._stop_work()
            await self._leave(conn)

    def _wake(self, *_: Any) -> None:
        self._woken.set()

    async def _wait(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LOOK_EVERY_S):  # wait_for may lose a cancellation on Python 3.11
                await self._woken.wait()

    async def _settle(self, conn: asyncpg.Connection) -> None:
        """One look: what has ended is freed, what is too much is let go, what is missing is taken."""
        await self._free_ended(conn)
        rows = await conn.fetch(_SEEN, [self._member, *self._duties], timeout=ANSWER_S)
        holders = {row["name"]: row["pid"] for row in rows if row["name"] != self._member}
        counts = {row["pid"]: 0 for row in rows if row["name"] == self._member}
        for pid in holders.values():
            if pid in counts:
                counts[pid] += 1
        fair = fair_shares(counts, len(self._duties))[conn.get_server_pid()]
        self._let_go(len(self._held) - fair)
        for name in self._duties.keys() - holders.keys():
            if len(self._held) < fair:
                await self._take(conn, name)

    async def _free_ended(self, conn: asyncpg.Connection) -> None:
        for name, (_, task) in tuple(self._held.items()):
            if task.done():
                del self._held[name]
                await conn.fetchrow(_FREE, name, self._member, timeout=ANSWER_S)
                if not task.cancelled():
                    task.result()

    def _let_go(self, surplus: int) -> None:
        for name in sorted(self._held)[::-1][: max(surplus, 0)]:
            hold, task = self._held[name]
            now = asyncio.get_running_loop().time()
            if not hold.leaving.done():
                hold.leaving.set_result(now)
            if now >= hold.leaving.result() + self._patience_s:
                task.cancel()

    async def _take(self, conn: asyncpg.Connection, name: str) -> None:
        if await conn.fetchval(_TAKE, name, timeout=ANSWER_S):
            hold = Hold(name)
            task = asyncio.ensure_future(self._duties[name](hold))
            task.add_done_callback(self._wake)
            self._held[name] = (hold, task)

    async def _stop_work(self) -> None:
        """Cancels all work and waits for its end, whoever grows impatient meanwhile.

        A task is cancelled more than once: up to Python 3.11, wait_for loses a cancellation that meets its result.
        """
        for _ in range(ROUNDS):
            waiting = {task for _, task in self._held.values() if not task.done()}
            if not waiting:
                break
            for task in waiting:
                task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait(waiting, timeout=ROUND_S)
        for _, task in self._held.values():
            if task.done() and not task.cancelled():
                task.exception()  # seen here; what ended the session is what is told
        self._held.clear()

    async def _leave(self, conn: asyncpg.Connection) -> None:
        """Frees all and tells, so that nobody waits for a look. What fails here is done by the session's end."""
        if not conn.is_closed():
            await conn.fetchrow(_LEAVE, self._member, timeout=ANSWER_S)
