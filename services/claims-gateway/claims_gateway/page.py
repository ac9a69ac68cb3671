"""Claims for people, page by page: the query of a filtered list, and the token of where the next page begins."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import asyncpg
import msgspec
from kernel.errors import Unreadable

from claims_gateway.model import Claim, Shown, Step

MOST = 500
USUAL = 50
_REASON = """(select reason from claim_event event where event.tenant = claim.tenant
    and event.claim_id = claim.claim_id order by number desc limit 1) as reason"""
_SELECT = f"select content, created_at, changed_at, {_REASON} from claim"
# Only what is asked for stands in the query, so that each has its index. {} is the number of the parameter.
_FILTERS = {
    "journey_id": "journey_id = ${0}",
    "state": "state = ${0}",
    "payer_id": "payer_id = ${0}",
    "text": """(claim_id = ${0} or control_number = ${0} or encounter in (${0}, 'Encounter/' || ${0})
        or (payer_claim_number = ${0} and payer_claim_number <> ''))""",
}
_HISTORY = "select from_state, to_state, reason, happened_at from claim_event where claim_id = $1 order by number"


async def shown(conn: asyncpg.Connection, claim_id: str) -> Shown | None:
    """One claim; None when there is none."""
    row = await conn.fetchrow(f"{_SELECT} where claim_id = $1", claim_id)
    return _shown(row) if row else None


async def history(conn: asyncpg.Connection, claim_id: str) -> list[Step]:
    """All steps of a claim, oldest first."""
    return [Step(**dict(row)) for row in await conn.fetch(_HISTORY, claim_id)]


async def read_page(
    conn: asyncpg.Connection, filters: Mapping[str, str], limit: int, after: str
) -> tuple[list[Shown], str]:
    """Up to `limit` claims (50 for 0), newest first, and the token of the page behind them ("" when there is none).

    All filters that are not empty must hold. Unreadable (page-token) for a token that is none of ours.
    """
    wanted = min(limit or USUAL, MOST)
    conditions, values = [], []
    for name, value in filters.items():
        if value:
            values.append(value)
            conditions.append(_FILTERS[name].format(len(values)))
    if after:
        values += _read_token(after)
        conditions.append(f"(created_at, claim_id) < (${len(values) - 1}, ${len(values)})")
    where = f"where {' and '.join(conditions)}" if conditions else ""
    query = f"{_SELECT} {where} order by created_at desc, claim_id desc limit {wanted + 1}"
    found = [_shown(row) for row in await conn.fetch(query, *values)]
    page = found[:wanted]
    return page, _token(page[-1]) if len(found) > wanted else ""


def _shown(row: Any) -> Shown:
    claim = msgspec.json.decode(row["content"], type=Claim)
    return Shown(claim, row["created_at"], row["changed_at"], row["reason"] or "")


def _token(last: Shown) -> str:
    place = f"{last.created_at.isoformat()}|{last.claim.claim_id}"
    return base64.urlsafe_b64encode(place.encode()).decode()


def _read_token(token: str) -> list[Any]:
    try:
        instant, _, claim_id = base64.urlsafe_b64decode(token.encode()).decode().partition("|")
        found = datetime.fromisoformat(instant)
    except (binascii.Error, ValueError) as error:
        raise Unreadable("page-token", "after", "not a token of an earlier page") from error
    if found.tzinfo is None:
        raise Unreadable("page-token", "after", "not a token of an earlier page")
    return [found, claim_id]
