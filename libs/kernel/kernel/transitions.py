"""One table of legal state changes, with the questions that models and their exhaustive tests ask of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from kernel.errors import Refused


class Transitions:
    """State -> states that may follow. Every state that occurs has its own row, even an empty one (else ValueError)."""

    def __init__(self, table: Mapping[str, Collection[str]]) -> None:
        self._table = {state: frozenset(following) for state, following in table.items()}
        strays = {state for following in self._table.values() for state in following} - self._table.keys()
        if strays:
            raise ValueError(f"states without a row: {', '.join(sorted(strays))}")

    @property
    def states(self) -> frozenset[str]:
        return frozenset(self._table)

    @property
    def terminal(self) -> frozenset[str]:
        return frozenset(state for state, following in self._table.items() if not following)

    def allows(self, from_state: str, to_state: str) -> bool:
        return to_state in self._table.get(from_state, frozenset())

    def check(self, from_state: str, to_state: str) -> None:
        """Raises Refused("transition_refused") unless the table has the step; staying put is a step like any other."""
        if not self.allows(from_state, to_state):
            raise Refused("transition_refused", f"no step leads from {from_state} to {to_state}")

    def reachable(self, start: str) -> frozenset[str]:
        """Every state that some path of one or more steps leads to."""
        seen: set[str] = set()
        waiting = list(self._table[start])
        while waiting:
            state = waiting.pop()
            if state not in seen:
                seen.add(state)
                waiting.extend(self._table[state])
        return frozenset(seen)

    def every_pair(self) -> Iterator[tuple[str, str, bool]]:
        """All ordered pairs of states with whether the step is legal, for exhaustive tests."""
        for from_state in self._table:
            for to_state in self._table:
                yield from_state, to_state, self.allows(from_state, to_state)
