"""The words of the KPIs: formulas and their values, the rows behind them, and what the pages are handed.

Integers only: cents, microseconds, counts. A value is a numerator over a denominator and is divided where it is shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Generic, TypeVar

T = TypeVar("T")
SHARE, DAYS, TIME = "share", "days", "time"
HIGHER, LOWER = "higher", "lower"
OK, EMPTY, NOT_CONFIGURED, WAITING = "ok", "empty", "not-configured", "waiting"
AGREES, DIFFERS, MOVING, UNCHECKED = "agrees", "differs", "moving", "unchecked"
_UNITS = ((86_400_000_000, "d"), (3_600_000_000, "h"), (60_000_000, "min"), (1_000_000, "s"))


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A published range: `low` and `high` in thousandths of the unit (per mille of a share, thousandths of a day)."""

    text: str
    low: int
    high: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Formula:
    """One KPI. `rows` are queries that yield key, journey_id, claim_id, at, numerator, denominator; the sums over all
    of them are the value. `text` says the formula with its source, `note` what it cannot know. A changed formula is a
    new version."""

    name: str
    version: int
    title: str
    group: str
    unit: str
    text: str
    rows: tuple[str, ...]
    better: str = ""
    note: str = ""
    missing: str = "nothing has happened yet that it counts"
    integrated: Benchmark | None = None
    standalone: Benchmark | None = None
    needs_cost: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class KpiValue:
    """A KPI as of an instant. p50 and p90 (microseconds) only where the unit is time."""

    name: str
    version: int
    title: str
    group: str
    unit: str
    formula: str
    note: str
    better: str
    integrated: Benchmark | None
    standalone: Benchmark | None
    state: str
    because: str
    numerator: int
    denominator: int
    p50: int | None
    p90: int | None
    as_of: datetime | None
    agreement: str
    checked_at: datetime | None

    @property
    def thousandths(self) -> int | None:
        """The value in thousandths of its unit, rounded to the nearest; None where there is none."""
        if self.state != OK or self.denominator == 0:
            return None
        sign = -1 if (self.numerator < 0) != (self.denominator < 0) else 1
        top, bottom = abs(self.numerator) * 1000, abs(self.denominator)
        return sign * ((2 * top + bottom) // (2 * bottom))

    @property
    def shown(self) -> str:
        """ "96.4 %", "31.2 d", "3 d 4 h" or "-"."""
        if self.thousandths is None:
            return "-"
        if self.unit == TIME:
            return duration_text(self.numerator // self.denominator)
        if self.unit == SHARE:
            return f"{_tenths(self.thousandths)} %"
        return f"{_tenths(_rounded(self.thousandths, 100))} d"

    @property
    def standing(self) -> str:
        """Where it stands against the benchmarks: integrated, between, standalone; "" where there are none."""
        value, good, poor = self.thousandths, self.integrated, self.standalone
        if value is None or good is None or poor is None:
            return ""
        if self.better == LOWER:
            return "integrated" if value <= good.high else "standalone" if value >= poor.low else "between"
        return "integrated" if value >= good.low else "standalone" if value <= poor.high else "between"


def _rounded(value: int, unit: int) -> int:
    sign = -1 if value < 0 else 1
    return sign * ((2 * abs(value) + unit) // (2 * unit))


def _tenths(value: int) -> str:
    return f"{'-' if value < 0 else ''}{abs(value) // 10}.{abs(value) % 10}"


def duration_text(microseconds: int) -> str:
    """ "3 d 4 h", "2 min 5 s", "152 ms", "12 µs": the two largest units."""
    if microseconds < 1000:
        return f"{microseconds} µs"
    if microseconds < 1_000_000:
        return f"{microseconds // 1000} ms"
    parts: list[str] = []
    for size, name in _UNITS:
        count, microseconds = divmod(microseconds, size)
        if count or parts:
            parts.append(f"{count} {name}" if count else "")
        if len(parts) == 2:
            break
    return " ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class KpiRow:
    """One row behind a KPI. `key` is unique in it: a claim, an event or a remittance."""

    key: str
    journey_id: str
    claim_id: str
    at: datetime | None
    numerator: int
    denominator: int


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Rows, and the token of the next page; "" when this was the last."""

    rows: tuple[T, ...]
    next: str


@dataclass(frozen=True, slots=True)
class Total:
    """What the rows of a KPI add up to."""

    numerator: int
    denominator: int
    p50: int | None = None
    p90: int | None = None


@dataclass(frozen=True, slots=True)
class Cost:
    """What a site's revenue cycle cost in the month from `first` (a day 1) to before `following`, in cents."""

    first: date
    following: date
    cents: int


@dataclass(frozen=True, slots=True)
class Basis:
    """As of when KPIs are computed, and the last whole month whose cost the site has told."""

    as_of: datetime
    cost: Cost | None = None


@dataclass(frozen=True, slots=True)
class Cohort:
    """Net collection of the services of one month: payments over charges less contractual adjustments."""

    month: date
    claims: int
    payments_cents: int
    charges_cents: int
    contractual_cents: int


@dataclass(frozen=True, slots=True)
class StageMoney:
    """Unfinished journeys at one stage for one class of payers. `oldest_since`: when the oldest came there."""

    stage: str
    payer_class: str
    count: int
    cents: int
    oldest_since: datetime | None


@dataclass(frozen=True, slots=True)
class DenialCell:
    """Denials of a week (its Monday) under one key."""

    week: date
    key: str
    count: int
    cents: int


@dataclass(frozen=True, slots=True)
class DenialFilter:
    """All that is not empty must hold. `week` is a Monday."""

    payer: str = ""
    carc: str = ""
    category: str = ""
    feed: str = ""
    provider: str = ""
    week: date | None = None
    state: str = ""


@dataclass(frozen=True, slots=True)
class DenialRow:
    """A denial. state: open appealed overturned written-off closed."""

    denial_id: str
    work_id: str
    journey_id: str
    claim_id: str
    payer_id: str
    payer_class: str
    provider: str
    feed: str
    category: str
    carc: tuple[str, ...]
    rarc: tuple[str, ...]
    codes: tuple[str, ...]
    cents: int
    denied_at: datetime
    due_on: date | None
    state: str
    appealed_at: datetime | None
    resolved_at: datetime | None
    overturned_cents: int


@dataclass(frozen=True, slots=True)
class ProviderRevenue:
    """gross = paid + adjusted + patient + open; the patient's share, and what of it was paid beside it."""

    provider: str
    claims: int
    gross_cents: int
    paid_cents: int
    adjusted_cents: int
    patient_cents: int
    open_cents: int
    patient_paid_cents: int


@dataclass(frozen=True, slots=True)
class PayerScore:
    """How a payer answers. Lag: accepted (277CA) to 835 received, in microseconds. `mix`: (category, count, cents)."""

    payer_id: str
    payer_class: str
    claims: int
    adjudicated: int
    lag_p50_us: int | None
    lag_p90_us: int | None
    denied: int
    denied_cents: int
    underpaid: int
    underpaid_cents: int
    clean: int
    built: int
    auth_decided: int = 0
    auth_p50_us: int | None = None
    auth_p90_us: int | None = None
    auth_within_72h: int = 0
    auth_within_7d: int = 0
    auth_pending: int = 0
    mix: tuple[tuple[str, int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class WorkFilter:
    """state: open, closed or all."""

    kind: str = ""
    owner: str = ""
    payer: str = ""
    overdue: bool = False
    state: str = "open"


@dataclass(frozen=True, slots=True)
class WorkItem:
    """Something that a person must decide. closeness and chance: 1 to 100; priority: dollars times both."""

    work_id: str
    kind: str
    reason: str
    owner: str
    dollars_cents: int
    due_on: date | None
    days_left: int | None
    encounter: str
    journey_id: str
    claim_id: str
    payer_id: str
    opened_at: datetime | None
    closed_at: datetime | None
    outcome: str
    priority: int
    closeness: int
    chance: int


@dataclass(frozen=True, slots=True)
class WorkCount:
    """Open work of a kind and owner. `oldest_at`: when the oldest of it was opened."""

    kind: str
    owner: str
    count: int
    cents: int
    overdue: int
    oldest_at: datetime | None


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A KPI whose two computations gave different sums; `rows` name what differs."""

    name: str
    as_of: datetime
    first_numerator: int
    first_denominator: int
    second_numerator: int
    second_denominator: int
    rows: tuple[str, ...]
    checked_at: datetime


@dataclass(frozen=True, slots=True)
class Snapshot:
    """How fresh the figures are. check_state: agrees, differs, moving or unchecked."""

    as_of: datetime
    took_ms: int
    checked_at: datetime | None
    check_state: str


@dataclass(frozen=True, slots=True)
class Compared:
    """One KPI computed twice. `rows` are texts that name what differs."""

    name: str
    agreement: str
    first: Total
    second: Total
    rows: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckResult:
    """Both computations of all KPIs at one instant. `moving`: journeys that were left out because facts of them had
    not been added up yet; `unbegun`: journeys that no fact begins."""

    as_of: datetime
    facts: int
    moving: int
    unbegun: int
    compared: tuple[Compared, ...]

    @property
    def state(self) -> str:
        """differs when any KPI does, else moving when any could not be compared, else agrees."""
        found = {one.agreement for one in self.compared}
        return next((state for state in (DIFFERS, MOVING) if state in found), AGREES)
