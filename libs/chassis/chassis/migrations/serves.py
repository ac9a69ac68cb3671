"""What each schema says about the code that runs on it, and what code is running on it just now.

`schema_serves` has a row for every revision of the code that the present schema serves. A service asks for its own
before it starts, so that old code may restart on a newer schema while a release rolls out, until a migration that
contracts takes its row away. See docs/adr/0026-expand-and-contract.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sqlalchemy.engine import Connection

from chassis.revision import Version, announced, served_by

_TABLE = """create table if not exists "{0}".schema_serves (revision text primary key)"""
_GRANTS = ('grant select on "{0}".schema_serves to "{0}"', 'grant select on "{0}".alembic_version to "{0}"')
_SESSIONS = "select application_name from pg_stat_activity where datname = current_database() and usename = %s"


class MigrationRefused(Exception):
    """The schema must not be migrated now. The text is one line, with the next step."""


def keep(connection: Connection, schema: str, history: Sequence[Version]) -> None:
    """Write down what the schema serves, now that it is at the newest revision of `history`."""
    connection.exec_driver_sql(_TABLE.format(schema))
    connection.exec_driver_sql(f'delete from "{schema}".schema_serves')
    for revision in served_by(history):
        connection.exec_driver_sql(f'insert into "{schema}".schema_serves values (%s)', (revision,))
    for grant in _GRANTS:
        connection.exec_driver_sql(grant.format(schema))


def served(connection: Connection, schema: str) -> tuple[str, ...]:
    """What a schema says that it serves; nothing where it was migrated before there was the table."""
    if not connection.exec_driver_sql("select to_regclass(%s)", (f'"{schema}".schema_serves',)).scalar():
        return ()
    rows = connection.exec_driver_sql(f'select revision from "{schema}".schema_serves order by revision')
    return tuple(str(row[0]) for row in rows)


def running(connection: Connection, schema: str) -> Counter[str]:
    """How many sessions the service's login has, by what they call themselves."""
    return Counter(str(row[0] or "") for row in connection.exec_driver_sql(_SESSIONS, (schema,)))


def left_behind(connection: Connection, schema: str, history: Sequence[Version]) -> list[str]:
    """The code that runs now and could not run on the newest schema of `history`: "0001 (sessions: 4)"."""
    names = {announced(schema, version.revision): version.revision for version in history}
    fine = {announced(schema, revision) for revision in served_by(history)}
    found = running(connection, schema)
    left = sorted(found.keys() - fine)
    return [f"{names.get(name, 'of another release')} (sessions: {found[name]})" for name in left]


def refuse_while_old_code_runs(connection: Connection, schema: str, history: Sequence[Version]) -> None:
    """Before a contraction. MigrationRefused while code runs that would miss what goes.

    Services that start now wait at the lock and find out afterwards; those that were there before are seen.
    """
    connection.exec_driver_sql(f'lock table "{schema}".alembic_version in access exclusive mode')
    left = left_behind(connection, schema, history)
    if left:
        *bridges, newest = served_by(history)
        step = f"first roll out a release at {' or '.join(bridges)}, or stop it" if bridges else "stop it first"
        raise MigrationRefused(
            f"{schema} at {', '.join(left)} is running and cannot run on the schema at {newest}: {step}"
        )
