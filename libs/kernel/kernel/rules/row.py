"""The shape of one rule row, of what it answers, and of the refusal of a bad one."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from kernel.errors import Unreadable
from kernel.period import Period

EVERY_PAYER = "*"

_COLLECTIONS = (list, tuple, set, frozenset)


def elements_of(value: object) -> Iterable[object]:
    """A list's elements, or the one value."""
    return value if isinstance(value, _COLLECTIONS) else (value,)


def kind_of(value: object) -> str | None:
    """The comparable kind of a value; None for what no rule may hold (floats, moments with a clock time, tables)."""
    if isinstance(value, bool):
        return "truth"
    if isinstance(value, (int, Decimal)):
        return "number"
    if isinstance(value, str):
        return "text"
    return "day" if type(value) is date else None


@dataclass(frozen=True, slots=True)
class Condition:
    """One field, one operator of the closed set, and the value(s) that it compares to (None for present, absent).

    `kind` (text, number, day, truth) is derived from the value once, because rows are asked far more often than read.
    """

    field: str
    op: str
    value: object = None
    kind: str | None = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        kinds = {kind_of(value) for value in elements_of(self.value)}
        object.__setattr__(self, "kind", kinds.pop() if len(kinds) == 1 else None)


@dataclass(frozen=True, slots=True)
class Rule:
    """One row: when all conditions hold for that payer on a day of `effective`, `outcome` is the answer.

    `because` is the sentence shown to people, `source` where the rule is published, `file` and `line` where it stands.
    """

    id: str
    payer: str
    applies: tuple[Condition, ...]
    effective: Period
    outcome: Mapping[str, object]
    because: str
    source: str
    file: str = ""
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """A rule that applied, with everything needed to explain it."""

    rule_id: str
    outcome: Mapping[str, object]
    because: str
    source: str


class RuleError(Unreadable):
    """A row that cannot be used: the file, the row's id (or its number), its line when known, and why."""

    def __init__(self, file: str, row: str, reason: str, line: int | None = None) -> None:
        place = file if line is None else f"{file}:{line}"
        super().__init__("rule_row", place, f"{place}, row {row}: {reason}", line)
        self.file = file
        self.row = row
        self.line = line
