"""The probe's schema beside the platform of all tests."""

import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
from bus import Database
from bus.flow import STREAM, SUBJECT_PREFIX
from bus.jetstream import connect, ensure_streams
from chassis.migrations import migrate
from kernel.clock import SystemClock
from nats.aio.client import Client

sys.path.insert(0, str(Path(__file__).parent))  # importlib mode does not; bus_replicas.py and busprobe lie here


@pytest.fixture(scope="session")
def probe_schema(platform) -> Iterator[str]:  # type: ignore[no-untyped-def]
    migrate(platform.owner_url, ["busprobe"])
    yield "busprobe"


async def forget_facts(nats_url: str) -> None:
    """What an earlier test left unconfirmed would come again, to a database that knows nothing of it."""
    client = await connect(nats_url, "probe")
    await ensure_streams(client.jetstream())
    await client.jetstream().purge_stream(STREAM, subject=f"{SUBJECT_PREFIX}.encounter.cancelled.>")
    await client.close()


@pytest.fixture
async def database(platform, probe_schema: str) -> AsyncIterator[Database]:  # type: ignore[no-untyped-def]
    owner = await asyncpg.connect(platform.owner_url)
    await owner.execute(
        "truncate busprobe.outbox, busprobe.inbox, busprobe.blocked, busprobe.timer, busprobe.effect,"
        " busprobe.dead_letter"
    )
    await owner.close()
    await forget_facts(platform.nats_url)
    database = Database(platform.url_for(probe_schema), probe_schema, SystemClock())
    await database.open()
    yield database
    await database.close()


@pytest.fixture
async def broker(platform) -> AsyncIterator[Client]:  # type: ignore[no-untyped-def]
    client = await connect(platform.nats_url, "probe")
    await ensure_streams(client.jetstream())
    yield client
    await client.close()
