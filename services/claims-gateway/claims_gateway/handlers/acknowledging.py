"""What comes back about files and claims before any money: received, accepted, rejected. Nothing is ever lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from claims_gateway.handlers.building import reason_of
from claims_gateway.handlers.needs import Claims, move, note
from claims_gateway.model import (
    HELD,
    HOLD,
    OPEN,
    READY,
    REJECTED,
    REJECTION,
    SUBMITTED,
    SUBMITTING,
    TRANSITIONS,
    Acknowledgment,
    Claim,
    ClaimMoved,
    Fact,
    FileUnmatched,
    WorkClosed,
    WorkOpened,
)

SENT_EARLIER = "sent-before-restore"


async def acknowledge_file(
    claims: Claims, control_number: int, state: str, reason: str, now: datetime
) -> tuple[bool, list[Fact]]:
    """A TA1 or 999 about one of our files: its word holds for every claim in it. False for a file that is not ours."""
    found = await claims.lock_of_interchange(control_number)
    facts: list[Fact] = []
    for claim in found:
        facts += await _acknowledge(claims, claim, state, reason, now)
    return bool(found), facts


async def acknowledge_claim(claims: Claims, said: Acknowledgment, now: datetime) -> tuple[bool, list[Fact]]:
    """A 277CA about one claim. False for a claim that is not ours."""
    claim = await claims.lock_by_control_number(said.control_number)
    if claim is None:
        return False, []
    if said.interchange in claim.sent_before:  # it was rejected there, and corrected since
        await note(claims, claim, f"late-{said.reason}", now)
        return True, []
    numbered = replace(claim, payer_claim_number=said.payer_claim_number or claim.payer_claim_number)
    facts: list[Fact] = []
    if said.interchange > 0 and numbered.state in OPEN:
        numbered, facts = await _sent_earlier(claims, numbered, now)
    return True, facts + await _acknowledge(claims, numbered, said.state, said.reason, now)


async def _sent_earlier(claims: Claims, claim: Claim, now: datetime) -> tuple[Claim, list[Fact]]:
    """We do not know that we sent it, and the clearinghouse answers: a backup was restored that is older than the file.

    It must not go out a second time.
    """
    facts: list[Fact] = []
    ready = claim
    if claim.state == HELD:
        ready = await move(claims, claim, READY, SENT_EARLIER, now)
        facts.append(ClaimMoved("claim.built", ready, HELD, "released"))
        facts.append(WorkClosed(HOLD, reason_of(claim), "biller", ready))
    return await move(claims, ready, SUBMITTING, SENT_EARLIER, now), facts


async def _acknowledge(claims: Claims, claim: Claim, state: str, reason: str, now: datetime) -> list[Fact]:
    """An answer proves that the file arrived, even when we have not noted it yet. A late or repeated one is kept."""
    facts: list[Fact] = []
    if claim.state == SUBMITTING:
        claim = await move(claims, claim, SUBMITTED, "handed-over", now)
        facts.append(ClaimMoved("claim.submitted", claim, SUBMITTING, "handed-over"))
    if not TRANSITIONS.allows(claim.state, state):
        await claims.save(claim, now)
        await note(claims, claim, reason, now)
        return facts
    moved = await move(claims, claim, state, reason, now)
    if state == REJECTED:
        rejected = ClaimMoved("claim.rejected", moved, claim.state, reason)
        return [*facts, rejected, WorkOpened(REJECTION, reason, "biller", moved)]
    return [*facts, ClaimMoved("claim.acknowledged", moved, claim.state, reason)]


async def hold_unmatched(claims: Claims, file_id: str, reason: str, now: datetime) -> list[Fact]:
    """A file about something that we never sent, or that cannot be read: kept, and a person looks."""
    await claims.keep_unmatched(file_id, reason, now)
    return [FileUnmatched(file_id, reason)]
