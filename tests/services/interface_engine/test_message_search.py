"""Looking for a message by what people know is a look into an index, also with row-level security in force."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from bus import Database
from interface_engine.model_messages import Wanted
from interface_engine.store.messages import Messages
from kernel.clock import FixedClock
from platform_fixture import Platform


@dataclass
class Door:
    tenant: str
    database: Database


@pytest.fixture
async def door(platform: Platform, tenant: str) -> AsyncIterator[Door]:
    clock = FixedClock(datetime(2026, 3, 20, 12, 0, tzinfo=UTC))
    database = Database(platform.url_for("interface-engine"), "interface_engine", clock)
    await database.open()
    yield Door(tenant, database)
    await database.close()


@pytest.mark.parametrize(
    "wanted",
    [Wanted(mrn="M7"), Wanted(account="A7"), Wanted(visit="V7"), Wanted(control_id="C7"), Wanted(resource="Claim/c7")],
)
async def test_a_search_is_a_look_into_an_index(door: Door, wanted: Wanted) -> None:
    """With row-level security in force an index serves only what is leakproof: a full scan would not do at millions."""
    async with door.database.unit(door.tenant) as unit:
        await unit.conn.execute(_FILL, door.tenant)
    plans: list[str] = []

    class Explaining:
        def __init__(self, conn: Any) -> None:
            self._conn = conn

        async def fetch(self, sql: str, *arguments: Any) -> list[Any]:
            rows = await self._conn.fetch(f"explain {sql}", *arguments)
            plans.extend(row[0] for row in rows)
            return []

    async with door.database.unit(door.tenant) as unit:
        # The planner may like a scan of a small table; with scans priced out it scans only where no index can serve.
        await unit.conn.execute("set local enable_seqscan = off")
        store = Messages(unit)
        store._conn = Explaining(unit.conn)  # type: ignore[assignment]
        await store.find(wanted)
    assert plans
    assert not [line for line in plans if "Seq Scan on message" in line], "\n".join(plans)


_FILL = """
insert into message (day, id, channel, received_at, raw, sha256, identity, copy, control_id, kind, mrn, account, visit,
    subject, ack, state, tenant)
select current_date, gen_random_uuid(), 'clinic', now(), '', ''::bytea, int8send(n), 0, 'C' || n, 'ADT^A04', 'M' || n,
    'A' || n, 'V' || n, '', '', 'kept', $1
from generate_series(1, 20000) n
"""
