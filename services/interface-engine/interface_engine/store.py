"""SQL of the repository, in one open transaction: few statements, each for all resources of a request at once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg
from bus import Unit
from google.protobuf.message import Message

from interface_engine.model import Client, Current, Draft, Edge, Graph, Visit
from interface_engine.search import Search
from interface_engine.wire.facets import plain

# Lookups are lateral on purpose: each key is an index lookup of its own, whatever the planner believes of table sizes
# that it has not seen yet. A plan that was made for an empty table would otherwise read a full one from end to end.
_CURRENT = """
select w.type || '/' || w.id as reference, r.version, r.sha256, r.status
from unnest($1::text[], $2::text[]) as w(type, id)
cross join lateral (select version, sha256, status from resource where type = w.type and id = w.id limit 1) r
"""
# One statement for resources, versions and both indexes. A resource that came by HTTP replaces exactly the version that
# was read; one that a fact carries replaces whatever an older fact told, and nothing that a newer one did.
_PUT = """
with input as (
    select * from unnest($1::text[], $2::text[], $3::bigint[], $4::bytea[], $5::bytea[], $6::text[])
        as i(type, id, version, bytes, sha256, status)
), put as (
    insert into resource as r (type, id, version, sha256, status, told_at, updated_at)
    select type, id, version, sha256, status, $7::timestamptz, $8::timestamptz from input order by type, id
    on conflict (tenant, type, id) do update set version = r.version + 1, sha256 = excluded.sha256,
        status = excluded.status, told_at = excluded.told_at, updated_at = excluded.updated_at
    where case when excluded.told_at is null then r.version = excluded.version - 1
        else r.told_at is null or r.told_at <= excluded.told_at end
    returning r.type, r.id, r.version
), kept as (
    insert into resource_version (type, id, version, bytes, sha256, received_at, client, source)
    select i.type, i.id, put.version, i.bytes, i.sha256, $8::timestamptz, $9, $10
    from input i join put on put.type = i.type and put.id = i.id
), identified as (
    insert into resource_identifier (type, id, version, system, value)
    select u.type, u.id, put.version, u.system, u.value
    from unnest($11::text[], $12::text[], $13::text[], $14::text[]) as u(type, id, system, value)
    join put on put.type = u.type and put.id = u.id
), referring as (
    insert into reference (from_type, from_id, version, path, to_type, to_id)
    select u.type, u.id, put.version, u.path, u.to_type, u.to_id
    from unnest($15::text[], $16::text[], $17::text[], $18::text[], $19::text[]) as u(type, id, path, to_type, to_id)
    join put on put.type = u.type and put.id = u.id
)
select type, id, version from put
"""
_FORGET = """
with gone as (delete from resource_identifier where type = $1 and id = $2 and version < $3)
delete from reference where from_type = $1 and from_id = $2 and version < $3
"""
_CLAIM = """
insert into request_log (key, client, received_at) values ($1, $2, $3) on conflict (tenant, key) do nothing returning 1
"""
_FINISH = """
with done as (update request_log set status = $2, headers = $3, response = $4 where key = $1)
insert into received (sha256, received_at, client, source, method, url, body) values ($5, $6, $7, $8, $9, $10, $11)
"""
_READ = """
select v.bytes, v.version, v.received_at from resource r join resource_version v using (tenant, type, id, version)
where r.type = $1 and r.id = $2
"""
_READ_VERSION = "select bytes, version, received_at from resource_version where type = $1 and id = $2 and version = $3"
_VISITS = """
select w.encounter, v.encounter_key, v.source, j.journey_id
from unnest($1::text[]) as w(encounter)
cross join lateral (select encounter_key, source from visit where encounter = w.encounter limit 1) v
cross join lateral (select journey_id from journey where encounter_key = v.encounter_key limit 1) j
"""
_NAMING = """
select distinct to_id, from_id from reference
where to_type = 'Condition' and to_id = any($1::text[]) and from_type = 'Encounter' order by to_id, from_id
"""
_JOURNEYS = "select encounter_key, journey_id from journey where encounter_key = any($1::text[])"
# The update that changes nothing locks the row: whoever else writes to the visit waits for us.
_ENTER_VISITS = """
with input as (
    select * from unnest($1::text[], $2::text[], $3::text[], $4::text[]) as i(key, journey_id, encounter, source)
), seen as (
    insert into visit (encounter, encounter_key, source)
    select distinct encounter, key, source from input where encounter <> '' order by encounter
    on conflict (tenant, encounter) do nothing
)
insert into journey as j (encounter_key, journey_id, encounter)
select distinct on (key) key, journey_id, encounter from input order by key, encounter desc
on conflict (tenant, encounter_key) do update
set encounter = case when j.encounter = '' then excluded.encounter else j.encounter end
returning encounter_key, journey_id, state, version
"""
_TELL = "update journey set state = $2, version = $3 where encounter_key = $1"
_EDGES = """
with near as (
    select from_type as type, from_id as id
    from unnest($3::text[]) as e(id) cross join lateral (
        select from_type, from_id from reference
        where to_type = 'Encounter' and to_id = e.id and from_type = any($4::text[]) offset 0
    ) r
    union select * from unnest($1::text[], $2::text[])
), one as (
    select r.* from near cross join lateral (
        select from_type, from_id, path, to_type, to_id from reference
        where from_type = near.type and from_id = near.id offset 0
    ) r
), covers as (
    select r.* from (select distinct to_id from one where to_type = 'Patient') p cross join lateral (
        select from_type, from_id, path, to_type, to_id from reference
        where to_type = 'Patient' and to_id = p.to_id and from_type = 'Coverage' offset 0
    ) r
), further as (
    select distinct to_type as type, to_id as id from one
    where to_type in ('Encounter', 'Patient', 'PractitionerRole', 'Location', 'ServiceRequest', 'DeviceRequest',
        'MedicationRequest')
    union select from_type, from_id from covers
), two as (
    select r.* from further cross join lateral (
        select from_type, from_id, path, to_type, to_id from reference
        where from_type = further.type and from_id = further.id offset 0
    ) r
)
select * from one union select * from covers union select * from two
"""
_CONTENTS = """
select w.type || '/' || w.id as reference, v.bytes
from unnest($1::text[], $2::text[]) as w(type, id)
cross join lateral (select version from resource where type = w.type and id = w.id limit 1) r
cross join lateral (
    select bytes from resource_version where type = w.type and id = w.id and version = r.version limit 1
) v
"""
READ_MODEL = Client(id="line", tenant="", source="line")


class Overtaken(Exception):
    """Another request has written one of the resources since we read it: begin again."""


@dataclass(frozen=True, slots=True)
class Replay:
    """The answer that the same request got before."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Stored:
    """A resource as it is kept, with its version and when that came."""

    content: bytes
    version: int
    updated_at: datetime


def split(references: Iterable[str]) -> tuple[list[str], list[str]]:
    """Types and ids of "Type/id" references."""
    pairs = [reference.split("/", 1) for reference in references]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


class UnitOfWork:
    """The handlers' Work over the bus's open transaction."""

    def __init__(self, unit: Unit) -> None:
        self.unit = unit
        self._conn = unit.conn

    @property
    def tenant(self) -> str:
        return self.unit.tenant

    @property
    def now(self) -> datetime:
        return self.unit.now

    # Requests

    async def claim_request(self, key: bytes, client: str) -> Replay | None:
        """Takes the request as ours, or gives the answer that it got before; waits for one that is under way."""
        if await self._conn.fetchval(_CLAIM, key, client, self.now) is not None:
            return None
        row = await self._conn.fetchrow("select status, headers, response from request_log where key = $1", key)
        if row is None or row["status"] is None:
            raise Overtaken
        return Replay(row["status"], json.loads(row["headers"]), row["response"])

    async def finish_request(
        self, key: bytes, answer: Replay, client: Client, method: str, url: str, body: bytes, sha256: bytes
    ) -> None:
        """Keeps the answer for the next time, and what was received as it came."""
        headers = json.dumps(dict(answer.headers))
        arguments = (sha256, self.now, client.id, client.source, method, url, body)
        await self._conn.execute(_FINISH, key, answer.status, headers, answer.body, *arguments)

    async def lock(self, text: str) -> None:
        """Waits until nobody else in this tenant holds the same text; until the end of the transaction."""
        await self._conn.execute("select pg_advisory_xact_lock(hashtextextended($1, 0))", f"{self.tenant}|{text}")

    # Resources

    async def current(self, references: Iterable[str]) -> dict[str, Current]:
        """The newest versions of those that are stored."""
        rows = await self._conn.fetch(_CURRENT, *split(references))
        return {row["reference"]: Current(row["version"], row["sha256"], row["status"]) for row in rows}

    async def put(self, drafts: Sequence[Draft], client: Client, told_at: datetime | None = None) -> dict[str, int]:
        """Stores them and gives the versions that they got. Without `told_at` all are stored or Overtaken is raised;
        with it those are left out of which something newer was told."""
        if not drafts:
            return {}
        resources = [(one.type, one.id, one.version, one.content, one.sha256, one.facets.status) for one in drafts]
        identifiers = [(one.type, one.id, *pair) for one in drafts for pair in one.facets.identifiers]
        links = [
            (one.type, one.id, plain(link.path), *link.to.split("/", 1)) for one in drafts for link in one.facets.links
        ]
        rows = await self._conn.fetch(
            _PUT,
            *_columns(resources, 6),
            told_at,
            self.now,
            client.id,
            client.source,
            *_columns(identifiers, 4),
            *_columns(links, 5),
        )
        if told_at is None and len(rows) != len(drafts):
            raise Overtaken
        if updated := [(row["type"], row["id"], row["version"]) for row in rows if row["version"] > 1]:
            await self._conn.executemany(_FORGET, updated)
        return {f"{row['type']}/{row['id']}": row["version"] for row in rows}

    async def read(self, type_name: str, identity: str, version: int | None = None) -> Stored | None:
        """The newest version of a resource, or that one."""
        arguments = (type_name, identity) if version is None else (type_name, identity, version)
        row = await self._conn.fetchrow(_READ if version is None else _READ_VERSION, *arguments)
        return Stored(row["bytes"], row["version"], row["received_at"]) if row is not None else None

    async def search(self, search: Search, limit: int) -> list[tuple[str, Stored]]:
        """Matches in order of their ids."""
        rows = await self._conn.fetch(search.page_sql(), *search.arguments, search.after, limit)
        return [(row["id"], Stored(row["bytes"], row["version"], row["received_at"])) for row in rows]

    async def find_ids(self, search: Search, limit: int) -> list[str]:
        rows = await self._conn.fetch(search.ids_sql(), *search.arguments, limit)
        return [row["id"] for row in rows]

    async def count(self, search: Search) -> int:
        return int(await self._conn.fetchval(search.count_sql(), *search.arguments))

    async def count_by_type(self) -> dict[str, int]:
        rows = await self._conn.fetch("select type, count(*) as number from resource group by type")
        return {row["type"]: row["number"] for row in rows}

    # Visits

    async def visits(self, encounters: Sequence[str]) -> dict[str, Visit]:
        """Those of these encounters that were seen before; state and version come with `enter_visits`."""
        rows = await self._conn.fetch(_VISITS, list(encounters))
        made = (Visit(row["encounter"], row["encounter_key"], row["journey_id"], source=row["source"]) for row in rows)
        return {visit.encounter: visit for visit in made}

    async def naming(self, conditions: Sequence[str]) -> list[tuple[str, str]]:
        """Pairs of a condition and an encounter that names it as its diagnosis."""
        rows = await self._conn.fetch(_NAMING, [one.partition("/")[2] for one in conditions])
        return [(f"Condition/{row['to_id']}", f"Encounter/{row['from_id']}") for row in rows]

    async def journeys(self, keys: Sequence[str]) -> dict[str, str]:
        """Journey ids by key."""
        rows = await self._conn.fetch(_JOURNEYS, list(keys))
        return {row["encounter_key"]: row["journey_id"] for row in rows}

    async def enter_visits(self, visits: Sequence[Visit]) -> list[Visit]:
        """Makes what is new, locks all, and gives them with journey, state and version as they now are."""
        columns = [(one.encounter_key, one.journey_id, one.encounter, one.source) for one in visits]
        rows = {row["encounter_key"]: row for row in await self._conn.fetch(_ENTER_VISITS, *_columns(columns, 4))}
        return [
            Visit(
                one.encounter,
                one.encounter_key,
                rows[one.encounter_key]["journey_id"],
                rows[one.encounter_key]["state"],
                rows[one.encounter_key]["version"],
                one.source,
            )
            for one in visits
        ]

    async def keep_visits(self, visits: Iterable[Visit]) -> None:
        await self._conn.executemany(_TELL, [(one.encounter_key, one.state, one.version) for one in visits])

    async def graph(self, seeds: Sequence[str], types: Sequence[str], at_hand: Mapping[str, bytes]) -> Graph:
        """The seeds, what refers to the Encounters among them, and whom and what all that needs.

        Resources `at_hand` are not fetched.
        """
        encounters = [seed.partition("/")[2] for seed in seeds if seed.startswith("Encounter/")]
        rows = await self._conn.fetch(_EDGES, *split(seeds), encounters, list(types))
        edges = tuple(
            Edge(f"{row[0]}/{row[1]}", row[2], f"{row[3]}/{row[4]}") for row in sorted(rows, key=lambda row: tuple(row))
        )
        wanted = {*seeds, *(edge.source for edge in edges), *(edge.target for edge in edges)}
        missing = await self._conn.fetch(_CONTENTS, *split(sorted(wanted - at_hand.keys())))
        contents = {reference: at_hand[reference] for reference in wanted & at_hand.keys()}
        return Graph.of(contents | {row["reference"]: row["bytes"] for row in missing}, edges)

    async def announce(self, type: str, body: Message, key: str, journey_id: str, version: int) -> None:
        await self.unit.emit(type, body, key=key, journey_id=journey_id, version=version)


def _columns(rows: Sequence[tuple[object, ...]], width: int) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]


# What another request may do to ours while both run: the caller begins again.
RETRIED: tuple[type[Exception], ...] = (
    Overtaken,
    asyncpg.UniqueViolationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
)
