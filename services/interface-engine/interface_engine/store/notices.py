"""SQL of subscriptions: who listens, the events that wait for each, their numbers, and the leases of who delivers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from bus import Unit
from fhir_r4.search import Query, Term, parse_query

from interface_engine.model_access import Access, Registration
from interface_engine.model_notices import OPENING, Change, Event, Line
from interface_engine.store.access import AccessStore
from interface_engine.store.repository import Repository
from interface_engine.store.shapes import columns
from interface_engine.store.standing import NOTICES, open_transactions, standing_changed

_NOTE = """
insert into notice (subscription, at, type, resource_id, version, interaction)
select u.subscription, $1, u.type, u.id, u.version, u.interaction
from unnest($2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[]) with ordinality
    as u(subscription, type, id, version, interaction, n)
join subscription s on s.id = u.subscription and s.recording
order by u.n
"""
_ADD = """
insert into subscription (id, client, state, text, heartbeat_s, ends_at) values ($1, $2, $3, $4, $5, $6)
"""
# A client's own change begins anew and takes the work away from whoever is at it.
_CHANGE = """
update subscription set state = $2, recording = recording and $2 <> 'off', text = $3, heartbeat_s = $4, ends_at = $5,
    reason = '', failures = 0, failing_since = null, next_at = null, fence = null, lease = '', leased_until = null
where id = $1
"""
# Work there is: to shake hands, to open, to end, to tell, or to show that we are still there.
_CLAIM = """
with due as (
    select s.id from subscription s
    where s.state in ('requested', 'opening', 'active')
    and coalesce(s.next_at, $1) <= $1 and coalesce(s.leased_until, $1) <= $1
    and (s.state = 'requested' or s.ends_at <= $1 or s.state = 'opening' and s.settled_at <= $1
        or s.state = 'active' and (s.sent < s.numbered
            or exists (select 1 from notice n where n.subscription = s.id and n.number is null)
            or s.heartbeat_s > 0 and s.last_sent_at + make_interval(secs => s.heartbeat_s) <= $1))
    order by s.last_sent_at nulls first, s.id limit $2 for update of s skip locked
)
update subscription s set lease = $3, leased_until = $4 from due where s.id = due.id returning s.*, 0 as waiting
"""
_NUMBER = """
with fresh as (
    select position, row_number() over (order by position) as n from notice
    where subscription = $1 and number is null order by position limit $2
), given as (
    update notice t set number = s.numbered + f.n from fresh f, subscription s
    where t.subscription = $1 and t.position = f.position and s.id = $1 returning 1
)
update subscription set numbered = numbered + (select count(*) from given) where id = $1 returning numbered
"""
_EVENTS = """
select n.number, n.at, n.type, n.resource_id, n.version, n.interaction, {content} as content
from notice n {joined}
where n.subscription = $1 and n.number >= $2 and n.number <= $3 order by n.number limit $4
"""
_WITHOUT = _EVENTS.format(content="''::bytea", joined="")
_WITH = _EVENTS.format(
    content="coalesce(v.bytes, ''::bytea)",
    joined="left join lateral (select bytes from resource_version "
    "where type = n.type and id = n.resource_id and version = n.version limit 1) v on true",
)
_LINE = """
select s.*, (select count(*) from notice n where n.subscription = s.id and n.number is null) as waiting
from subscription s
"""
_PRUNE = """
delete from notice where (tenant, subscription, position) in (
    select tenant, subscription, position from notice where at < $1 order by at limit $2
)
"""
_LAST = 2**62


class Notices:
    """Subscriptions and their events in one open transaction."""

    def __init__(self, unit: Unit, base_url: str = "") -> None:
        self._unit = unit
        self._conn = unit.conn
        self._base = base_url

    @property
    def tenant(self) -> str:
        return self._unit.tenant

    @property
    def now(self) -> datetime:
        return self._unit.now

    # What changes bring

    async def note(self, rows: Sequence[tuple[str, Change]]) -> None:
        """Keeps an event for each pair of a subscription and a change, as long as that subscription records."""
        found = [(hook, one.draft.type, one.draft.id, one.version, one.interaction) for hook, one in rows]
        await self._conn.execute(_NOTE, self.now, *columns(found, 5))

    async def finds(self, type_name: str, identity: str, terms: tuple[Term, ...]) -> bool:
        """Whether the search would find that resource, which may have been written in this transaction."""
        own = parse_query(type_name, [("_id", identity)]).terms
        query = Query(type_name, terms=(*own, *terms))
        return bool(await Repository(self._unit, self._base).find_ids(query, 1))

    async def registration(self, name: str) -> Registration | None:
        """The client of that name, when it is registered."""
        return await AccessStore(self._unit).client(name)

    async def record(self, accesses: Sequence[Access]) -> None:
        """Keeps what was told to whom, as an access like any other."""
        await AccessStore(self._unit).record(accesses)

    # Subscriptions

    async def line(self, identity: str) -> Line | None:
        """Locked until the end of the transaction."""
        sql = "select s.*, 0 as waiting from subscription s where s.id = $1 for update"
        row = await self._conn.fetchrow(sql, identity)
        return _line(row) if row is not None else None

    async def lines(self, client: str, ids: Sequence[str] = ()) -> list[Line]:
        """A client's own, all or those of these ids."""
        where = "where s.client = $1 and (cardinality($2::text[]) = 0 or s.id = any($2)) order by s.id limit 1000"
        return [_line(row) for row in await self._conn.fetch(f"{_LINE} {where}", client, list(ids))]

    async def recording(self) -> list[Line]:
        """Those for which events are kept now."""
        sql = "select s.*, 0 as waiting from subscription s where s.recording order by s.id"
        return [_line(row) for row in await self._conn.fetch(sql)]

    async def add(self, line: Line, heartbeat_s: int, ends_at: datetime | None) -> None:
        await self._conn.execute(_ADD, line.id, line.client, line.state, line.text, heartbeat_s, ends_at)
        await standing_changed(self._unit, NOTICES)

    async def change(self, line: Line, heartbeat_s: int, ends_at: datetime | None) -> None:
        """What the client has written anew."""
        await self._conn.execute(_CHANGE, line.id, line.state, line.text, heartbeat_s, ends_at)
        await standing_changed(self._unit, NOTICES)

    async def rewrite(self, line: Line, heartbeat_s: int, ends_at: datetime | None) -> None:
        """Another text of the same meaning: it goes on as it was."""
        sql = "update subscription set text = $2, heartbeat_s = $3, ends_at = $4 where id = $1"
        await self._conn.execute(sql, line.id, line.text, heartbeat_s, ends_at)

    async def remove(self, identity: str) -> None:
        await self._conn.execute("delete from notice where subscription = $1", identity)
        await self._conn.execute("delete from subscription where id = $1", identity)
        await standing_changed(self._unit, NOTICES)

    # Work, of whoever holds the lease

    async def claim(self, limit: int, lease: str, until: datetime) -> list[Line]:
        """Subscriptions that something is to be done for, ours until then."""
        rows = await self._conn.fetch(_CLAIM, self.now, limit, lease, until)
        return [_line(row) for row in rows]

    async def held(self, identity: str, lease: str, until: datetime | None = None) -> Line | None:
        """The subscription while it is ours, and ours until then; None when another has it or its client changed it."""
        sql = """update subscription s set leased_until = coalesce($3, leased_until) where id = $1 and lease = $2
            and lease <> '' returning s.*, 0 as waiting"""
        row = await self._conn.fetchrow(sql, identity, lease, until)
        return _line(row) if row is not None else None

    async def release(self, identity: str, lease: str, next_at: datetime | None = None) -> None:
        """Nothing more to do for now, or not before that time."""
        sql = """update subscription set lease = '', leased_until = null, next_at = $3 where id = $1 and lease = $2"""
        await self._conn.execute(sql, identity, lease, next_at)

    async def open(self, identity: str, settled_at: datetime) -> None:
        """Events are kept from now on; it is open when everyone has heard of that."""
        sql = """update subscription set state = $2, recording = true, settled_at = $3, fence = null, reason = '',
            failures = 0, failing_since = null, last_sent_at = $4 where id = $1"""
        await self._conn.execute(sql, identity, OPENING, settled_at, self.now)
        await standing_changed(self._unit, NOTICES)

    async def fence(self, line: Line) -> bool:
        """True once everything is over that ran when this was asked first."""
        running = await open_transactions(self._unit)
        left = running if line.fence is None else tuple(sorted({*line.fence} & {*running}))
        await self._conn.execute("update subscription set fence = $2 where id = $1", line.id, list(left))
        return not left

    async def turn(self, line: Line, state: str, text: bytes, reason: str = "") -> None:
        """Another state, as it is told to the client in `text`. Only what is off records no longer."""
        sql = """update subscription set state = $2, text = $3, reason = $4, recording = recording and $2 <> 'off',
            fence = null, failures = 0, failing_since = null, next_at = null, lease = '', leased_until = null
            where id = $1"""
        await self._conn.execute(sql, line.id, state, text, reason)
        await standing_changed(self._unit, NOTICES)

    async def sent(self, identity: str, number: int) -> None:
        """It has told us that it has all up to this number."""
        sql = """update subscription set sent = greatest(sent, $2), last_sent_at = $3, failures = 0,
            failing_since = null where id = $1"""
        await self._conn.execute(sql, identity, number, self.now)

    async def failed(self, line: Line, next_at: datetime) -> None:
        """It has not answered as it should: once more at that time."""
        sql = """update subscription set failures = failures + 1, failing_since = coalesce(failing_since, $2),
            next_at = $3, lease = '', leased_until = null where id = $1"""
        await self._conn.execute(sql, line.id, self.now, next_at)

    # Events

    async def drop_waiting(self, identity: str, allowed: Sequence[str]) -> None:
        """Takes away events of other types that have no number yet."""
        sql = "delete from notice where subscription = $1 and number is null and not type = any($2::text[])"
        await self._conn.execute(sql, identity, list(allowed))

    async def number(self, identity: str, limit: int) -> int:
        """Gives the next numbers to events that wait, in their order; the last number given."""
        return int(await self._conn.fetchval(_NUMBER, identity, limit))

    async def events(self, identity: str, first: int, last: int | None, limit: int, full: bool) -> list[Event]:
        """Events by their numbers, both ends included; with the resources as they were then when `full`."""
        sql = _WITH if full else _WITHOUT
        rows = await self._conn.fetch(sql, identity, first, _LAST if last is None else last, limit)
        return [
            Event(
                row["number"], row["at"], row["type"], row["resource_id"], row["version"], row["interaction"],
                row["content"],
            )
            for row in rows
        ]  # fmt: skip

    async def prune(self, keep: timedelta, limit: int = 1000) -> int:
        """Deletes events that are older than this, told or not; how many."""
        return int((await self._conn.execute(_PRUNE, self.now - keep, limit)).rpartition(" ")[2])


def _line(row: Any) -> Line:
    names = ("id", "client", "state", "recording", "text", "reason", "numbered", "sent", "waiting", "failures",
             "failing_since", "last_sent_at", "settled_at")  # fmt: skip
    fence = None if row["fence"] is None else tuple(row["fence"])
    return Line(**{name: row[name] for name in names}, fence=fence)
