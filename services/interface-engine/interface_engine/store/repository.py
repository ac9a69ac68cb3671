"""The repository, in one open transaction: few statements, each for all resources of a request at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import asyncpg
from bus import Database, Unit
from fhir_r4 import read
from fhir_r4.search import Include, Query
from fhir_r4.types import known_types
from kernel.errors import Unavailable, Unreadable

from interface_engine.model import Client, Current, Draft, Facets
from interface_engine.store import searching, statements
from interface_engine.store.compartments import belonging
from interface_engine.store.conditions import paths_of
from interface_engine.store.searching import Statement, cursor_of, keys_of, read_cursor
from interface_engine.store.shapes import Overtaken, Page, Stored, columns, split, stored_of
from interface_engine.wire.facets import facets_of, plain

MOST_INCLUDED = 1000
# A total that nobody asked for is counted as far as this, an estimate as far as that.
MOST_COUNTED = 1000
MOST_ESTIMATED = 10_000
_STEP = re.compile(r"([012])\.([A-Z][A-Za-z]{1,63})/([A-Za-z0-9.\-]{1,64})", re.ASCII)


def index_rows(facets: Sequence[Facets]) -> list[list[object]]:
    """The arrays of an index: rows begin with the place of their resource, counted from one."""
    placed = list(enumerate(facets, 1))
    return [
        *columns([(place, *row) for place, one in placed for row in one.tokens], 4),
        *columns([(place, *row) for place, one in placed for row in one.strings], 3),
        *columns([(place, *row) for place, one in placed for row in one.days], 4),
        *columns([(place, *row) for place, one in placed for row in one.numbers], 5),
        *columns([(place, *row) for place, one in placed for row in one.uris], 3),
    ]


class Repository:
    """Resources, their versions and what they are found by."""

    def __init__(self, unit: Unit, base_url: str = "") -> None:
        """`base_url` is our own FHIR address: a search for a reference by it finds references to us."""
        self._unit = unit
        self._conn = unit.conn
        self._base = base_url
        self._prepared: tuple[list[str], str] = [], "auto"

    async def lock_all(self, texts: Iterable[str]) -> None:
        """Waits until nobody else in this tenant holds one of these texts; until the end of the transaction. In one
        order for everybody, so that no two wait for each other."""
        if wanted := sorted(set(texts)):
            await self._conn.execute(statements.LOCK, f"{self._unit.tenant}|", wanted)

    async def current(self, references: Iterable[str]) -> dict[str, Current]:
        """The newest versions of those that are stored, deleted ones among them."""
        rows = await self._conn.fetch(statements.CURRENT, *split(references))
        return {row[0]: Current(row["version"], row["sha256"], row["status"], row["deleted"]) for row in rows}

    async def read(self, type_name: str, identity: str, version: int | None = None) -> Stored | None:
        """The newest version of a resource, or that one; a deleted one says so."""
        arguments = (type_name, identity) if version is None else (type_name, identity, version)
        row = await self._conn.fetchrow(statements.READ if version is None else statements.READ_VERSION, *arguments)
        return stored_of(row) if row is not None else None

    async def put(self, drafts: Sequence[Draft], client: Client, told_at: datetime | None = None) -> dict[str, int]:
        """Stores them and gives the versions that they got. Without `told_at` all are stored or Overtaken is raised;
        with it those are left out of which something newer was told."""
        if not drafts:
            return {}
        resources = [(one.type, one.id, one.version, one.content, one.sha256, one.facets.status) for one in drafts]
        links = [
            (place, plain(link.path), *link.to.split("/", 1))
            for place, one in enumerate(drafts, 1)
            for link in one.facets.links
        ]
        rows = await self._conn.fetch(
            statements.PUT,
            *index_rows([one.facets for one in drafts]),
            *columns(resources, 6),
            told_at,
            self._unit.now,
            client.id,
            client.source,
            *columns(links, 4),
        )
        if told_at is None and len(rows) != len(drafts):
            raise Overtaken
        if updated := [(row["number"], row["version"], row["type"], row["id"]) for row in rows if row["version"] > 1]:
            await self._conn.execute(statements.FORGET, *columns(updated, 4))
        return {f"{row['type']}/{row['id']}": row["version"] for row in rows}

    async def delete(self, type_name: str, identity: str, client: Client, expected: int) -> int:
        """Puts a tombstone over that version and gives its version. Overtaken when that is not the newest any more."""
        arguments = (type_name, identity, expected, self._unit.now, client.id, client.source)
        row = await self._conn.fetchrow(statements.DELETE, *arguments)
        if row is None:
            raise Overtaken
        await self._conn.execute(statements.FORGET, [row["number"]], [row["version"]], [type_name], [identity])
        return int(row["version"])

    async def referrers(self, references: Iterable[str], limit: int) -> list[str]:
        """Who refers to these."""
        rows = await self._conn.fetch(statements.REFERRERS, *split(references), limit)
        return [row["reference"] for row in rows]

    async def count_by_type(self) -> dict[str, int]:
        rows = await self._conn.fetch("select type, count(*) as number from resource where not deleted group by type")
        return {row["type"]: row["number"] for row in rows}

    # Searches

    async def find_ids(self, query: Query, limit: int) -> list[str]:
        """Ids of matches, in their order, without paging."""
        return [row["id"] for row in await self._find(query, searching.ids_statement(query, limit, self._base))]

    async def find_all(self, queries: Sequence[Query], limit: int) -> list[list[str]]:
        """What `find_ids` gives for each of them; those that ask for an identifier are looked up together."""
        asked = {place: searching.identifier_of(query) for place, query in enumerate(queries)}
        rows = [(place, *one) for place, one in asked.items() if one is not None]
        found: dict[int, list[str]] = {place: [] for place, *_ in rows}
        if rows:
            for row in await self._conn.fetch(statements.IDENTIFIED, *columns(rows, 4)[1:]):
                found[rows[row["place"] - 1][0]].append(row["id"])
        return [
            found[place][:limit] if place in found else await self.find_ids(query, limit)
            for place, query in enumerate(queries)
        ]

    async def search(self, query: Query, limit: int) -> Page:
        """One page of the newest versions that match; never a deleted one."""
        last = await self._ended(query) if query.page else None
        rows: list[asyncpg.Record] = []
        for part in searching.parts_of(query, last, self._base):
            if len(rows) <= limit:
                wanted = limit + 1 - len(rows)
                rows += await self._find(query, searching.page_statement(query, wanted, part, self._base))
        found = [stored_of(row) for row in rows[:limit]]
        return Page(found, cursor_of(found[-1]) if found and len(rows) > limit else "")

    async def count(self, query: Query, most: int | None = None) -> int:
        """How many match; no more than `most` when it is given."""
        return int((await self._find(query, searching.count_statement(query, most, self._base)))[0][0])

    async def total(self, query: Query) -> int | None:
        """What the answer's Bundle.total says: exact when it was asked or is small, None to say nothing."""
        if query.total == "none":
            return None
        if query.total == "accurate" or query.summary == "count":
            return await self.count(query)
        most = MOST_ESTIMATED if query.total == "estimate" else MOST_COUNTED
        found = await self.count(query, most + 1)
        if found <= most:
            return found
        return most if query.total == "estimate" else None

    async def included(self, query: Query, matches: Sequence[Stored]) -> list[Stored]:
        """What _include and _revinclude add: each once, no match among them, MOST_INCLUDED at most."""
        known = {one.reference for one in matches}
        level, found = set(known), set[str]()
        for again in (False, True):
            reached = await self._linked(query, level, again)
            level = set(sorted(reached - known - found)[: MOST_INCLUDED - len(found)])
            found |= level
            if not level:
                break
        return await self._contents(found)

    async def _linked(self, query: Query, level: Iterable[str], again: bool) -> set[str]:
        """What the includes lead to from `level`; the second time by those that are to be followed again."""
        reached: set[str] = set()
        for include in query.include:
            ids = [one.partition("/")[2] for one in level if one.startswith(f"{include.source}/")]
            if ids and (include.iterate or not again):
                rows = await self._conn.fetch(
                    searching.TARGETS, ids, *_pointer(include), include.target or "", MOST_INCLUDED
                )
                reached |= {f"{row['type']}/{row['id']}" for row in rows}
        for include in query.revinclude:
            if level and (include.iterate or not again):
                rows = await self._conn.fetch(searching.SOURCES, *split(level), *_pointer(include), MOST_INCLUDED)
                reached |= {f"{row['type']}/{row['id']}" for row in rows}
        return reached

    async def _contents(self, references: Iterable[str]) -> list[Stored]:
        wanted = list(references)
        rows = await self._conn.fetch(searching.CONTENTS, *split(wanted)) if wanted else ()
        return [stored_of(row) for row in rows]

    async def _ended(self, query: Query) -> list[object]:
        """The keys of the match that the last page ended with."""
        version, identity = read_cursor(query.page)
        last = await self.read(query.type, identity, version)
        if last is None or last.deleted:
            raise Unreadable("search_value", "_cursor", "a place that no page of ours ended at")
        return keys_of(query, last)

    async def _find(self, query: Query, statement: Statement) -> list[asyncpg.Record]:
        """Unavailable(search_index_building) while resources wait for their index that this search could miss."""
        types, mode = searching.indexed_types(query), "auto" if statement.led else "force_custom_plan"
        if (types or not statement.led) and self._prepared != (types, mode):
            if await self._conn.fetchval(statements.PREPARE, types, mode):
                raise Unavailable("search_index_building", "older resources are being indexed; try again", 5.0)
            self._prepared = types, mode
        return await self._conn.fetch(statement.text, *statement.arguments)

    async def reindex(self, limit: int) -> int:
        """Indexes that many of those that wait for it; gives how many there were."""
        rows = await self._conn.fetch(statements.UNINDEXED, limit)
        if rows:
            owners = [(row["number"], row["version"]) for row in rows]
            named = [(row["number"], row["version"] + 1, row["type"], "") for row in rows]
            await self._conn.execute(statements.FORGET, *columns(named, 4))
            facets = [facets_of(read(row["bytes"])) for row in rows]
            await self._conn.execute(statements.REINDEX, *index_rows(facets), *columns(owners, 2))
        return len(rows)

    # Page by page

    async def history(
        self,
        type_name: str | None = None,
        identity: str | None = None,
        *,
        since: datetime | None = None,
        at: datetime | None = None,
        limit: int = 50,
        cursor: str = "",
    ) -> Page:
        """Versions, newest first, of one resource, of a type or of all; tombstones among them. `at`: what was current
        at that moment."""
        received_at, position = _read_place(cursor) if cursor else (None, None)
        arguments = (since, at, received_at, position, limit + 1)
        if type_name is not None and identity is not None:
            rows = await self._conn.fetch(statements.HISTORY_OF_ONE, type_name, *arguments, identity)
        else:
            types = sorted(known_types()) if type_name is None else [type_name]
            rows = await self._conn.fetch(statements.HISTORY, types, *arguments)
        found = [stored_of(row) for row in rows[:limit]]
        return Page(found, _place(rows[limit - 1]) if len(rows) > limit else "")

    async def everything(
        self,
        type_name: str,
        identity: str,
        *,
        since: datetime | None = None,
        types: Sequence[str] = (),
        limit: int = 50,
        cursor: str = "",
    ) -> Page:
        """A Patient or an Encounter, what belongs to it, and what all of that refers to."""
        stage, after_type, after_id = _read_step(cursor) if cursor else (-1, "", "")
        sources = belonging(type_name)
        rows = await self._conn.fetch(
            statements.EVERYTHING,
            type_name,
            identity,
            [one for one, _ in sources],
            [path for _, path in sources],
            list(types) or None,
            since,
            stage,
            after_type,
            after_id,
            limit + 1,
        )
        found = [stored_of(row) for row in rows[:limit]]
        return Page(found, f"{rows[limit - 1]['stage']}.{found[-1].reference}" if len(rows) > limit else "")

    async def export_page(
        self,
        type_name: str,
        *,
        group: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        after: str = "",
        limit: int = 1000,
    ) -> list[Stored]:
        """The next resources of a type after an id, by id; of a group: its patients and what belongs to them."""
        arguments = (type_name, since, until, *_of_group(type_name, group), after, limit)
        rows = await self._conn.fetch(statements.EXPORT if group is None else statements.EXPORT_OF_GROUP, *arguments)
        return [stored_of(row) for row in rows]

    async def export_count(
        self, type_name: str, *, group: str | None = None, since: datetime | None = None, until: datetime | None = None
    ) -> int:
        """How many resources `export_page` gives in all."""
        exported = statements.EXPORTED if group is None else statements.EXPORTED_OF_GROUP
        arguments = (type_name, since, until, *_of_group(type_name, group))
        return int(await self._conn.fetchval(f"select count(*) {exported}", *arguments))


def _pointer(include: Include) -> tuple[str, list[str]]:
    return include.source, [path for one in include.parameters for path in paths_of(include.source, one)]


def _of_group(type_name: str, group: str | None) -> tuple[object, ...]:
    return () if group is None else (group, [path for one, path in belonging("Patient") if one == type_name])


def _place(row: asyncpg.Record) -> str:
    return f"{row['received_at'].isoformat()}.{row['position']}"


def _read_place(cursor: str) -> tuple[datetime, int]:
    moment, _, position = cursor.rpartition(".")
    try:
        return datetime.fromisoformat(moment).astimezone(UTC), int(position)
    except ValueError:
        raise _no_place() from None


def _read_step(cursor: str) -> tuple[int, str, str]:
    match = _STEP.fullmatch(cursor)
    if match is None:
        raise _no_place()
    return int(match[1]), match[2], match[3]


def _no_place() -> Unreadable:
    return Unreadable("search_value", "_cursor", "a place that no page of ours ended at")


async def read_newest(database: Database, tenant: str, type_name: str, identity: str) -> Stored | None:
    """The newest version of a resource, in a statement of its own and in one round trip."""
    async with database.statement() as conn:
        row = await conn.fetchrow("select * from read_newest($1, $2, $3)", tenant, type_name, identity)
    return stored_of(row) if row is not None else None
