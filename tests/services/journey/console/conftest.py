"""Makes console_under_test.py and what else lies here importable for the tests of the console and of its desks."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
