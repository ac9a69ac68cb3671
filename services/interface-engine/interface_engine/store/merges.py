"""SQL of merges: what refers to a Patient, what was changed for a merge, and what was undone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bus import Unit

from interface_engine.model_persons import Change, Merge
from interface_engine.store.shapes import Stored, columns, split, stored_of

_LOCK = "select pg_advisory_xact_lock(hashtextextended($1, 0))"
_REFERRING = """
select m.type, m.id, v.bytes, m.version, v.received_at, v.deleted
from (
    select distinct from_type, from_id from reference
    where to_type = 'Patient' and to_id = $1 and from_type <> all($2::text[]) limit $3
) f cross join lateral (
    select type, id, version from resource where type = f.from_type and id = f.from_id and not deleted limit 1
) m cross join lateral (
    select * from resource_version where type = m.type and id = m.id and version = m.version limit 1
) v order by m.type, m.id
"""
_NEWEST = """
select m.type, m.id, v.bytes, m.version, v.received_at, v.deleted
from unnest($1::text[], $2::text[]) as w(type, id) cross join lateral (
    select type, id, version from resource where type = w.type and id = w.id and not deleted limit 1
) m cross join lateral (
    select * from resource_version where type = m.type and id = m.id and version = m.version limit 1
) v order by m.type, m.id
"""
_MERGE = "m.*, (select count(*) from person_merge_change c where c.merge_id = m.id) as changes"
_INTO = """
with recursive way as (
    select prior, survivor, 1 as step from person_merge where prior = $1 and undone_at is null
    union all
    select m.prior, m.survivor, way.step + 1 from way join person_merge m on m.prior = way.survivor
    where m.undone_at is null and way.step < 1000
) select survivor from way order by step
"""
_KEEP = """
insert into person_merge (id, prior, survivor, merged_by, merged_at) values ($1, $2, $3, $4, $5)
"""
_CHANGES = """
insert into person_merge_change (merge_id, number, type, resource_id, path, old, new)
select $1, n + (select coalesce(max(number), 0) from person_merge_change where merge_id = $1), type, id, path, old, new
from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[]) with ordinality
    as c(type, id, path, old, new, n)
"""
_LIST = f"""
select {_MERGE} from person_merge m
where ($1 = '' or m.prior = $1 or m.survivor = $1) and ($2 or m.undone_at is null)
order by m.merged_at desc, m.id desc limit $3
"""
_PAIR_MERGED = """
insert into person_pair as p (low, high, state, merged, changed_at)
values (least($1::text, $2::text), greatest($1::text, $2::text), '', $3, $4)
on conflict (tenant, low, high) do update set merged = excluded.merged, changed_at = excluded.changed_at
"""


class Merges:
    """Merges of Patients, in one open transaction."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        self._conn = unit.conn

    @property
    def now(self) -> datetime:
        return self._unit.now

    async def lock(self) -> None:
        """One merge or undoing at a time in a tenant: their order is what undoing goes by."""
        await self._conn.execute(_LOCK, f"{self._unit.tenant}|patient-merges")

    async def way(self, patient: str) -> list[str]:
        """Into whom a Patient was merged, into whom that one, and so on; none when it stands for itself."""
        return [row["survivor"] for row in await self._conn.fetch(_INTO, patient)]

    async def referring(self, patient: str, but: Sequence[str], limit: int) -> list[Stored]:
        """What refers to a Patient, but for these types."""
        return [stored_of(row) for row in await self._conn.fetch(_REFERRING, patient, list(but), limit)]

    async def newest(self, references: Sequence[str]) -> dict[str, Stored]:
        """Those of these that are stored and not deleted."""
        rows = await self._conn.fetch(_NEWEST, *split(references))
        return {one.reference: one for one in map(stored_of, rows)}

    async def keep(self, merge: Merge, changes: Sequence[Change]) -> None:
        await self._conn.execute(_KEEP, merge.id, merge.prior, merge.survivor, merge.merged_by, merge.merged_at)
        await self.add(merge, changes)

    async def add(self, merge: Merge, changes: Sequence[Change]) -> None:
        """Further changes, after those that are there."""
        rows = [(*one.reference.split("/", 1), one.path, one.old, one.new) for one in changes]
        await self._conn.execute(_CHANGES, merge.id, *columns(rows, 5))

    async def mark(self, one: str, other: str, merged: bool) -> None:
        """The pair as merged by its source, or not any more."""
        await self._conn.execute(_PAIR_MERGED, one, other, merged, self.now)

    async def undone(self, merge_id: str, by: str) -> None:
        sql = "update person_merge set undone_at = $2, undone_by = $3 where id = $1"
        await self._conn.execute(sql, merge_id, self.now, by)

    async def merge(self, merge_id: str) -> Merge | None:
        row = await self._conn.fetchrow(f"select {_MERGE} from person_merge m where m.id = $1", merge_id)
        return _merge(row) if row is not None else None

    async def active(self, prior: str) -> Merge | None:
        """The merge by which a Patient was replaced, while it stands."""
        sql = f"select {_MERGE} from person_merge m where m.prior = $1 and m.undone_at is null"
        row = await self._conn.fetchrow(sql, prior)
        return _merge(row) if row is not None else None

    async def changes(self, merge_id: str) -> list[Change]:
        sql = "select * from person_merge_change where merge_id = $1 order by number"
        rows = await self._conn.fetch(sql, merge_id)
        return [Change(f"{row['type']}/{row['resource_id']}", row["path"], row["old"], row["new"]) for row in rows]

    async def merges(self, patient: str = "", undone: bool = False, limit: int = 100) -> list[Merge]:
        """The newest first, of one Patient or of all; with those that were undone when they are wanted."""
        return [_merge(row) for row in await self._conn.fetch(_LIST, patient, undone, limit)]


def _merge(row: Any) -> Merge:
    return Merge(
        row["id"], row["prior"], row["survivor"], row["merged_by"], row["merged_at"], row["changes"],
        row["undone_at"], row["undone_by"],
    )  # fmt: skip
