"""The repository for tests: a tenant's resources put in and searched without a door before it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl

from bus import Database
from engine_world import NOW, SITE
from fhir_r4 import read
from fhir_r4.search import Query, parse_query
from interface_engine.model import Client, Draft
from interface_engine.store import Repository, Stored
from interface_engine.wire.facets import facets_of
from interface_engine.wire.text import digest
from kernel.clock import FixedClock

CLIENT = Client("tester", "", "default")
Resource = dict[str, Any]


@dataclass
class Shelf:
    """One tenant's repository; each call is a transaction of its own."""

    tenant: str
    database: Database
    clock: FixedClock

    @asynccontextmanager
    async def open(self, tenant: str = "") -> AsyncIterator[Repository]:
        async with self.database.unit(tenant or self.tenant) as unit:
            yield Repository(unit, SITE)

    async def put(self, *resources: Resource, tenant: str = "") -> dict[str, int]:
        """Stores them over whatever version is there."""
        async with self.open(tenant) as repository:
            drafts = [draft_of(one) for one in resources]
            current = await repository.current([one.reference for one in drafts])
            known = [
                replace(one, expected=current[one.reference].version) if one.reference in current else one
                for one in drafts
            ]
            return await repository.put(known, CLIENT)

    async def delete(self, reference: str) -> int:
        async with self.open() as repository:
            current = (await repository.current([reference]))[reference]
            return await repository.delete(*reference.split("/"), CLIENT, current.version)

    async def ids(self, url: str, tenant: str = "") -> list[str]:
        """Ids of what a search finds, in its order."""
        async with self.open(tenant) as repository:
            page = await repository.search(query_of(url), 1000)
            assert page.next == ""
            return [one.id for one in page.matches]

    async def pages(self, url: str, size: int) -> AsyncIterator[list[Stored]]:
        """Page after page, each in a transaction of its own."""
        query = query_of(url)
        while True:
            async with self.open() as repository:
                page = await repository.search(query, size)
            yield page.matches
            if not page.next:
                return
            query = replace(query, page=page.next)

    async def included(self, url: str) -> list[str]:
        async with self.open() as repository:
            query = query_of(url)
            page = await repository.search(query, 1000)
            return [one.reference for one in await repository.included(query, page.matches)]


def query_of(url: str) -> Query:
    type_name, _, text = url.partition("?")
    return parse_query(type_name, parse_qsl(text, keep_blank_values=True))


def draft_of(resource: Resource) -> Draft:
    text = json.dumps(resource).encode()
    made = read(text)
    return Draft(made["resourceType"], made["id"], text, digest(text), made, facets_of(made))


@asynccontextmanager
async def open_shelf(url: str, tenant: str) -> AsyncIterator[Shelf]:
    clock = FixedClock(NOW)
    database = Database(url, "interface_engine", clock)
    await database.open()
    try:
        yield Shelf(tenant, database, clock)
    finally:
        await database.close()


def references(found: Sequence[Stored]) -> list[str]:
    return [one.reference for one in found]
