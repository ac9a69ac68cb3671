"""The migration job: `python -m chassis.migrations [--plan] [service ...]`, before the services start.

RCM_POSTGRES_OWNER_URL is the owner's connection; RCM_ROLE_PASSWORD becomes the password of the services' login roles.
Each may be a file instead, as every service's settings may: <RCM_SECRETS_DIR>/rcm_postgres_owner_url. `--plan` says
what would be done and does nothing.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import psycopg
from sqlalchemy.exc import DBAPIError

from chassis.migrations.job import Migrated, Planned, migrate, preview
from chassis.migrations.serves import MigrationRefused
from chassis.revision import installed_services

WAIT_S = 60.0
PLAN = "--plan"
OWNER_URL = "RCM_POSTGRES_OWNER_URL"
TIMEOUT = "RCM_CONNECT_TIMEOUT_S"


def _given(name: str) -> str:
    """A setting from the environment or, where that has none, from the folder of secrets; empty where neither has."""
    folder = os.environ.get("RCM_SECRETS_DIR", "")
    file = Path(folder, name.lower())
    kept = file.read_text().strip() if folder and file.is_file() else ""
    return os.environ.get(name, "") or kept


def _wait_for(url: str, wait_s: float) -> None:
    """Postgres may come up beside us. psycopg.OperationalError when it has not answered in time."""
    end = time.monotonic() + wait_s
    while True:
        try:
            psycopg.connect(url, connect_timeout=5).close()
            return
        except psycopg.OperationalError:
            if time.monotonic() > end:
                raise
            time.sleep(0.5)


def _line(done: Migrated) -> str:
    if done.to_revision != done.code:
        return f"{done.service}: at {done.to_revision}, which is newer and serves {done.code}: nothing to do"
    if done.from_revision == done.to_revision:
        return f"{done.service}: at {done.to_revision}, nothing to do"
    return f"{done.service}: {done.from_revision or 'new'} -> {done.to_revision}"


def _planned_lines(plan: Planned) -> Iterator[str]:
    if not plan.pending:
        newer = "" if plan.pending is not None else ", which is newer than this release"
        yield f"{plan.service}: at {plan.from_revision}{newer}, nothing to do"
    for version in plan.pending or ():
        contracts = (
            f"contracts: code before {version.serves_from} cannot run on it" if version.serves_from else "expands"
        )
        yield f"{plan.service}: {version.revision} {contracts}"
    for code in plan.in_the_way:
        yield f"{plan.service}: in the way is running code at {code}"


def _work(url: str, arguments: Sequence[str]) -> Iterator[str]:
    services = [name for name in arguments if name != PLAN] or installed_services()
    if PLAN in arguments:
        yield from (line for plan in preview(url, services) for line in _planned_lines(plan))
    else:
        yield from map(_line, migrate(url, services, _given("RCM_ROLE_PASSWORD")))


def _problem(error: Exception) -> tuple[int, str]:
    """The exit code and the one line; never the text of a database's error, which may carry values or a password."""
    kind = type(error.orig if isinstance(error, DBAPIError) and error.orig is not None else error).__name__
    match error:
        case LookupError() | MigrationRefused():
            return 2, str(error)
        case OSError():
            return 2, f"RCM_SECRETS_DIR cannot be read ({kind}): give the folder and its files to this user"
        case psycopg.OperationalError():
            return 1, f"Postgres refused or did not answer ({kind}): check {OWNER_URL}"
        case psycopg.ProgrammingError() if error.sqlstate is None:
            return 2, f"{OWNER_URL} is wrong: set it as postgresql://<owner>@<host>/<database>"
    return 1, f"a migration failed and was taken back ({kind}): the owner needs CREATEROLE, the release its own schema"


def _patience_s() -> float:
    """Seconds to wait for Postgres. LookupError when the setting is no number."""
    given = _given(TIMEOUT)
    try:
        return float(given) if given else WAIT_S
    except ValueError:
        raise LookupError(f"{TIMEOUT} is wrong: give the seconds to wait for Postgres") from None


def main(arguments: Sequence[str]) -> int:
    """Exit code 0 when all is in place, 1 when a migration failed, 2 when a setting, service or order is wrong."""
    try:
        url = _given(OWNER_URL)
        if not url:
            print(f"{OWNER_URL} is not set: give the connection of the database's owner", file=sys.stderr)
            return 2
        _wait_for(url, _patience_s())
        for line in _work(url, arguments):
            print(line)
    except (LookupError, MigrationRefused, OSError, psycopg.Error, DBAPIError) as error:
        code, line = _problem(error)
        print(line, file=sys.stderr)
        return code
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
