"""Facts through the real database: recorded, added up, found again, and kept from other tenants."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from bus import Database
from journey import store
from journey.handlers import find_journeys, fold_journeys, get_journey
from journey.model import Fact, Journey
from kernel.clock import SystemClock
from kernel.errors import Refused

START = datetime(2026, 3, 1, tzinfo=UTC)
JOURNEY = "a" * 32


@pytest.fixture
async def database(platform) -> AsyncIterator[Database]:  # type: ignore[no-untyped-def]
    database = Database(platform.url_for("journey"), "journey", SystemClock())
    await database.open()
    yield database
    await database.close()


async def record(database: Database, tenant: str, *rows: tuple[str, str]) -> None:
    async with database.unit(tenant) as unit:
        for number, (type_, qualifier) in enumerate(rows):
            at = START + timedelta(seconds=number)
            detail = {"encounter": "Encounter/1", "billed_cents": 1000}
            fact = Fact(f"{tenant}-{type_}-{number}", JOURNEY, type_, "", at, qualifier, "", detail)
            await store.record_fact(unit.conn, fact)
        await store.note_tenant(unit.conn)


async def test_a_journey_is_added_up_exported_once_and_found(database: Database, tenant: str) -> None:
    exported: list[Journey] = []
    await record(database, tenant, ("encounter.finished", ""), ("encounter.coded", ""), ("payment.posted", "paid"))
    assert await fold_journeys(database.transaction, tenant, 10, exported.append) == 1
    assert await fold_journeys(database.transaction, tenant, 10, exported.append) == 0
    assert [one.journey_id for one in exported] == [JOURNEY]
    journey, facts = await get_journey(database.transaction, tenant, "", "Encounter/1")
    assert journey == exported[0] and len(facts) == 3
    assert journey.elapsed_us == 2_000_000
    found = await find_journeys(database.transaction, tenant, "ended", "paid", "", 10)
    assert [one.journey_id for one in found] == [JOURNEY]
    async with database.transaction(tenant) as conn:
        counts, cents = await store.totals(conn)
        stages = await store.stage_percentiles(conn)
    assert counts == {"ended/paid": 1} and cents["billed_cents"] == 1000
    assert stages == {"coding": (1_000_000, 1_000_000), "charge": (1_000_000, 1_000_000)}


async def test_a_takeback_reopens_and_the_new_end_is_exported_again(database: Database, tenant: str) -> None:
    exported: list[Journey] = []
    await record(database, tenant, ("encounter.finished", ""), ("payment.posted", "paid"))
    await fold_journeys(database.transaction, tenant, 10, exported.append)
    rows = (
        ("encounter.finished", ""),
        ("payment.posted", "paid"),
        ("payment.reversed", ""),
        ("payment.posted", "paid"),
    )
    await record(database, tenant, *rows)
    await fold_journeys(database.transaction, tenant, 10, exported.append)
    assert len(exported) == 2
    assert [stage.name for stage in exported[1].stages] == ["coding", "payer"]


async def test_another_tenant_finds_nothing(database: Database, tenant: str) -> None:
    await record(database, tenant, ("encounter.finished", ""))
    with pytest.raises(Refused) as refused:
        await get_journey(database.transaction, f"{tenant}-other", JOURNEY, "")
    assert refused.value.kind == "not_found"


async def test_the_tenants_that_told_something_are_listed_for_the_relays_role(database: Database, tenant: str) -> None:
    await record(database, tenant, ("encounter.finished", ""))
    await record(database, tenant, ("encounter.finished", ""))
    assert (await store.tenants_heard(database.relay)).count(tenant) == 1
