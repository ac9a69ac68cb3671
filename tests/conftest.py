"""The fixtures that every test may use: `platform` (Postgres and NATS) and `tenant` (fresh per test)."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # importlib mode does not; stack.py and platform_fixture.py lie here

from platform_fixture import Platform, running_platform


@pytest.fixture(scope="session")
def platform() -> Iterator[Platform]:
    """Postgres and NATS of this session, with `.owner_url`, `.url_for(service)` and `.nats_url`."""
    with running_platform() as started:
        yield started


@pytest.fixture
def tenant() -> str:
    """A tenant that no other test uses."""
    return f"t{uuid4().hex[:12]}"
