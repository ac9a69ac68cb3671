"""The walk over a journey's facts: which stage each one ends and begins, in which loop, with which dollars at stake.

Stages partition the elapsed time exactly: each fact that moves the journey closes one stage at its instant and opens
the next at the same instant. After an end nothing runs; but when something follows, the time between is a stage too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from journey.model.amounts import Amounts
from journey.model.facts import Fact, microseconds
from journey.model.order import Placed, key_of
from journey.model.table_stages import (
    ANSWERED,
    BEFORE_THE_CLAIM,
    END,
    LOOP_OPENED_BY,
    LOOPS_CLOSED_BY,
    NEXT,
    OVERTAKEN,
    TAKEBACK,
    WITH_A_LATER_PAYER,
)

POSTED = "payment.posted"
MATCHED = "deposit.matched"
PATIENT_PAID = "patient.paid"


@dataclass(frozen=True, slots=True)
class Stage:
    """A span of the journey. `ended_at` is None while it lasts; `round` counts earlier stages of the same name.

    `cause` is the type of the fact that ended it. `loop` and `because` say of which rework it is part, and which code
    opened that. `cents_open` is at stake while it lasts. `episode` counts the ends before it.
    """

    name: str
    round: int
    started_at: datetime
    ended_at: datetime | None
    cause: str
    loop: str = ""
    because: str = ""
    cents_open: int = 0
    episode: int = 0

    @property
    def elapsed_us(self) -> int:
        """Microseconds, 0 while it lasts."""
        return microseconds(self.ended_at - self.started_at) if self.ended_at else 0


@dataclass(frozen=True, slots=True)
class End:
    """An end of the journey: when, and how it ended."""

    at: datetime
    outcome: str


@dataclass(slots=True)
class Loop:
    """A rework that is under way: rejection, denial, takeback or hold, and the code that opened it."""

    kind: str
    because: str


@dataclass(slots=True)
class Walk:
    """Everything between two facts.

    `closed` are the stages so far and `current` the one that lasts; `over` when the last move was an end, and then
    `current` is what follows it. `decided` is the fact that the present state goes back to.
    """

    closed: list[Stage] = field(default_factory=list)
    current: Stage | None = None
    over: bool = False
    ends: list[End] = field(default_factory=list)
    reworks: list[Loop] = field(default_factory=list)
    loops: int = 0
    amounts: Amounts = field(default_factory=Amounts)
    decided: Placed | None = None
    answer: str = ""
    posted: set[str] = field(default_factory=set)

    def take(self, one: Placed) -> None:
        """The next fact in order."""
        fact = one.fact
        if self._is_overtaken(fact):
            return
        self.amounts.take(fact)
        stage = self._stage_after(fact)
        if fact.type == POSTED and stage is not None:
            self.posted.add(fact.event_id)
            self._begin_posting(fact, one.at)
        if stage is None or (self.current is not None and self.current.name == stage):
            self._note(fact)
            return
        outcome = self._outcome(fact)
        self._leave(fact, one.at)
        self._turn_loops(fact, stage)
        self._enter(one, stage, outcome)

    def _is_overtaken(self, fact: Fact) -> bool:
        """What the payer's answer has made old news; a claim that is sent again is none of it."""
        if fact.type == "claim.submitted" and fact.causation_id in self.posted:
            return True
        return fact.type in OVERTAKEN and self.current is not None and self.current.name in ANSWERED

    def _stage_after(self, fact: Fact) -> str | None:
        """The stage that begins with a fact by the table, None when it moves nothing here."""
        stage = NEXT.get(key_of(fact))
        if stage in BEFORE_THE_CLAIM and self.current is not None:
            return None
        if fact.type == PATIENT_PAID and not self.over:
            return None
        if fact.type == MATCHED and not self._waits_for_this_alone():
            return None
        if fact.type == POSTED and stage == END and self.amounts.awaited:
            return "settlement"
        if stage is not None and self.amounts.is_of_later_payer(fact):
            return WITH_A_LATER_PAYER.get(stage, stage)
        return stage

    def _waits_for_this_alone(self) -> bool:
        return self.current is not None and self.current.name == "settlement" and not self.amounts.awaited

    def _begin_posting(self, fact: Fact, at: datetime) -> None:
        """What waited for the payer ended when the 835 came in; from there it was ours to post."""
        told = fact.text("received_at")
        if not told or self.current is None:
            return
        received = max(datetime.fromisoformat(told).astimezone(UTC), self.current.started_at)
        if received >= at:
            return
        waited = self.current
        self._close(received, "remittance.received")
        episode = len(self.ends)
        self.current = Stage("posting", 0, received, None, "", *_why(self.reworks), waited.cents_open, episode)

    def _outcome(self, fact: Fact) -> str:
        """How the journey ends with a fact, should it end."""
        if fact.type == PATIENT_PAID:
            return self.ends[-1].outcome
        if fact.type == POSTED:
            self.answer = fact.qualifier.replace("_", "-")
        return self.answer if fact.type in (POSTED, MATCHED) else "refused"

    def _leave(self, fact: Fact, at: datetime) -> None:
        """Ends the stage that lasts. An end that something follows in the same instant was none."""
        if not self._only_touched(at):
            self._close(at, fact.type)
        elif self.over:
            self.ends.pop()
            self.over = False

    def _only_touched(self, at: datetime) -> bool:
        answered = self.over or (self.current is not None and self.current.name == "settlement")
        return answered and self.current is not None and self.current.started_at == at

    def _close(self, at: datetime, cause: str) -> None:
        if self.current is not None:
            self.closed.append(replace(self.current, ended_at=at, cause=cause))
        self.over = False

    def _turn_loops(self, fact: Fact, stage: str) -> None:
        """Closes the loops that this fact brings back to where they began, and begins its own."""
        closed = LOOPS_CLOSED_BY.get(key_of(fact), frozenset())
        self.reworks = [loop for loop in self.reworks if loop.kind not in closed]
        kind = TAKEBACK if fact.type == "payment.reversed" else LOOP_OPENED_BY.get(stage, "")
        if kind and all(loop.kind != kind for loop in self.reworks):
            self.reworks.append(Loop(kind, fact.reason))
            self.loops += 1

    def _enter(self, one: Placed, stage: str, outcome: str) -> None:
        if one.fact.type not in (PATIENT_PAID, MATCHED):
            self.decided = one
        why = _why(self.reworks)
        if stage == END:
            self.over = True
            self.ends.append(End(one.at, outcome))
            stage, why = self.amounts.stage_after_end(), ("", "")
        at_stake = self.amounts.at_stake(stage)
        self.current = Stage(stage, 0, one.at, None, "", *why, at_stake, len(self.ends))

    def _note(self, fact: Fact) -> None:
        """A fact that moves nothing may still tell why we are here, and what is at stake."""
        if self.current is None:
            return
        last = self.reworks[-1] if self.reworks else None
        if last is not None and not last.because and LOOP_OPENED_BY.get(NEXT.get(key_of(fact), "")) == last.kind:
            last.because = fact.reason
        loop, because = ("", "") if self.over else _why(self.reworks)
        name = self.amounts.stage_after_end() if self.over else self.current.name
        at_stake = self.amounts.at_stake(name)
        self.current = replace(self.current, name=name, loop=loop, because=because, cents_open=at_stake)


def _why(reworks: list[Loop]) -> tuple[str, str]:
    """The innermost loop and the code that opened it; two empty texts on the straight way."""
    return (reworks[-1].kind, reworks[-1].because) if reworks else ("", "")


def walk_facts(placed: Iterable[Placed]) -> Walk:
    """All facts of one journey, in their order."""
    walk = Walk()
    for one in placed:
        walk.take(one)
    return walk


def stages_of(walk: Walk) -> tuple[Stage, ...]:
    """The stages with their rounds, the one that lasts included; what follows an end is left out while nothing does."""
    lasting = [walk.current] if walk.current is not None and not walk.over else []
    rounds: Counter[str] = Counter()
    numbered = []
    for stage in [*walk.closed, *lasting]:
        numbered.append(replace(stage, round=rounds[stage.name]))
        rounds[stage.name] += 1
    return tuple(numbered)
