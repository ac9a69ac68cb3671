"""SQL that reads the books for people: entries and balances of a claim, its payer and the tenant."""

from __future__ import annotations

from typing import Any

import asyncpg
from kernel.errors import Refused

from remittance.model.ledger import Balance, Line, Statement
from remittance.store import SUMS

MOST_ENTRIES = 50_000

_ENTRIES = """
select posting_id || ':' || ordinal as entry_id, account, debit_cents, credit_cents, entry.claim_id, reason,
    remittance_id
from entry join posting using (tenant, posting_id)
where $1 = '' or entry.claim_id = $1 order by number, ordinal limit $2
"""
_CLAIMS = f"""
select claim_id as key, {SUMS} from entry where claim_id <> '' and ($1 = '' or claim_id = $1)
group by claim_id order by claim_id limit $2
"""
_PAYERS = f"""
select payer_id as key, {SUMS} from entry where claim_id <> ''
    and ($1 = '' or payer_id in (select payer_id from entry where claim_id = $1))
group by payer_id order by payer_id
"""
_TENANT = f"select {SUMS} from entry where claim_id <> ''"


async def read_statement(conn: asyncpg.Connection[Any], claim_id: str, totals_only: bool) -> Statement:
    """The books of one claim, or of the tenant for an empty id. Payers and tenant are always whole.

    Refused: `claim-unknown` (not found), `ledger-too-large` when more than 50,000 entries would be listed.
    """
    claims = () if totals_only and not claim_id else await _balances(conn, _CLAIMS, claim_id, MOST_ENTRIES + 1)
    if claim_id and not claims:
        raise Refused("claim-unknown", "no claim of this id is on account", kind="not_found")
    entries = [] if totals_only else await conn.fetch(_ENTRIES, claim_id, MOST_ENTRIES + 1)
    if max(len(entries), len(claims)) > MOST_ENTRIES:
        raise Refused("ledger-too-large", f"over {MOST_ENTRIES} entries: ask for totals or for one claim")
    tenant = await conn.fetchrow(_TENANT)
    return Statement(
        entries=tuple(Line(**dict(row)) for row in entries),
        claims=claims,
        payers=await _balances(conn, _PAYERS, claim_id),
        tenant=Balance(**dict(tenant or {})),
    )


async def _balances(conn: asyncpg.Connection[Any], query: str, *values: object) -> tuple[tuple[str, Balance], ...]:
    rows = [dict(row) for row in await conn.fetch(query, *values)]
    return tuple((row.pop("key"), Balance(**row)) for row in rows)
