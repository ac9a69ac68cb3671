"""How often somebody may try to sign in, by address: guessing must not pay, and must not load the issuer."""

from __future__ import annotations

from collections import OrderedDict, deque
from datetime import datetime, timedelta

WINDOW = timedelta(minutes=5)
MOST_ADDRESSES = 10_000


class Attempts:
    """Counts attempts within a sliding window. Memory stays bounded: the address that was quiet longest goes first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._made: OrderedDict[str, deque[datetime]] = OrderedDict()

    def allow(self, address: str, now: datetime) -> bool:
        """Whether one more attempt is allowed now; it is counted either way."""
        made = self._made.setdefault(address, deque(maxlen=self._most + 1))
        self._made.move_to_end(address)
        while len(self._made) > MOST_ADDRESSES:
            self._made.popitem(last=False)
        while made and made[0] <= now - WINDOW:
            made.popleft()
        made.append(now)
        return len(made) <= self._most

    def forgive(self, address: str) -> None:
        """Somebody got in from there: what was tried before does not count any more."""
        self._made.pop(address, None)
