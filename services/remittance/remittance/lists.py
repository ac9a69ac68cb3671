"""SQL that lists and finds remittances and denials for people, page by page."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import asyncpg
import msgspec
from kernel.errors import Unreadable

from remittance.model.claim import ClaimAccount
from remittance.model.denial import Denial
from remittance.model.identity import derived_id
from remittance.model.remittance import MATCHED, Deposit, ReceivedRemittance
from remittance.model.shown import POSTED, QUARANTINED, Booked, ShownDenial, ShownRemittance

MOST = 500
USUAL = 50
# Only what is asked for stands in a query, so that each has its index. {0} is the number of the parameter.
_POSTED = {
    "payer_id": "payer_id = ${0}",
    "text": "(remittance_id = ${0} or trace_number = ${0})",
    "settlement": """case when deposit_id <> '' then 'matched' when awaits_deposit then 'awaited' else 'none' end
        = ${0}""",
    "id": "remittance_id = ${0}",
}
_SET_ASIDE = {"payer_id": "payer_id = ${0}", "text": "quarantine_id = ${0}", "id": "quarantine_id = ${0}"}
_DENIAL = {
    "state": "denial.state = ${0}",
    "payer_id": "denial.payer_id = ${0}",
    "category": "denial.category = ${0}",
    "claim_id": "denial.claim_id = ${0}",
    "work_id": "denial.work_id = ${0}",
    "text": """(denial.work_id = ${0} or denial.claim_id = ${0}
        or denial.claim_id in (select claim_id from claim_account known where known.control_number = ${0}))""",
}
_POSTED_ROWS = """
select remittance_id as id, received_at, record, deposit_id, file_id,
    (select count(*) from unmatched_payment waiting where waiting.tenant = remittance.tenant
        and waiting.remittance_id = remittance.remittance_id and settled_at is null) as unmatched
from remittance
"""
_SET_ASIDE_ROWS = """
select quarantine_id as id, received_at, file_id, rule, segment, payer_id, paid_cents, claims, zero_paid from quarantine
"""
_DENIAL_ROWS = """
select denial.record, denial.state, denial.due_on, denial.work_id, opened_at, changed_at, account.record as account
from denial join claim_account account using (tenant, claim_id)
"""
_BOOKED = """
select posting.posting_id, posting.claim_id, account.record
from posting join claim_account account using (tenant, claim_id) where posting_id = any($1::text[])
"""
_WAITING = "select payment_id, reason from unmatched_payment where payment_id = any($1::text[]) and settled_at is null"


async def list_remittances(
    conn: asyncpg.Connection[Any], filters: Mapping[str, str], limit: int, after: str
) -> tuple[list[ShownRemittance], str]:
    """Posted and quarantined ones together, the newest first, and the token of the page behind them.

    All filters (state, payer_id, settlement, text) that are not empty must hold. Unreadable: page-token.
    """
    wanted = min(limit or USUAL, MOST)
    place = _instant_place(after)
    found: list[ShownRemittance] = []
    if filters["state"] in ("", POSTED):
        found += await _posted(conn, filters, wanted + 1, place)
    if filters["state"] in ("", QUARANTINED) and not filters["settlement"]:
        found += await _set_aside(conn, filters, wanted + 1, place)
    found.sort(key=lambda item: (item.received_at, item.remittance_id), reverse=True)
    page = found[:wanted]
    following = _token(page[-1].received_at, page[-1].remittance_id) if len(found) > wanted else ""
    return page, following


async def find_remittance(conn: asyncpg.Connection[Any], remittance_id: str) -> ShownRemittance | None:
    """One of either kind; None when there is none."""
    by_id = {"id": remittance_id}
    found = await _posted(conn, by_id, 1, None) or await _set_aside(conn, by_id, 1, None)
    return found[0] if found else None


async def read_file(conn: asyncpg.Connection[Any], file_id: str) -> bytes:
    """The file as it came."""
    raw: bytes = await conn.fetchval("select raw from file where file_id = $1", file_id)
    return raw


async def read_deposit(conn: asyncpg.Connection[Any], deposit_id: str) -> Deposit | None:
    """A deposit of the bank; None when there is none."""
    record = await conn.fetchval("select record from deposit where deposit_id = $1", deposit_id)
    return msgspec.json.decode(record, type=Deposit) if record is not None else None


async def read_booked(conn: asyncpg.Connection[Any], remittance_id: str, ordinals: Sequence[int]) -> dict[int, Booked]:
    """What became of the claim payments of a remittance, by their ordinals; a missing one was never posted nor kept."""
    ids = {derived_id("payment", remittance_id, ordinal): ordinal for ordinal in ordinals}
    booked = {}
    for row in await conn.fetch(_BOOKED, list(ids)):
        account = msgspec.json.decode(row["record"], type=ClaimAccount)
        booked[ids[row["posting_id"]]] = Booked(row["claim_id"], account.journey_id)
    for row in await conn.fetch(_WAITING, list(ids)):
        booked[ids[row["payment_id"]]] = Booked(waits_for=row["reason"])
    return booked


async def list_denials(
    conn: asyncpg.Connection[Any], filters: Mapping[str, str], limit: int, after: str
) -> tuple[list[ShownDenial], str]:
    """The nearest deadline first, and the token of the page behind them. Unreadable: page-token.

    All filters (state, payer_id, category, claim_id, work_id, text) that are not empty must hold.
    """
    wanted = min(limit or USUAL, MOST)
    where, values = _where(_DENIAL, filters, _date_place(after), "(denial.due_on, denial.work_id) >")
    query = f"{_DENIAL_ROWS} {where} order by denial.due_on, denial.work_id limit {wanted + 1}"
    found = [_denial(row) for row in await conn.fetch(query, *values)]
    page = found[:wanted]
    last = page[-1].denial if page else None
    return page, _token(last.due_on, last.work_id) if last and len(found) > wanted else ""


def _denial(row: Any) -> ShownDenial:
    denial = msgspec.json.decode(row["record"], type=Denial)
    account = msgspec.json.decode(row["account"], type=ClaimAccount)
    return ShownDenial(replace(denial, state=row["state"]), account, row["opened_at"], row["changed_at"])


async def _posted(
    conn: asyncpg.Connection[Any], filters: Mapping[str, str], limit: int, place: list[Any] | None
) -> list[ShownRemittance]:
    where, values = _where(_POSTED, filters, place, "(received_at, remittance_id) <")
    query = f"{_POSTED_ROWS} {where} order by received_at desc, remittance_id desc limit {limit}"
    return [_shown(row) for row in await conn.fetch(query, *values)]


def _shown(row: Any) -> ShownRemittance:
    known = msgspec.json.decode(row["record"], type=ReceivedRemittance)
    return ShownRemittance(
        remittance_id=row["id"],
        state=POSTED,
        received_at=row["received_at"],
        file_id=row["file_id"],
        payer_id=known.payer_id,
        payer_name=known.payer_name,
        trace_number=known.trace_number,
        method=known.method,
        paid_cents=known.paid_cents,
        payment_date=known.payment_date,
        claims=known.claims,
        zero_paid=known.zero_paid,
        unmatched=row["unmatched"],
        settlement=MATCHED if row["deposit_id"] else known.settlement,
        deposit_id=row["deposit_id"],
        content=known.content,
    )


async def _set_aside(
    conn: asyncpg.Connection[Any], filters: Mapping[str, str], limit: int, place: list[Any] | None
) -> list[ShownRemittance]:
    where, values = _where(_SET_ASIDE, filters, place, "(received_at, quarantine_id) <")
    query = f"{_SET_ASIDE_ROWS} {where} order by received_at desc, quarantine_id desc limit {limit}"
    rows = [dict(row) for row in await conn.fetch(query, *values)]
    return [ShownRemittance(remittance_id=row.pop("id"), state=QUARANTINED, **row) for row in rows]


def _where(
    fragments: Mapping[str, str], filters: Mapping[str, str], place: list[Any] | None, beyond: str
) -> tuple[str, list[Any]]:
    """The condition of a query with its parameters. `place` is the last row of the page before."""
    values: list[Any] = []
    conditions = []
    for name, fragment in fragments.items():
        if value := filters.get(name, ""):
            values.append(value)
            conditions.append(fragment.format(len(values)))
    if place is not None:
        values += place
        conditions.append(f"{beyond} (${len(values) - 1}, ${len(values)})")
    return (f"where {' and '.join(conditions)}" if conditions else ""), values


def _token(place: date, id: str) -> str:
    return base64.urlsafe_b64encode(f"{place.isoformat()}|{id}".encode()).decode()


def _instant_place(token: str) -> list[Any] | None:
    if not token:
        return None
    place, id = _split(token)
    try:
        instant = datetime.fromisoformat(place)
    except ValueError as error:
        raise _bad_token() from error
    if instant.tzinfo is None:
        raise _bad_token()
    return [instant, id]


def _date_place(token: str) -> list[Any] | None:
    if not token:
        return None
    place, id = _split(token)
    try:
        return [date.fromisoformat(place), id]
    except ValueError as error:
        raise _bad_token() from error


def _split(token: str) -> tuple[str, str]:
    try:
        place, _, id = base64.urlsafe_b64decode(token.encode()).decode().partition("|")
    except (binascii.Error, ValueError) as error:
        raise _bad_token() from error
    return place, id


def _bad_token() -> Unreadable:
    return Unreadable("page-token", "after", "not a token of an earlier page")
