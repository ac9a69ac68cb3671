"""SQL of the books, over the bus's open transaction. Rows of other tenants do not exist here (row-level security)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

import asyncpg
import msgspec

from remittance.model.claim import ClaimAccount
from remittance.model.denial import Denial
from remittance.model.events import RemittanceQuarantined
from remittance.model.ledger import Balance, Entry, Posting
from remittance.model.remittance import Deposit, ReceivedRemittance, UnmatchedPayment, Work

T = TypeVar("T")

# Sorted, so that two transactions that need the same names take them in one order and never wait for each other.
_LOCK = """
select pg_advisory_xact_lock(number) from (
    select distinct hashtextextended(current_setting('app.tenant') || '|' || name, 0) as number
    from unnest($1::text[]) name order by number) sorted
"""
_KEEP_ACCOUNT = """
insert into claim_account (claim_id, control_number, record) values ($1, $2, $3)
on conflict (tenant, claim_id) do update set control_number = excluded.control_number, record = excluded.record
"""
_INSERT_POSTING = """
insert into posting (posting_id, kind, claim_id, payer_id, remittance_id, reason, concerns, mark, posted_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""
_INSERT_ENTRIES = """
insert into entry (posting_id, claim_id, payer_id, ordinal, account, debit_cents, credit_cents)
select $1, $2, $3, * from unnest($4::smallint[], $5::text[], $6::bigint[], $7::bigint[])
"""
_UNREVERSED = """
select posting_id, kind, claim_id, payer_id, remittance_id, reason, concerns, mark from posting p
where claim_id = $1 and kind in ('payment', 'write-off')
  and not exists (select 1 from posting r where r.kind = 'reversal' and r.concerns = p.posting_id)
order by number
"""
_ENTRIES = """
select posting_id, account, debit_cents, credit_cents from entry where posting_id = any($1::text[])
order by posting_id, ordinal
"""

# The amounts of a balance from the entries of claims, whichever way they are grouped (see model.ledger.balance_of).
SUMS = """
    coalesce(sum(credit_cents - debit_cents) filter (where account = 'revenue'), 0)::bigint as billed_cents,
    coalesce(sum(debit_cents - credit_cents) filter (where account = 'unapplied'), 0)::bigint as paid_cents,
    coalesce(sum(debit_cents - credit_cents)
        filter (where account in ('contractual', 'adjustment')), 0)::bigint as adjusted_cents,
    coalesce(sum(debit_cents - credit_cents)
        filter (where account in ('receivable_patient', 'cash')), 0)::bigint as patient_cents,
    coalesce(sum(debit_cents - credit_cents) filter (where account = 'receivable_payer'), 0)::bigint as open_cents,
    coalesce(sum(debit_cents - credit_cents) filter (where account = 'contractual'), 0)::bigint as contractual_cents,
    coalesce(sum(debit_cents - credit_cents) filter (where account = 'cash'), 0)::bigint as patient_paid_cents
"""
_BALANCE = f"select {SUMS} from entry where claim_id = $1"
_INSERT_REMITTANCE = """
insert into remittance (remittance_id, payer_id, trace_number, record, file_id, received_at, awaits_deposit)
values ($1, $2, $3, $4, $5, $6, $7)
"""
_INSERT_QUARANTINE = """
insert into quarantine (quarantine_id, file_id, rule, segment, quarantined_at, payer_id, paid_cents, claims,
    zero_paid, received_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
on conflict do nothing returning quarantine_id
"""
_INSERT_UNMATCHED = """
insert into unmatched_payment (payment_id, remittance_id, ordinal, control_number, reason, paid_cents, record)
values ($1, $2, $3, $4, $5, $6, $7)
"""
_INSERT_DEPOSIT = """
insert into deposit (deposit_id, trace_number, amount_cents, record) values ($1, $2, $3, $4)
on conflict do nothing returning deposit_id
"""
_INSERT_DENIAL = """
insert into denial (work_id, claim_id, state, record, payer_id, category, due_on, opened_at, changed_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $8)
"""
_INSERT_FILE = """
insert into file (file_id, kind, raw, received_at) values ($1, $2, $3, $4) on conflict do nothing
"""
_MOVE_CURSOR = """
insert into mailbox_cursor (kind, cursor) values ($1, $2)
on conflict (tenant, kind) do update set cursor = excluded.cursor
"""


@dataclass(frozen=True, slots=True)
class PostgresBooks:
    """The handlers' Books. `now` is the instant of the transaction."""

    conn: asyncpg.Connection[Any]
    now: datetime

    async def lock(self, names: Sequence[str]) -> None:
        await self.conn.execute(_LOCK, list(names))

    async def keep_file(self, file_id: str, kind: str, raw: bytes) -> None:
        """Keeps a file as it came, once."""
        await self.conn.execute(_INSERT_FILE, file_id, kind, raw, self.now)

    async def cursor(self, kind: str) -> int:
        """How far the mailbox has been read, 0 at the start."""
        return await self.conn.fetchval("select cursor from mailbox_cursor where kind = $1", kind) or 0

    async def move_cursor(self, kind: str, cursor: int) -> None:
        await self.conn.execute(_MOVE_CURSOR, kind, cursor)

    async def keep_account(self, account: ClaimAccount) -> None:
        record = msgspec.json.encode(account)
        await self.conn.execute(_KEEP_ACCOUNT, account.claim_id, account.control_number, record)

    async def account(self, claim_id: str) -> ClaimAccount | None:
        return await self._record("select record from claim_account where claim_id = $1", claim_id, ClaimAccount)

    async def accounts_by_control(self, control_numbers: Sequence[str]) -> dict[str, ClaimAccount]:
        query = "select record from claim_account where control_number = any($1::text[])"
        found = await self._records(query, list(control_numbers), ClaimAccount)
        return {account.control_number: account for account in found}

    async def post(self, posting: Posting) -> None:
        await self.conn.execute(
            _INSERT_POSTING,
            posting.posting_id,
            posting.kind,
            posting.claim_id,
            posting.payer_id,
            posting.remittance_id,
            posting.reason,
            posting.concerns,
            posting.mark,
            self.now,
        )
        columns = [list(column) for column in zip(*_rows(posting.entries), strict=True)]
        if columns:
            await self.conn.execute(_INSERT_ENTRIES, posting.posting_id, posting.claim_id, posting.payer_id, *columns)

    async def mark(self, posting_id: str) -> str | None:
        found: str | None = await self.conn.fetchval("select mark from posting where posting_id = $1", posting_id)
        return found

    async def unreversed(self, claim_id: str) -> list[Posting]:
        rows = await self.conn.fetch(_UNREVERSED, claim_id)
        entries: dict[str, list[Entry]] = {row["posting_id"]: [] for row in rows}
        for row in await self.conn.fetch(_ENTRIES, list(entries)):
            entries[row["posting_id"]].append(Entry(row["account"], row["debit_cents"], row["credit_cents"]))
        return [Posting(**dict(row), entries=tuple(entries[row["posting_id"]])) for row in rows]

    async def balance(self, claim_id: str) -> Balance:
        row = await self.conn.fetchrow(_BALANCE, claim_id)
        return Balance(**dict(row or {}))

    async def add_remittance(self, remittance: ReceivedRemittance) -> None:
        await self.conn.execute(
            _INSERT_REMITTANCE,
            remittance.remittance_id,
            remittance.payer_id,
            remittance.trace_number,
            msgspec.json.encode(remittance),
            remittance.file_id,
            remittance.received_at,
            remittance.awaits_deposit,
        )

    async def remittance(self, remittance_id: str) -> ReceivedRemittance | None:
        found = await self._remittances("remittance_id = $1", remittance_id)
        return found[0] if found else None

    async def remittances_by_trace(self, trace_number: str) -> list[ReceivedRemittance]:
        return await self._remittances("trace_number = $1", trace_number)

    async def _remittances(self, condition: str, value: str) -> list[ReceivedRemittance]:
        rows = await self.conn.fetch(f"select record, deposit_id from remittance where {condition}", value)
        found = (msgspec.json.decode(row["record"], type=ReceivedRemittance) for row in rows)
        return [replace(item, deposit_id=row["deposit_id"]) for item, row in zip(found, rows, strict=True)]

    async def settle_remittance(self, remittance_id: str, deposit_id: str) -> None:
        await self.conn.execute(
            "update remittance set deposit_id = $2 where remittance_id = $1", remittance_id, deposit_id
        )

    async def add_quarantine(self, quarantined: RemittanceQuarantined, file_id: str) -> bool:
        found = await self.conn.fetchval(
            _INSERT_QUARANTINE,
            quarantined.remittance_id,
            file_id,
            quarantined.rule,
            quarantined.segment,
            self.now,
            quarantined.payer_id,
            quarantined.paid_cents,
            quarantined.claims,
            quarantined.zero_paid,
            quarantined.received_at or self.now,
        )
        return found is not None

    async def add_unmatched(self, payment: UnmatchedPayment) -> None:
        await self.conn.execute(
            _INSERT_UNMATCHED,
            payment.payment_id,
            payment.remittance_id,
            payment.ordinal,
            payment.payment.control_number,
            payment.reason,
            payment.payment.paid_cents,
            msgspec.json.encode(payment),
        )

    async def unmatched(self, control_number: str) -> list[UnmatchedPayment]:
        query = "select record from unmatched_payment where control_number = $1 and settled_at is null order by number"
        return await self._records(query, control_number, UnmatchedPayment)

    async def settle_unmatched(self, payment_id: str) -> None:
        await self.conn.execute(
            "update unmatched_payment set settled_at = $2 where payment_id = $1", payment_id, self.now
        )

    async def count_unmatched(self, remittance_id: str) -> int:
        query = "select count(*) from unmatched_payment where remittance_id = $1 and settled_at is null"
        return int(await self.conn.fetchval(query, remittance_id))

    async def add_denial(self, denial: Denial) -> None:
        await self.conn.execute(
            _INSERT_DENIAL,
            denial.work_id,
            denial.claim_id,
            denial.state,
            msgspec.json.encode(denial),
            denial.payer_id,
            denial.category,
            denial.due_on,
            self.now,
        )

    async def denial(self, work_id: str) -> Denial | None:
        found = await self._denials("work_id = $1", work_id)
        return found[0] if found else None

    async def denials_of(self, claim_id: str) -> list[Denial]:
        return await self._denials("claim_id = $1", claim_id)

    async def _denials(self, condition: str, value: str) -> list[Denial]:
        rows = await self.conn.fetch(f"select record, state from denial where {condition} order by work_id", value)
        return [replace(msgspec.json.decode(row["record"], type=Denial), state=row["state"]) for row in rows]

    async def set_denial_state(self, work_id: str, state: str) -> None:
        query = "update denial set state = $2, changed_at = $3 where work_id = $1"
        await self.conn.execute(query, work_id, state, self.now)

    async def add_deposit(self, deposit: Deposit) -> bool:
        record = msgspec.json.encode(deposit)
        found = await self.conn.fetchval(
            _INSERT_DEPOSIT, deposit.deposit_id, deposit.trace_number, deposit.amount_cents, record
        )
        return found is not None

    async def deposit(self, deposit_id: str) -> Deposit | None:
        found = await self._deposits("deposit_id = $1", deposit_id)
        return found[0] if found else None

    async def deposits_by_trace(self, trace_number: str) -> list[Deposit]:
        return await self._deposits("trace_number = $1", trace_number)

    async def _deposits(self, condition: str, value: str) -> list[Deposit]:
        rows = await self.conn.fetch(f"select record, remittance_id from deposit where {condition}", value)
        found = (msgspec.json.decode(row["record"], type=Deposit) for row in rows)
        return [replace(item, remittance_id=row["remittance_id"]) for item, row in zip(found, rows, strict=True)]

    async def settle_deposit(self, deposit_id: str, remittance_id: str) -> None:
        await self.conn.execute(
            "update deposit set remittance_id = $2 where deposit_id = $1", deposit_id, remittance_id
        )

    async def open_work(self, work: Work) -> bool:
        query = """insert into work (work_id, open, record) values ($1, true, $2)
            on conflict (tenant, work_id) do update set open = true, record = excluded.record where not work.open
            returning work_id"""
        kept = replace(work, opened_at=self.now)
        return await self.conn.fetchval(query, work.work_id, msgspec.json.encode(kept)) is not None

    async def close_work(self, work_id: str) -> Work | None:
        query = "update work set open = false where work_id = $1 and open returning record"
        return await self._record(query, work_id, Work)

    async def _record(self, query: str, value: str, kind: type[T]) -> T | None:
        record = await self.conn.fetchval(query, value)
        return msgspec.json.decode(record, type=kind) if record is not None else None

    async def _records(self, query: str, value: object, kind: type[T]) -> list[T]:
        return [msgspec.json.decode(row["record"], type=kind) for row in await self.conn.fetch(query, value)]


def _rows(entries: Sequence[Entry]) -> list[tuple[int, str, int, int]]:
    return [(ordinal, entry.account, entry.debit_cents, entry.credit_cents) for ordinal, entry in enumerate(entries, 1)]
