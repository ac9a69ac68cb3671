"""Things that go wrong on purpose, each at a rate, drawn from what it happens to so that a run can be repeated."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

NAMES = frozenset(
    {
        "realtime-503",
        "realtime-timeout",
        "batch-503",
        "unbalanced-835",
        "unknown-claim-835",
        "duplicate-file",
        "unknown-set-999",
        "takeback",
    }
)


@dataclass(frozen=True, slots=True)
class Faults:
    """Rates between 0 and 1 by fault name; none by default."""

    rates: Mapping[str, float] = field(default_factory=dict)
    seed: int = 0

    def fires(self, name: str, key: object) -> bool:
        """Whether this fault happens to this file, question or claim."""
        rate = self.rates.get(name, 0.0)
        digest = hashlib.sha256(f"{self.seed}/{name}/{key}".encode()).digest()
        return int.from_bytes(digest[:8], "big") < rate * 2**64


def read_faults(text: str, seed: int = 0) -> Faults:
    """`realtime-503:0.1,takeback` -> rates; without a rate a fault always happens. ValueError on an unknown name."""
    rates = {}
    for part in filter(None, (item.strip() for item in text.split(","))):
        name, _, rate = part.partition(":")
        if name not in NAMES:
            raise ValueError(f"unknown fault; known are {', '.join(sorted(NAMES))}")
        rates[name] = float(rate or "1")
        if not 0 <= rates[name] <= 1:
            raise ValueError("a fault's rate lies between 0 and 1")
    return Faults(rates, seed)
