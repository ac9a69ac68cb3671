"""What is stored of the resources that a message is about, the newest sender time of each, and versions of channels."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bus import Unit

# Locks in the order of their texts, as every other writer takes them.
_LOCK = "select pg_advisory_xact_lock(hashtextextended($1 || '|' || t, 0)) from (select unnest($2::text[]) as t) o"
_FOUND = """
select w.place, r.id, r.version, v.bytes
from unnest($1::int[], $2::text[], $3::text[], $4::text[]) as w(place, type, system, code)
cross join lateral (
    select owner from token
    where code = w.code and name = w.type || '.identifier' and system = w.system offset 0
) t
cross join lateral (
    select type, id, version, number from resource where number = t.owner and not deleted limit 1
) r
cross join lateral (
    select bytes from resource_version where type = r.type and id = r.id and version = r.version limit 1
) v
where r.type = w.type
order by w.place, r.number
"""
_NEWEST = """
select w.key, t.told_at from unnest($1::text[]) as w(key)
cross join lateral (select told_at from channel_told where key = w.key limit 1) t
"""
_TELL = """
insert into channel_told as t (key, told_at) select k, $2::timestamptz from unnest($1::text[]) as k order by k
on conflict (tenant, key) do update set told_at = excluded.told_at where t.told_at < excluded.told_at
"""
_LAST = "select number, sha256 from channel_version where name = $1 order by number desc limit 1"
_RECORD = """
insert into channel_version (name, number, sha256, since, recorded_by, files) values ($1, $2, $3, $4, $5, $6)
on conflict do nothing returning number
"""
_HISTORY = """
select name, number, sha256, since, recorded_by, files from channel_version where name = $1 order by number desc
"""
_IN_FORCE = """
select name, number, sha256, since, recorded_by, files from channel_version
where name = $1 and since <= $2 order by number desc limit 1
"""
_ALL = (
    "select distinct on (name) name, number, sha256, since, recorded_by from channel_version order by name, number desc"
)


@dataclass(frozen=True, slots=True)
class Found:
    """A stored resource that a condition means."""

    id: str
    version: int
    content: bytes


class Known:
    """What is known of a message's resources, in one open transaction."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        self._conn = unit.conn

    async def lock(self, conditions: Sequence[str]) -> None:
        """Waits until nobody else decides about any of these conditions; until the end of the transaction."""
        await self._conn.execute(_LOCK, self._unit.tenant, sorted(conditions))

    async def found(self, keys: Sequence[tuple[str, str, str]]) -> dict[int, list[Found]]:
        """By the place of (type, system, value): the resources that have this identifier, the earliest first."""
        columns = [list(column) for column in zip(*keys, strict=True)] if keys else [[], [], []]
        rows = await self._conn.fetch(_FOUND, list(range(len(keys))), *columns)
        found: dict[int, list[Found]] = {}
        for row in rows:
            found.setdefault(row["place"], []).append(Found(row["id"], row["version"], row["bytes"]))
        return found

    async def newest(self, conditions: Sequence[str]) -> dict[str, datetime]:
        """The newest time at which a sender told of each."""
        return {row["key"]: row["told_at"] for row in await self._conn.fetch(_NEWEST, list(conditions))}

    async def tell(self, conditions: Sequence[str], at: datetime) -> None:
        """Notes that a sender told of these at that time; an older time changes nothing."""
        await self._conn.execute(_TELL, list(conditions), at)


@dataclass(frozen=True, slots=True)
class ChannelVersion:
    """What a channel was from `since` on, and who put it there. `files`: texts by file name."""

    name: str
    number: int
    sha256: str
    since: datetime
    recorded_by: str
    files: Mapping[str, str]


class ChannelVersions:
    """The history of channels: rows are only ever added."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        self._conn = unit.conn

    async def record(self, name: str, sha256: str, by: str, files: Mapping[str, str]) -> int:
        """Its number when it differs from the newest that is recorded; 0 when it does not, or another was quicker."""
        last = await self._conn.fetchrow(_LAST, name)
        if last is not None and last["sha256"] == sha256:
            return 0
        number = (last["number"] if last is not None else 0) + 1
        text = json.dumps(dict(files))
        return await self._conn.fetchval(_RECORD, name, number, sha256, self._unit.now, by, text) or 0

    async def history(self, name: str) -> list[ChannelVersion]:
        """All versions, the newest first."""
        return [_version(row) for row in await self._conn.fetch(_HISTORY, name)]

    async def in_force(self, name: str, at: datetime) -> ChannelVersion | None:
        """What was in force at that moment; None before the first."""
        row = await self._conn.fetchrow(_IN_FORCE, name, at)
        return _version(row) if row is not None else None

    async def newest(self) -> dict[str, ChannelVersion]:
        """The newest version of each, without its files."""
        rows = await self._conn.fetch(_ALL)
        return {row["name"]: _version({**row, "files": "{}"}) for row in rows}


def _version(row: Any) -> ChannelVersion:
    files = json.loads(row["files"])
    return ChannelVersion(row["name"], row["number"], row["sha256"], row["since"], row["recorded_by"], files)
