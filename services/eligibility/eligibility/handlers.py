"""What the service does: ask a payer, record what it said, wait and ask again, and answer for a claim."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from eligibility.model import (
    CoverageFound,
    Exchange,
    Fact,
    Gap,
    GapClosed,
    GapOpened,
    Occasion,
    Pending,
    Policy,
    Question,
    Tables,
    Verification,
    Visit,
)
from eligibility.rules import holds_on, verify

RETRY = "eligibility.retry"
PREVISIT = "eligibility.previsit"

_WORK_IDS = uuid.UUID("6c4cc88d-caca-5b1a-8ac9-3a4d4bd89e71")


class Payer(Protocol):
    """Whoever answers 270s. A failure of the outside comes back inside the exchange, never as an exception."""

    async def ask(self, question: Question, verification_id: str) -> Exchange: ...


class Work(Protocol):
    """One open transaction over what the service keeps. Nothing in it commits."""

    @property
    def tenant(self) -> str: ...
    @property
    def now(self) -> datetime: ...
    async def keep(self, verification: Verification, exchange: Exchange, idempotency_key: str) -> None: ...
    async def newest(self, question: Question) -> Verification | None: ...
    async def newest_known(self, question: Question) -> Verification | None: ...
    async def under_idempotency_key(self, idempotency_key: str) -> Verification | None: ...
    async def visit(self, reference: str) -> Visit | None: ...
    async def keep_visit(self, visit: Visit) -> None: ...
    async def gap(self, key: str) -> Gap | None: ...
    async def keep_gap(self, gap: Gap) -> None: ...
    async def announce(self, fact: Fact) -> None: ...
    async def schedule(self, kind: str, key: str, due_at: datetime, pending: Pending) -> None: ...
    async def cancel(self, kind: str, key: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Rulebook:
    """What every judgement here rests on."""

    tables: Tables
    policy: Policy


async def ask_payer(payer: Payer, question: Question, new_id: Callable[[], str]) -> Exchange:
    """Asks unless something stands in the way; then the exchange is empty and the question says why."""
    verification_id = new_id()
    if question.obstacle:
        return Exchange(verification_id=verification_id)
    return await payer.ask(question, verification_id)


async def record_check(
    work: Work,
    rulebook: Rulebook,
    question: Question,
    exchange: Exchange,
    occasion: Occasion,
    tries: int = 0,
    idempotency_key: str = "",
) -> Verification:
    """Stores the outcome with the raw X12 and tells the line; `tries` counts the vain attempts before this one.

    A visit's check is always told. A repetition or a claim's question is told when it changes what was known, so that
    a claim which looks again at every such fact comes to rest.
    """
    found = verify(question, exchange, rulebook.tables, work.now)
    before = await work.newest(question)
    await work.keep(found, exchange, idempotency_key)
    if occasion is Occasion.VISIT or not found.says_the_same(before):
        await work.announce(CoverageFound(question, found))
    already_waiting = occasion is Occasion.CLAIM and before is not None and before.retriable
    if not found.retriable:
        await _settle(work, question, found)
    elif not already_waiting:
        await _wait(work, rulebook.policy, Pending(question, tries + 1), found.reason)
    return found


async def check_visit(
    work: Work, rulebook: Rulebook, question: Question, exchange: Exchange, version: int, starts_at: datetime | None
) -> None:
    """The check at scheduling or at check-in. An older version than the one seen last changes nothing."""
    reference = question.appointment or question.encounter
    seen = await work.visit(reference)
    if seen is not None and seen.version > version:
        return
    if seen is not None and seen.key not in ("", question.key):
        await _abandon(work, question, seen.key)
    await work.keep_visit(Visit(reference, version, question.key))
    await record_check(work, rulebook, question, exchange, Occasion.VISIT)
    if question.appointment and starts_at is not None:
        await _schedule_previsit(work, rulebook.policy, question, starts_at)


async def cancel_visit(work: Work, question: Question, version: int) -> None:
    """The visit will not take place: nothing is asked for it any more and nobody needs to act."""
    reference = question.appointment or question.encounter
    seen = await work.visit(reference)
    if seen is not None and seen.version > version:
        return
    await work.cancel(PREVISIT, reference)
    await _abandon(work, question, seen.key if seen is not None else question.key)
    await work.keep_visit(Visit(reference, version, ""))


async def _schedule_previsit(work: Work, policy: Policy, question: Question, starts_at: datetime) -> None:
    due_at = starts_at - timedelta(hours=policy.previsit_hours)
    if due_at > work.now:
        await work.schedule(PREVISIT, question.appointment, due_at, Pending(question))
    else:
        await work.cancel(PREVISIT, question.appointment)


async def _wait(work: Work, policy: Policy, pending: Pending, reason: str) -> None:
    wait_s = policy.wait_after(pending.tries)
    if wait_s is None:
        await work.cancel(RETRY, pending.question.key)
        await _open_gap(work, pending.question, reason)
    else:
        await work.schedule(RETRY, pending.question.key, work.now + timedelta(seconds=wait_s), pending)


async def _settle(work: Work, question: Question, found: Verification) -> None:
    await work.cancel(RETRY, question.key)
    if found.gap:
        await _open_gap(work, question, found.reason)
    else:
        await _close_gap(work, question, question.key, "resolved")


async def _abandon(work: Work, question: Question, key: str) -> None:
    await work.cancel(RETRY, key)
    await _close_gap(work, question, key, "cancelled")


async def _open_gap(work: Work, question: Question, reason: str) -> None:
    """One open work item for each coverage and day, whatever is found how often."""
    last = await work.gap(question.key)
    if last is not None and last.open:
        return
    number = last.round + 1 if last is not None else 1
    work_id = str(uuid.uuid5(_WORK_IDS, f"coverage-gap|{work.tenant}|{question.key}|{number}"))
    await work.keep_gap(Gap(question.key, number, work_id, open=True))
    await work.announce(GapOpened(work_id, question, reason))


async def _close_gap(work: Work, question: Question, key: str, outcome: str) -> None:
    last = await work.gap(key)
    if last is not None and last.open:
        await work.keep_gap(replace(last, open=False))
        await work.announce(GapClosed(last.work_id, question, outcome))


@dataclass(slots=True)
class CoverageDesk:
    """Answers coverage questions of other services. Parallel calls about one coverage and day ask the payer once."""

    payer: Payer
    work: Callable[[str], AbstractAsyncContextManager[Work]]
    rulebook: Rulebook
    new_id: Callable[[], str]
    _running: dict[tuple[str, ...], asyncio.Task[Any]] = field(default_factory=dict)

    async def check_coverage(self, tenant: str, question: Question, idempotency_key: str = "") -> Verification:
        """Asks the payer now; the same idempotency key gets the same answer without asking again."""
        key = ("check", tenant, question.key, question.digest(), idempotency_key)
        found: Verification = await self._once(key, lambda: self._check(tenant, question, idempotency_key))
        return found

    async def coverage_on(self, tenant: str, question: Question) -> tuple[Verification, bool]:
        """The newest answer that holds on the day, and whether the payer had to be asked for it."""
        key = ("on", tenant, question.key, question.digest())
        found: tuple[Verification, bool] = await self._once(key, lambda: self._find_or_ask(tenant, question))
        return found

    async def _once(self, key: tuple[str, ...], start: Callable[[], Any]) -> Any:
        """Joins the call that runs under this key. It goes on when one of those who wait gives up."""
        running = self._running.get(key)
        if running is None:
            running = self._running[key] = asyncio.ensure_future(start())
            running.add_done_callback(lambda task: self._forget(key, task))
        return await asyncio.shield(running)

    def _forget(self, key: tuple[str, ...], task: asyncio.Task[Any]) -> None:
        self._running.pop(key, None)
        if not task.cancelled():
            task.exception()  # seen here, because everyone who waited for it may be gone

    async def _find_or_ask(self, tenant: str, question: Question) -> tuple[Verification, bool]:
        async with self.work(tenant) as work:
            known = await work.newest_known(question)
            if known is not None and holds_on(known, question, work.now, self.rulebook.policy):
                return known, False
        return await self._ask(tenant, question, ""), True

    async def _check(self, tenant: str, question: Question, idempotency_key: str) -> Verification:
        if idempotency_key:
            async with self.work(tenant) as work:
                known = await work.under_idempotency_key(idempotency_key)
            if known is not None:
                return known
        return await self._ask(tenant, question, idempotency_key)

    async def _ask(self, tenant: str, question: Question, idempotency_key: str) -> Verification:
        exchange = await ask_payer(self.payer, question, self.new_id)
        async with self.work(tenant) as work:
            return await record_check(
                work, self.rulebook, question, exchange, Occasion.CLAIM, idempotency_key=idempotency_key
            )
