"""The index of the search: its migration there and back, the indexing of what was stored before, and its plans."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from bus.timers import TimerRunner
from chassis.migrations import job
from engine_shelf import Resource, Shelf, open_shelf, query_of
from engine_world import NOW
from interface_engine import app, entry_events
from interface_engine.store import searching
from kernel.errors import Unavailable
from platform_fixture import Platform
from psycopg import sql
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

SERVICE = "interface_engine"


@pytest.fixture
async def shelf(platform: Platform, tenant: str) -> AsyncIterator[Shelf]:
    async with open_shelf(platform.url_for("interface-engine"), tenant) as opened:
        yield opened


def patient(id: str, family: str = "Alder") -> Resource:
    more = {"identifier": [{"system": "urn:mrn", "value": id}], "birthDate": "1980-05-06"}
    return {"resourceType": "Patient", "id": id, "name": [{"family": family}]} | more


async def make_old(shelf: Shelf) -> None:
    """As if it had been stored before there was a search: identifiers and references are indexed, nothing else."""
    async with shelf.database.transaction(shelf.tenant) as conn:
        await conn.execute("update resource set indexed = false")
        await conn.execute("delete from token where name not like '%.identifier'")
        for table in ("string", "day", "number", "uri"):
            await conn.execute(f"delete from {table}")
        await conn.execute(
            "insert into timer (kind, key, due_at, payload) values ('search.index', 'resource', $1, '')", NOW
        )


async def test_what_was_stored_before_is_indexed_by_and_by(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    await shelf.put(
        *(patient(f"p{n}") for n in range(5)), {"resourceType": "Encounter", "id": "e1", "status": "planned"}
    )
    await make_old(shelf)
    assert await shelf.ids("Patient?identifier=urn:mrn|p3") == ["p3"]
    assert len(await shelf.ids("Patient?_sort=-_lastUpdated")) == 5
    for url in (
        "Patient?family=alder",
        "Patient?_sort=birthdate",
        "Encounter?patient.family=x",
        "Patient?gender:missing=true",
    ):
        with pytest.raises(Unavailable):
            await shelf.ids(url)
    monkeypatch.setattr(entry_events, "REINDEXED", 4)
    runner = TimerRunner(shelf.database, entry_events.timers())
    shelf.clock.advance(seconds=1)
    while await runner.run_due():
        shelf.clock.advance(seconds=1)
    assert len(await shelf.ids("Patient?family=alder&birthdate=1980")) == 5
    assert await shelf.ids("Encounter?status=planned") == ["e1"]
    assert await shelf.ids("Patient?identifier=urn:mrn|p3") == ["p3"]
    async with shelf.database.transaction(shelf.tenant) as conn:
        assert await conn.fetchval("select count(*) from token where name = 'Patient.identifier'") == 5
        assert await conn.fetchval("select count(*) from timer") == 0


async def test_an_update_meanwhile_is_indexed_by_itself(shelf: Shelf) -> None:
    await shelf.put(patient("p1"), patient("p2"))
    await make_old(shelf)
    await shelf.put(patient("p1", "Birch"))
    await shelf.delete("Patient/p2")
    assert await shelf.ids("Patient?family=birch") == ["p1"]
    async with shelf.open() as repository:
        assert await repository.reindex(10) == 0


PLANS = (
    ("Patient?identifier=urn:mrn|1", "code = "),
    ("Patient?identifier=1,2", "code = ANY"),
    ("Patient?family=ald", "folded >= "),
    # Of two ranges the planner takes either first, or looks up the days of each patient.
    ("Patient?birthdate=1980", "high > |low < |owner = "),
    ("Patient?birthdate=ge1980&birthdate=lt1981", "high > |low < |owner = "),
    ("Patient?_sort=-birthdate&_cursor=1.p1", "high <= "),
    ("Patient?_id=p1", "id = "),
    ("Encounter?patient=p1", "to_id = ANY"),
    ("Encounter?patient.identifier=urn:mrn|1", "to_id = "),
    ("Observation?value-quantity=5", "value >= "),
    ("Observation?_profile=urn:x", "value = ANY"),
    ("Patient?_has:Observation:patient:code=1", "code = "),
    ("Patient?_lastUpdated=ge2026&_sort=_lastUpdated", "updated_at >= "),
)


@pytest.mark.parametrize(("url", "condition"), PLANS)
async def test_an_index_is_used_below_row_security(shelf: Shelf, url: str, condition: str) -> None:
    """An operator that is not leakproof would be a filter, after every row of everybody has been looked at."""
    await shelf.put(patient("p1"))
    query = query_of(url)
    last = [NOW, "p1"] if query.page else None
    statement = searching.page_statement(query, 10, searching.parts_of(query, last)[0])
    async with shelf.database.transaction(shelf.tenant) as conn:
        for way in ("seqscan", "hashjoin", "sort"):  # of which small tables tempt the planner
            await conn.execute(f"set local enable_{way} = off")
        rows = await conn.fetch(f"explain (verbose false) {statement.text}", *statement.arguments)
    plan = [row[0].strip() for row in rows]
    assert not [line for line in plan if "Seq Scan" in line], plan
    used = [line for line in plan if line.startswith("Index Cond")]
    assert [line for line in used if any(one in line for one in condition.split("|"))], plan


# The migration


@pytest.fixture
def empty(platform: Platform) -> Iterator[str]:
    """The owner's connection of a database of this test's own."""
    platform.url_for("interface-engine")  # the roles
    name = f"m{uuid4().hex[:12]}"
    with psycopg.connect(platform.owner_url, autocommit=True) as connection:
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        yield platform.owner_url.replace("/throughline", f"/{name}").replace("/test?", f"/{name}?")
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


def move(url: str, revision: str, down: bool = False) -> None:
    """To that revision, as the migration job does it."""
    script = job._script(SERVICE)
    with psycopg.connect(url, autocommit=True) as connection:
        job.prepare_service(connection, SERVICE, "")
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(url), poolclass=NullPool)
    with engine.connect() as connection, connection.begin():
        connection.exec_driver_sql(f'set local role "{SERVICE}_owner"')
        connection.exec_driver_sql(f'set local search_path = "{SERVICE}"')
        chosen = script._downgrade_revs if down else script._upgrade_revs
        options = {"version_table_schema": SERVICE, "script": script, "transactional_ddl": True,
                   "fn": lambda current, _context: chosen(revision, current)}  # fmt: skip
        context = MigrationContext.configure(connection, opts=options)
        with Operations.context(context), context.begin_transaction():
            context.run_migrations()


OLD = """
set app.tenant = 't1'; set search_path = interface_engine;
insert into resource (type, id, version, sha256, updated_at) values ('Patient', 'p1', 2, '', now());
insert into resource_version (type, id, version, bytes, sha256, received_at, client, source)
    select 'Patient', 'p1', v, '{"resourceType":"Patient","id":"p1","name":[{"family":"Alder"}]}', '', now(), 'c', 's'
    from generate_series(1, 2) v;
insert into resource_identifier values ('t1', 'Patient', 'p1', 2, 'urn:mrn', 'M1');
insert into resource_identifier values ('t2', 'Patient', 'p1', 2, 'urn:mrn', 'M2');
"""


def read(url: str, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("set search_path = interface_engine")
        return list(connection.execute(statement).fetchall())  # type: ignore[call-overload]


def test_the_migration_keeps_identifiers_there_and_back(empty: str) -> None:
    move(empty, "0001")
    with psycopg.connect(empty, autocommit=True) as connection:
        connection.execute(OLD)
    move(empty, "0002")
    assert read(
        empty, "select t.tenant, name, system, code, t.version from token t join resource r on r.number = owner"
    ) == [("t1", "Patient.identifier", "urn:mrn", "M1", 2)]
    assert read(empty, "select tenant, kind, key from timer") == [("t1", "search.index", "resource")]
    assert read(empty, "select indexed, deleted from resource") == [(False, False)]
    forced = (
        "select relname from pg_class where relkind = 'r' and not relforcerowsecurity"
        " and relname not in ('alembic_version', 'schema_serves')"
    )
    inside = f"{forced} and relnamespace = 'interface_engine'::regnamespace"
    assert read(empty, inside) == []
    with psycopg.connect(empty, autocommit=True) as connection:
        connection.execute("set app.tenant = 't1'; set search_path = interface_engine;"
                           "insert into resource (type, id, version, sha256, updated_at, deleted)"
                           "values ('Patient', 'gone', 2, '', now(), true)")  # fmt: skip
    move(empty, "0001", down=True)
    assert read(empty, "select * from resource_identifier") == [("t1", "Patient", "p1", 2, "urn:mrn", "M1")]
    assert read(empty, "select id from resource") == [("p1",)]
    assert read(empty, "select count(*) from timer") == [(0,)]
    assert read(empty, inside) == []
    move(empty, "0002")
    assert read(empty, "select count(*) from token") == [(1,)]


def test_the_engine_runs_the_timer_that_the_migration_sets() -> None:
    source = Path(app.__file__).read_text()
    assert "entry_events.timers()" in source and set(entry_events.timers()) == {"search.index"}
