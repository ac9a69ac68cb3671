"""Where the corpora lie, and the messages that several of these tests read."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # importlib mode does not; hl7_examples lies here

_ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def hl7_corpus() -> list[Path]:
    """The files of HL7 v2 samples; tests that need them are left out where they are absent."""
    corpora = Path(os.environ.get("RCM_CORPORA", _ROOT.parent / "shared" / "corpora"))
    found = sorted((corpora / "hl7v2").glob("*/*.hl7"))
    if not found:
        pytest.skip("no corpora here")
    return found
