"""Lets the tests of the claims gateway share the encounter that they are about, and the gateway itself."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from bus import Database
from claims_gateway.rules import RuleBook, load_book
from kernel.clock import FixedClock
from platform_fixture import Platform

sys.path.insert(0, str(Path(__file__).parent))

from gateway_harness import Gateway, Make, gateway_on
from gateway_world import NOW


@pytest.fixture(scope="session")
def book() -> RuleBook:
    """The rules that ship."""
    return load_book()


@pytest.fixture
async def make(platform: Platform, book: RuleBook) -> AsyncIterator[Make]:
    """Makes the gateway of a tenant."""
    clock = FixedClock(NOW)
    database = Database(platform.url_for("claims-gateway"), "claims_gateway", clock, pool_size=5)
    await database.open()

    async def gateway(tenant: str) -> Gateway:
        return gateway_on(database, clock, book, tenant)

    yield gateway
    await database.close()


@pytest.fixture
async def gateway(make: Make, tenant: str) -> Gateway:
    return await make(tenant)
