"""What the tests of this folder share: one line as it stands in production, and load on it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # fhir_load.py and line_books.py lie here

from line_under_load import TALLIES, LineUnderLoad, running_line


@pytest.fixture(scope="module")
def zero_loss(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LineUnderLoad]:
    """Three nodes of NATS, certificates for everybody, room for three replicas of each service."""
    with running_line(tmp_path_factory.mktemp("zero-loss")) as line:
        yield line


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What the load met, in numbers: no test asserts how long a call may take."""
    for test, tally in TALLIES:
        terminalreporter.write_line(f"{test}: {tally}")
