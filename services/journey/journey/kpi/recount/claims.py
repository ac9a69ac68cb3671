"""One claim, told fact by fact in order: what it came to is known at the end."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from journey.kpi.recount.heard import Heard, parse_instant


@dataclass(slots=True)
class Remit:
    """One posting: what it changed against the one before, and how the claim stood after it."""

    fact: Heard
    paid: int
    contractual: int
    open_cents: int
    borne: int
    from_payer: bool
    received: datetime | None


@dataclass(slots=True)
class Denied:
    """One denial as it was told."""

    key: str
    at: datetime
    cents: int
    work: str


@dataclass(slots=True)
class ClaimBook:
    """What has been heard of one claim so far."""

    claim_id: str
    payer_rank: str = ""
    charged: int = 0
    built: datetime | None = None
    spoiled: bool = False
    handed_over: bool = False
    out: datetime | None = None
    answers: list[bool] = field(default_factory=list)
    voids: list[datetime] = field(default_factory=list)
    remits: list[Remit] = field(default_factory=list)
    from_patient: int = 0
    denials: list[Denied] = field(default_factory=list)
    appeals: list[tuple[datetime, str]] = field(default_factory=list)
    real: bool = False

    @property
    def primary(self) -> bool:
        return self.payer_rank in ("", "1")

    def hear(self, fact: Heard) -> None:
        """The next fact of the claim."""
        self.payer_rank = fact.word("responsibility") or self.payer_rank
        match fact.type:
            case "payment.posted" | "payment.reversed":
                self._paid(fact)
            case "patient.paid":
                self.from_patient += fact.number("paid_cents")
            case "claim.denied":
                cents = fact.number("denied_cents") or fact.number("dollars_cents")
                self.denials.append(Denied(fact.event_id, fact.at, cents, fact.word("work_id")))
            case "claim.underpaid":
                return
            case other if other.startswith("claim."):
                self._moved(fact)

    def _moved(self, fact: Heard) -> None:
        self.real = True
        if "billed_cents" in fact.detail:
            self.charged = fact.number("billed_cents")
        self._judge(fact)
        match fact.type:
            case "claim.built":
                self.built = self.built or fact.at
            case "claim.submitted":
                self._left(fact.at)
            case "claim.voided":
                self.voids.append(fact.at)
            case "claim.appealed":
                self.appeals.append((fact.at, fact.word("work_id")))
            case "claim.rejected":
                self._left(fact.at)
                self.answers.append(False)
            case "claim.acknowledged":
                self._left(fact.at)
                if fact.qualifier in ("accepted", "rejected"):
                    self.answers.append(fact.qualifier == "accepted")

    def _left(self, at: datetime) -> None:
        self.out = self.out or at

    def _judge(self, fact: Heard) -> None:
        """Clean until something holds it or somebody touches it; what comes after it left no longer matters."""
        if self.handed_over:
            return
        if fact.type == "claim.held" or fact.qualifier == "held" or fact.detail.get("touched"):
            self.spoiled = True
        if fact.type == "claim.submitted":
            self.handed_over = True

    def _paid(self, fact: Heard) -> None:
        self.real = True
        by_payer = bool(fact.word("remittance_id")) and not fact.detail.get("by_person")
        before = self.remits[-1].fact if self.remits else None
        self.remits.append(
            Remit(
                fact,
                fact.number("paid_cents") - (before.number("paid_cents") if before else 0),
                fact.number("contractual_cents") - (before.number("contractual_cents") if before else 0),
                fact.number("open_cents"),
                fact.number("paid_cents") + fact.number("patient_cents"),
                by_payer,
                parse_instant(fact.word("received_at")),
            )
        )
        if by_payer and fact.type == "payment.posted":
            self._left(fact.at)

    @property
    def first_835(self) -> Remit | None:
        """The first posting that a payer caused."""
        return next((one for one in self.remits if one.from_payer and one.fact.type == "payment.posted"), None)

    @property
    def billed(self) -> int:
        """What was charged: the books' word once there is one."""
        return self.remits[-1].fact.number("billed_cents") if self.remits else self.charged

    @property
    def owed(self) -> int:
        """What payer and patient owe on a primary claim that went out and was not voided."""
        if not self.primary or self.out is None or self.voids:
            return 0
        if not self.remits:
            return self.charged - self.from_patient
        last = self.remits[-1].fact
        return last.number("open_cents") + last.number("patient_cents") - self.from_patient

    def won_back(self, denial: Denied) -> int:
        """What payer and patient bear now beyond what they bore when it was denied, at most what was denied."""
        later = [one for one in self.remits if one.fact.at > denial.at]
        earlier = [one for one in self.remits if one.fact.at <= denial.at]
        if not later:
            return 0
        gain = later[-1].borne - (earlier[-1].borne if earlier else 0)
        return min(max(gain, 0), denial.cents)

    def over_at(self, denial: Denied) -> datetime | None:
        """When nothing was open any more, or the claim was voided."""
        closed = [
            one.fact.at
            for one in self.remits
            if one.fact.type == "payment.posted" and one.open_cents <= 0 and one.fact.at > denial.at
        ]
        return min([*closed, *(at for at in self.voids if at >= denial.at)], default=None)

    def appealed_at(self, denial: Denied) -> datetime | None:
        """The first appeal of this denial."""
        mine = (
            at for at, work in self.appeals if at >= denial.at and (work == denial.work or not work or not denial.work)
        )
        return min(mine, default=None)
