"""What the checker says: where, which rule, what was expected; never a value that could name a person."""

from __future__ import annotations

from dataclasses import dataclass

ERROR, WARNING = "error", "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One fault.

    `snip` 1 syntax, 2 guide, 3 balance, 4 situation, 5 external codes. `scope` is interchange, group, set, segment or
    element. `position` counts segments from ISA as 1, `set_position` from ST as 1 (0 outside of a set), `set_start` is
    the position of the set's ST. `code` is the code of TA105, AK905, IK502, IK304 or IK403 that fits the scope.
    `found` gives the shape of the value ("AN(12)"), or the value when it is a count, amount or qualifier.
    `interchange`, `group` and `set` count from 1 in the data, the interchange and the group; 0 is not known.
    `loop_path` names the loops with their occurrences: "2000A[1]/2000B[2]/2300[1]".
    """

    snip: int
    rule: str
    path: str
    scope: str
    code: str
    segment_id: str = ""
    position: int = 0
    set_start: int = 0
    loop: str = ""
    element: int = 0
    component: int = 0
    repetition: int = 0
    reference: str = ""
    found: str = ""
    expected: str = ""
    severity: str = ERROR
    interchange: int = 0
    group: int = 0
    set: int = 0
    loop_path: str = ""

    @property
    def set_position(self) -> int:
        """The segment's number in its set, ST being 1."""
        return self.position - self.set_start + 1 if self.set_start else 0

    @property
    def is_error(self) -> bool:
        """Whether it stands in the way of acceptance."""
        return self.severity == ERROR


def shape(value: str) -> str:
    """What a value looks like without saying what it is: kind and length."""
    if not value:
        return "empty"
    kind = "digits" if value.isdigit() else "letters" if value.isalpha() else "mixed"
    return f"{kind}({len(value)})"
