"""The journey service's own database, and the module of stories that these tests share."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from bus import Database
from kernel.clock import SystemClock

sys.path.insert(0, str(Path(__file__).parent))  # importlib mode does not; kpi_stories.py lies here


@pytest.fixture
async def database(platform) -> AsyncIterator[Database]:  # type: ignore[no-untyped-def]
    database = Database(platform.url_for("journey"), "journey", SystemClock())
    await database.open()
    yield database
    await database.close()
