"""A coded visit to captured charges: at once when every line has a price and every performed order a line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from kernel.errors import Refused

from charge_capture.handlers.pricing import price_line, reckon
from charge_capture.model import (
    AFTER_CAPTURE,
    LATE_CHARGE,
    MISSING_CHARGE,
    NO_CHARGE,
    TRANSITIONS,
    Capture,
    Charge,
    Decision,
    Line,
    Missing,
    Order,
    Reckoning,
    Visit,
    WorkItem,
    work_id,
)
from charge_capture.rules import ChargeMaster


class Work(Protocol):
    """The open transaction as handlers need it."""

    @property
    def now(self) -> datetime: ...

    async def find_capture(self, encounter_key: str) -> Capture | None: ...

    async def save_capture(self, capture: Capture) -> None: ...

    async def visit_of(self, capture: Capture) -> Visit: ...

    async def performed_orders(self, encounter: str) -> list[Order]: ...

    async def decisions(self, encounter_key: str) -> list[Decision]: ...

    async def decide(self, item: WorkItem, decision: Decision) -> None: ...

    async def captured_lines(self, encounter_key: str) -> set[str]: ...

    async def keep_charges(self, encounter_key: str, charges: Sequence[Charge]) -> None: ...

    async def find_item(self, work_id: str) -> WorkItem | None: ...

    async def open_items(self, encounter_key: str) -> list[WorkItem]: ...

    async def open_item(self, item: WorkItem, journey_id: str) -> None: ...

    async def close_item(self, item: WorkItem, journey_id: str) -> None: ...

    async def announce_captured(self, capture: Capture, visit: Visit, found: Reckoning) -> None: ...


@dataclass(frozen=True, slots=True)
class Arrival:
    """What came with the coded visit besides the visit."""

    version: int
    journey_id: str
    trace: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A person's word on a missing charge. `draft` makes the line that they gave, for the order and the visit.

    `unit_cents` prices a line without price; 0 asks the charge master again.
    """

    not_billable: bool
    unit_cents: int
    draft: Callable[[WorkItem, Visit], Line]


async def capture_charges(work: Work, master: ChargeMaster, visit: Visit, arrival: Arrival, due_in: timedelta) -> None:
    """Charges a coded visit once. An older version is ignored; the same lines again change nothing."""
    known = await work.find_capture(visit.encounter_key)
    if known is not None and arrival.version < known.version:
        return
    capture = Capture(
        encounter_key=visit.encounter_key,
        encounter=visit.encounter,
        version=arrival.version,
        state="waiting",
        coded=visit.coded,
        journey_id=arrival.journey_id,
        trace=arrival.trace,
    )
    if known is not None and known.state == "captured":
        await _note_late_lines(work, capture, visit, due_in)
        return
    await _settle(work, master, capture, visit, due_in)


async def _settle(work: Work, master: ChargeMaster, capture: Capture, visit: Visit, due_in: timedelta) -> None:
    """Captures when nothing is missing; else waits, with one open work item for each thing that is."""
    remembered = await work.performed_orders(visit.encounter)
    found = reckon(visit, remembered, await work.decisions(visit.encounter_key), master)
    wanted = {item.work_id: item for item in (_item(work, visit, missing, due_in) for missing in found.missing)}
    for item in await work.open_items(visit.encounter_key):
        if item.work_id not in wanted:
            await work.close_item(replace(item, state="resolved"), capture.journey_id)
        wanted.pop(item.work_id, None)
    state = "waiting" if found.missing else "captured"
    TRANSITIONS.check(capture.state, state)
    await work.save_capture(replace(capture, state=state))
    for item in wanted.values():
        await work.open_item(item, capture.journey_id)
    if state == "captured":
        await work.keep_charges(visit.encounter_key, found.charges)
        await work.announce_captured(capture, visit, found)


def _item(work: Work, visit: Visit, missing: Missing, due_in: timedelta, kind: str = MISSING_CHARGE) -> WorkItem:
    return WorkItem(
        work_id=work_id(kind, visit.encounter_key, missing.subject),
        kind=kind,
        reason=missing.reason,
        encounter_key=visit.encounter_key,
        encounter=visit.encounter,
        patient=visit.patient,
        subject=missing.subject,
        order_ref=missing.order,
        code=missing.code,
        cents=missing.cents,
        state="open",
        due_on=(work.now + due_in).date(),
        opened_at=work.now,
    )


async def _note_late_lines(work: Work, capture: Capture, visit: Visit, due_in: timedelta) -> None:
    """Lines that come after the charges went out are a person's matter: the claim may be with the payer."""
    captured = await work.captured_lines(visit.encounter_key)
    captured |= {decision.subject for decision in await work.decisions(visit.encounter_key)}
    for line in visit.lines:
        item = _item(work, visit, Missing(AFTER_CAPTURE, line.line_id, "", line.code), due_in, LATE_CHARGE)
        if line.line_id not in captured and await work.find_item(item.work_id) is None:
            await work.open_item(item, capture.journey_id)


async def add_charge(work: Work, master: ChargeMaster, work_id: str, answer: Answer, due_in: timedelta) -> str:
    """A person's answer to a missing charge; returns the item's state. The same answer again changes nothing.

    Refused `work-unknown`, `still-no-price`; Unreadable when the answer's line could not stand on a claim.
    """
    item = await work.find_item(work_id)
    if item is None:
        raise Refused("work-unknown", "no work item of this id", "not_found")
    capture = await work.find_capture(item.encounter_key)
    if item.state != "open" or capture is None:
        return item.state
    closed = replace(item, state="not-billable" if answer.not_billable else "added")
    if item.kind == MISSING_CHARGE:
        visit = await work.visit_of(capture)
        decision = _decision(item, visit, answer, master)
        if decision is not None:
            await work.decide(item, decision)
        await work.close_item(closed, capture.journey_id)
        await _settle(work, master, capture, visit, due_in)
    else:
        await work.close_item(closed, capture.journey_id)
    return closed.state


def _decision(item: WorkItem, visit: Visit, answer: Answer, master: ChargeMaster) -> Decision | None:
    """What to keep of the answer; None when the charge master itself has found a price since."""
    if answer.not_billable:
        return Decision(item.subject)
    if item.reason == NO_CHARGE:
        return Decision(item.subject, line=answer.draft(item, visit))
    if answer.unit_cents:
        return Decision(item.subject, unit_cents=answer.unit_cents)
    unpriced = [line for line in visit.lines if line.line_id == item.subject]
    if any(price_line(line, master) is None for line in unpriced):
        raise Refused("still-no-price", "the charge master has no price for this line: give one, or not billable")
    return None
