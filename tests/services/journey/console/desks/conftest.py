"""Fake owners at the edge: real gRPC servers whose answers a test gives, and a console that asks them."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # importlib mode does not; owners_under_test.py lies here

from owners_under_test import FakeOwners


@pytest.fixture
async def owners() -> AsyncIterator[FakeOwners]:
    """The services that the desks ask; they answer nothing until a test says what."""
    fake = FakeOwners()
    await fake.start()
    yield fake
    await fake.stop()
