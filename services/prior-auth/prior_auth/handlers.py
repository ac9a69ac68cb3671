"""What the service does: rule on an order, ask the payer, record its decision, ask again, and answer for a claim."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from prior_auth.model import (
    Authorization,
    Decision,
    Determined,
    Exchange,
    Fact,
    Order,
    Pending,
    Policy,
    Requirement,
    Ruling,
    ServiceQuestion,
    WorkClosed,
    WorkItem,
    WorkOpened,
)
from prior_auth.rules import Requirements, choose, decide

INQUIRE = "prior-auth.inquire"

_WORK_IDS = uuid.UUID("4eebba7d-fd77-5f0e-bd63-20cdf21bf800")
_LATE = "decision-overdue"


class Payer(Protocol):
    """Whoever answers 278s. A failure of the outside comes back inside the exchange, never as an exception."""

    async def ask(self, order: Order) -> Exchange: ...


class Work(Protocol):
    """One open transaction over what the service keeps. Nothing in it commits."""

    @property
    def tenant(self) -> str: ...
    @property
    def now(self) -> datetime: ...
    async def authorization(self, authorization_id: str) -> Authorization | None: ...
    async def of_subject(self, subject_key: str, codes: Sequence[str]) -> Sequence[Authorization]: ...
    async def keep(self, authorization: Authorization, exchange: Exchange) -> None: ...
    async def work_item(self, authorization_id: str) -> WorkItem | None: ...
    async def keep_work_item(self, item: WorkItem) -> None: ...
    async def announce(self, fact: Fact) -> None: ...
    async def schedule(self, kind: str, key: str, due_at: datetime, pending: Pending) -> None: ...
    async def cancel(self, kind: str, key: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Prepared:
    """An order with its ruling, and what came of asking; `exchange` is None when the payer has decided already."""

    order: Order
    ruling: Ruling
    exchange: Exchange | None


async def ask_if_required(payer: Payer, order: Order, ruling: Ruling, standing: Authorization | None) -> Prepared:
    """Asks the payer unless it need not be asked, cannot be asked, or has decided on the very same facts."""
    decided = standing is not None and standing.settled and standing.digest == order.digest()
    if ruling.requirement is not Requirement.REQUIRED or order.obstacle or order.off:
        return Prepared(order, ruling, Exchange())
    return Prepared(order, ruling, None if decided else await payer.ask(order))


async def determine_order(work: Work, policy: Policy, prepared: Prepared, version: int) -> None:
    """An order was placed or changed. An older version than the one kept changes nothing."""
    order, exchange = prepared.order, prepared.exchange
    before = await work.authorization(order.authorization_id)
    if exchange is None or (before is not None and before.version > version):
        return
    if order.off:
        await _withdraw(work, order)
        return
    found = decide(order, prepared.ruling, exchange, work.now, version)
    await _record(work, policy, Pending(order=order, ruling=prepared.ruling, version=version), found, exchange, before)


async def ask_submitted(
    payer: Payer, requirements: Requirements, order: Order, standing: Authorization | None
) -> Prepared:
    """Who submits a request wants the payer's own word, whatever the rows say."""
    question = ServiceQuestion(
        payer_id=order.payer_id,
        code=order.code,
        on=order.on,
        place_of_service=order.place_of_service,
        diagnoses=order.diagnoses,
    )
    ruled = requirements.determine(question)
    return await ask_if_required(payer, order, replace(ruled, requirement=Requirement.REQUIRED), standing)


async def determine_submitted(work: Work, policy: Policy, prepared: Prepared) -> Authorization:
    """Where a submitted service stands now. What could not be asked is told to the sender and not kept."""
    if not prepared.order.obstacle:
        await determine_order(work, policy, prepared, 0)
    return standing_of(prepared.order, await work.authorization(prepared.order.authorization_id), work.now)


def standing_of(order: Order, found: Authorization | None, now: datetime) -> Authorization:
    """The standing of a submitted service; of one that was never asked about, what keeps us from asking."""
    return found or decide(order, Ruling(requirement=Requirement.REQUIRED), Exchange(), now, 0)


async def inquire_again(work: Work, policy: Policy, pending: Pending, exchange: Exchange) -> None:
    """A pended or unanswered request was repeated with the same trace number. A version since overtaken is dropped."""
    before = await work.authorization(pending.order.authorization_id)
    if before is None or before.version > pending.version or before.settled:
        return
    found = decide(pending.order, pending.ruling, exchange, work.now, pending.version)
    if found.decision is Decision.UNKNOWN and before.decision is Decision.PENDED:
        await _wait(work, policy, pending, before)  # the payer has the request: one vain repetition changes nothing
        return
    await _record(work, policy, pending, replace(found, asked_at=before.asked_at), exchange, before)


async def find_authorizations(
    work: Work,
    requirements: Requirements,
    subject_key: str,
    questions: Sequence[ServiceQuestion],
    member_key: str = "",
) -> list[Authorization]:
    """One answer for each question, in order. Nobody outside is asked.

    `member_key` finds what was submitted for the same member with records that are not ours.
    """
    codes = [question.code for question in questions]
    stored = list(await work.of_subject(subject_key, codes))
    if member_key:
        stored += await work.of_subject(member_key, codes)
    return [choose(question, requirements.determine(question), stored) for question in questions]


async def _record(
    work: Work,
    policy: Policy,
    pending: Pending,
    found: Authorization,
    exchange: Exchange,
    before: Authorization | None,
) -> None:
    await work.keep(found, exchange)
    if not found.says_the_same(before):
        await work.announce(Determined(pending.order, found))
    if found.needs_person:
        await _open_work(work, pending.order, found.reason)
    elif found.settled:
        await _close_work(work, pending.order, "resolved")
    await _wait(work, policy, pending, found)


async def _wait(work: Work, policy: Policy, pending: Pending, found: Authorization) -> None:
    """Pended requests are asked about until they are decided; unanswered ones a few times."""
    tries = pending.tries + 1
    pended = found.decision is Decision.PENDED
    if not pended and not (found.retriable and tries < policy.max_tries):
        await work.cancel(INQUIRE, found.authorization_id)
        return
    if pended and found.asked_at is not None and work.now - found.asked_at >= policy.time_to_decide(pending.order):
        await _open_work(work, pending.order, _LATE)
    due_at = work.now + policy.wait_after(tries)
    await work.schedule(INQUIRE, found.authorization_id, due_at, replace(pending, tries=tries))


async def _withdraw(work: Work, order: Order) -> None:
    await work.cancel(INQUIRE, order.authorization_id)
    await _close_work(work, order, "cancelled")


async def _open_work(work: Work, order: Order, reason: str) -> None:
    """One open work item for each authorization, whatever is found how often."""
    last = await work.work_item(order.authorization_id)
    if last is not None and last.open:
        return
    number = last.round + 1 if last is not None else 1
    name = f"authorization-needed|{work.tenant}|{order.authorization_id}|{number}"
    item = WorkItem(order.authorization_id, number, str(uuid.uuid5(_WORK_IDS, name)), open=True)
    await work.keep_work_item(item)
    await work.announce(WorkOpened(item.work_id, order, reason))


async def _close_work(work: Work, order: Order, outcome: str) -> None:
    last = await work.work_item(order.authorization_id)
    if last is not None and last.open:
        await work.keep_work_item(replace(last, open=False))
        await work.announce(WorkClosed(last.work_id, order, outcome))
