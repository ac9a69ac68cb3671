"""Schemas, roles and row-level security, seen through the connections that services really have."""

from __future__ import annotations

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

import asyncpg
import psycopg
import pytest
from bus import Database
from chassis.migrations import current_revision, expected_revision, migrate
from chassis.migrations.__main__ import main
from kernel.clock import SystemClock
from platform_fixture import ROLE_PASSWORD, Platform

SCHEMA = "probe_service"


@pytest.fixture
async def database(probe: str) -> AsyncIterator[Database]:
    opened = Database(probe, SCHEMA, SystemClock())
    await opened.open()
    yield opened
    await opened.close()


async def _write(database: Database, tenant: str, note: str) -> None:
    async with database.transaction(tenant) as conn:
        await conn.execute("insert into note (note_id) values ($1)", note)


async def _read(database: Database, tenant: str) -> list[str]:
    async with database.transaction(tenant) as conn:
        return [row["note_id"] for row in await conn.fetch("select note_id from note order by note_id")]


async def test_a_tenant_sees_its_own_rows_and_no_others(database: Database, tenant: str) -> None:
    await _write(database, tenant, "one")
    await _write(database, f"{tenant}-other", "two")
    assert await _read(database, tenant) == ["one"]
    assert await _read(database, f"{tenant}-other") == ["two"]


async def test_without_a_tenant_nothing_is_seen_and_nothing_written(database: Database, tenant: str) -> None:
    await _write(database, tenant, "one")
    for _ in range(3):  # whatever the pool hands out, used before or not
        async with database.app.acquire() as conn:
            assert await conn.fetch("select * from note") == []
            with pytest.raises(asyncpg.PostgresError):
                await conn.execute("insert into note (note_id) values ('stray')")


async def test_a_row_cannot_be_given_to_another_tenant(database: Database, tenant: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with database.transaction(tenant) as conn:
            await conn.execute("insert into note (tenant, note_id) values ($1, 'x')", f"{tenant}-other")
    await _write(database, tenant, "one")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with database.transaction(tenant) as conn:
            await conn.execute("update note set tenant = $1", f"{tenant}-other")


@pytest.mark.parametrize(
    "statement",
    [
        "alter table note disable row level security",
        "alter table note no force row level security",
        "drop policy tenant on note",
        "alter table note owner to probe_service_app",
        "set role probe_service_owner",
        "set row_security = off; select * from note",
        "create table probe_service.mine (a text)",
        "truncate note",
        "delete from alembic_version",
    ],
)
async def test_the_services_role_cannot_get_around_it(database: Database, statement: str) -> None:
    async with database.app.acquire() as conn:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await conn.execute(statement)


async def test_the_relay_sees_the_bus_tables_of_all_tenants_and_nothing_else(database: Database, tenant: str) -> None:
    async with database.transaction(tenant) as conn:
        await conn.execute("insert into inbox (event_id) values ('e1')")
    async with database.relay.acquire() as conn:
        assert await conn.fetchval("select count(*) from inbox where tenant = $1", tenant) == 1
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await conn.fetch("select * from note")


async def test_the_login_itself_may_read_nothing(probe: str) -> None:
    conn = await asyncpg.connect(probe)
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await conn.fetch(f"select * from {SCHEMA}.note")
    finally:
        await conn.close()


def test_defaults_keep_colons_and_percent_signs(platform: Platform, probe: str) -> None:
    with psycopg.connect(platform.owner_url) as conn:
        query = "select column_default from information_schema.columns where table_schema = %s and column_name = 'text'"
        row = conn.execute(query, (SCHEMA,)).fetchone()
    assert row is not None
    assert row[0] == "'a:b %s'::text"


def test_migrating_again_does_nothing(platform: Platform, probe: str) -> None:
    (done,) = migrate(platform.owner_url, ["probe-service"], ROLE_PASSWORD)
    assert (done.from_revision, done.to_revision) == ("0001", "0001")
    assert current_revision(probe, "probe-service") == "0001" == expected_revision("probe-service")


def test_a_schema_that_is_not_there_has_no_revision(platform: Platform) -> None:
    assert current_revision(platform.owner_url, "nowhere") is None


def test_unknown_service_is_named(platform: Platform) -> None:
    with pytest.raises(LookupError, match="nowhere"):
        migrate(platform.owner_url, ["nowhere"])


def test_two_jobs_at_once_do_the_work_once(platform: Platform, later_version: str) -> None:
    def job(_: int) -> str | None:
        return migrate(platform.owner_url, ["probe-service"], ROLE_PASSWORD)[0].from_revision

    with ThreadPoolExecutor(3) as pool:
        before = sorted(str(revision) for revision in pool.map(job, range(3)))
    assert before == ["0001", "0002", "0002"]
    with psycopg.connect(platform.owner_url) as conn:
        conn.execute(f"alter table {SCHEMA}.note drop column more")
        conn.execute(f"update {SCHEMA}.alembic_version set version_num = '0001'")


def test_the_job_says_what_it_did(
    platform: Platform, probe: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RCM_POSTGRES_OWNER_URL", platform.owner_url)
    monkeypatch.setenv("RCM_ROLE_PASSWORD", ROLE_PASSWORD)
    assert main(["probe-service"]) == 0
    assert capsys.readouterr().out == "probe_service: at 0001, nothing to do\n"
    assert main(["nowhere"]) == 2
    monkeypatch.setenv("RCM_CONNECT_TIMEOUT_S", "soon")
    assert main(["probe-service"]) == 2
    assert capsys.readouterr().err.count("RCM_CONNECT_TIMEOUT_S") == 1
    monkeypatch.delenv("RCM_POSTGRES_OWNER_URL")
    assert main([]) == 2
    assert "RCM_POSTGRES_OWNER_URL" in capsys.readouterr().err
