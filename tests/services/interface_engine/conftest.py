"""The FHIR door over a real database, without a network between."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from platform_fixture import Platform

sys.path.insert(0, str(Path(__file__).parent))  # importlib mode does not; engine_world.py lies here

from engine_world import World, open_world


@pytest.fixture
async def world(platform: Platform, tenant: str) -> AsyncIterator[World]:
    """An engine of its own with two clients of this test's tenant and one of another."""
    async with open_world(platform.url_for("interface-engine"), tenant) as opened:
        yield opened
