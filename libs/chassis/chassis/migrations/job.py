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
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.pool import NullPool

from chassis.migrations.roles import prepare_service
from chassis.migrations.serves import MigrationRefused, keep, left_behind, refuse_while_old_code_runs, served
from chassis.revision import Version, history_of, installed_services, migrations_folder, schema_of

LOCK = 0x7468726F_6C696E65  # one migration at a time in a database; the number only has to be ours


@dataclass(frozen=True, slots=True)
class Migrated:
    """What was done for one service. `from_revision` is None for a new schema; equal revisions mean nothing to do.

    `code` is the revision of the code that asked: older than `to_revision` where the schema was newer and serves it.
    """

    service: str
    from_revision: str | None
    to_revision: str
    code: str


@dataclass(frozen=True, slots=True)
class Planned:
    """What would be done for one service. `pending` is None where the schema is newer than the code that asks;
    `in_the_way` is running code that could not run on what a contraction leaves."""

    service: str
    from_revision: str | None
    pending: tuple[Version, ...] | None
    in_the_way: tuple[str, ...]


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


def _upgrade(connection: Connection, service: str, history: Sequence[Version]) -> Migrated:
    """Newer than all that is known here is left alone where it serves this code, and refused where it does not."""
    schema, target = schema_of(service), history[-1].revision
    context = _context(connection, service, target)
    before = context.get_current_revision()
    pending = _pending(history, before)
    if pending is None:
        _refuse_unless_served(connection, schema, str(before), target)
        return Migrated(service, before, str(before), target)
    if before is not None and any(version.serves_from is not None for version in pending):
        refuse_while_old_code_runs(connection, schema, history)
    with Operations.context(context), context.begin_transaction():
        context.run_migrations()
    keep(connection, schema, history)
    return Migrated(service, before, target, target)


def _context(connection: Connection, service: str, target: str) -> MigrationContext:
    script = _script(service)

    def steps(revision: Any, _context: MigrationContext) -> Any:
        return script._upgrade_revs(target, revision)  # what alembic.command.upgrade itself calls

    opts = {"version_table_schema": schema_of(service), "fn": steps, "script": script, "transactional_ddl": True}
    return MigrationContext.configure(connection, opts=opts)


def _pending(history: Sequence[Version], before: str | None) -> tuple[Version, ...] | None:
    """What is still to be applied; None where the schema is at a revision that is not known here."""
    revisions = [version.revision for version in history]
    if before is not None and before not in revisions:
        return None
    return tuple(history[0 if before is None else revisions.index(before) + 1 :])


def _refuse_unless_served(connection: Connection, schema: str, found: str, own: str) -> None:
    serves = served(connection, schema)
    if own not in serves:
        known = f"a release that it serves ({', '.join(serves)})" if serves else "the release that it was made by"
        raise MigrationRefused(f"the schema {schema} is at {found}, which does not serve {own}: run {known}")


def _bring(owner_url: str, service: str, history: Sequence[Version]) -> Migrated:
    """Run a service's versions as its owner role, in one transaction: all of them or none."""
    schema = schema_of(service)
    with _engine(owner_url).connect() as connection, connection.begin():
        connection.exec_driver_sql(f'set local role "{schema}_owner"')
        connection.exec_driver_sql(f'set local search_path = "{schema}"')
        connection.exec_driver_sql("set local lock_timeout = '60s'")
        return _upgrade(connection, service, history)


def _engine(owner_url: str) -> Engine:
    return create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(owner_url), poolclass=NullPool)


def _history_to(service: str, revision: str | None) -> tuple[Version, ...]:
    history = history_of(service)
    known = [version.revision for version in history]
    if revision is not None and revision not in known:
        raise LookupError(f"{service} has no revision {revision}")
    return history if revision is None else history[: known.index(revision) + 1]


def migrate(
    owner_url: str, services: Sequence[str] | None = None, password: str = "", to: str | None = None
) -> list[Migrated]:
    """Create schemas and roles, and bring each service (default: all installed) to its newest revision, or to `to`.

    May run any number of times and in several places at once: an advisory lock lets one through at a time. Each
    service is one transaction. `owner_url` is a superuser, or the database's owner with CREATEROLE. MigrationRefused
    when what is newer than this code does not serve it, or what is to go is needed by code that runs.
    """
    chosen: Iterable[str] = installed_services() if services is None else services
    done = []
    with psycopg.connect(owner_url, autocommit=True, connect_timeout=10) as connection:
        connection.execute("select pg_advisory_lock(%s)", (LOCK,))
        for service in map(schema_of, chosen):
            history = _history_to(service, to)
            with connection.transaction():
                prepare_service(connection, service, password)
            done.append(_bring(owner_url, service, history))
    return done


def preview(owner_url: str, services: Sequence[str] | None = None) -> list[Planned]:
    """What `migrate` would do now, without doing it."""
    chosen: Iterable[str] = installed_services() if services is None else services
    with _engine(owner_url).connect() as connection:
        return [_plan(connection, owner_url, schema_of(service)) for service in chosen]


def _plan(connection: Connection, owner_url: str, service: str) -> Planned:
    history, before = history_of(service), current_revision(owner_url, service)
    pending = _pending(history, before)
    contracts = before is not None and any(version.serves_from is not None for version in pending or ())
    left = left_behind(connection, service, history) if contracts else []
    return Planned(service, before, pending, tuple(left))
