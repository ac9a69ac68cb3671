"""A service of our own making, so that the chassis is tested without any of the real ones."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from chassis.migrations import migrate
from platform_fixture import ROLE_PASSWORD, Platform

VERSION = '''
"""The first revision of the probe."""

from alembic import op
from chassis.migrations import bus_tables, tenant_table

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    bus_tables()
    tenant_table("note", "note_id text not null, text text not null default 'a:b %s', primary key (tenant, note_id)")
    op.execute("create index note_text on note (text)")


def downgrade() -> None:
    op.execute("drop table note")
'''

LATER = '''
"""A second revision."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table note add column more text")


def downgrade() -> None:
    op.execute("alter table note drop column more")
'''


@pytest.fixture(scope="session")
def probe_package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The versions folder of an importable package `probe_service` with one migration."""
    root = tmp_path_factory.mktemp("packages")
    versions = root / "probe_service" / "migrations" / "versions"
    versions.mkdir(parents=True)
    for folder in (versions.parent, versions.parent.parent):
        (folder / "__init__.py").write_text('"""Only in tests."""\n')
    (versions / "0001_first.py").write_text(VERSION)
    sys.path.insert(0, str(root))
    yield versions
    sys.path.remove(str(root))


@pytest.fixture(scope="session")
def probe(platform: Platform, probe_package: Path) -> str:
    """The probe's connection, its schema in place."""
    migrate(platform.owner_url, ["probe-service"], ROLE_PASSWORD)
    return platform.url_for("probe-service")


@pytest.fixture
def later_version(probe: str, probe_package: Path) -> Iterator[str]:
    """The installed code knows one revision more than the database has."""
    file = probe_package / "0002_later.py"
    file.write_text(LATER)
    yield "0002"
    file.unlink()
