"""The lag ledger's arithmetic: facts in, stages out. Pure, so that a rebuild gives the same answer.

Stages partition the elapsed time of a journey exactly: each fact that moves the journey closes one stage at its
instant and opens the next at the same instant. Rework is a stage of its own, with a round.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import zip_longest
from typing import Any

# Fact (and its qualifier, where one matters) -> the stage that begins; END closes the journey.
END = "end"
STAGE_AFTER: tuple[tuple[str, str, str], ...] = (
    ("appointment.booked", "", "documentation"),
    ("appointment.changed", "", "documentation"),
    ("encounter.started", "", "documentation"),
    ("order.placed", "", "documentation"),
    ("encounter.finished", "", "coding"),
    ("encounter.cancelled", "", END),
    ("work.opened", "coder-review", "coder-review"),
    ("work.opened", "unmapped-code", "coder-review"),
    ("work.closed", "coder-review", "coding"),
    ("work.closed", "unmapped-code", "coding"),
    ("encounter.coded", "", "charge"),
    ("work.opened", "missing-charge", "missing-charge"),
    ("work.closed", "missing-charge", "charge"),
    ("charges.captured", "", "submission"),
    ("charges.amended", "", "submission"),
    ("claim.built", "ready", "submission"),
    ("claim.built", "held", "hold"),
    ("claim.held", "", "hold"),
    ("claim.submitted", "", "clearinghouse"),
    ("claim.acknowledged", "received", "clearinghouse"),
    ("claim.acknowledged", "accepted", "payer"),
    ("claim.rejected", "", "rejection"),
    ("claim.voided", "", END),
    ("payment.posted", "paid", END),
    ("payment.posted", "partly_paid", END),
    ("payment.posted", "written_off", END),
    ("payment.posted", "denied", "denial"),
    ("payment.reversed", "", "payer"),
    ("claim.denied", "", "denial"),
)
RANK = {(event, qualifier): rank for rank, (event, qualifier, _) in enumerate(STAGE_AFTER)}
NEXT = {(event, qualifier): stage for event, qualifier, stage in STAGE_AFTER}
BEFORE_THE_CLAIM = ("documentation",)
# A payment may be posted before we have read the acknowledgement of its claim: that says nothing new any more.
ANSWERED = (END, "denial")
OVERTAKEN = frozenset({"claim.acknowledged"})

# Stages in which a person holds the pen, and the outcome that is shown for them.
WAITS_FOR_A_PERSON = {
    "coder-review": "review",
    "missing-charge": "held",
    "hold": "held",
    "rejection": "rejected",
    "denial": "denied",
}
IN_FLIGHT = "in-flight"
MONEY = ("billed_cents", "paid_cents", "adjusted_cents", "patient_cents", "open_cents")


@dataclass(frozen=True, slots=True)
class Fact:
    """One event as the ledger keeps it. `qualifier`: the state, kind or outcome inside it; `detail`: ids and cents."""

    event_id: str
    journey_id: str
    type: str
    producer: str
    occurred_at: datetime
    qualifier: str = ""
    reason: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)
    trace_id: str = ""


@dataclass(frozen=True, slots=True)
class Stage:
    """A span of the journey. `ended_at` is None while it lasts; `round` counts earlier stages of the same name."""

    name: str
    round: int
    started_at: datetime
    ended_at: datetime | None
    cause: str

    @property
    def elapsed_us(self) -> int:
        """Microseconds, 0 while it lasts."""
        return _us(self.ended_at - self.started_at) if self.ended_at else 0


@dataclass(frozen=True, slots=True)
class Journey:
    """What the facts of one encounter add up to."""

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

    @property
    def elapsed_us(self) -> int:
        """The sum of the closed stages, which is the elapsed time less what is still open."""
        return sum(stage.elapsed_us for stage in self.stages)


def _us(span: timedelta) -> int:
    return span // timedelta(microseconds=1)


def key_of(fact: Fact) -> tuple[str, str]:
    """The row of STAGE_AFTER that a fact meets: with its qualifier where the table has one, else without."""
    exact = (fact.type, fact.qualifier)
    return exact if exact in NEXT else (fact.type, "")


def in_order(facts: Iterable[Fact]) -> list[Fact]:
    """Facts by instant; those of one instant in the order of the line, then by id: every order in gives one out."""
    return sorted(facts, key=lambda fact: (fact.occurred_at, RANK.get(key_of(fact), -1), fact.event_id))


def moves(facts: Sequence[Fact]) -> list[tuple[Fact, str]]:
    """The facts that change the stage, with the stage that begins. What was overtaken never brings a stage back."""
    moved: list[tuple[Fact, str]] = []
    for fact in facts:
        stage = NEXT.get(key_of(fact))
        if stage is None or (stage in BEFORE_THE_CLAIM and moved):
            continue
        if fact.type in OVERTAKEN and moved and moved[-1][1] in ANSWERED:
            continue
        if not moved or moved[-1][1] != stage:
            moved.append((fact, stage))
    return moved


def stages_of(facts: Iterable[Fact]) -> tuple[Stage, ...]:
    """The stages. Their closed lengths sum to the time from the first move to the last, less time after an end."""
    moved = moves(in_order(facts))
    rounds: Counter[str] = Counter()
    stages: list[Stage] = []
    for (fact, name), following in zip_longest(moved, moved[1:]):
        if name == END:
            continue
        ended_at = following[0].occurred_at if following else None
        cause = following[0].type if following else ""
        stages.append(Stage(name, rounds[name], fact.occurred_at, ended_at, cause))
        rounds[name] += 1
    return tuple(stages)


def journey_of(facts: Iterable[Fact]) -> Journey | None:
    """The journey that these facts of one journey id make; None when none of them begins one."""
    ordered = in_order(facts)
    moved = moves(ordered)
    if not moved:
        return None
    last_fact, last_stage = moved[-1]
    state, outcome = _state(last_fact, last_stage, ordered)
    return Journey(
        journey_id=last_fact.journey_id,
        encounter=_last(ordered, "encounter"),
        source=_last(ordered, "source"),
        state=state,
        outcome=outcome,
        reason="" if state == IN_FLIGHT else _reason(ordered, last_fact),
        started_at=moved[0][0].occurred_at,
        ended_at=last_fact.occurred_at if state == "ended" else None,
        stages=stages_of(ordered),
        claim_id=_last(ordered, "claim_id"),
        payer_id=_last(ordered, "payer_id"),
        cents={name: _last_cents(ordered, name) for name in MONEY},
    )


def _state(fact: Fact, stage: str, ordered: Sequence[Fact]) -> tuple[str, str]:
    if stage in WAITS_FOR_A_PERSON:
        return "waiting", WAITS_FOR_A_PERSON[stage]
    if stage != END:
        return IN_FLIGHT, ""
    if fact.type == "payment.posted":
        return "ended", fact.qualifier.replace("_", "-")
    return "ended", "refused"


def _reason(ordered: Sequence[Fact], moved: Fact) -> str:
    """The code of what the journey waits for or ended with: the last one told at or after the last move."""
    told = [fact.reason for fact in ordered if fact.reason and fact.occurred_at >= moved.occurred_at]
    return told[-1] if told else moved.reason


def _last(ordered: Sequence[Fact], name: str) -> str:
    return next((str(fact.detail[name]) for fact in reversed(ordered) if fact.detail.get(name)), "")


def _last_cents(ordered: Sequence[Fact], name: str) -> int:
    """The newest amount that a fact told; a claim's total before anything was posted is both billed and open."""
    return next((int(fact.detail[name]) for fact in reversed(ordered) if name in fact.detail), 0)
