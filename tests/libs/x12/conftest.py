"""Where the corpora lie, and the shared strategies and claims of these tests."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # importlib mode does not; x12_examples and x12_strategies lie here

_ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def x12_corpus() -> Path:
    """The folder of X12 samples; tests that need it are left out where it is absent."""
    corpora = Path(os.environ.get("RCM_CORPORA", _ROOT.parent / "shared" / "corpora"))
    if not (corpora / "x12").is_dir():
        pytest.skip("no corpora here")
    return corpora / "x12"
