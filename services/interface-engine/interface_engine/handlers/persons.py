"""Finds out which Patients are one person: links what is sure, asks a person where it is not, and keeps what was said.

Patients of two feeds stay two Patients; that they are one person is kept beside them and can be taken back.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from google.protobuf.message import Message
from kernel.errors import Refused
from kernel.identifiers import uuid7

from interface_engine.model import Draft
from interface_engine.model_persons import (
    APART,
    DIFFERENT,
    LINK,
    LINKED,
    NOTHING,
    OPEN,
    PAIR_STATES,
    REVIEW,
    SAME,
    UNJUDGED,
    Found,
    Key,
    Pair,
    Record,
    Traits,
    Verdict,
    pair_key,
    path_between,
    persons_of,
)
from interface_engine.rules.persons import Judge, load_judge
from interface_engine.wire.persons import closed, keys_of, opened, traits_of

_GONE = "entered-in-error"
_TYPES = ("Patient", "Coverage")


class Index(Protocol):
    """The index of persons and the outbox, in one open transaction."""

    @property
    def tenant(self) -> str: ...
    @property
    def now(self) -> datetime: ...
    async def keep(
        self, traits: Mapping[str, Traits], homes: Mapping[str, str], sources: Sequence[str], keys: Sequence[Key]
    ) -> set[str]: ...
    async def find(self, patients: Iterable[str]) -> Found: ...
    async def settle(self, pairs: Sequence[Pair], persons: Mapping[str, str]) -> None: ...
    async def forget(self, patients: Sequence[str], coverages: Sequence[str]) -> None: ...
    async def announce(self, type: str, body: Message, key: str) -> None: ...


async def identify(index: Index, drafts: Sequence[Draft]) -> None:
    """Takes in the Patients and Coverages among what a request changed, and links or asks about whom they resemble.

    Costs nothing without one of these, one statement when nothing about who somebody is has changed, two when somebody
    new resembles nobody, and a third to keep a link or a question.
    """
    told = {draft.reference: draft for draft in drafts if draft.type in _TYPES}
    if not told:
        return
    present = [draft for draft in told.values() if draft.facets.status != _GONE]
    if len(present) < len(told):
        await _forget(index, [draft for draft in told.values() if draft.facets.status == _GONE])
    traits = {draft.id: traits_of(draft.resource) for draft in present if draft.type == "Patient"}
    coverages = [draft for draft in present if draft.type == "Coverage"]
    if present:
        keys = keys_of(index.tenant, traits, coverages)
        homes = {patient: uuid7() for patient in traits}
        new = await index.keep(traits, homes, [draft.reference for draft in present], keys)
        await _compare(index, new)


async def rejoin(index: Index, patients: Collection[str]) -> None:
    """Brings the persons of these into line with merges that were made or undone."""
    weighing = Weighing(await index.find(patients), load_judge())
    weighing.rejoin()
    await _settle(index, weighing)


async def _forget(index: Index, gone: Sequence[Draft]) -> None:
    """What was deleted is nobody: links of ours and questions about it end. A person's word stays, should it return."""
    patients = [draft.id for draft in gone if draft.type == "Patient"]
    if patients:
        weighing = Weighing(await index.find(patients), load_judge())
        weighing.leave(patients)
        await _settle(index, weighing)
    await index.forget(patients, [draft.reference for draft in gone if draft.type == "Coverage"])


async def _compare(index: Index, patients: Collection[str]) -> None:
    if not patients:
        return
    weighing = Weighing(await index.find(patients), load_judge())
    weighing.weigh(patients)
    await _settle(index, weighing)


async def decide(index: Index, one: str, other: str, same: bool, by: str) -> Pair:
    """Keeps a person's word on whether two Patients are one person. Different: they are parted, however they hung
    together. Refused when either is not known, or when their source has merged them."""
    found = await index.find([one, other])
    if one == other or not {one, other} <= found.records.keys():
        raise Refused("patient-not-found", "two different Patients that are stored are needed", "not_found")
    weighing = Weighing(found, load_judge())
    pair = weighing.decide(one, other, same, by)
    await _settle(index, weighing)
    return pair


@dataclass
class Weighing:
    """What is found, and what becomes of it."""

    found: Found
    judge: Judge
    pairs: dict[tuple[str, str], Pair] = field(default_factory=dict)
    asked: list[Pair] = field(default_factory=list)
    answered: list[tuple[Pair, str]] = field(default_factory=list)
    persons: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.pairs = dict(self.found.pairs)
        self.persons = {one.patient: one.person for one in self.found.records.values()}

    def changed_pairs(self) -> list[Pair]:
        return [pair for key, pair in sorted(self.pairs.items()) if pair != self.found.pairs.get(key)]

    def changed_persons(self) -> dict[str, str]:
        records = self.found.records
        return {patient: person for patient, person in self.persons.items() if records[patient].person != person}

    def weigh(self, patients: Collection[str]) -> None:
        """All whom these may be: what links first, the likeliest first; about two persons a person is asked once."""
        others = {pair_key(*key) for key in (*self.found.shared, *self.pairs) if set(key) & set(patients)}
        verdicts = {key: self._verdict(key) for key in others if set(key) <= self.found.records.keys()}
        self._lift(verdicts)
        self._regroup()
        for key, verdict in sorted(verdicts.items(), key=lambda item: (item[1].says != LINK, -item[1].score, item[0])):
            pair = self.pairs.get(key, Pair(*key))
            if self._together(key):
                self._close(pair, verdict)
            else:
                self._judge(pair, verdict)

    def rejoin(self) -> None:
        """As the pairs say now; about those whom their source has merged nobody is asked."""
        self._regroup()
        for pair in self.found.pairs.values():
            if pair.merged:
                self._close(pair, Verdict(fired=pair.fired, score=pair.score))

    def leave(self, patients: Collection[str]) -> None:
        """These are not there any more."""
        for key, pair in self.found.pairs.items():
            if set(key) & set(patients) and pair.state in (OPEN, LINKED):
                self._move(pair, APART, Verdict())

    def _lift(self, verdicts: Mapping[tuple[str, str], Verdict]) -> None:
        """Links and questions that the rules would not make any more go first, so that what hung on them is free."""
        for key, verdict in verdicts.items():
            pair = self.pairs.get(key)
            if pair is None or pair.merged or pair.state not in (LINKED, OPEN):
                continue
            if verdict.says == NOTHING:
                self._move(pair, APART, verdict)
            elif pair.state == LINKED and verdict.says == REVIEW:
                self._move(pair, OPEN, verdict)

    def _verdict(self, key: tuple[str, str]) -> Verdict:
        one, other = (self.found.records[patient].traits for patient in key)
        return self.judge.judge(one, other, self.found.shared.get(key, frozenset()))

    def _together(self, key: tuple[str, str]) -> bool:
        return self.persons[key[0]] == self.persons[key[1]]

    def _close(self, pair: Pair, verdict: Verdict) -> None:
        """They are one person by what is known of others: there is nothing to ask."""
        if pair.state == OPEN:
            self._move(pair, APART, verdict, outcome="resolved")

    def _judge(self, pair: Pair, verdict: Verdict) -> None:
        says = verdict.says
        if says == LINK and self._conflicts(pair):
            says, verdict = REVIEW, replace(verdict, says=REVIEW, reason="conflict")
        if pair.state == SAME or (pair.state == DIFFERENT and not _more_than(pair, verdict)):
            return
        if pair.state == DIFFERENT:
            says = REVIEW
        state = {LINK: LINKED, REVIEW: OPEN, NOTHING: APART}[says]
        if state == OPEN and pair.state != OPEN and self._asked_about(pair):
            return
        if pair.state == UNJUDGED and state == APART:
            return
        if pair.state == state:
            self.pairs[pair.low, pair.high] = replace(pair, score=verdict.score, fired=verdict.fired)
        else:
            self._move(pair, state, verdict)

    def _conflicts(self, pair: Pair) -> bool:
        """Whether joining two persons would join Patients that contradict each other, or that a person told apart."""
        mine, theirs = (self._members(patient) for patient in (pair.low, pair.high))
        for one in mine:
            for other in theirs:
                known = self.pairs.get(pair_key(one.patient, other.patient))
                decided = known.state if known is not None else UNJUDGED
                if decided == DIFFERENT or (decided != SAME and self.judge.contradict(one.traits, other.traits)):
                    return True
        return False

    def _members(self, patient: str) -> list[Record]:
        person = self.persons[patient]
        return [record for record in self.found.records.values() if self.persons[record.patient] == person]

    def _asked_about(self, pair: Pair) -> bool:
        """Whether somebody is being asked already about these two persons."""
        wanted = {self.persons[pair.low], self.persons[pair.high]}
        return any(
            one.state == OPEN and {self.persons.get(one.low), self.persons.get(one.high)} == wanted
            for one in self.pairs.values()
        )

    def decide(self, one: str, other: str, same: bool, by: str) -> Pair:
        key = pair_key(one, other)
        pair = self.pairs.get(key, Pair(*key))
        if pair.merged and not same:
            raise Refused("patient-merged", "their source has merged them: undo the merge")
        verdict = self._verdict(key)
        if same:
            self._check_word(pair)
        else:
            self._part(one, other, by)
        self._move(self.pairs.get(key, pair), SAME if same else DIFFERENT, verdict, by)
        return self.pairs[key]

    def _check_word(self, pair: Pair) -> None:
        """Two that a person told apart do not become one through others: that word is to be taken back first."""
        keys = {
            pair_key(one.patient, other.patient)
            for one in self._members(pair.low)
            for other in self._members(pair.high)
        }
        if any(key in self.pairs and self.pairs[key].state == DIFFERENT for key in keys - {(pair.low, pair.high)}):
            raise Refused("patients-told-apart", "others of the same persons were decided to be different")

    def _part(self, one: str, other: str, by: str) -> None:
        """Cuts the last link of every way from one to the other."""
        while way := path_between(one, other, (key for key, pair in self.pairs.items() if pair.joins)):
            last = self.pairs[pair_key(way[-2], way[-1])]
            if last.merged:
                raise Refused("patient-merged", "they hang together by a merge of their source: undo the merge")
            self._move(last, APART, self._verdict((last.low, last.high)), by)

    def _move(self, pair: Pair, state: str, verdict: Verdict, by: str = "", outcome: str = "") -> None:
        if pair.state != state:
            PAIR_STATES.check(pair.state, state)
        work_id = (pair.work_id or uuid7()) if state == OPEN else pair.work_id
        moved = replace(
            pair, state=state, score=verdict.score, fired=verdict.fired, reason=verdict.reason, work_id=work_id,
            decided_by=by,
        )  # fmt: skip
        self.pairs[pair.low, pair.high] = moved
        if state == OPEN:
            self.asked.append(moved)
        elif pair.state == OPEN:
            self.answered.append((moved, outcome or ("cancelled" if state == APART else "resolved")))
        if pair.joins != moved.joins:
            self._regroup()

    def _regroup(self) -> None:
        homes = {one.patient: one.home for one in self.found.records.values()}
        self.persons = persons_of(homes, (key for key, pair in self.pairs.items() if pair.joins))


async def _settle(index: Index, weighing: Weighing) -> None:
    pairs, persons = weighing.changed_pairs(), weighing.changed_persons()
    if pairs or persons:
        await index.settle(pairs, persons)
    for pair in weighing.asked:
        await index.announce("work.opened", opened(pair, index.now), pair.work_id)
    for pair, outcome in weighing.answered:
        await index.announce("work.closed", closed(pair, outcome, index.now), pair.work_id)


def _more_than(pair: Pair, verdict: Verdict) -> bool:
    """Whether more speaks for one person now than when somebody decided otherwise."""
    return verdict.says != NOTHING and verdict.score > pair.score and set(verdict.fired) != set(pair.fired)
