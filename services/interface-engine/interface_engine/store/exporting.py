"""SQL of bulk exports: what is asked for, resources as they were at a moment, files, and the leases of the workers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from bus import Unit

from interface_engine.model_exports import DONE, FAILED, RUNNING, Export, File, Found, Wanted
from interface_engine.store.compartments import belonging
from interface_engine.store.standing import EXPORTS, open_transactions, standing_changed

_ADD = """
insert into export (id, client, state, request, types, patients, group_id, since, at, settled_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""
_SELECT = """
select e.*, (select count(*) from export_file f where f.export = e.id) as files from export e
"""
_CLAIM = """
with due as (
    select id from export where state in ('waiting', 'running') and settled_at <= $1
    and coalesce(next_at, $1) <= $1 and coalesce(leased_until, $1) <= $1
    order by at, id limit $2 for update skip locked
)
update export e set lease = $3, leased_until = $4 from due where e.id = due.id returning e.*, 0 as files
"""
_HELD = """
update export e set leased_until = $3 where id = $1 and lease = $2 and lease <> ''
returning e.*, (select count(*) from export_file f where f.export = e.id) as files
"""
# The version that was the newest at the moment; what had been deleted or was not there yet has none.
_AS_IT_WAS = """
select m.id, v.version, v.received_at,
    case when v.deleted or v.received_at < $4 then ''::bytea else v.bytes end as bytes
from ({ids} order by id limit $3) m
left join lateral (
    select version, bytes, received_at, deleted from resource_version
    where type = $1 and id = m.id and received_at <= $5 order by version desc limit 1
) v on true order by m.id
"""
_ALL = _AS_IT_WAS.format(
    ids="select id from resource where type = $1 and id > $2 and ($6::timestamptz is null or updated_at >= $6)"
)
_OF_PATIENTS = _AS_IT_WAS.format(
    ids="""select id from resource r where type = $1 and id > $2 and ($6::timestamptz is null or updated_at >= $6)
        and exists (select 1 from reference x where x.from_id = r.id and x.from_type = $1 and x.to_type = 'Patient'
            and x.path = any($7::text[]))"""
)
_OF_GROUP = _AS_IT_WAS.format(
    ids="""select distinct x.from_id as id from unnest($8::text[]) p(id) cross join lateral (
            select from_id from reference where to_type = 'Patient' and to_id = p.id and from_type = $1
            and path = any($7::text[]) and from_id > $2 offset 0
        ) x where $6::timestamptz is null or true"""
)
_MEMBERS = _AS_IT_WAS.format(
    ids="select p.id from unnest($7::text[]) p(id) where p.id > $2 and ($6::timestamptz is null or true)"
)
_KEEP = "insert into export_file (export, number, type, resources, packed) values ($1, $2, $3, $4, $5)"
_STEP = """
update export set state = $2, place = $3, after = $4, resources = resources + $5, attempts = 0 where id = $1
"""
_PRUNE = """
with old as (select id from export where expires_at <= $1 limit $2),
gone as (delete from export_file f using old where f.export = old.id)
delete from export e using old where e.id = old.id
"""
_EVER = datetime(1900, 1, 1, tzinfo=UTC)


class Exports:
    """Bulk exports in one open transaction."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        self._conn = unit.conn

    @property
    def now(self) -> datetime:
        return self._unit.now

    # Clients

    async def add(self, export: Export) -> None:
        wanted = export.wanted
        arguments = (export.request, list(wanted.types), wanted.patients, wanted.group, wanted.since)
        await self._conn.execute(_ADD, export.id, export.client, export.state, *arguments, export.at, export.settled_at)
        await standing_changed(self._unit, EXPORTS)

    async def open_of(self, client: str) -> int:
        """How many of a client's are not done."""
        sql = "select count(*) from export where client = $1 and state in ('waiting', 'running')"
        return int(await self._conn.fetchval(sql, client))

    async def export(self, identity: str, client: str) -> Export | None:
        """The client's own, until it expires."""
        where = "where e.id = $1 and e.client = $2 and coalesce(e.expires_at > $3, true)"
        row = await self._conn.fetchrow(f"{_SELECT} {where}", identity, client, self.now)
        return _export(row) if row is not None else None

    async def files(self, identity: str) -> list[File]:
        """Without what is in them."""
        sql = "select number, type, resources from export_file where export = $1 order by number"
        return [File(row["number"], row["type"], row["resources"]) for row in await self._conn.fetch(sql, identity)]

    async def file(self, identity: str, number: int) -> File | None:
        sql = "select number, type, resources, packed from export_file where export = $1 and number = $2"
        row = await self._conn.fetchrow(sql, identity, number)
        return File(row["number"], row["type"], row["resources"], row["packed"]) if row is not None else None

    async def remove(self, identity: str) -> None:
        await self._conn.execute("delete from export_file where export = $1", identity)
        await self._conn.execute("delete from export where id = $1", identity)

    # Work, of whoever holds the lease

    async def claim(self, limit: int, lease: str, until: datetime) -> list[Export]:
        """Exports that are not done, ours until then."""
        return [_export(row) for row in await self._conn.fetch(_CLAIM, self.now, limit, lease, until)]

    async def held(self, identity: str, lease: str, until: datetime) -> Export | None:
        """The export while it is ours; None when it was cancelled or another has it."""
        row = await self._conn.fetchrow(_HELD, identity, lease, until)
        return _export(row) if row is not None else None

    async def fence(self, export: Export) -> bool:
        """True once everything is over that ran when this was asked first."""
        running = await open_transactions(self._unit)
        left = running if export.fence is None else tuple(sorted({*export.fence} & {*running}))
        await self._conn.execute("update export set fence = $2 where id = $1", export.id, list(left))
        return not left

    async def page(self, export: Export, members: Sequence[str], after: str, limit: int) -> list[Found]:
        """The next resources of the type at work after an id, as they were; `members` are the group's patients."""
        wanted, type_name = export.wanted, export.wanted.types[export.place]
        since = wanted.since
        arguments: list[object] = [type_name, after, limit, since or _EVER, export.at, since]
        sql = _ALL
        if wanted.group and type_name == "Patient":
            sql, arguments = _MEMBERS, [*arguments, list(members)]
        elif wanted.group:
            sql, arguments = _OF_GROUP, [*arguments, _paths(type_name), list(members)]
        elif wanted.patients and type_name != "Patient":
            sql, arguments = _OF_PATIENTS, [*arguments, _paths(type_name)]
        return [
            Found(row["id"], row["version"] or 0, row["received_at"] or export.at, row["bytes"] or b"")
            for row in await self._conn.fetch(sql, *arguments)
        ]

    async def keep(self, export: Export, file: File) -> None:
        await self._conn.execute(_KEEP, export.id, file.number, file.type, file.resources, file.packed)

    async def step(self, export: Export, place: int, after: str, resources: int) -> None:
        """So far has it come."""
        await self._conn.execute(_STEP, export.id, RUNNING, place, after, resources)

    async def finish(self, identity: str, expires_at: datetime, failed: bool = False) -> None:
        sql = """update export set state = $2, finished_at = $3, expires_at = $4, lease = '', leased_until = null
            where id = $1"""
        await self._conn.execute(sql, identity, FAILED if failed else DONE, self.now, expires_at)

    async def later(self, identity: str, lease: str, next_at: datetime, failed: bool = False) -> int:
        """Not before that time again; how often it has failed in a row."""
        sql = """update export set lease = '', leased_until = null, next_at = $3, attempts = attempts + $4
            where id = $1 and lease = $2 returning attempts"""
        return int(await self._conn.fetchval(sql, identity, lease, next_at, int(failed)) or 0)

    async def prune(self, limit: int = 10) -> int:
        """Deletes exports that have expired, with their files; how many."""
        return int((await self._conn.execute(_PRUNE, self.now, limit)).rpartition(" ")[2])


def _paths(type_name: str) -> list[str]:
    return [path for one, path in belonging("Patient") if one == type_name]


def patient_types() -> frozenset[str]:
    """Patient, and the types that may belong to one."""
    return frozenset({"Patient", *(one for one, _ in belonging("Patient"))})


def _export(row: Any) -> Export:
    wanted = Wanted(tuple(row["types"]), row["patients"], row["group_id"], row["since"])
    names = ("id", "client", "state", "request", "at", "settled_at", "place", "after", "resources", "files", "attempts",
             "expires_at")  # fmt: skip
    fence = None if row["fence"] is None else tuple(row["fence"])
    return Export(**{name: row[name] for name in names}, wanted=wanted, fence=fence)
