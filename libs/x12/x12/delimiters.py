"""The four delimiters of an interchange, taken from its ISA and never assumed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Delimiters:
    """One character each; `suffix` is the line break that the sender puts after every terminator.

    `repetition` is empty when ISA11 is not a delimiter: before 00402 it was the standards id "U".
    """

    element: str = "*"
    component: str = ":"
    repetition: str = "^"
    segment: str = "~"
    suffix: str = ""

    def characters(self) -> frozenset[str]:
        """The characters that may not occur in data."""
        return frozenset(self.element + self.component + self.repetition + self.segment)
