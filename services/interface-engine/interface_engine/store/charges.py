"""SQL of charge conservation: what each message brought, what became of it, and the account of a feed's day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from bus import Unit

from interface_engine.model_charges import HOLD, OF_MESSAGE_STATE, Account, ChargeIn, Earlier, Tally
from interface_engine.store.shapes import columns

_EARLIER = """
select c.line_key, c.kind, c.message_id, c.place, c.cents, c.quantity, c.code, c.service_day, c.disposition
from unnest($1::text[]) as w(line_key) cross join lateral (
    select * from charge_in where line_key = w.line_key and channel = $2 and position < $3 offset 0
) c
"""
_KEEP = """
insert into charge_in (place, line_key, kind, cents, quantity, code, service_day, visit, disposition, reason,
    message_id, channel, position, day)
select i.*, $11, $12, $13, $14 from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::numeric[],
    $6::text[], $7::date[], $8::text[], $9::text[], $10::text[]) as i
"""
_LATER = """
select distinct line_key, kind from charge_in
where line_key = any($1::text[]) and channel = $2 and position > $3 and disposition in ('charge', 'hold')
"""
_REPLACE = """
update charge_in set disposition = 'replaced', reason = 'told-anew' where message_id = $1 and place = $2
"""
_CAME = """
select channel, day, sum(charges_in)::bigint as count, sum(cents_in)::bigint as cents, state
from message where day >= $1 and day <= $2 and charges_in > 0 group by channel, day, state
"""
_BECAME = """
select c.channel, c.day, c.disposition, c.reason, count(*) as count,
    sum(case when c.kind = 'credit' then -c.cents else c.cents end)::bigint as cents
from charge_in c join message m on m.id = c.message_id and m.tenant = c.tenant
where c.day >= $1 and c.day <= $2 and m.state = 'kept' group by c.channel, c.day, c.disposition, c.reason
"""
# Rows that were left out of the messages of their file.
_LEFT_OUT = """
select channel, day, sum(rejected)::bigint as count, sum(rejected_cents)::bigint as cents, 'rejected' as disposition,
    'row-unreadable' as reason
from file where day >= $1 and day <= $2 and rejected > 0 group by channel, day
"""


class Charges:
    """Charges in one open transaction."""

    def __init__(self, unit: Unit) -> None:
        self._conn = unit.conn

    async def earlier(self, channel: str, position: int, keys: Sequence[str]) -> dict[tuple[str, str], list[Earlier]]:
        """What messages before this one said of these lines, by line key and kind."""
        found: dict[tuple[str, str], list[Earlier]] = {}
        for row in await self._conn.fetch(_EARLIER, sorted(set(keys)), channel, position):
            facts = (row["place"], row["cents"], row["quantity"], row["code"], row["service_day"], row["disposition"])
            found.setdefault((row["line_key"], row["kind"]), []).append(Earlier(str(row["message_id"]), *facts))
        return found

    async def told_later(self, channel: str, position: int, keys: Sequence[str]) -> set[tuple[str, str]]:
        """The lines, by key and kind, that messages after this one stand for: it is worked on again."""
        rows = await self._conn.fetch(_LATER, sorted(set(keys)), channel, position)
        return {(row["line_key"], row["kind"]) for row in rows}

    async def keep(self, message_id: str, channel: str, position: int, day: date, charges: Sequence[ChargeIn]) -> None:
        """What a message brought, in place of what it was said to bring when it was worked on before."""
        await self._conn.execute("delete from charge_in where message_id = $1", message_id)
        if not charges:
            return
        rows = [
            (one.place, one.line_key, one.kind, one.cents, one.quantity, one.code, one.service_day, one.visit,
             one.disposition, one.reason)
            for one in charges
        ]  # fmt: skip
        await self._conn.execute(_KEEP, *columns(rows, 10), message_id, channel, position, day)

    async def replace(self, earlier: Sequence[Earlier]) -> None:
        await self._conn.executemany(_REPLACE, [(one.message_id, one.place) for one in earlier])

    async def messages_on_hold(self, channels: Sequence[str]) -> list[str]:
        """Messages with charges that hold, in the order in which they came."""
        sql = """select message_id, min(position) as position from charge_in
            where disposition = $1 and channel = any($2::text[]) group by message_id order by position"""
        return [str(row["message_id"]) for row in await self._conn.fetch(sql, HOLD, list(channels))]

    async def accounts(self, first: date, last: date) -> list[Account]:
        """The account of each feed and day in that span, in order."""
        came: dict[tuple[str, date], Tally] = {}
        became: dict[tuple[str, date], dict[tuple[str, str], Tally]] = {}
        for row in await self._conn.fetch(_CAME, first, last):
            place, tally = (row["channel"], row["day"]), Tally(row["count"], row["cents"])
            came[place] = came.get(place, Tally()) + tally
            if row["state"] in OF_MESSAGE_STATE:
                became.setdefault(place, {})[OF_MESSAGE_STATE[row["state"]], ""] = tally
        left_out = await self._conn.fetch(_LEFT_OUT, first, last)
        for row in left_out:
            place = (row["channel"], row["day"])
            came[place] = came.get(place, Tally()) + Tally(row["count"], row["cents"])
        for row in (*left_out, *await self._conn.fetch(_BECAME, first, last)):
            _add(became.setdefault((row["channel"], row["day"]), {}), row)
        places = sorted(came.keys() | became.keys(), key=lambda place: (place[1], place[0]))
        return [Account(*place, came.get(place, Tally()), became.get(place, {})) for place in places]


def _add(became: dict[tuple[str, str], Tally], row: Any) -> None:
    key = (row["disposition"], row["reason"])
    became[key] = became.get(key, Tally()) + Tally(row["count"], row["cents"])
