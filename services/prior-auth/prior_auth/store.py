"""What the service keeps, in one open transaction: authorizations, the raw X12 of each attempt, work items."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from bus import Unit
from google.protobuf.message import Message
from kernel.identifiers import uuid7
from rcm.priorauth.v1.priorauth_pb2 import AuthorizationDetermined

from prior_auth.model import Authorization, Exchange, Fact, Order, Pending, SubmittedRequest, WorkItem

WriteFact = Callable[[Fact, datetime], tuple[str, Message]]
AnswerFor = Callable[["UnitOfWork", Order], Awaitable[bytes]]

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
_KEEP_REQUEST = """
insert into submitted_request (request_id, client_id, subject_key, member_key, identifiers, codes, resource, context,
    submitted_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
on conflict (tenant, request_id) do update set subject_key = excluded.subject_key, member_key = excluded.member_key,
    resource = excluded.resource, context = excluded.context
"""
_REQUESTS = """
select request_id, client_id, subject_key, member_key, identifiers, codes, resource, context from submitted_request
"""
_REQUESTS_OF = f"""{_REQUESTS}
where subject_key = $1 or ($2 <> '' and member_key = $2) order by submitted_at desc, request_id limit 50
"""


def read_pending(payload: bytes) -> Pending:
    """The request that a timer carries."""
    return msgspec.json.decode(payload, type=Pending)


@dataclass(frozen=True, slots=True)
class UnitOfWork:
    """The handlers' Work over the bus's open transaction. `write_fact` gives the event of a fact.

    `answer_for` gives the answer to a submitted request as it stands, for whoever still waits for it.
    """

    unit: Unit
    write_fact: WriteFact
    answer_for: AnswerFor | None = None

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

    async def keep_request(self, request: SubmittedRequest) -> None:
        """The newest text stays: the same request may come again when those whom it names were corrected."""
        who = (request.request_id, request.client_id, request.subject_key, request.member_key)
        found_by = (list(request.identifiers), list(request.codes))
        await self.unit.conn.execute(_KEEP_REQUEST, *who, *found_by, request.resource, request.context, self.now)

    async def request(self, request_id: str) -> SubmittedRequest | None:
        row = await self.unit.conn.fetchrow(f"{_REQUESTS} where request_id = $1", request_id)
        return _request(row) if row is not None else None

    async def standings(self, authorization_ids: Sequence[str]) -> dict[str, Authorization]:
        """By id, without a lock: for answers, which change nothing."""
        query = "select authorization_id, record from authorization_standing where authorization_id = any($1::text[])"
        rows = await self.unit.conn.fetch(query, list(authorization_ids))
        return {row["authorization_id"]: _read(row["record"]) for row in rows}

    async def requests_of(self, subject_key: str, member_key: str) -> list[SubmittedRequest]:
        """What was submitted for a patient and coverage, or for a payer's member."""
        rows = await self.unit.conn.fetch(_REQUESTS_OF, subject_key, member_key)
        return [_request(row) for row in rows]

    async def announce(self, fact: Fact) -> None:
        event_type, body = self.write_fact(fact, self.now)
        if isinstance(body, AuthorizationDetermined) and fact.order.request_id and self.answer_for is not None:
            body.claim_response_json = await self.answer_for(self, fact.order)
        await self.unit.emit(event_type, body, key=fact.order.ordering_key, journey_id=fact.order.journey_id)

    async def schedule(self, kind: str, key: str, due_at: datetime, pending: Pending) -> None:
        await self.unit.schedule(kind, key, due_at, msgspec.json.encode(pending), journey_id=pending.order.journey_id)

    async def cancel(self, kind: str, key: str) -> None:
        await self.unit.cancel(kind, key)


def _read(record: bytes) -> Authorization:
    return msgspec.json.decode(record, type=Authorization)


def _request(row: Any) -> SubmittedRequest:
    lists = {name: tuple(row[name]) for name in ("identifiers", "codes")}
    return SubmittedRequest(**(dict(row) | lists))
