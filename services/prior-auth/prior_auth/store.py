"""What the service keeps, in one open transaction: authorizations, the raw X12 of each attempt, work items."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
from bus import Unit
from google.protobuf.message import Message
from kernel.identifiers import uuid7

from prior_auth.model import Authorization, Exchange, Fact, Pending, WorkItem

WriteFact = Callable[[Fact, datetime], tuple[str, Message]]

_UPSERT = """
insert into authorization_standing (authorization_id, subject_key, code, decided_at, record) values ($1, $2, $3, $4, $5)
on conflict (tenant, authorization_id) do update set subject_key = excluded.subject_key, code = excluded.code,
    decided_at = excluded.decided_at, record = excluded.record
"""
_ATTEMPT = """
insert into attempt (attempt_id, authorization_id, asked_at, failure, sent, received) values ($1, $2, $3, $4, $5, $6)
"""
_OF_SUBJECT = """
select record from authorization_standing where subject_key = $1 and code = any($2::text[])
order by decided_at desc, authorization_id
"""
_UPSERT_WORK = """
insert into work_item (authorization_id, round, work_id, open) values ($1, $2, $3, $4)
on conflict (tenant, authorization_id) do update
set round = excluded.round, work_id = excluded.work_id, open = excluded.open
"""


def read_pending(payload: bytes) -> Pending:
    """The request that a timer carries."""
    return msgspec.json.decode(payload, type=Pending)


@dataclass(frozen=True, slots=True)
class UnitOfWork:
    """The handlers' Work over the bus's open transaction. `write_fact` gives the event of a fact."""

    unit: Unit
    write_fact: WriteFact

    @property
    def tenant(self) -> str:
        return self.unit.tenant

    @property
    def now(self) -> datetime:
        return self.unit.now

    async def authorization(self, authorization_id: str) -> Authorization | None:
        """Locks the row for the rest of the transaction: a timer and an order may decide at the same time."""
        query = "select record from authorization_standing where authorization_id = $1 for update"
        record = await self.unit.conn.fetchval(query, authorization_id)
        return _read(record) if record is not None else None

    async def of_subject(self, subject_key: str, codes: Sequence[str]) -> Sequence[Authorization]:
        """Newest first."""
        rows = await self.unit.conn.fetch(_OF_SUBJECT, subject_key, list(codes))
        return [_read(row["record"]) for row in rows]

    async def keep(self, authorization: Authorization, exchange: Exchange) -> None:
        await self.unit.conn.execute(
            _UPSERT,
            authorization.authorization_id,
            authorization.subject_key,
            authorization.code,
            self.now,
            msgspec.json.encode(authorization),
        )
        if exchange.sent:
            raw = (exchange.failure, exchange.sent, exchange.received)
            await self.unit.conn.execute(_ATTEMPT, uuid7(), authorization.authorization_id, self.now, *raw)

    async def work_item(self, authorization_id: str) -> WorkItem | None:
        query = "select authorization_id, round, work_id, open from work_item where authorization_id = $1 for update"
        row = await self.unit.conn.fetchrow(query, authorization_id)
        return WorkItem(**dict(row)) if row is not None else None

    async def keep_work_item(self, item: WorkItem) -> None:
        await self.unit.conn.execute(_UPSERT_WORK, item.authorization_id, item.round, item.work_id, item.open)

    async def announce(self, fact: Fact) -> None:
        event_type, body = self.write_fact(fact, self.now)
        await self.unit.emit(event_type, body, key=fact.order.ordering_key, journey_id=fact.order.journey_id)

    async def schedule(self, kind: str, key: str, due_at: datetime, pending: Pending) -> None:
        await self.unit.schedule(kind, key, due_at, msgspec.json.encode(pending), journey_id=pending.order.journey_id)

    async def cancel(self, kind: str, key: str) -> None:
        await self.unit.cancel(kind, key)


def _read(record: bytes) -> Authorization:
    return msgspec.json.decode(record, type=Authorization)
