"""A visit through coding: coded at once when nothing is in doubt, else waiting for a coder's word."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from kernel.errors import Refused, Unreadable

from coding.handlers.coding import code_visit
from coding.handlers.edits import check_lines
from coding.model import (
    TRANSITIONS,
    Coded,
    Coding,
    Diagnosis,
    Line,
    Visit,
    WorkItem,
    line_id,
    sure_of_nothing_more,
    work_id,
)
from coding.rules import Rules

LATE_CHARGE = "late-charge"
_REASONS: Mapping[str, str] = {"unmapped": "unmapped-code"}


class Work(Protocol):
    """The open transaction as handlers need it."""

    @property
    def now(self) -> datetime: ...

    async def find_coding(self, encounter_key: str) -> Coding | None: ...

    async def save_coding(self, coding: Coding) -> None: ...

    async def find_item(self, work_id: str) -> WorkItem | None: ...

    async def find_open_reviews(self, encounter_key: str) -> list[WorkItem]: ...

    async def open_item(self, item: WorkItem, journey_id: str) -> None: ...

    async def close_item(self, item: WorkItem, journey_id: str) -> None: ...

    async def announce_coded(self, coding: Coding, coded: Coded, reviewed: bool) -> None: ...


@dataclass(frozen=True, slots=True)
class Arrival:
    """What came with the visit's fact besides the visit."""

    facts: bytes
    version: int
    journey_id: str
    trace: str


async def finish_visit(work: Work, rules: Rules, visit: Visit, arrival: Arrival, due_in: timedelta) -> None:
    """Codes a finished or amended visit. An older version is ignored; the same billing again changes nothing."""
    known = await work.find_coding(visit.encounter_key)
    if known is not None and arrival.version < known.version:
        return
    proposal = code_visit(visit, rules)
    state = "coded" if proposal.is_sure else "review"
    coding = Coding(
        encounter_key=visit.encounter_key,
        encounter=visit.encounter,
        patient=visit.patient,
        service_date=visit.date,
        version=arrival.version,
        state=state,
        proposal=proposal,
        facts=arrival.facts,
        journey_id=arrival.journey_id,
        trace=arrival.trace,
    )
    if known is not None and known.state == "coded":
        await _note_late_charge(work, known, coding, due_in)
    else:
        await _settle(work, known, coding, due_in)


async def _settle(work: Work, known: Coding | None, coding: Coding, due_in: timedelta) -> None:
    if known is not None:
        TRANSITIONS.check(known.state, coding.state)
    await work.save_coding(coding)
    item = _review_item(work, coding, due_in)
    open_items = await work.find_open_reviews(coding.encounter_key)
    for stale in open_items:
        if coding.state == "coded" or stale.work_id != item.work_id:
            await work.close_item(replace(stale, state="resolved"), coding.journey_id)
    if coding.state == "coded":
        await work.announce_coded(coding, coding.proposal, False)
    elif item.work_id not in {one.work_id for one in open_items}:
        await work.open_item(item, coding.journey_id)


def _review_item(work: Work, coding: Coding, due_in: timedelta) -> WorkItem:
    errors = coding.proposal.errors
    rule_id = errors[0].rule_id if errors else ""
    return _item(work, coding, coding.proposal.work_kind, _REASONS.get(rule_id, rule_id), "", due_in)


def _item(work: Work, coding: Coding, kind: str, reason: str, occasion: str, due_in: timedelta) -> WorkItem:
    return WorkItem(
        work_id=work_id(kind, f"{coding.encounter_key}{occasion}"),
        kind=kind,
        reason=reason,
        encounter_key=coding.encounter_key,
        encounter=coding.encounter,
        patient=coding.patient,
        state="open",
        due_on=(work.now + due_in).date(),
        opened_at=work.now,
    )


async def _note_late_charge(work: Work, known: Coding, coding: Coding, due_in: timedelta) -> None:
    """The visit was handed on already: what came later is a person's matter, and never a second claim by itself."""
    changed = not known.proposal.same_billing(coding.proposal)
    await work.save_coding(replace(coding, state="coded"))
    if changed:
        item = _item(work, coding, LATE_CHARGE, LATE_CHARGE, f"|{coding.version}", due_in)
        await work.open_item(item, coding.journey_id)


async def cancel_visit(work: Work, encounter_key: str, version: int, due_in: timedelta) -> None:
    """Closes the open review. A visit that was handed on already needs a person to take it back."""
    known = await work.find_coding(encounter_key)
    if known is None or version < known.version or known.state == "cancelled":
        return
    cancelled = replace(known, state="cancelled", version=version)
    TRANSITIONS.check(known.state, cancelled.state)
    await work.save_coding(cancelled)
    for item in await work.find_open_reviews(encounter_key):
        await work.close_item(replace(item, state="cancelled"), known.journey_id)
    if known.state == "coded":
        item = _item(work, cancelled, LATE_CHARGE, "encounter-cancelled", f"|{version}", due_in)
        await work.open_item(item, known.journey_id)


async def resolve_review(
    work: Work, rules: Rules, work_id: str, action: str, diagnoses: Sequence[Diagnosis], lines: Sequence[Line]
) -> str:
    """The coder's word: accept, recode or not-billable. Returns the state; the same word again changes nothing.

    Refused `review-unknown`, `nothing-to-accept`, `recode-empty`; Unreadable `review-action`.
    """
    if action not in _DECISIONS:
        raise Unreadable("review-action", "action", "one of accept, recode, not-billable")
    item = await work.find_item(work_id)
    if item is None:
        raise Refused("review-unknown", "no work item of this id", "not_found")
    coding = await work.find_coding(item.encounter_key)
    if item.state != "open" or coding is None:
        return item.state
    if item.kind == LATE_CHARGE:
        return await _close_late_charge(work, item, coding, action)
    decided = _DECISIONS[action](coding, rules, diagnoses, lines)
    TRANSITIONS.check(coding.state, "coded")
    await work.save_coding(replace(coding, state="coded"))
    await work.close_item(replace(item, state="resolved"), coding.journey_id)
    await work.announce_coded(coding, decided, True)
    return "resolved"


async def _close_late_charge(work: Work, item: WorkItem, coding: Coding, action: str) -> str:
    if action == "recode":
        raise Refused("late-charge-recode", "a late charge is accepted or not billable; its claim is corrected there")
    await work.close_item(replace(item, state="resolved"), coding.journey_id)
    return "resolved"


def _accept(coding: Coding, rules: Rules, diagnoses: Sequence[Diagnosis], lines: Sequence[Line]) -> Coded:
    if not (coding.proposal.lines and coding.proposal.diagnoses):
        raise Refused("nothing-to-accept", "the proposal has no line or no diagnosis: recode it, or not billable")
    return sure_of_nothing_more(coding.proposal)


def _recode(coding: Coding, rules: Rules, diagnoses: Sequence[Diagnosis], lines: Sequence[Line]) -> Coded:
    """The coder's lines stand as they are; the edits are told as information."""
    if not (diagnoses and lines):
        raise Refused("recode-empty", "a recoded visit has at least one diagnosis and one line")
    done = tuple(_completed(line, number, coding) for number, line in enumerate(lines, 1))
    if len({line.line_id for line in done}) < len(done):
        raise Unreadable("line-twice", "lines", "two lines have one id")
    return sure_of_nothing_more(Coded(tuple(diagnoses), done, tuple(check_lines(diagnoses, done, rules))))


def _completed(line: Line, number: int, coding: Coding) -> Line:
    """What a coder left out comes from the proposed line of the same source, or from the first one."""
    proposed = coding.proposal.lines
    like = next((one for one in proposed if one.source == line.source), proposed[0] if proposed else None)
    source = line.source or f"{coding.encounter}#coder-{number}"
    return replace(
        line,
        source=source,
        line_id=line.line_id or line_id(coding.encounter_key, source),
        pointers=line.pointers or (1,),
        place=line.place or (like.place if like else ""),
        rendering_npi=line.rendering_npi or (like.rendering_npi if like else ""),
        order=line.order or (like.order if like and like.source == line.source else ""),
    )


def _not_billable(coding: Coding, rules: Rules, diagnoses: Sequence[Diagnosis], lines: Sequence[Line]) -> Coded:
    return sure_of_nothing_more(replace(coding.proposal, lines=()))


Decision = Callable[[Coding, Rules, Sequence[Diagnosis], Sequence[Line]], Coded]
_DECISIONS: Mapping[str, Decision] = {"accept": _accept, "recode": _recode, "not-billable": _not_billable}
