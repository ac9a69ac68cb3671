"""Facts and timers of the line -> handler calls. Questions to other services are asked before the transaction opens."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from bus import Database, Event, Subscription, Timer, TimerHandler, Unit, current_trace
from bus.trace import link_to, link_to_journey
from opentelemetry import trace

from claims_gateway import handlers
from claims_gateway.model import HELD, Answers, AuthorizationAnswer, Claim, ClaimMoved, CoverageAnswer, Draft, Fact
from claims_gateway.rules import RuleBook
from claims_gateway.store import Claims
from claims_gateway.wire.answers import read_coverage
from claims_gateway.wire.charges import read_charges
from claims_gateway.wire.facts import write_fact

LOOK_AGAIN = "claims-gateway.look-again"
_LONGEST_WAIT_S = 86_400.0
Looks = list[tuple[str, Answers]]


class Questions(Protocol):
    """What the gateway asks of eligibility and prior-auth."""

    async def answers(self, tenant: str, draft: Draft) -> Answers: ...
    async def coverage(self, tenant: str, draft: Draft) -> CoverageAnswer | None: ...
    async def authorizations(self, tenant: str, draft: Draft) -> tuple[AuthorizationAnswer, ...]: ...


async def publish(unit: Unit, facts: Sequence[Fact]) -> None:
    """Puts facts into the outbox of the transaction."""
    for fact in facts:
        type, body, key, journey_id = write_fact(fact, unit.tenant, unit.now)
        await unit.emit(type, body, key=key, journey_id=journey_id)


def link_sleeper(claim: Claim) -> None:
    """What wakes a claim is a burst of its own: it links to the one that went to sleep, and to the journey."""
    span, draft = trace.get_current_span(), claim.draft
    for link in (*link_to(draft.trace), *link_to_journey(draft.journey_id)):
        span.add_link(link.context)


def waits_for_others(claim: Claim) -> bool:
    return claim.state == HELD and any(error.waits_for != "person" for error in claim.errors)


async def look_soon(unit: Unit, facts: Sequence[Fact], wait_s: float) -> None:
    """For claims just held: an answer may have come between our question and this transaction, and woken nobody."""
    for fact in facts:
        if isinstance(fact, ClaimMoved) and fact.event == "claim.held" and waits_for_others(fact.claim):
            await _schedule(unit, fact.claim, wait_s)


async def _schedule(unit: Unit, claim: Claim, wait_s: float) -> None:
    due_at = unit.now + timedelta(seconds=wait_s)
    payload = str(wait_s).encode()
    await unit.schedule(LOOK_AGAIN, claim.claim_id, due_at, payload, claim.draft.journey_id)


@dataclass(frozen=True, slots=True)
class EventEntry:
    database: Database
    others: Questions
    book: RuleBook
    first_look_s: float
    look_again_s: float

    def subscriptions(self) -> tuple[Subscription, ...]:
        return (
            Subscription("charges.captured", self.take_charges, self.ask_for_charges),
            Subscription("coverage.verified", self.look_again, self.ask_after_coverage),
            Subscription("coverage.gap_found", self.look_again, self.ask_after_coverage),
            Subscription("authorization.determined", self.look_again, self.ask_after_authorization),
            Subscription("payment.posted", self.post_payment),
            Subscription("payment.reversed", self.reverse_payment),
            Subscription("claim.denied", self.note_denial),
            Subscription("claim.underpaid", self.note_underpayment),
            Subscription("claim.appealed", self.note_appeal),
        )

    def timers(self) -> dict[str, TimerHandler]:
        return {LOOK_AGAIN: TimerHandler(self.look_again_late, self.ask_late)}

    async def ask_for_charges(self, event: Event) -> tuple[Draft, Answers]:
        body: Any = event.body
        draft = read_charges(body, event.journey_id, event.version, current_trace())
        return draft, await self.others.answers(event.tenant, draft) if draft.lines else Answers()

    async def take_charges(self, unit: Unit, event: Event, prepared: tuple[Draft, Answers]) -> None:
        draft, answers = prepared
        facts = await handlers.take_charges(Claims(unit.conn), self.book, unit.tenant, draft, answers, unit.now)
        await publish(unit, facts)
        await look_soon(unit, facts, self.first_look_s)

    async def ask_after_coverage(self, event: Event) -> Looks:
        """Only an active coverage can release a claim; anything else would ask again for what is already held."""
        body: Any = event.body
        told = read_coverage(body.verification)
        if told.status != "active":
            return []

        async def answers(claim: Claim) -> Answers:
            fits = told.on == claim.draft.service_date
            coverage = told if fits else await self.others.coverage(event.tenant, claim.draft)
            return Answers(coverage, claim.answers.authorizations)

        return await self._looks(event.tenant, lambda claims: claims.waiting_for_coverage(body.coverage), answers)

    async def ask_after_authorization(self, event: Event) -> Looks:
        body: Any = event.body
        told = body.authorization

        async def answers(claim: Claim) -> Answers:
            return Answers(claim.answers.coverage, await self.others.authorizations(event.tenant, claim.draft))

        def waiting(claims: Claims) -> Awaitable[list[str]]:
            return claims.waiting_for_authorization(told.payer_id, body.encounter, told.order, told.code)

        return await self._looks(event.tenant, waiting, answers)

    async def _looks(
        self,
        tenant: str,
        waiting: Callable[[Claims], Awaitable[list[str]]],
        answers: Callable[[Claim], Awaitable[Answers]],
    ) -> Looks:
        async with self.database.unit(tenant) as unit:
            store = Claims(unit.conn)
            found = [await store.get(claim_id) for claim_id in await waiting(store)]
        return [(claim.claim_id, await answers(claim)) for claim in found if claim is not None]

    async def look_again(self, unit: Unit, event: Event, looks: Looks) -> None:
        for claim_id, answers in looks:
            await self._look(unit, claim_id, answers)

    async def _look(self, unit: Unit, claim_id: str, answers: Answers) -> Claim | None:
        claims = Claims(unit.conn)
        asleep = await claims.get(claim_id)
        claim, facts = await handlers.look_again(claims, self.book, claim_id, answers, unit.now, current_trace())
        if asleep is not None and asleep.state == HELD:
            link_sleeper(asleep)
        await publish(unit, facts)
        return claim

    async def ask_late(self, timer: Timer) -> Answers | None:
        async with self.database.unit(timer.tenant) as unit:
            claim = await Claims(unit.conn).get(timer.key)
        if claim is None or not waits_for_others(claim):
            return None
        return await self.others.answers(timer.tenant, claim.draft)

    async def look_again_late(self, unit: Unit, timer: Timer, answers: Answers | None) -> None:
        """No fact has woken the claim: ask, and ask less and less often."""
        if answers is None:
            return
        claim = await self._look(unit, timer.key, answers)
        if claim is not None and waits_for_others(claim):
            wait_s = max(self.look_again_s, 2 * float(timer.payload or b"0"))
            await _schedule(unit, claim, min(wait_s, _LONGEST_WAIT_S))

    async def post_payment(self, unit: Unit, event: Event, prepared: None) -> None:
        body: Any = event.body
        facts = await handlers.post_payment(
            Claims(unit.conn), body.claim_id, body.outcome, body.payer_claim_number, unit.now
        )
        await publish(unit, facts)

    async def reverse_payment(self, unit: Unit, event: Event, prepared: None) -> None:
        body: Any = event.body
        await publish(unit, await handlers.reverse_payment(Claims(unit.conn), body.claim_id, unit.now))

    async def note_denial(self, unit: Unit, event: Event, prepared: None) -> None:
        body: Any = event.body
        await publish(unit, await handlers.note_denial(Claims(unit.conn), body.claim_id, body.category, unit.now))

    async def note_underpayment(self, unit: Unit, event: Event, prepared: None) -> None:
        body: Any = event.body
        await publish(unit, await handlers.note_underpayment(Claims(unit.conn), body.claim_id, unit.now))

    async def note_appeal(self, unit: Unit, event: Event, prepared: None) -> None:
        body: Any = event.body
        await publish(unit, await handlers.note_appeal(Claims(unit.conn), body.claim_id, unit.now))
