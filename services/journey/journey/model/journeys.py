"""A journey: what the facts of one encounter add up to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from journey.model.amounts import MONEY
from journey.model.facts import Fact, microseconds
from journey.model.notices import Notice, notices_of
from journey.model.order import Placed, place_facts
from journey.model.stages import End, Stage, Walk, stages_of, walk_facts
from journey.model.table_stages import WAITS_FOR_A_PERSON

IN_FLIGHT = "in-flight"
WAITING = "waiting"
ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Journey:
    """Where an encounter is, how long each step took, and what it costs.

    `stage` is where it is now: after an end `patient` while the patient owes, else `settled`. `cents` has the five
    parts of the equation. `payer_id`, `payer_class` and `claim_id` are those of the first payer's claim.
    """

    journey_id: str
    encounter: str
    source: str
    state: str
    outcome: str
    reason: str
    started_at: datetime
    ended_at: datetime | None
    stages: tuple[Stage, ...]
    claim_id: str
    payer_id: str
    cents: Mapping[str, int]
    stage: str
    stage_since: datetime
    stage_cents: int
    payer_class: str
    provider: str
    service_on: date | None
    filing_due: date | None
    finished_at: datetime | None
    gross_cents: int
    patient_open_cents: int
    ends: tuple[End, ...]
    loops: int
    claim_ids: tuple[str, ...]
    notices: tuple[Notice, ...]

    @property
    def elapsed_us(self) -> int:
        """First move to last move in microseconds: the sum of the closed stages."""
        return sum(stage.elapsed_us for stage in self.stages)

    @property
    def first_end_at(self) -> datetime | None:
        """When it ended for the first time."""
        return self.ends[0].at if self.ends else None

    @property
    def etp_us(self) -> int | None:
        """Encounter to payment: first move to first end in microseconds, None until then."""
        return microseconds(self.ends[0].at - self.started_at) if self.ends else None


def journey_of(facts: Iterable[Fact]) -> Journey | None:
    """The journey that these facts of one journey id make; None when none of them begins one."""
    placed = place_facts(facts)
    walk = walk_facts(placed)
    current, decided = walk.current, walk.decided
    if current is None or decided is None:
        return None
    stages = stages_of(walk)
    state, outcome = _state(walk, current)
    told = _Told([one.fact for one in placed], walk.amounts.later)
    return Journey(
        journey_id=decided.fact.journey_id,
        encounter=told.last("encounter"),
        source=told.last("source"),
        state=state,
        outcome=outcome,
        reason="" if state == IN_FLIGHT else _reason(placed, decided),
        started_at=stages[0].started_at if stages else walk.ends[0].at,
        ended_at=walk.ends[-1].at if walk.over else None,
        stages=stages,
        claim_id=told.of_first_payer("claim_id"),
        payer_id=told.of_first_payer("payer_id"),
        cents={name: walk.amounts.told.get(name, 0) for name in MONEY},
        stage=current.name,
        stage_since=current.started_at,
        stage_cents=current.cents_open,
        payer_class=told.of_first_payer("payer_class"),
        provider=told.last("provider"),
        service_on=told.day("service_on"),
        filing_due=told.day("filing_due"),
        finished_at=next((one.at for one in placed if one.fact.type == "encounter.finished"), None),
        gross_cents=walk.amounts.gross,
        patient_open_cents=walk.amounts.patient_open,
        ends=tuple(walk.ends),
        loops=walk.loops,
        claim_ids=told.all("claim_id"),
        notices=notices_of(placed),
    )


def _state(walk: Walk, current: Stage) -> tuple[str, str]:
    if walk.over:
        return ENDED, walk.ends[-1].outcome
    if current.name in WAITS_FOR_A_PERSON:
        return WAITING, WAITS_FOR_A_PERSON[current.name]
    return IN_FLIGHT, ""


def _reason(placed: Sequence[Placed], decided: Placed) -> str:
    """The code of what the journey waits for or ended with: the last one told when it came here, or since."""
    told = [one.fact.reason for one in placed if one.fact.reason and one.at >= decided.at]
    return told[-1] if told else decided.fact.reason


@dataclass(frozen=True, slots=True)
class _Told:
    """What the facts say beside money; the newest word counts. `later` are claims to later payers."""

    facts: Sequence[Fact]
    later: set[str]

    def last(self, name: str) -> str:
        return next((fact.text(name) for fact in reversed(self.facts) if fact.text(name)), "")

    def of_first_payer(self, name: str) -> str:
        first = [fact for fact in self.facts if fact.text("claim_id") not in self.later]
        return next((fact.text(name) for fact in reversed(first) if fact.text(name)), "") or self.last(name)

    def all(self, name: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(fact.text(name) for fact in self.facts if fact.text(name)))

    def day(self, name: str) -> date | None:
        told = self.last(name)
        return date.fromisoformat(told) if told else None
