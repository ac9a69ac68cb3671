"""The database at start: wait for it, make sure that its schema serves this code, open the pools.

Every session announces the service and the revision of its code (`coding/0002`): a migration that contracts looks
there for code that cannot run on what it leaves, and does not go on while some does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
from bus import Database

from chassis.revision import Version, announced, history_of
from chassis.service import Service

RETRY_S = 0.5
NOT_YET = (OSError, TimeoutError, asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError,
           asyncpg.AdminShutdownError, asyncpg.CrashShutdownError, asyncpg.TooManyConnectionsError)  # fmt: skip
NO_SUCH = (asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError, asyncpg.InsufficientPrivilegeError)
_SERVED = 'select version_num, array(select revision from "{0}".schema_serves) from "{0}".alembic_version'
_BARE = 'select version_num, array[version_num] from "{0}".alembic_version'  # migrated before there was the table


class CannotStart(Exception):
    """The service must not start. The text is the one line that is printed."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a schema says of itself: its revision, and the revisions of the code that it serves."""

    revision: str
    serves: tuple[str, ...]


async def read_standing(conn: asyncpg.Connection, schema: str) -> Standing | None:
    """The standing of a schema as the service's login sees it; None where there is no such schema."""
    for query in (_SERVED, _BARE):
        try:
            row = await conn.fetchrow(query.format(schema))
        except NO_SUCH:
            continue
        return None if row is None else Standing(str(row[0]), tuple(sorted(row[1])))
    return None


def refusal(service: Service, standing: Standing | None, history: Sequence[Version]) -> str | None:
    """Why the code must not run on the schema, in one line with the next step; None when it may."""
    own, schema, known = history[-1].revision, service.schema, {version.revision for version in history}
    if standing is None:
        return f"there is no schema {schema} in the database: run `throughline migrate`, or check RCM_POSTGRES_URL"
    if own in standing.serves:
        return None
    at = f"the schema {schema} is at revision {standing.revision}"
    if standing.revision in known:
        return f"{at} and {service.name} needs {own}: run `throughline migrate`"
    served = ", ".join(standing.serves)
    return f"{at}, which no longer serves {service.name} at {own}: run a release that it serves ({served})"


async def _open(service: Service, database: Database, url: str, history: Sequence[Version], within_s: float) -> None:
    """The session that asks stays until the pools are open: a migration always sees one of us."""
    database.announced = announced(service.schema, history[-1].revision)
    conn = await asyncpg.connect(
        url, timeout=min(5.0, within_s), server_settings={"application_name": database.announced}
    )
    try:
        problem = refusal(service, await asyncio.wait_for(read_standing(conn, service.schema), 30), history)
        if problem is not None:
            raise CannotStart(problem)
        await database.open()
    finally:
        await conn.close(timeout=5)


_REFUSED: tuple[tuple[type[Exception], str], ...] = (
    (
        asyncpg.InvalidPasswordError,
        "Postgres refuses the password: check RCM_POSTGRES_URL, or run `throughline migrate` with RCM_ROLE_PASSWORD",
    ),
    (
        asyncpg.InvalidAuthorizationSpecificationError,
        "Postgres knows no such login: check RCM_POSTGRES_URL, then run `throughline migrate`",
    ),
    (asyncpg.InvalidCatalogNameError, "Postgres knows no such database: check RCM_POSTGRES_URL"),
    (asyncpg.PostgresError, "Postgres refuses the service: run `throughline migrate`, or check RCM_POSTGRES_URL"),
    (asyncpg.InterfaceError, "RCM_POSTGRES_URL is wrong: set it as postgresql://<login>@<host>/<database>"),
    (ValueError, "RCM_POSTGRES_URL is wrong: set it as postgresql://<login>@<host>/<database>"),
)


def _named(error: Exception) -> str:
    reason, _, step = next(text for kind, text in _REFUSED if isinstance(error, kind)).partition(": ")
    return f"{reason} ({type(error).__name__}): {step}"


async def open_database(service: Service, database: Database, url: str, within_s: float, log: Any) -> None:
    """Open the pools, trying again until Postgres answers. CannotStart when that took too long or cannot succeed."""
    clock, history, told = asyncio.get_running_loop().time, history_of(service.schema), ""
    end = clock() + within_s
    while True:
        try:
            return await _open(service, database, url, history, within_s)
        except NOT_YET as error:
            kind = type(error).__name__
            if clock() > end:
                line = f"Postgres did not answer within {within_s:g} s ({kind}): start it, or check RCM_POSTGRES_URL"
                raise CannotStart(line) from error
            if kind != told:
                log.info("waiting for postgres", error=kind)
            told = kind
        except (asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
            raise CannotStart(_named(error)) from None
        await asyncio.sleep(RETRY_S)
