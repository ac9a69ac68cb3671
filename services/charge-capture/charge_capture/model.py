"""Charges of a visit: its lines with their prices, the orders that were performed, and what is missing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from uuid import UUID, uuid5

from kernel.transitions import Transitions

# A visit's charges: waiting for a person, or captured. Captured charges never change here.
TRANSITIONS = Transitions({"waiting": {"waiting", "captured"}, "captured": set()})

MISSING_CHARGE = "missing-charge"
LATE_CHARGE = "late-charge"
NO_CHARGE = "no-charge"
NO_PRICE = "no-price"
AFTER_CAPTURE = "after-capture"

_NAMESPACE = UUID("0d3a3b0e-94a8-5e0c-8a53-6a6a7c1f4b27")  # ours; so that the same line always gives the same ids


@dataclass(frozen=True, slots=True)
class Line:
    """What pricing needs of a service line. `original` is the whole line as it came, unread."""

    line_id: str
    code: str
    modifiers: tuple[str, ...]
    units: Decimal
    service_from: date
    source: str
    orders: tuple[str, ...]
    original: bytes


@dataclass(frozen=True, slots=True)
class Order:
    """A performed order. `code` is whatever it was ordered by, for the person who looks at it."""

    reference: str
    code: str
    on: date | None = None


@dataclass(frozen=True, slots=True)
class Charge:
    """One priced line. `cents` is unit price times units, rounded half up to the cent."""

    line: Line
    unit_cents: int
    cents: int

    @property
    def charge_item_id(self) -> str:
        return str(uuid5(_NAMESPACE, f"charge|{self.line.line_id}"))


@dataclass(frozen=True, slots=True)
class Missing:
    """Why a visit cannot be charged yet. `subject` is the order or the line id; `cents` an estimate, 0 when unknown."""

    reason: str
    subject: str
    order: str
    code: str
    cents: int = 0


@dataclass(frozen=True, slots=True)
class Reckoning:
    """All charges of a visit, complete only when nothing is missing."""

    charges: tuple[Charge, ...]
    missing: tuple[Missing, ...]

    @property
    def total_cents(self) -> int:
        return sum(charge.cents for charge in self.charges)


@dataclass(frozen=True, slots=True)
class Decision:
    """A person's answer to a missing charge: a line to add, a price per unit for the line, or not billable."""

    subject: str
    line: Line | None = None
    unit_cents: int | None = None

    @property
    def drops(self) -> bool:
        return self.line is None and self.unit_cents is None


@dataclass(frozen=True, slots=True)
class Visit:
    """A coded visit. `coded` is the body of encounter.coded, unread. `orders`: what its snapshot shows performed.

    `closed`: a coder said that nothing is billable.
    """

    encounter_key: str
    encounter: str
    patient: str
    lines: tuple[Line, ...]
    orders: tuple[Order, ...]
    closed: bool
    coded: bytes


@dataclass(frozen=True, slots=True)
class Capture:
    """One visit's charge capture as we keep it. `trace` is the burst that waits."""

    encounter_key: str
    encounter: str
    version: int
    state: str
    coded: bytes
    journey_id: str
    trace: str


@dataclass(frozen=True, slots=True)
class WorkItem:
    """A missing charge that a person decides. `state`: open, added, not-billable, or resolved when it went away."""

    work_id: str
    kind: str
    reason: str
    encounter_key: str
    encounter: str
    patient: str
    subject: str
    order_ref: str
    code: str
    cents: int
    state: str
    due_on: date
    opened_at: datetime


def charge_cents(unit_cents: int, units: Decimal) -> int:
    """Unit price times units, half a cent rounded up."""
    return int((unit_cents * units).quantize(Decimal(1), ROUND_HALF_UP))


def added_line_id(encounter_key: str, order: str) -> str:
    """The line that answers a missing order, the same on every replay."""
    return str(uuid5(_NAMESPACE, f"line|{encounter_key}|{order}"))


def work_id(kind: str, encounter_key: str, subject: str) -> str:
    """One work item per visit and order or line."""
    return str(uuid5(_NAMESPACE, f"work|{kind}|{encounter_key}|{subject}"))
