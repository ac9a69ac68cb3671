"""What the tests of this folder share: one line as it stands in production, and load on it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # fhir_load.py and line_books.py lie here

from line_under_load import LineUnderLoad, running_line


@pytest.fixture(scope="session")
def zero_loss(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LineUnderLoad]:
    """Three nodes of NATS, certificates for everybody, room for three replicas of each service."""
    with running_line(tmp_path_factory.mktemp("zero-loss")) as line:
        yield line
