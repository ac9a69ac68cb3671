"""The migration job: `python -m chassis.migrations [service ...]`, before the services start.

RCM_POSTGRES_OWNER_URL is the owner's connection; RCM_ROLE_PASSWORD becomes the password of the services' login roles.
Each may be a file instead, as every service's settings may: <RCM_SECRETS_DIR>/rcm_postgres_owner_url.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import psycopg

from chassis.migrations.job import Migrated, migrate
from chassis.revision import installed_services

WAIT_S = 60.0


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
    if done.from_revision == done.to_revision:
        return f"{done.service}: at {done.to_revision}, nothing to do"
    return f"{done.service}: {done.from_revision or 'new'} -> {done.to_revision}"


def main(arguments: Sequence[str]) -> int:
    """Exit code 0 when all is in place, 1 when a migration failed, 2 when a setting or service is wrong."""
    url = _given("RCM_POSTGRES_OWNER_URL")
    if not url:
        print("RCM_POSTGRES_OWNER_URL is not set: give the connection of the database's owner", file=sys.stderr)
        return 2
    try:
        _wait_for(url, WAIT_S)
        for done in migrate(url, arguments or installed_services(), _given("RCM_ROLE_PASSWORD")):
            print(_line(done))
    except LookupError as error:
        print(error, file=sys.stderr)
        return 2
    except psycopg.OperationalError as error:
        problem = f"Postgres refused or did not answer ({type(error).__name__})"
        print(f"{problem}: check RCM_POSTGRES_OWNER_URL", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
