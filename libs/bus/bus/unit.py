"""One transaction: effects, inbox and outbox together, with the tenant set for row-level security."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import cast

import asyncpg
from google.protobuf.message import Message
from kernel.clock import Clock
from kernel.identifiers import uuid7
from opentelemetry.context import Context

from bus.event import Event, encode
from bus.flow import PARTITIONS, subject_of
from bus.measures import Measures
from bus.trace import current_trace, span_within

_INSERT_OUTBOX = """
insert into outbox (event_id, type, subject, envelope, trace, created_at)
select * from unnest($1::text[], $2::text[], $3::text[], $4::bytea[], $5::text[], $6::timestamptz[])
"""
# One round trip instead of three; units are too many to pay for them.
_BEGIN = "begin; set local app.tenant = '{tenant}'"
_UPSERT_TIMER = """
insert into timer (kind, key, due_at, payload, journey_id, trace) values ($1, $2, $3, $4, $5, $6)
on conflict (tenant, kind, key) do update
set due_at = excluded.due_at, payload = excluded.payload, trace = excluded.trace, attempts = 0,
    journey_id = coalesce(nullif(excluded.journey_id, ''), timer.journey_id)
"""


class Unit:
    """An open transaction. Handlers use `conn`, `emit` and `schedule`; they never commit.

    `journey_id` is that of what woke us, a fact or a timer; what is told and scheduled belongs to it by default.
    """

    def __init__(self, conn: asyncpg.Connection, tenant: str, now: datetime, cause: Event | None) -> None:
        self.conn = conn
        self.tenant = tenant
        self.now = now
        self.cause = cause
        self.journey_id = cause.journey_id if cause else ""
        self._outbox: list[tuple[str, str, str, bytes, str, datetime]] = []

    async def emit(
        self,
        type: str,
        body: Message,
        *,
        key: str,
        journey_id: str = "",
        version: int = 0,
        occurred_at: datetime | None = None,
    ) -> str:
        """Puts a fact into the outbox of this transaction and returns its event id.

        `key` orders: facts with one key reach every consumer in this order. `journey_id` defaults to the unit's.
        """
        event = Event(
            event_id=str(uuid7()),
            type=type,
            tenant=self.tenant,
            journey_id=journey_id or self.journey_id,
            ordering_key=key,
            version=version,
            occurred_at=occurred_at or self.now,
            causation_id=self.cause.event_id if self.cause else "",
            body=body,
        )
        row = (event.event_id, type, subject_of(type, key), encode(event), current_trace(), self.now)
        self._outbox.append(row)
        return event.event_id

    async def schedule(self, kind: str, key: str, due_at: datetime, payload: bytes = b"", journey_id: str = "") -> None:
        """Wakes the timer handler of this kind at `due_at`; replaces an open timer of the same kind and key."""
        journey = journey_id or self.journey_id
        await self.conn.execute(_UPSERT_TIMER, kind, key, due_at, payload, journey, current_trace())

    async def cancel(self, kind: str, key: str) -> None:
        """Removes an open timer; nothing happens when there is none."""
        await self.conn.execute("delete from timer where kind = $1 and key = $2", kind, key)

    async def flush(self) -> bool:
        """Writes the outbox rows; the owner of the transaction calls it before the commit. True when there were any."""
        if not self._outbox:
            return False
        columns = [list(column) for column in zip(*self._outbox, strict=True)]
        await self.conn.execute(_INSERT_OUTBOX, *columns)
        self._outbox.clear()
        return True


async def _keep_session(connection: asyncpg.Connection) -> None:
    """Units set the tenant for their transaction only, so a returned connection carries over nothing but that."""
    if connection.is_in_transaction():
        await connection.execute("rollback")


class Database:
    """Two pools on one schema: `app` obeys row-level security, `relay` sees the bus tables of all tenants."""

    def __init__(
        self, url: str, schema: str, clock: Clock, *, pool_size: int = 8, measures: Measures | None = None
    ) -> None:
        self.measures = measures or Measures()
        self.url = url
        self.schema = schema
        self.announced = schema  # what the sessions call themselves; migrations look there for running code
        self.clock = clock
        self._pool_size = pool_size
        self.outbox_written = asyncio.Event()
        self._span_attributes = {
            "db.system.name": "postgresql",
            "db.namespace": schema,
            "db.operation.name": "transaction",
        }
        self.app: asyncpg.Pool
        self.relay: asyncpg.Pool

    async def open(self) -> None:
        """Connects both pools. OSError or asyncpg.PostgresError when the server cannot be reached."""
        self.app = await self._pool("app", self._pool_size)
        self.relay = await self._pool("relay", PARTITIONS)
        self.measures.watch_pool("app", self.app)
        self.measures.watch_pool("relay", self.relay)

    def _session(self, role: str) -> dict[str, str]:
        """What every session says of itself. A node that is gone is missed soon, and its locks are free then."""
        keep_alive = {"tcp_keepalives_idle": "5", "tcp_keepalives_interval": "2", "tcp_keepalives_count": "3"}
        names = {"search_path": self.schema, "role": f"{self.schema}_{role}", "application_name": self.announced}
        return names | keep_alive

    async def _pool(self, role: str, size: int) -> asyncpg.Pool:
        return await asyncpg.create_pool(
            self.url,
            min_size=1,
            max_size=size,
            server_settings=self._session(role),
            reset=_keep_session,
            command_timeout=30,
            max_inactive_connection_lifetime=300,
        )

    async def close(self) -> None:
        """Closes both pools, waiting up to five seconds for what is under way."""
        for pool in (self.app, self.relay):
            try:
                async with asyncio.timeout(5):
                    await pool.close()
            except TimeoutError:
                pool.terminate()

    @asynccontextmanager
    async def relay_session(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection of the relay's role, for locks and for work over all tenants."""
        async with self.relay.acquire() as conn:
            yield cast(asyncpg.Connection, conn)  # the pool's proxy behaves as the connection behind it

    @asynccontextmanager
    async def own_session(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection of the relay's role that ends with the block, and with it the locks that it holds."""
        conn = await asyncpg.connect(self.url, server_settings=self._session("relay"), command_timeout=30)
        try:
            yield conn
        finally:
            with contextlib.suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError):
                await conn.close(timeout=2)

    @asynccontextmanager
    async def transaction(self, tenant: str, context: Context | None = None) -> AsyncIterator[asyncpg.Connection]:
        """A connection in a transaction with the tenant set; a span in the trace of `context` or the current one."""
        with span_within("transaction", self._span_attributes, context):
            async with self.app.acquire() as conn:
                await conn.execute(_BEGIN.format(tenant=tenant.replace("'", "''")))
                try:
                    yield cast(asyncpg.Connection, conn)
                except BaseException:
                    # What went wrong first is what counts; the pool looks at the connection once more.
                    with contextlib.suppress(
                        asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError
                    ):
                        await conn.execute("rollback")
                    raise
                await conn.execute("commit")

    @asynccontextmanager
    async def statement(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection for one statement that sets its tenant by itself, where two more round trips would count."""
        with span_within("statement", self._span_attributes):
            async with self.app.acquire() as conn:
                yield cast(asyncpg.Connection, conn)

    @asynccontextmanager
    async def unit(self, tenant: str, cause: Event | None = None) -> AsyncIterator[Unit]:
        """A unit for entries that no fact started. Commits at the end of the block, rolls back on an error."""
        async with self.transaction(tenant) as conn:
            unit = Unit(conn, tenant, self.clock.now(), cause)
            yield unit
            written = await unit.flush()
        if written:
            self.outbox_written.set()
