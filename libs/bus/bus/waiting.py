"""Facts of a partition that could not be handled yet, by key: nothing that came later goes before them.

It lives as long as a partition is held, and begins empty: who takes a partition gets everything again that was not
confirmed, in the stream's order. Only how often a fact has failed is kept in the database (`blocked`).
"""

from __future__ import annotations

Key = tuple[str, str]  # tenant, ordering key


class Waiting:
    """By sequences of the stream, which order the facts of a key."""

    def __init__(self) -> None:
        self._sequences: dict[Key, set[int]] = {}

    def is_first(self, key: Key, sequence: int) -> bool:
        """Whether nothing of this key that is earlier waits."""
        waiting = self._sequences.get(key)
        return not waiting or sequence <= min(waiting)

    def add(self, key: Key, sequence: int) -> None:
        """It will be delivered again; later ones wait for it."""
        self._sequences.setdefault(key, set()).add(sequence)

    def settle(self, key: Key, sequence: int) -> None:
        """It was handled, or will never be."""
        waiting = self._sequences.get(key)
        if waiting is not None:
            waiting.discard(sequence)
            if not waiting:
                del self._sequences[key]
