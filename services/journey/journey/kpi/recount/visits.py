"""One journey, told fact by fact in order: its charges, its claims, and what each counts in which KPI."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from journey.kpi.recount.claims import ClaimBook
from journey.kpi.recount.heard import Heard, parse_day

GRACE_DAYS = 3


@dataclass(slots=True)
class Charge:
    """One capture of charges: what it added to the one before."""

    key: str
    at: datetime
    added: int


@dataclass(slots=True)
class PatientCash:
    """One payment of a patient."""

    key: str
    at: datetime
    cents: int
    at_service: bool


@dataclass(slots=True)
class VisitBook:
    """What has been heard of one journey so far."""

    service_day: date | None = None
    finished: datetime | None = None
    cancelled: bool = False
    gap: bool = False
    billed: bool = False
    gross: int = 0
    charges: list[Charge] = field(default_factory=list)
    cash: list[PatientCash] = field(default_factory=list)
    claims: dict[str, ClaimBook] = field(default_factory=dict)

    def hear(self, fact: Heard) -> None:
        """The next fact of the journey."""
        day = parse_day(fact.word("service_on")) if fact.word("service_on") else None
        if day is not None and (self.service_day is None or day < self.service_day):
            self.service_day = day
        claim = fact.word("claim_id")
        if claim:
            self.claims.setdefault(claim, ClaimBook(claim)).hear(fact)
        self._notice(fact)

    def _notice(self, fact: Heard) -> None:
        match fact.type:
            case "encounter.finished":
                self.finished = self.finished or fact.at
            case "encounter.cancelled":
                self.cancelled = True
            case "work.opened":
                self.gap = self.gap or fact.qualifier == "missing-charge"
            case "claim.built" | "claim.voided":
                self.billed = self.billed or fact.word("responsibility") in ("", "1")
            case "charges.captured":
                self._charge(fact)
            case "patient.paid":
                at_service = bool(fact.detail.get("point_of_service"))
                self.cash.append(PatientCash(fact.event_id, fact.at, fact.number("paid_cents"), at_service))

    def _charge(self, fact: Heard) -> None:
        told = fact.number("gross_cents" if "gross_cents" in fact.detail else "billed_cents")
        self.charges.append(Charge(fact.event_id, fact.at, told - self.gross))
        self.gross = told

    def is_late(self, charge: Charge) -> bool:
        """More than three days after the first day of service."""
        if self.service_day is None:
            return False
        return charge.at.astimezone(UTC).date().toordinal() - self.service_day.toordinal() > GRACE_DAYS
