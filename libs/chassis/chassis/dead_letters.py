"""Facts that a service gave up, for the operator: `python -m chassis.dead_letters list`, and `again EVENT...`.

It reads the settings of the service beside which it runs. `list` is asked of the service that gave a fact up: what was
taken in since is left out. `again` is asked of the service that told the fact (`list` names it): its relay publishes
the fact once more, and those who had taken it in absorb it. It prints kinds, reasons and ids, never content.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TextIO
from urllib.parse import urlsplit

import asyncpg
from bus.flow import ANY, flow_of

from chassis.settings import ServiceSettings, SettingsError, load_settings

USAGE = "usage: python -m chassis.dead_letters list | again EVENT..."
_LIST = """
select died_at, type, reason, event_id from dead_letter d
where not exists (select 1 from inbox i where i.tenant = d.tenant and i.event_id = d.event_id)
order by died_at
"""
_AGAIN = """
update outbox set published_at = null, confirmed_at = null, generation = null, stream_seq = null
where event_id = any($1::text[]) returning event_id
"""


@dataclass(frozen=True, slots=True)
class Letter:
    """A fact that was given up. `told_by` is the service whose outbox holds it; "" when several tell such facts."""

    died_at: datetime
    type: str
    reason: str
    event_id: str
    told_by: str


async def connect(url: str) -> asyncpg.Connection:
    """As the role that moves what waits in the bus tables, of every tenant. The login is named as the schema."""
    schema = urlsplit(url).username or ""
    settings = {"search_path": schema, "role": f"{schema}_relay", "application_name": "dead-letters"}
    return await asyncpg.connect(url, timeout=10, server_settings=settings)


async def letters(conn: asyncpg.Connection) -> list[Letter]:
    """What was given up and not taken in since, oldest first."""
    return [Letter(**row, told_by=_teller(row["type"])) for row in await conn.fetch(_LIST)]


def _teller(kind: str) -> str:
    """What an unknown release told, nobody here can name."""
    try:
        producer = flow_of(kind).producer
    except KeyError:
        return ""
    return "" if producer == ANY else producer


async def tell_again(conn: asyncpg.Connection, events: Sequence[str]) -> list[str]:
    """Marks facts of this service's outbox as not published; those that it found. They stay there for 30 days."""
    return [row["event_id"] for row in await conn.fetch(_AGAIN, list(events))]


def _say(line: str, to: TextIO | None = None) -> None:
    (to or sys.stdout).write(f"{line}\n")


async def _run(url: str, events: Sequence[str]) -> int:
    conn = await connect(url)
    try:
        if not events:
            for one in await letters(conn):
                _say(f"{one.died_at:%Y-%m-%d %H:%M:%S}  {one.type}  {one.reason}  {one.event_id}  {one.told_by}")
            return 0
        found = await tell_again(conn, events)
    finally:
        await conn.close()
    for event in events:
        _say(f"{event}  {'will be told again' if event in found else 'is not in the outbox of this service'}")
    return 0 if len(found) == len(set(events)) else 1


def main(arguments: Sequence[str]) -> int:
    """Exit code 0 when done, 1 when a fact was not found, 2 for a wrong command or setting."""
    verb, events = (arguments[0], arguments[1:]) if arguments else ("", ())
    if (verb, bool(events)) not in {("list", False), ("again", True)}:
        _say(USAGE, sys.stderr)
        return 2
    try:
        return asyncio.run(_run(load_settings(ServiceSettings).postgres_url, events))
    except SettingsError as error:
        _say(str(error), sys.stderr)
        return 2
    except (OSError, asyncpg.PostgresError) as error:
        _say(f"Postgres refused or did not answer ({type(error).__name__}): check RCM_POSTGRES_URL", sys.stderr)
        return 2


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
