"""A release rolls out: the schemas go ahead, the code that runs stays as it is, restarts, and finishes its work.

Every service's schema gets a further version that expands as far as can be: a column in every table, an index on it,
and a table of its own. The services know nothing of it, and run the line before, meanwhile, and after a restart.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from chassis.revision import announced, expected_revision, installed_services, migrations_folder
from cli.client import Line, Place
from cli.demo import Story, compare, equation_breaks, send_stories
from cli.stack import Stack
from stack import doubled, quiet, settled, stories_of, unsent

SEED, STORIES = 20_261_122, 24
SETTLE_S = 240.0
EXPANDS = '''"""What some later release brings."""

from alembic import op
from chassis.migrations import tenant_table

revision = "9001"
down_revision = "{before}"

TABLES = """select relname from pg_class where relnamespace = '{schema}'::regnamespace and relkind = 'r'
    and relname not in ('alembic_version', 'schema_serves')"""


def upgrade():
    for (table,) in op.get_bind().exec_driver_sql(TABLES).fetchall():
        op.execute(f"alter table {{table}} add column later_word text not null default ''")
        op.execute(f"create index on {{table}} (later_word)")
    tenant_table("later_thing", "later_id text not null, primary key (tenant, later_id)")
'''
CONTRACTS = '''"""What the release after it takes away."""

from alembic import op

revision = "9002"
down_revision = "9001"
SERVES_FROM = "9001"


def upgrade():
    op.execute("drop table inbox")
'''


class LaterRelease:
    """The packages of a later release, as far as its migration job needs them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        for schema in installed_services():
            versions = folder / schema / "migrations" / "versions"
            ours = migrations_folder(schema)
            assert ours is not None
            shutil.copytree(ours / "versions", versions, ignore=shutil.ignore_patterns("__pycache__"))
            for package in (versions.parent, versions.parent.parent):
                (package / "__init__.py").write_text('"""Only in tests."""\n')
            later = EXPANDS.format(before=expected_revision(schema), schema=schema)
            (versions / "9001_later.py").write_text(later)

    def contract(self, schema: str) -> None:
        """From now on the release takes something away from a service."""
        (self._folder / schema / "migrations" / "versions" / "9002_last.py").write_text(CONTRACTS)

    def migrate(self, owner_url: str, *services: str) -> subprocess.CompletedProcess[str]:
        """Its migration job, tried again where it met the locks of running code, as its Job in Kubernetes is."""
        path = os.pathsep.join([str(self._folder), *filter(None, sys.path)])
        given = os.environ | {"PYTHONPATH": path, "RCM_POSTGRES_OWNER_URL": owner_url}
        command = [sys.executable, "-m", "chassis.migrations", *services]
        for _ in range(6):
            done = subprocess.run(command, env=given, capture_output=True, text=True, timeout=180, check=False)
            if done.returncode != 1:
                break
        return done


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("rolling")
    folder.chmod(0o711)
    with Stack(folder, trace=False) as stack:
        yield stack


@pytest.fixture(scope="module")
def later(tmp_path_factory: pytest.TempPathFactory) -> LaterRelease:
    return LaterRelease(tmp_path_factory.mktemp("later"))


async def _live(stack: Stack, later: LaterRelease, stories: list[Story]) -> list[str]:
    """A third before the migration, a third while it runs, a third after all services have started again."""
    place = Place.read(stack.folder / "stack.json")
    before, meanwhile, after = stories[::3], stories[1::3], stories[2::3]
    problems = await send_stories(place, before, quiet)
    sending = asyncio.create_task(send_stories(place, meanwhile, quiet))
    job = await asyncio.to_thread(later.migrate, stack.owner_url)
    assert job.returncode == 0, job.stderr
    problems += await sending
    await asyncio.to_thread(stack.roll)
    problems += await send_stories(place, after, quiet)
    journeys = await settled(place, {story.encounter for story in stories}, SETTLE_S)
    return problems + compare(stories, journeys) + equation_breaks(journeys)


def test_old_code_runs_the_line_on_the_new_schema(running: Stack, later: LaterRelease, tmp_path: Path) -> None:
    stories = stories_of(tmp_path / "stories", SEED, STORIES)
    assert asyncio.run(_live(running, later, stories)) == []
    assert asyncio.run(_whole(running)) == []
    with psycopg.connect(running.owner_url) as connection:
        for schema in installed_services():
            at = connection.execute(f"select version_num from {schema}.alembic_version").fetchone()
            assert at == ("9001",)
            names = connection.execute(
                "select distinct application_name from pg_stat_activity where usename = %s", (schema,)
            )
            assert names.fetchall() == [(announced(schema, expected_revision(schema)),)]


async def _whole(stack: Stack) -> list[str]:
    line = Line(Place.read(stack.folder / "stack.json"))
    try:
        ledger = await line.ledger()
    finally:
        await line.close()
    assert ledger.payers
    waiting = await unsent(stack.owner_url, installed_services())
    return await doubled(stack.owner_url) + ([f"{waiting} facts wait"] if waiting else [])


def test_nothing_is_taken_away_from_code_that_runs(running: Stack, later: LaterRelease) -> None:
    assert later.migrate(running.owner_url).returncode == 0
    later.contract("coding")
    job = later.migrate(running.owner_url, "coding")
    assert (job.returncode, job.stdout) == (2, "")
    (line,) = job.stderr.splitlines()
    assert line.startswith(f"coding at {expected_revision('coding')} (sessions: ")
    assert line.endswith("cannot run on the schema at 9002: first roll out a release at 9001, or stop it")
    with psycopg.connect(running.owner_url) as connection:
        assert connection.execute("select to_regclass('coding.inbox')::text").fetchone() == ("coding.inbox",)
