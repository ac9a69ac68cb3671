"""Money and denials, as remittance posts them, move the claim on. Amounts stay with remittance; here is the state."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from claims_gateway.handlers.needs import Claims, locked, move, note
from claims_gateway.model import (
    ADJUDICATED,
    APPEALED,
    DENIED,
    PAID,
    PARTLY_PAID,
    REVERSED,
    SUBMITTED,
    SUBMITTING,
    TRANSITIONS,
    UNDERPAID,
    Claim,
    ClaimMoved,
    Fact,
)

_OUTCOMES = {"paid": PAID, "partly_paid": PARTLY_PAID, "denied": DENIED}


async def post_payment(
    claims: Claims, claim_id: str, outcome: str, payer_claim_number: str, now: datetime
) -> list[Fact]:
    """Adjudicated, then what the payer decided. The outcome is told, never inferred from an amount."""
    claim = await locked(claims, claim_id)
    numbered = replace(
        claim, payer_claim_number=payer_claim_number or claim.payer_claim_number, original_adjudicated=True
    )
    state = _OUTCOMES.get(outcome)
    facts: list[Fact] = []
    if claim.state == SUBMITTING:
        numbered = await move(claims, numbered, SUBMITTED, "handed-over", now)
        facts.append(ClaimMoved("claim.submitted", numbered, SUBMITTING, "handed-over"))
    if state is None or not TRANSITIONS.allows(numbered.state, ADJUDICATED):
        await _keep(claims, numbered, f"payment-{outcome or 'unknown'}", now)
        return facts
    adjudicated = await move(claims, numbered, ADJUDICATED, "remittance", now)
    await move(claims, adjudicated, state, f"payment-{outcome}", now)
    return facts


async def reverse_payment(claims: Claims, claim_id: str, now: datetime) -> list[Fact]:
    return await _move_or_note(claims, claim_id, REVERSED, "payment-reversed", now)


async def note_denial(claims: Claims, claim_id: str, category: str, now: datetime) -> list[Fact]:
    """The payment has moved the claim already: a denied line of a partly paid claim leaves it partly paid."""
    claim = await locked(claims, claim_id)
    await note(claims, claim, f"denied-{category or 'unknown'}", now)
    return []


async def note_underpayment(claims: Claims, claim_id: str, now: datetime) -> list[Fact]:
    return await _move_or_note(claims, claim_id, UNDERPAID, "below-contract", now)


async def note_appeal(claims: Claims, claim_id: str, now: datetime) -> list[Fact]:
    """A person asked the payer to think again: its next answer settles the claim."""
    return await _move_or_note(claims, claim_id, APPEALED, "appealed", now)


async def _move_or_note(claims: Claims, claim_id: str, state: str, reason: str, now: datetime) -> list[Fact]:
    """A fact that the table does not allow from here is kept beside the claim, so that it cannot block what follows."""
    claim = await locked(claims, claim_id)
    if TRANSITIONS.allows(claim.state, state):
        await move(claims, claim, state, reason, now)
    else:
        await note(claims, claim, reason, now)
    return []


async def _keep(claims: Claims, claim: Claim, reason: str, now: datetime) -> None:
    await claims.save(claim, now)
    await note(claims, claim, reason, now)
