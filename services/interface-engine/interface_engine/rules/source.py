"""A source channel: its code maps and what happens to billing resources whose codes it does not know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from kernel.codes import canonical_system
from kernel.period import Period

HOLD = "hold"
PASS = "pass"
IGNORE = "ignore"  # the same as pass, in the files of the first channels
BILLING_TYPES = ("ChargeItem", "Condition", "Immunization", "MedicationAdministration", "Procedure")
# A sender of FHIR whose ChargeItem says what a Procedure says already would else hold the visit twice.
_HELD_WHEN_ASKED = frozenset({"ChargeItem"})


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
    """One feed. `unmapped` names what becomes of a billing resource without a code for the claim: hold or pass.

    `defaults`: the code that stands in for every unmapped one of a type.
    """

    name: str
    codes: Mapping[tuple[str, str], tuple[CodeRow, ...]] = field(default_factory=dict)
    unmapped: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, CodeRow] = field(default_factory=dict)

    def rows(self, system: str, code: str, on: date | None) -> tuple[CodeRow, ...]:
        """The rows of a code in force on that day; all of them when the day is not known."""
        found = self.codes.get((canonical_system(system), code), ())
        return tuple(row for row in found if on is None or row.effective.contains(on))

    def holds(self, type_name: str) -> bool:
        policy = self.unmapped.get(type_name, PASS if type_name in _HELD_WHEN_ASKED else HOLD)
        return policy == HOLD

    def default(self, type_name: str) -> CodeRow | None:
        """The code that every unmapped one of this type becomes; None when there is none."""
        return self.defaults.get(type_name)
