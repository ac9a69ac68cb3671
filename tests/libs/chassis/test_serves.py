"""Code runs on every schema that serves it, and on no other; what code still needs is not taken away under it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import asyncpg
import psycopg
import pytest
import structlog
from bus import Database
from chassis import Parts, Service, ServiceSettings
from chassis.migrations import MigrationRefused, migrate, preview
from chassis.migrations.__main__ import main
from chassis.revision import expected_revision, history_of, served_by
from chassis.storage import CannotStart, open_database
from kernel.clock import SystemClock
from platform_fixture import ROLE_PASSWORD, Platform
from psycopg import sql

FIRST = """
from alembic import op
from chassis.migrations import bus_tables, tenant_table

revision = "0001"
down_revision = None


def upgrade():
    bus_tables()
    tenant_table("note", "note_id text not null, old text not null default '', primary key (tenant, note_id)")
"""
LATER = """
from alembic import op

revision = "{revision}"
down_revision = "{before}"
{declared}


def upgrade():
    op.execute("{statement}")
"""
# 0002 brings what takes the place of the old column; code at 0003 no longer needs the old one; 0004 takes it away.
RELEASES = {
    "0001": FIRST,
    "0002": LATER.format(revision="0002", before="0001", declared="", statement="alter table note add column new text"),
    "0003": LATER.format(revision="0003", before="0002", declared="", statement="select 1"),
    "0004": LATER.format(
        revision="0004", before="0003", declared='SERVES_FROM = "0003"', statement="alter table note drop column old"
    ),
}


@dataclass(frozen=True, slots=True)
class Probe:
    """A service whose installed release can be changed."""

    name: str
    folder: Path
    platform: Platform

    @property
    def url(self) -> str:
        return self.platform.login_url.format(user=self.name)

    def install(self, revision: str, **other: str) -> None:
        """The release whose newest version is this; `other` are versions of one's own by their file's name."""
        for file in self.folder.glob("*.py"):
            file.unlink()
        texts = {name: text for name, text in RELEASES.items() if name <= revision} | other
        for name, text in texts.items():
            (self.folder / f"v{name}.py").write_text(f'"""Only in tests."""\n{text}')

    def migrate(self, revision: str) -> tuple[str | None, str]:
        """What a release's migration job does: from which revision to which."""
        self.install(revision)
        (done,) = migrate(self.platform.owner_url, [self.name], ROLE_PASSWORD)
        return done.from_revision, done.to_revision

    async def _start(self, revision: str) -> str:
        self.install(revision)

        async def build(_runtime: object) -> Parts:
            return Parts()

        service = Service(self.name, ServiceSettings, build, f"{self.name}.migrations")
        database = Database(self.url, self.name, SystemClock())
        try:
            await open_database(service, database, self.url, 20, structlog.get_logger())
        except CannotStart as refusal:
            return str(refusal)
        try:
            async with database.transaction("demo") as conn:
                return f"runs as {await conn.fetchval('select current_setting($1)', 'application_name')}"
        finally:
            await database.close()

    def start(self, revision: str) -> str:
        """What a service of that release says when it starts on the schema as it is."""
        return asyncio.run(self._start(revision))

    def rows(self) -> list[str]:
        with psycopg.connect(self.platform.owner_url) as connection:
            found = connection.execute(f"select revision from {self.name}.schema_serves order by 1").fetchall()
        return [row[0] for row in found]

    def session(self, announced: str) -> psycopg.Connection[tuple[object, ...]]:
        """A session of the service's login, as running code has."""
        return psycopg.connect(self.url, application_name=announced)


@pytest.fixture
def probe(platform: Platform, tmp_path: Path) -> Iterator[Probe]:
    name = f"serves_{uuid4().hex[:8]}"
    versions = tmp_path / name / "migrations" / "versions"
    versions.mkdir(parents=True)
    for folder in (versions.parent, versions.parent.parent):
        (folder / "__init__.py").write_text('"""Only in tests."""\n')
    sys.path.insert(0, str(tmp_path))
    yield Probe(name, versions, platform)
    sys.path.remove(str(tmp_path))


def test_old_code_starts_on_a_schema_that_only_expanded(probe: Probe) -> None:
    assert probe.migrate("0001") == (None, "0001")
    assert probe.migrate("0003") == ("0001", "0003")
    assert probe.rows() == ["0001", "0002", "0003"]
    for release in ("0001", "0002", "0003"):
        assert probe.start(release) == f"runs as {probe.name}/{release}"


def test_old_code_is_refused_by_what_contracted_and_told_what_to_run(probe: Probe) -> None:
    probe.migrate("0004")
    assert probe.rows() == ["0003", "0004"]
    assert probe.start("0003") == f"runs as {probe.name}/0003"
    assert probe.start("0002") == (
        f"the schema {probe.name} is at revision 0004, which no longer serves {probe.name} at 0002: "
        "run a release that it serves (0003, 0004)"
    )


def test_new_code_is_refused_by_an_old_schema(probe: Probe) -> None:
    probe.migrate("0001")
    wanted = f"the schema {probe.name} is at revision 0001 and {probe.name} needs 0002: run `throughline migrate`"
    assert probe.start("0002") == wanted


def test_no_schema_is_no_old_schema(probe: Probe) -> None:
    probe.migrate("0001")
    with psycopg.connect(probe.platform.owner_url) as connection:
        connection.execute(sql.SQL("drop schema {} cascade").format(sql.Identifier(probe.name)))
    line = probe.start("0001")
    assert line.startswith(f"there is no schema {probe.name} in the database: run `throughline migrate`")


def test_a_database_of_before_the_table_goes_on_and_gets_it(probe: Probe) -> None:
    probe.migrate("0002")
    with psycopg.connect(probe.platform.owner_url) as connection:
        connection.execute(sql.SQL("drop table {}.schema_serves").format(sql.Identifier(probe.name)))
    assert probe.start("0002") == f"runs as {probe.name}/0002"
    assert "needs 0003: run `throughline migrate`" in probe.start("0003")
    assert probe.migrate("0002") == ("0002", "0002")
    assert probe.migrate("0002") == ("0002", "0002")
    assert probe.rows() == ["0001", "0002"]


def test_an_older_job_leaves_a_newer_schema_alone(probe: Probe) -> None:
    probe.migrate("0003")
    assert probe.migrate("0002") == ("0003", "0003")
    assert probe.rows() == ["0001", "0002", "0003"]
    probe.migrate("0004")
    with pytest.raises(MigrationRefused, match=r"is at 0004, which does not serve 0002: run a release .*0003, 0004"):
        probe.migrate("0002")
    assert probe.rows() == ["0003", "0004"]


@pytest.mark.parametrize(("announced", "said"), [("{}/0002", "0002"), ("{}", "of another release"), ("", "another")])
def test_a_contraction_waits_for_the_code_that_would_miss_what_goes(probe: Probe, announced: str, said: str) -> None:
    probe.migrate("0003")
    with probe.session(announced.format(probe.name)), pytest.raises(MigrationRefused) as refused:
        probe.migrate("0004")
    line = str(refused.value)
    assert said in line
    assert "(sessions: 1)" in line
    assert line.endswith("first roll out a release at 0003, or stop it")
    assert probe.rows() == ["0001", "0002", "0003"]
    with probe.session(f"{probe.name}/0003"):
        assert probe.migrate("0004") == ("0003", "0004")


def test_code_that_starts_while_a_contraction_runs_waits_and_is_refused(probe: Probe) -> None:
    probe.migrate("0003")
    with ThreadPoolExecutor(1) as pool, psycopg.connect(probe.platform.owner_url) as connection:
        connection.execute(f"lock table {probe.name}.alembic_version in access exclusive mode")
        starting = pool.submit(probe.start, "0002")
        query = "select count(*) from pg_stat_activity where usename = %s and wait_event_type = 'Lock'"
        with psycopg.connect(probe.platform.owner_url, autocommit=True) as watching:
            while watching.execute(query, (probe.name,)).fetchone() != (1,):
                assert not starting.done()
        connection.execute(f"delete from {probe.name}.schema_serves where revision < '0003'")
        connection.execute(f"update {probe.name}.alembic_version set version_num = '0004'")
        connection.commit()
        assert "no longer serves" in starting.result(20)


async def test_the_login_reads_what_is_served_and_cannot_write_it(probe: Probe) -> None:
    await asyncio.to_thread(probe.migrate, "0001")
    conn = await asyncpg.connect(probe.url)
    try:
        assert await conn.fetchval(f"select revision from {probe.name}.schema_serves") == "0001"
        for statement in ("delete from {}.schema_serves", "insert into {}.schema_serves values ('0000')"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await conn.execute(statement.format(probe.name))
    finally:
        await conn.close()


def test_a_version_that_fails_leaves_nothing_behind(probe: Probe) -> None:
    probe.migrate("0001")
    broken = LATER.format(revision="0002", before="0001", declared="", statement="alter table nowhere add x text")
    probe.install("0001", broken=broken)
    with pytest.raises(Exception, match="nowhere"):
        migrate(probe.platform.owner_url, [probe.name], ROLE_PASSWORD)
    assert probe.rows() == ["0001"]


def test_the_plan_says_what_would_be_done_and_does_nothing(
    probe: Probe, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RCM_POSTGRES_OWNER_URL", probe.platform.owner_url)
    probe.migrate("0002")
    probe.install("0004")
    with probe.session(f"{probe.name}/0001"):
        assert main(["--plan", probe.name]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{probe.name}: 0003 expands",
        f"{probe.name}: 0004 contracts: code before 0003 cannot run on it",
        f"{probe.name}: in the way is running code at 0001 (sessions: 1)",
    ]
    assert probe.rows() == ["0001", "0002"]
    probe.install("0001")
    assert main(["--plan", probe.name]) == 0
    assert capsys.readouterr().out == f"{probe.name}: at 0002, which is newer than this release, nothing to do\n"
    assert preview(probe.platform.owner_url, [probe.name])[0].pending is None


JOB_PROBLEMS: dict[str, tuple[Callable[[Probe], str], int, str]] = {
    "wrong scheme": (lambda probe: "nonsense://owner:sesame@host", 2, "RCM_POSTGRES_OWNER_URL is wrong"),
    "nobody there": (lambda probe: "postgresql://owner:sesame@127.0.0.1:1/x", 1, "did not answer"),
    "not the owner": (lambda probe: probe.url, 1, "a migration failed and was taken back"),
}


@pytest.mark.parametrize("problem", JOB_PROBLEMS)
def test_the_job_says_what_is_wrong_in_one_line(
    probe: Probe, problem: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given, code, said = JOB_PROBLEMS[problem]
    probe.migrate("0001")
    monkeypatch.setenv("RCM_POSTGRES_OWNER_URL", given(probe))
    monkeypatch.setenv("RCM_CONNECT_TIMEOUT_S", "0.1")
    assert main([probe.name]) == code
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line
    assert "sesame" not in line


HISTORIES: dict[str, tuple[dict[str, str], str]] = {
    "two newest": ({"a": RELEASES["0002"], "b": RELEASES["0002"].replace('"0002"', '"0009"')}, "follow one another"),
    "a gap": ({"a": RELEASES["0003"]}, "follow one another"),
    "from the future": (
        {"a": LATER.format(revision="0002", before="0001", declared='SERVES_FROM = "0003"', statement="select 1")},
        "does not come before it",
    ),
}


@pytest.mark.parametrize("wrong", HISTORIES)
def test_a_history_that_cannot_be_is_refused(probe: Probe, wrong: str) -> None:
    versions, said = HISTORIES[wrong]
    probe.install("0001", **versions)
    with pytest.raises(LookupError, match=said):
        expected_revision(probe.name)


def test_the_last_contraction_does_not_give_back_what_an_earlier_one_took(probe: Probe) -> None:
    last = LATER.format(revision="0005", before="0004", declared='SERVES_FROM = "0001"', statement="select 1")
    probe.install("0004", last=last)
    assert served_by(history_of(probe.name)) == ("0003", "0004", "0005")
