"""Lets the tests of the claims gateway share the encounter that they are about."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from claims_gateway.rules import RuleBook, load_book

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def book() -> RuleBook:
    """The rules that ship."""
    return load_book()
