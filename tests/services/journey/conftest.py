"""The journey's own database for the tests of the ledger."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from bus import Database
from kernel.clock import SystemClock
from platform_fixture import Platform

sys.path.insert(0, str(Path(__file__).parent))  # importlib mode does not; ledger_facts.py lies here


@pytest.fixture
async def database(platform: Platform) -> AsyncIterator[Database]:
    """The journey service's database, open."""
    database = Database(platform.url_for("journey"), "journey", SystemClock())
    await database.open()
    yield database
    await database.close()
