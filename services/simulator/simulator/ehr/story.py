"""What a story is: the bundles that the EHR sends, and what should come of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Ending = Literal[
    "paid",
    "partly-paid",
    "denied",
    "rejected",
    "claim-held",
    "coder-review",
    "unmapped-code",
    "missing-charge",
]


@dataclass(frozen=True, slots=True)
class ExpectedLine:
    """One claim line as it should come out: modifiers in any order, units as decimal text, cents for all units."""

    code: str
    modifiers: tuple[str, ...]
    units: str
    charge_cents: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where the story should end.

    `lines` are the billable lines (empty where coding must stop first); amounts are totals of the claim when it is
    adjudicated, else 0; `work` the kinds of work items that must be open at the end; `reason` the edit, CARC or gap.
    """

    ending: Ending
    lines: tuple[ExpectedLine, ...] = ()
    billed_cents: int = 0
    paid_cents: int = 0
    patient_cents: int = 0
    claims: int = 0
    work: tuple[str, ...] = ()
    reason: str = ""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Story:
    """A visit with all that comes before it. `encounter` is its FHIR reference, `bundles` transaction Bundles."""

    story_id: str
    kind: str
    encounter: str
    payer_id: str
    bundles: tuple[bytes, ...]
    expected: Outcome
