"""Tables as row-level security wants them: the helpers that every service's Alembic versions call.

Three roles hold a schema. `<svc>_owner` owns it and runs the migrations. `<svc>_app` does the service's work and sees
one tenant at a time, or nothing. `<svc>_relay` moves what waits in the bus tables, of every tenant, and sees no others.
"""

from __future__ import annotations

import re

from alembic import op
from bus.ddl import BUS_INDEXES, BUS_TABLES, ONCE_COLUMNS

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


def _schema() -> str:
    """The schema that is being migrated: `migrate` names it to Alembic as the place of the version table."""
    schema = op.get_context().version_table_schema
    if not schema:
        raise RuntimeError("migrations run by chassis.migrations.migrate, which knows the schema")
    return str(schema)


def _execute(sql: str) -> None:
    """Run SQL as it stands: Alembic's own execute would take a colon for a parameter."""
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(sql)


def _row_security(table: str, schema: str) -> str:
    tenant = "tenant = nullif(current_setting('app.tenant', true), '')"  # a reset setting is '' and not null
    return f"""
        alter table {table} enable row level security;
        alter table {table} force row level security;
        create policy tenant on {table} to {schema}_app using ({tenant}) with check ({tenant});
        grant select, insert, update, delete on {table} to {schema}_app;
    """


def _create(name: str, columns: str) -> None:
    if not _NAME.fullmatch(name):
        raise ValueError(f"not a table name: {name!r}")
    _execute(f"create table {name} ({columns});" + _row_security(name, _schema()))


def tenant_table(name: str, columns: str) -> None:
    """Create a table whose rows belong to tenants.

    `columns` is what stands between the parentheses of CREATE TABLE, keys included (they start with `tenant`). The
    column `tenant` is added and fills itself in; with no tenant set, a read returns nothing and a write is refused.
    """
    _create(name, f"tenant text not null default current_setting('app.tenant'), {columns}")


def bus_tables() -> None:
    """Create the bus's own tables: the service's role sees its tenant's rows, the relay's role those of all tenants."""
    relay = f"{_schema()}_relay"
    for name, columns in BUS_TABLES.items():
        _create(name, columns)
        _execute(f"create policy relay on {name} to {relay} using (true) with check (true)")
        _execute(f"grant select, insert, update, delete on {name} to {relay}")
    for index in BUS_INDEXES:
        _execute(index)


def once_table() -> None:
    """Create the table `submission` of commands that are carried out once (bus/once.py)."""
    tenant_table("submission", ONCE_COLUMNS)
