"""Who is who: what a Patient is known by, how two of them compare, pairs of them and the persons that pairs make up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from kernel.transitions import Transitions

# What rules say of a pair, and what is kept of it. `same` and `different` are a person's word; no rule goes over it.
LINK, REVIEW, NOTHING = "link", "review", "nothing"
OPEN, LINKED, SAME, DIFFERENT, APART, UNJUDGED = "review", "linked", "same", "different", "apart", ""
JOINING = (LINKED, SAME)
PAIR_STATES = Transitions(
    {
        UNJUDGED: (OPEN, LINKED, SAME, DIFFERENT),
        OPEN: (LINKED, SAME, DIFFERENT, APART),
        LINKED: (OPEN, SAME, DIFFERENT, APART),
        SAME: (DIFFERENT, APART),
        DIFFERENT: (OPEN, SAME),
        APART: (OPEN, LINKED, SAME, DIFFERENT),
    }
)


@dataclass(frozen=True, slots=True)
class Traits:
    """What of a Patient is compared, normalised: no case, accents or punctuation; days as YYYYMMDD; "" is not known.

    `families` are all family names, former ones too. `numbers` are identifiers that name one person, as
    (system, value).
    """

    families: tuple[str, ...] = ()
    given: str = ""
    middles: tuple[str, ...] = ()
    suffix: str = ""
    birth: str = ""
    sex: str = ""
    ssn: str = ""
    numbers: tuple[tuple[str, str], ...] = ()
    phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    street: str = ""
    postal: str = ""


@dataclass(frozen=True, slots=True)
class Key:
    """By what a Patient is found among all: the hash of one kind of value. `source` is the resource that told it."""

    source: str
    patient: str
    kind: str
    hash: int


@dataclass(frozen=True, slots=True)
class Record:
    """A Patient by its id, and the person whom it stands for. `home` is the person that it is by itself."""

    patient: str
    home: str
    person: str
    traits: Traits


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rules say: `fired` are the ids of the rows that spoke, `score` the bits of those that counted."""

    says: str = NOTHING
    score: float = 0.0
    fired: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two Patients, `low` the lesser id. `merged`: one has replaced the other in its source."""

    low: str
    high: str
    state: str = UNJUDGED
    score: float = 0.0
    fired: tuple[str, ...] = ()
    reason: str = ""
    merged: bool = False
    work_id: str = ""
    decided_by: str = ""
    changed_at: datetime | None = None

    @property
    def joins(self) -> bool:
        return self.merged or self.state in JOINING

    def other(self, patient: str) -> str:
        return self.high if patient == self.low else self.low


@dataclass(frozen=True, slots=True)
class Found:
    """What is stored around some Patients: whole persons, the kinds of keys that two share, and pairs."""

    records: Mapping[str, Record]
    shared: Mapping[tuple[str, str], frozenset[str]]
    pairs: Mapping[tuple[str, str], Pair]


@dataclass(frozen=True, slots=True)
class Merge:
    """A Patient that was replaced by another; `undone_at` when that was taken back."""

    id: str
    prior: str
    survivor: str
    merged_by: str
    merged_at: datetime
    changes: int = 0
    undone_at: datetime | None = None
    undone_by: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """One element that a merge changed: texts of references, or JSON of an element that was put in or replaced."""

    reference: str
    path: str
    old: str
    new: str


def pair_key(one: str, other: str) -> tuple[str, str]:
    return (one, other) if one < other else (other, one)


def persons_of(homes: Mapping[str, str], joined: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Each Patient's person: the least home among those that it is joined with, however indirectly."""
    found = dict(homes)
    edges = [pair for pair in joined if pair[0] in homes and pair[1] in homes]
    moved = True
    while moved:
        moved = False
        for one, other in edges:
            least = min(found[one], found[other])
            if found[one] != least or found[other] != least:
                found[one] = found[other] = least
                moved = True
    return found


def path_between(start: str, end: str, joined: Iterable[tuple[str, str]]) -> list[str]:
    """The Patients on a way from one to the other along pairs, both included; empty when there is none."""
    near: dict[str, list[str]] = {}
    for one, other in sorted(joined):
        near.setdefault(one, []).append(other)
        near.setdefault(other, []).append(one)
    came: dict[str, str] = {start: ""}
    waiting = [start]
    while waiting:
        at = waiting.pop(0)
        for following in near.get(at, ()):
            if following not in came:
                came[following] = at
                waiting.append(following)
    way = [end] if end in came else []
    while way and way[-1] != start:
        way.append(came[way[-1]])
    return way[::-1]
