"""The claims gateway's rows. A claim is one row: its content as JSON, and beside it the columns that queries need."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import asyncpg
import msgspec

from claims_gateway.model import HELD, READY, SENT, SUBMITTING, BilledLine, Claim, Finding, Interchange

_INSERT = """
insert into claim (claim_id, encounter_key, payer_id, responsibility, control_number, encounter, journey_id, state,
    total_cents, coverage, waits_for, waiting_codes, orders, content, created_at, changed_at, payer_claim_number)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $15, $16)
on conflict do nothing returning claim_id
"""
_UPDATE = """
update claim set state = $2, total_cents = $3, coverage = $4, waits_for = $5, waiting_codes = $6, orders = $7,
    content = $8, changed_at = $9, journey_id = $10, payer_claim_number = $11 where claim_id = $1
"""
_EVENT = """
insert into claim_event (claim_id, number, from_state, to_state, reason, happened_at)
values ($1, (select count(*) from claim_event where claim_id = $1), $2, $3, $4, $5)
"""
_LINES = """
insert into billed_line (claim_id, number, patient, payer_id, code, modifiers, service_from, units, rendering_npi)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""
_HISTORY = """
select claim_id, billed_line.payer_id, code, modifiers, service_from, units, rendering_npi
from billed_line join claim using (tenant, claim_id)
where patient = $1 and service_from between $2 and $3 and claim_id <> $4 and state = any($5::text[])
"""
_READY = """
select content from claim where state = 'ready' and payer_id = $1 order by changed_at limit $2
for update skip locked
"""
_WAITING_FOR_AUTHORIZATION = """
select claim_id from claim where state = 'held' and 'authorization' = any(waits_for) and payer_id = $1
    and (encounter = $2 or $3 = any(orders) or ($2 = '' and $4 = any(waiting_codes)))
order by created_at limit 200
"""
_EARLY = """
select content from unmatched_file join received_file using (tenant, file_id)
where reason = $1 and unmatched_file.received_at > $2
    and exists (select 1 from unnest($3::text[]) as number where position(convert_to(number, 'UTF8') in content) > 0)
order by cursor
"""
_LONGEST_GLOBAL_DAYS = 90


class Claims:
    """The rows of one tenant on one open transaction."""

    def __init__(self, conn: asyncpg.Connection) -> None:
        self._conn = conn

    async def add(self, claim: Claim, now: datetime) -> bool:
        """False when the encounter already has a claim to this payer: whoever came first stays."""
        draft = claim.draft
        keys = (claim.claim_id, draft.encounter_key, claim.payer_id, claim.responsibility, claim.control_number)
        added = await self._conn.fetchval(
            _INSERT, *keys, draft.encounter, draft.journey_id, claim.state, claim.total_cents, *_waits(claim),
            _pack(claim), now, claim.payer_claim_number,
        )  # fmt: skip
        if added:
            await self._keep_lines(claim)
        return added is not None

    async def save(self, claim: Claim, now: datetime) -> None:
        await self._conn.execute(
            _UPDATE, claim.claim_id, claim.state, claim.total_cents, *_waits(claim), _pack(claim), now,
            claim.draft.journey_id, claim.payer_claim_number,
        )  # fmt: skip

    async def replace_lines(self, claim: Claim) -> None:
        """The claim's content was drawn up anew."""
        await self._conn.execute("delete from billed_line where claim_id = $1", claim.claim_id)
        await self._keep_lines(claim)

    async def record(self, claim_id: str, from_state: str, to_state: str, reason: str, now: datetime) -> None:
        await self._conn.execute(_EVENT, claim_id, from_state, to_state, reason, now)

    async def find(self, encounter_key: str, payer_id: str, responsibility: int) -> Claim | None:
        """The claim of an encounter to a payer, locked."""
        return await self._one(
            "select content from claim where encounter_key = $1 and payer_id = $2 and responsibility = $3 for update",
            encounter_key, payer_id, responsibility,
        )  # fmt: skip

    async def hold_encounter(self, encounter: str) -> None:
        """Until this transaction ends nobody else makes a claim of the encounter, from charges or as submitted."""
        await self._conn.execute(
            "select pg_advisory_xact_lock(hashtextextended(current_setting('app.tenant') || '|' || $1, 0))", encounter
        )

    async def find_of_encounter(self, encounter: str, payer_id: str, responsibility: int) -> Claim | None:
        """The claim of an encounter by its reference, locked: whoever made it, unless it is void or billed nothing."""
        return await self._one(
            """select content from claim where encounter = $1 and payer_id = $2 and responsibility = $3
            and state <> 'voided' and not (state = 'closed' and total_cents = 0)
            order by created_at limit 1 for update""",
            encounter, payer_id, responsibility,
        )  # fmt: skip

    async def get(self, claim_id: str) -> Claim | None:
        return await self._one("select content from claim where claim_id = $1", claim_id)

    async def lock(self, claim_id: str) -> Claim | None:
        return await self._one("select content from claim where claim_id = $1 for update", claim_id)

    async def lock_by_control_number(self, control_number: str) -> Claim | None:
        return await self._one("select content from claim where control_number = $1 for update", control_number)

    async def lock_of_interchange(self, control_number: int) -> list[Claim]:
        rows = await self._conn.fetch(
            """select claim.content from claim join interchange using (tenant, interchange_id)
            where interchange.control_number = $1 order by claim_id for update of claim""",
            control_number,
        )
        return _unpack_all(rows)

    async def history(self, patient: str, days: Sequence[date], except_claim: str) -> list[BilledLine]:
        """Lines of the patient's other claims that the payer has: as far back as the longest global period."""
        if not patient or not days:
            return []
        since = min(days) - timedelta(days=_LONGEST_GLOBAL_DAYS)
        rows = await self._conn.fetch(_HISTORY, patient, since, max(days), except_claim, sorted(SENT | {READY}))
        return [BilledLine(**{**dict(row), "modifiers": tuple(row["modifiers"])}) for row in rows]

    async def waiting_for_coverage(self, coverage: str) -> list[str]:
        rows = await self._conn.fetch(
            """select claim_id from claim where state = 'held' and coverage = $1 and 'coverage' = any(waits_for)
            order by created_at limit 200""",
            coverage,
        )
        return [row["claim_id"] for row in rows]

    async def waiting_for_authorization(self, payer_id: str, encounter: str, order: str, code: str) -> list[str]:
        """Held claims that an authorization of this payer may release: of its encounter, its order, or its code."""
        rows = await self._conn.fetch(_WAITING_FOR_AUTHORIZATION, payer_id, encounter, order, code)
        return [row["claim_id"] for row in rows]

    async def payers_with_ready(self) -> list[str]:
        rows = await self._conn.fetch("select distinct payer_id from claim where state = 'ready'")
        return [row["payer_id"] for row in rows]

    async def lock_ready(self, payer_id: str, limit: int) -> list[Claim]:
        """The oldest claims that are ready; those that another sender holds are skipped."""
        return _unpack_all(await self._conn.fetch(_READY, payer_id, limit))

    async def next_control_number(self, name: str) -> int:
        """1, 2, 3 ...: without gaps, as long as the transaction commits."""
        number: int = await self._conn.fetchval(
            """insert into control_sequence (name, next) values ($1, 2)
            on conflict (tenant, name) do update set next = control_sequence.next + 1 returning next - 1""",
            name,
        )
        return number

    async def skip_control_numbers(self, name: str, count: int, once: str) -> None:
        """Leaves out the next `count` numbers; nothing happens when it was done under the same `once` before."""
        first = "insert into control_sequence (name, next) values ($1, 1) on conflict do nothing returning name"
        if await self._conn.fetchval(first, f"{name} {once}") is not None:
            await self._conn.execute(
                """insert into control_sequence (name, next) values ($1, 1 + $2)
                on conflict (tenant, name) do update set next = control_sequence.next + $2""",
                name, count,
            )  # fmt: skip

    async def early_answers(self, reason: str, since: datetime, control_numbers: Sequence[str]) -> list[bytes]:
        """Files that were filed under this reason and name one of these claims, oldest first."""
        rows = await self._conn.fetch(_EARLY, reason, since, list(control_numbers))
        return [row["content"] for row in rows]

    async def add_interchange(self, interchange: Interchange, now: datetime, leased_until: datetime) -> None:
        await self._conn.execute(
            """insert into interchange (interchange_id, control_number, payer_id, content, claims, created_at,
            leased_until) values ($1, $2, $3, $4, $5, $6, $7)""",
            interchange.interchange_id, interchange.control_number, interchange.payer_id, interchange.content,
            len(interchange.claim_ids), now, leased_until,
        )  # fmt: skip
        await self._conn.execute(
            "update claim set interchange_id = $1 where claim_id = any($2::text[])",
            interchange.interchange_id, list(interchange.claim_ids),
        )  # fmt: skip

    async def lease_unsent(self, now: datetime, until: datetime) -> Interchange | None:
        """A stored file that nobody has confirmed as sent, taken until `until`."""
        row = await self._conn.fetchrow(
            """update interchange set leased_until = $2 where interchange_id = (
                select interchange_id from interchange where sent_at is null and leased_until <= $1
                order by control_number limit 1 for update skip locked)
            returning interchange_id, control_number, payer_id, content""",
            now, until,
        )  # fmt: skip
        return Interchange(**dict(row)) if row else None

    async def claims_of(self, interchange_id: str) -> list[Claim]:
        """Claims of a file that still wait for its hand-over, locked."""
        rows = await self._conn.fetch(
            "select content from claim where interchange_id = $1 and state = $2 order by claim_id for update",
            interchange_id, SUBMITTING,
        )  # fmt: skip
        return _unpack_all(rows)

    async def confirm_interchange(self, interchange_id: str, file_id: str, outcome: str, now: datetime) -> None:
        await self._conn.execute(
            """update interchange set sent_at = coalesce(sent_at, $2), file_id = $3, outcome = $4
            where interchange_id = $1""",
            interchange_id, now, file_id, outcome,
        )  # fmt: skip

    async def release_lease(self, interchange_id: str, now: datetime) -> None:
        """The hand-over failed: whoever comes next may try at once."""
        await self._conn.execute(
            "update interchange set leased_until = $2 where interchange_id = $1", interchange_id, now
        )

    async def sent_in(self, claim_id: str) -> tuple[int, datetime] | None:
        """ISA13 and time of the file that carried the claim last."""
        row = await self._conn.fetchrow(
            """select interchange.control_number, interchange.created_at
            from claim join interchange using (tenant, interchange_id) where claim_id = $1""",
            claim_id,
        )
        return (row["control_number"], row["created_at"]) if row else None

    async def cursor(self, mailbox: str, lock: bool = False) -> int:
        """Where we stand in a mailbox; with `lock`, others wait until we have moved on."""
        if lock:
            await self._conn.execute(
                "insert into mailbox_cursor (mailbox, cursor) values ($1, 0) on conflict do nothing", mailbox
            )
        query = "select cursor from mailbox_cursor where mailbox = $1" + (" for update" if lock else "")
        return await self._conn.fetchval(query, mailbox) or 0

    async def keep_file(
        self, mailbox: str, file_id: str, kind: str, cursor: int, content: bytes, outcome: str, now: datetime
    ) -> None:
        """The raw file, and the cursor behind it."""
        await self._conn.execute(
            """insert into received_file (file_id, kind, cursor, content, outcome, received_at)
            values ($1, $2, $3, $4, $5, $6) on conflict (tenant, file_id) do nothing""",
            file_id, kind, cursor, content, outcome, now,
        )  # fmt: skip
        await self._conn.execute("update mailbox_cursor set cursor = $2 where mailbox = $1", mailbox, cursor)

    async def keep_unmatched(self, file_id: str, reason: str, now: datetime) -> None:
        await self._conn.execute(
            """insert into unmatched_file (file_id, reason, received_at) values ($1, $2, $3)
            on conflict (tenant, file_id) do nothing""",
            file_id, reason, now,
        )  # fmt: skip

    async def _one(self, query: str, *values: Any) -> Claim | None:
        content = await self._conn.fetchval(query, *values)
        return msgspec.json.decode(content, type=Claim) if content is not None else None

    async def _keep_lines(self, claim: Claim) -> None:
        patient = claim.draft.visit.patient.reference
        rows = [
            (claim.claim_id, number, patient, claim.payer_id, line.code, list(line.modifiers),
             line.service_from, line.units, line.rendering_npi)
            for number, line in enumerate(claim.draft.lines)
            if line.service_from
        ]  # fmt: skip
        if rows:
            await self._conn.executemany(_LINES, rows)


def _pack(claim: Claim) -> bytes:
    return msgspec.json.encode(claim)


def _unpack_all(rows: Iterable[Any]) -> list[Claim]:
    return [msgspec.json.decode(row["content"], type=Claim) for row in rows]


def _waits(claim: Claim) -> tuple[str, list[str], list[str], list[str]]:
    """coverage, waits_for, waiting_codes, orders: what a later fact is compared with."""
    insurance = claim.draft.visit.insurance
    errors: Sequence[Finding] = claim.errors if claim.state == HELD else ()
    waiting = sorted({answer.code for answer in claim.answers.authorizations if answer.required})
    orders = sorted({line.order for line in claim.draft.lines if line.order})
    return insurance.reference if insurance else "", sorted({e.waits_for for e in errors}), waiting, orders
