"""A source channel: its code maps and what happens to billing resources whose codes it does not know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from kernel.codes import canonical_system
from kernel.period import Period

HOLD = "hold"
IGNORE = "ignore"
BILLING_TYPES = ("Condition", "Immunization", "MedicationAdministration", "Procedure")


@dataclass(frozen=True, slots=True)
class CodeRow:
    """What a source's code is in another system, while `effective`; not billable when it has no target."""

    target_system: str
    target_code: str
    effective: Period

    @property
    def billable(self) -> bool:
        return bool(self.target_code)


@dataclass(frozen=True, slots=True)
class Source:
    """One feed. `unmapped` names what becomes of a billing resource without a code for the claim: hold or ignore."""

    name: str
    codes: Mapping[tuple[str, str], tuple[CodeRow, ...]] = field(default_factory=dict)
    unmapped: Mapping[str, str] = field(default_factory=dict)

    def rows(self, system: str, code: str, on: date | None) -> tuple[CodeRow, ...]:
        """The rows of a code in force on that day; all of them when the day is not known."""
        found = self.codes.get((canonical_system(system), code), ())
        return tuple(row for row in found if on is None or row.effective.contains(on))

    def holds(self, type_name: str) -> bool:
        return self.unmapped.get(type_name, HOLD) == HOLD
