"""Wakes what waits: retries, re-checks, deadlines. A timer row is taken in the transaction of its effect."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import asyncpg
from opentelemetry import context as otel_context

from bus.subscription import OnFailure, backoff_s
from bus.trace import JOURNEY_ID, linked_trace
from bus.unit import Database, Unit

POLL_S = 0.5
BATCH = 50
PARALLEL = 8  # a payer that keeps silent holds up only its own timer

_DUE = """
select tenant, kind, key, due_at, payload, journey_id, trace, attempts from timer
where due_at <= $1 and kind = any($2::text[]) order by due_at limit $3
"""
_TAKE = "delete from timer where kind = $1 and key = $2 and due_at = $3"
_LATER = "update timer set due_at = $4, attempts = attempts + 1 where kind = $1 and key = $2 and due_at = $3"


@dataclass(frozen=True, slots=True)
class Timer:
    """A due timer. `attempts` counts earlier failed runs."""

    tenant: str
    kind: str
    key: str
    due_at: datetime
    payload: bytes
    journey_id: str
    trace: str
    attempts: int


@dataclass(frozen=True, slots=True)
class TimerHandler:
    """`prepare(timer)` runs outside the transaction, `handle(unit, timer, prepared)` inside."""

    handle: Callable[[Unit, Timer, Any], Awaitable[None]]
    prepare: Callable[[Timer], Awaitable[Any]] | None = None


def _about(timer: Timer) -> dict[str, str]:
    journey = {JOURNEY_ID: timer.journey_id} if timer.journey_id else {}
    return {"rcm.timer.kind": timer.kind, **journey}


class TimerRunner:
    """Runs a service's due timers until cancelled. A timer that fails is tried again with backoff, never dropped."""

    def __init__(
        self, database: Database, handlers: Mapping[str, TimerHandler], on_failure: OnFailure | None = None
    ) -> None:
        self._database = database
        self._handlers = handlers
        self._on_failure = on_failure or (lambda kind, outcome, reason, attempt: None)

    async def run(self) -> None:
        """Polls. Raises on a lost database: run it again."""
        while True:
            if await self.run_due() < BATCH:
                await asyncio.sleep(POLL_S)

    async def run_due(self) -> int:
        """Runs what is due now; how many timers it found."""
        now = self._database.clock.now()
        rows = await self._database.relay.fetch(_DUE, now, list(self._handlers), BATCH)
        gate = asyncio.Semaphore(PARALLEL)
        await asyncio.gather(*(self._run_one(Timer(**dict(row)), gate) for row in rows))
        return len(rows)

    async def _run_one(self, timer: Timer, gate: asyncio.Semaphore) -> None:
        token = otel_context.attach(otel_context.Context())
        try:
            async with gate:
                with linked_trace(timer.trace, f"timer {timer.kind}", **_about(timer)):
                    await self._fire(timer)
        except (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError):
            raise
        except Exception as error:
            await self._postpone(timer, error)
        finally:
            otel_context.detach(token)

    async def _fire(self, timer: Timer) -> None:
        handler = self._handlers[timer.kind]
        prepared = await handler.prepare(timer) if handler.prepare else None
        async with self._database.unit(timer.tenant) as unit:
            unit.journey_id = timer.journey_id
            taken = await unit.conn.execute(_TAKE, timer.kind, timer.key, timer.due_at)
            if taken == "DELETE 1":
                await handler.handle(unit, timer, prepared)

    async def _postpone(self, timer: Timer, error: Exception) -> None:
        code = getattr(error, "code", "") or type(error).__name__
        self._on_failure(timer.kind, "retry", code, timer.attempts + 1)
        later = self._database.clock.now() + timedelta(seconds=backoff_s(timer.attempts + 1))
        async with self._database.transaction(timer.tenant) as conn:
            await conn.execute(_LATER, timer.kind, timer.key, timer.due_at, later)
