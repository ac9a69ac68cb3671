"""The database at start: wait for it, make sure that its schema is the one this code knows, open the pools."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
from bus import Database

from chassis.revision import expected_revision
from chassis.service import Service

RETRY_S = 0.5
NOT_YET = (OSError, TimeoutError, asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError,
           asyncpg.AdminShutdownError, asyncpg.CrashShutdownError, asyncpg.TooManyConnectionsError)  # fmt: skip


class CannotStart(Exception):
    """The service must not start. The text is the one line that is printed."""


async def read_revision(url: str, schema: str) -> str | None:
    """The revision of the schema as the service's login sees it; None where there is none."""
    conn = await asyncpg.connect(url, timeout=5)
    try:
        revision = await conn.fetchval(f'select version_num from "{schema}".alembic_version')
    except (asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError, asyncpg.InsufficientPrivilegeError):
        return None
    finally:
        await conn.close()
    return None if revision is None else str(revision)


async def _open(service: Service, database: Database, url: str) -> None:
    expected, found = expected_revision(service.name), await read_revision(url, service.schema)
    if found != expected:
        raise CannotStart(
            f"the schema {service.schema} is at revision {found or 'none'} and {service.name} needs {expected}: "
            "run `throughline migrate`, or the release that fits the schema"
        )
    await database.open()


async def open_database(service: Service, database: Database, url: str, within_s: float, log: Any) -> None:
    """Open the pools, trying again until Postgres answers. CannotStart when that took too long or cannot succeed."""
    end = asyncio.get_running_loop().time() + within_s
    while True:
        try:
            return await _open(service, database, url)
        except NOT_YET as error:
            if asyncio.get_running_loop().time() > end:
                raise CannotStart(
                    f"Postgres did not answer within {within_s:g} s ({type(error).__name__}): check RCM_POSTGRES_URL"
                ) from error
            log.info("waiting for postgres", error=type(error).__name__)
        except (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError) as error:
            raise CannotStart(
                f"Postgres knows no such login or database ({type(error).__name__}): check RCM_POSTGRES_URL, "
                "then run `throughline migrate`"
            ) from error
        await asyncio.sleep(RETRY_S)
