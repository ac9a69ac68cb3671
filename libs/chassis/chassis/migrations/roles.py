"""The roles and the schema of one service, as SQL that may run any number of times."""

from __future__ import annotations

from typing import Any, LiteralString

from psycopg import Connection, sql

# Created once per cluster; {0} is the service's name in snake_case. The login role inherits nothing: a connection that
# has not chosen one of its two roles can do nothing but look at the schema's revision.
ROLES: tuple[tuple[str, LiteralString], ...] = (
    ("{}_owner", "nologin"),
    ("{}_app", "nologin"),
    ("{}_relay", "nologin"),
    ("{}", "login noinherit"),
)

GRANTS: tuple[LiteralString, ...] = (
    "grant {app}, {relay} to {login}",
    "create schema if not exists {login} authorization {owner}",
    "grant usage on schema {login} to {login}, {app}, {relay}",
    "revoke create on schema {login} from public, {login}, {app}, {relay}",
    "alter role {login} in database {database} set search_path = {login}",
)


def _exists(connection: Connection[Any], role: str) -> bool:
    return connection.execute("select 1 from pg_roles where rolname = %s", (role,)).fetchone() is not None


def _create_role(connection: Connection[Any], role: str, attributes: LiteralString) -> None:
    if not _exists(connection, role):
        connection.execute(sql.SQL("create role {} " + attributes).format(sql.Identifier(role)))


def _let_us_become(connection: Connection[Any], owner: str) -> None:
    """A superuser may become anybody; any other owner of the database has to be made a member first.

    Since PostgreSQL 16 who created a role is its member without the right to become it: only a grant gives that.
    """
    row = connection.execute("select rolsuper from pg_roles where rolname = current_user").fetchone()
    if row is None or not row[0]:
        connection.execute(sql.SQL("grant {} to current_user").format(sql.Identifier(owner)))


def prepare_service(connection: Connection[Any], schema: str, password: str) -> None:
    """Create or complete the four roles and the schema. `password` is the login role's; "" leaves it without one."""
    for template, attributes in ROLES:
        _create_role(connection, template.format(schema), attributes)
    _let_us_become(connection, f"{schema}_owner")
    names = {
        "login": sql.Identifier(schema),
        "owner": sql.Identifier(f"{schema}_owner"),
        "app": sql.Identifier(f"{schema}_app"),
        "relay": sql.Identifier(f"{schema}_relay"),
        "database": sql.Identifier(connection.info.dbname),
    }
    for statement in GRANTS:
        connection.execute(sql.SQL(statement).format(**names))
    if password:
        set_password = sql.SQL("alter role {} password {}").format(names["login"], sql.Literal(password))
        connection.execute(set_password)
