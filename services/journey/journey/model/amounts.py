"""The money of a journey as its facts tell it: the newest amounts count; what waits for its deposit is remembered."""

from __future__ import annotations

from dataclasses import dataclass, field

from journey.model.facts import Fact

MONEY = ("billed_cents", "paid_cents", "adjusted_cents", "patient_cents", "open_cents")
AWAITED = "awaited"


@dataclass(slots=True)
class Amounts:
    """Running sums between two facts, all in cents.

    `told` are the five parts of the equation; `gross` the charges; `from_patient` what the patient has paid; `awaited`
    and `matched` ids of remittances whose deposit is still to come or has come; `later` ids of claims to later payers.
    """

    told: dict[str, int] = field(default_factory=dict)
    gross: int = 0
    from_patient: int = 0
    awaited: set[str] = field(default_factory=set)
    matched: set[str] = field(default_factory=set)
    later: set[str] = field(default_factory=set)

    def take(self, fact: Fact) -> None:
        """What one fact says about money."""
        if fact.type == "patient.paid":
            self.from_patient += int(fact.detail.get("paid_cents", 0))
            return
        if fact.type == "deposit.matched":
            self.matched.add(fact.text("remittance_id"))
            self.awaited.discard(fact.text("remittance_id"))
            return
        self.told.update({name: int(fact.detail[name]) for name in MONEY if name in fact.detail})
        self.gross = int(fact.detail.get("gross_cents", self.gross))
        self._take_claim(fact)

    def _take_claim(self, fact: Fact) -> None:
        claim = fact.text("claim_id")
        if claim and int(fact.detail.get("responsibility", 1)) > 1:
            self.later.add(claim)
        remittance = fact.text("remittance_id")
        if fact.type == "payment.posted" and fact.text("settlement") == AWAITED and remittance not in self.matched:
            self.awaited.add(remittance)

    def is_of_later_payer(self, fact: Fact) -> bool:
        """Whether a fact is about a claim to the second or a later payer."""
        return fact.text("claim_id") in self.later

    @property
    def patient_open(self) -> int:
        """What the patient still owes; never below zero."""
        return max(0, self.told.get("patient_cents", 0) - self.from_patient)

    def stage_after_end(self) -> str:
        """What follows an end for as long as nothing happens."""
        return "patient" if self.patient_open else "settled"

    def at_stake(self, stage: str) -> int:
        """The dollars that wait in a stage, in cents."""
        if stage == "settled":
            return 0
        if stage == "patient":
            return self.patient_open
        if stage == "settlement":
            return self.told.get("paid_cents", 0)
        return self.told.get("open_cents", self.gross)
