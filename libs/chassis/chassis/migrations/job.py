"""Brings every service's schema to its newest revision, once, before the services start."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from alembic.config import Config
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg import sql
from sqlalchemy import create_engine
from sqlalchemy.engine import Connection
from sqlalchemy.pool import NullPool

from chassis.migrations.roles import prepare_service, publish_revision
from chassis.revision import expected_revision, installed_services, migrations_folder, schema_of

LOCK = 0x7468726F_6C696E65  # one migration at a time in a database; the number only has to be ours


@dataclass(frozen=True, slots=True)
class Migrated:
    """What was done for one service. `from_revision` is None for a new schema; equal revisions mean nothing to do."""

    service: str
    from_revision: str | None
    to_revision: str


def _script(service: str) -> ScriptDirectory:
    folder = migrations_folder(service)
    if folder is None:
        raise LookupError(f"{service} has no migrations that are installed here")
    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return ScriptDirectory.from_config(config)


def current_revision(url: str, service: str) -> str | None:
    """The revision of a service's schema; None where there is none. `url`: the owner's or the service's own."""
    table = sql.Identifier(schema_of(service), "alembic_version")
    with psycopg.connect(url, autocommit=True, connect_timeout=10) as connection:
        try:
            row = connection.execute(sql.SQL("select version_num from {}").format(table)).fetchone()
        except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
            return None
    return None if row is None else str(row[0])


def _upgrade(connection: Connection, service: str) -> Migrated:
    script, schema = _script(service), schema_of(service)
    target = expected_revision(service)

    def steps(revision: Any, _context: MigrationContext) -> Any:
        return script._upgrade_revs(target, revision)  # what alembic.command.upgrade itself calls

    context = MigrationContext.configure(
        connection, opts={"version_table_schema": schema, "fn": steps, "script": script, "transactional_ddl": True}
    )
    before = context.get_current_revision()
    with Operations.context(context), context.begin_transaction():
        context.run_migrations()
    return Migrated(service, before, target)


def _run_versions(owner_url: str, service: str) -> Migrated:
    """Run a service's versions as its owner role, in one transaction: all of them or none."""
    schema = schema_of(service)
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(owner_url), poolclass=NullPool)
    with engine.connect() as connection, connection.begin():
        connection.exec_driver_sql(f'set local role "{schema}_owner"')
        connection.exec_driver_sql(f'set local search_path = "{schema}"')
        connection.exec_driver_sql("set local lock_timeout = '60s'")
        return _upgrade(connection, service)


def _migrate_one(owner_url: str, connection: psycopg.Connection[Any], service: str, password: str) -> Migrated:
    with connection.transaction():
        prepare_service(connection, schema_of(service), password)
    done = _run_versions(owner_url, service)
    with connection.transaction():
        connection.execute(sql.SQL("set local role {}").format(sql.Identifier(f"{schema_of(service)}_owner")))
        publish_revision(connection, schema_of(service))
    return done


def migrate(owner_url: str, services: Sequence[str] | None = None, password: str = "") -> list[Migrated]:
    """Create schemas and roles, and bring each service (default: all installed) to its newest revision.

    May run any number of times and in several places at once: an advisory lock lets one through at a time. Each
    service is one transaction. `owner_url` is a superuser, or the database's owner with CREATEROLE.
    """
    chosen: Iterable[str] = installed_services() if services is None else services
    with psycopg.connect(owner_url, autocommit=True, connect_timeout=10) as connection:
        connection.execute("select pg_advisory_lock(%s)", (LOCK,))
        return [_migrate_one(owner_url, connection, schema_of(service), password) for service in chosen]
