"""What the service keeps, in one open transaction: verifications with raw X12, visits, gaps, waiting questions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import msgspec
from bus import Unit
from google.protobuf.message import Message

from eligibility.model import Exchange, Fact, Gap, Pending, Question, Verification, Visit

WriteFact = Callable[[Fact, datetime], tuple[str, Message]]

_INSERT = """
insert into verification (verification_id, subject_key, service_date, status, checked_at, idempotency_key, record,
    sent, received) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
on conflict (tenant, verification_id) do nothing
"""
_NEWEST = """
select record from verification where subject_key = $1 and service_date = $2
order by checked_at desc, verification_id desc limit 1
"""
_NEWEST_KNOWN = """
select record from verification where subject_key = $1 and status <> 'unknown'
order by (service_date = $2) desc, checked_at desc, verification_id desc limit 1
"""
_UNDER_KEY = "select record from verification where idempotency_key = $1 order by checked_at limit 1"
_UPSERT_VISIT = """
insert into visit (reference, version, key) values ($1, $2, $3)
on conflict (tenant, reference) do update set version = excluded.version, key = excluded.key
"""
_UPSERT_GAP = """
insert into gap (key, round, work_id, open) values ($1, $2, $3, $4)
on conflict (tenant, key) do update set round = excluded.round, work_id = excluded.work_id, open = excluded.open
"""


def read_pending(payload: bytes) -> Pending:
    """The question that a timer carries."""
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

    async def keep(self, verification: Verification, exchange: Exchange, idempotency_key: str) -> None:
        await self.unit.conn.execute(
            _INSERT,
            verification.verification_id,
            verification.subject_key,
            verification.on,
            verification.status.value,
            verification.checked_at,
            idempotency_key,
            msgspec.json.encode(verification),
            exchange.sent,
            exchange.received,
        )

    async def newest(self, question: Question) -> Verification | None:
        return await self._one(_NEWEST, question.subject_key, question.on)

    async def newest_known(self, question: Question) -> Verification | None:
        """Of that very day when there is one, else of any day: its plan period may cover this one."""
        return await self._one(_NEWEST_KNOWN, question.subject_key, question.on)

    async def under_idempotency_key(self, idempotency_key: str) -> Verification | None:
        return await self._one(_UNDER_KEY, idempotency_key)

    async def _one(self, query: str, *arguments: object) -> Verification | None:
        record = await self.unit.conn.fetchval(query, *arguments)
        return msgspec.json.decode(record, type=Verification) if record is not None else None

    async def visit(self, reference: str) -> Visit | None:
        row = await self.unit.conn.fetchrow(
            "select reference, version, key from visit where reference = $1 for update", reference
        )
        return Visit(**dict(row)) if row is not None else None

    async def keep_visit(self, visit: Visit) -> None:
        await self.unit.conn.execute(_UPSERT_VISIT, visit.reference, visit.version, visit.key)

    async def gap(self, key: str) -> Gap | None:
        """Locks the key, present or not: two checks of one coverage and day must not both open a work item."""
        await self.unit.conn.execute("select pg_advisory_xact_lock(hashtextextended($1, 0))", f"{self.tenant}|{key}")
        row = await self.unit.conn.fetchrow("select key, round, work_id, open from gap where key = $1", key)
        return Gap(**dict(row)) if row is not None else None

    async def keep_gap(self, gap: Gap) -> None:
        await self.unit.conn.execute(_UPSERT_GAP, gap.key, gap.round, gap.work_id, gap.open)

    async def announce(self, fact: Fact) -> None:
        event_type, body = self.write_fact(fact, self.now)
        question = fact.question
        await self.unit.emit(event_type, body, key=question.ordering_key, journey_id=question.journey_id)

    async def schedule(self, kind: str, key: str, due_at: datetime, pending: Pending) -> None:
        payload = msgspec.json.encode(pending)
        await self.unit.schedule(kind, key, due_at, payload, journey_id=pending.question.journey_id)

    async def cancel(self, kind: str, key: str) -> None:
        await self.unit.cancel(kind, key)
