"""Encounter to payment from the raw facts: when a journey first moved, and when it first came to an end.

The rules of the lag ledger once more, as far as an end needs them: nothing before its cause; an end that something
follows in the same instant is none; a posting whose money is still on its way ends with the deposit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from journey.kpi.recount.heard import Heard

# What moves a journey, in the order in which moves of one instant count. A word after the slash is the qualifier.
MOVES = (
    "appointment.booked",
    "appointment.changed",
    "encounter.started",
    "order.placed",
    "encounter.finished",
    "encounter.cancelled",
    "work.opened/coder-review",
    "work.opened/unmapped-code",
    "work.closed/coder-review",
    "work.closed/unmapped-code",
    "encounter.coded",
    "work.opened/missing-charge",
    "work.closed/missing-charge",
    "charges.captured",
    "charges.amended",
    "claim.built/ready",
    "claim.built/held",
    "claim.held",
    "claim.submitted",
    "claim.acknowledged/received",
    "claim.acknowledged/accepted",
    "claim.rejected",
    "claim.voided",
    "payment.reversed",
    "payment.posted/paid",
    "payment.posted/partly_paid",
    "payment.posted/written_off",
    "payment.posted/denied",
    "claim.denied",
    "claim.appealed",
    "deposit.matched",
    "patient.paid",
)
PLACE = {name: number for number, name in enumerate(MOVES)}
DOCUMENTATION = frozenset(MOVES[:4])
CLOSES = frozenset(
    {
        "encounter.cancelled",
        "claim.voided",
        "payment.posted/paid",
        "payment.posted/partly_paid",
        "payment.posted/written_off",
        "deposit.matched",
    }
)


def _name(fact: Heard) -> str:
    with_qualifier = f"{fact.type}/{fact.qualifier}"
    return with_qualifier if with_qualifier in PLACE else fact.type


def _lineage(fact: Heard, known: Mapping[str, Heard]) -> list[Heard]:
    line = [fact]
    while line[-1].cause in known and known[line[-1].cause] not in line:
        line.append(known[line[-1].cause])
    return line


def _timeline(facts: Iterable[Heard]) -> list[tuple[datetime, Heard]]:
    known = {fact.event_id: fact for fact in facts}
    lines = {key: _lineage(fact, known) for key, fact in known.items()}
    when = {key: max(one.at for one in line) for key, line in lines.items()}
    depth = {key: sum(when[one.event_id] == when[key] for one in line[1:]) for key, line in lines.items()}
    keys = sorted(known, key=lambda key: (when[key], depth[key], PLACE.get(_name(known[key]), -1), key))
    return [(when[key], known[key]) for key in keys]


class _Watch:
    """Where the journey is, as far as its end depends on it: "" not begun, on, denied, waiting for money, or done."""

    def __init__(self) -> None:
        self.where = ""
        self.began: datetime | None = None
        self.done_at: datetime | None = None
        self.awaited: set[str] = set()
        self.arrived: set[str] = set()
        self.postings: set[str] = set()

    def see(self, at: datetime, fact: Heard) -> None:
        name = _name(fact)
        if fact.type == "claim.submitted" and fact.cause in self.postings:
            return
        if fact.type == "claim.acknowledged" and self.where in ("denied", "waiting", "done"):
            return
        self._money(fact)
        if not self._moves(fact, name):
            return
        if fact.type == "payment.posted":
            self.postings.add(fact.event_id)
        self._move(at, fact, name)

    def _money(self, fact: Heard) -> None:
        remittance = fact.word("remittance_id")
        if fact.type == "deposit.matched":
            self.arrived.add(remittance)
            self.awaited.discard(remittance)
        elif fact.type == "payment.posted" and fact.word("settlement") == "awaited" and remittance not in self.arrived:
            self.awaited.add(remittance)

    def _moves(self, fact: Heard, name: str) -> bool:
        if name not in PLACE or fact.type == "patient.paid":
            return False
        if fact.type == "deposit.matched":
            return self.where == "waiting" and not self.awaited
        return not (name in DOCUMENTATION and self.where)

    def _move(self, at: datetime, fact: Heard, name: str) -> None:
        self.began = self.began or at
        if self.done_at == at:
            self.done_at = None
        if name not in CLOSES:
            denied = name in ("payment.posted/denied", "claim.denied")
            self.where = "denied" if denied else "on"
        elif fact.type == "payment.posted" and self.awaited:
            self.where = "waiting"
        else:
            self.where = "done"
            self.done_at = at


def first_end(facts: Iterable[Heard]) -> tuple[datetime, datetime] | None:
    """First move and first end of a journey, None until it has ended. `facts` hold the deposits of its remittances."""
    watch = _Watch()
    for at, fact in _timeline(facts):
        if watch.done_at is not None and watch.began is not None and at > watch.done_at:
            return watch.began, watch.done_at
        watch.see(at, fact)
    return (watch.began, watch.done_at) if watch.began is not None and watch.done_at is not None else None
