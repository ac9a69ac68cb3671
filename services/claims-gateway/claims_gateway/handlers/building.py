"""Charges become a claim: one per encounter, payer and responsibility, ready or held with named reasons."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import replace
from datetime import datetime

from kernel.identifiers import control_number

from claims_gateway.handlers.needs import Claims, locked, move, note
from claims_gateway.model import (
    CLOSED,
    DRAFT,
    HELD,
    HOLD,
    OPEN,
    READY,
    REJECTED,
    Answers,
    Claim,
    ClaimMoved,
    Draft,
    Fact,
    WorkClosed,
    WorkOpened,
)
from claims_gateway.rules import RuleBook, World, scrub

_OWNERS = {"coverage": "front-desk", "authorization": "authorization", "person": "biller"}
_CLAIM = uuid.UUID("0d0c2f6e-3d62-5a8b-8f0e-7a1f5c9b4e22")


def claim_id(tenant: str, draft: Draft, responsibility: int) -> str:
    """Derived from what makes a claim one claim, so that a replay names the same."""
    return str(uuid.uuid5(_CLAIM, f"{tenant}|{draft.encounter_key}|{draft.payer_id}|{responsibility}"))


def number_of(claim_id: str) -> str:
    """CLM01, derived from the claim's id: built anew after a restore, it is known outside by the same number."""
    return control_number(int.from_bytes(hashlib.sha256(claim_id.encode()).digest()[:11], "big"))


async def take_charges(
    claims: Claims, book: RuleBook, tenant: str, draft: Draft, answers: Answers, now: datetime
) -> list[Fact]:
    """The first charges build the claim; newer ones change it while it is here; the same again change nothing."""
    known = await claims.find(draft.encounter_key, draft.payer_id, 1)
    if known is not None:
        return await _take_again(claims, book, known, draft, answers, now)
    id = claim_id(tenant, draft, 1)
    claim = Claim(claim_id=id, control_number=number_of(id), draft=draft, answers=answers)
    if not draft.lines:
        return await _close_empty(claims, claim, now)
    await claims.hold_encounter(draft.encounter)
    claim = await assess(claims, book, _numbered(claim), now)
    if not await claims.add(claim, now):
        return []
    await claims.record(claim.claim_id, DRAFT, claim.state, reason_of(claim), now)
    return built(claim, DRAFT)


async def take_submitted(
    claims: Claims, book: RuleBook, tenant: str, draft: Draft, authorization: str, answers: Answers, now: datetime
) -> tuple[Claim, list[Fact]] | None:
    """A claim that came ready-made, with the authorization number that it brings. None when another stands there."""
    if await standing_claim(claims, draft) is not None:
        return None
    id = claim_id(tenant, draft, 1)
    claim = Claim(
        claim_id=id,
        control_number=number_of(id),
        draft=draft,
        answers=answers,
        given_authorization=authorization,
    )
    claim = await assess(claims, book, _numbered(claim), now)
    if not await claims.add(claim, now):
        return None
    await claims.record(claim.claim_id, DRAFT, claim.state, reason_of(claim), now)
    return claim, built(claim, DRAFT)


async def standing_claim(claims: Claims, draft: Draft) -> Claim | None:
    """The claim that a submitted one would double: of its encounter, whoever made it, or of its own key. Locked."""
    if draft.encounter:
        await claims.hold_encounter(draft.encounter)
        of_encounter = await claims.find_of_encounter(draft.encounter, draft.payer_id, 1)
        if of_encounter is not None:
            return of_encounter
    return await claims.find(draft.encounter_key, draft.payer_id, 1)


async def take_submitted_again(
    claims: Claims,
    book: RuleBook,
    standing: Claim,
    draft: Draft,
    authorization: str,
    answers: Answers,
    now: datetime,
) -> tuple[Claim, list[Fact]]:
    """The same claim, corrected, or those whom it names have been mended since: a held one is looked at again."""
    if standing.state != HELD:
        return standing, []
    own = replace(draft, journey_id=standing.draft.journey_id, trace=standing.draft.trace)
    number = authorization or standing.given_authorization
    renewed = _numbered(replace(standing, draft=own, answers=answers, given_authorization=number))
    await claims.replace_lines(renewed)
    facts = await reassess(claims, book, renewed, now)
    return await locked(claims, standing.claim_id), facts


async def _close_empty(claims: Claims, claim: Claim, now: datetime) -> list[Fact]:
    """Nothing to bill is an end, too: the journey has to hear of it."""
    closed = replace(claim, state=CLOSED)
    if not await claims.add(closed, now):
        return []
    await claims.record(claim.claim_id, DRAFT, CLOSED, "nothing-billable", now)
    return [ClaimMoved("claim.voided", closed, DRAFT, "nothing-billable")]


async def _take_again(
    claims: Claims, book: RuleBook, known: Claim, draft: Draft, answers: Answers, now: datetime
) -> list[Fact]:
    if draft.version < known.draft.version or _content(draft) == _content(known.draft):
        return []
    if known.state not in OPEN | {REJECTED}:
        await note(claims, known, "charges-after-submission", now)
        return []
    changed = _numbered(replace(known, draft=draft, answers=answers))
    await claims.replace_lines(changed)
    if known.state == REJECTED:  # a person says when it is whole and goes out again
        await claims.save(changed, now)
        await note(claims, changed, "charges-corrected", now)
        return []
    return await reassess(claims, book, changed, now)


def _content(draft: Draft) -> tuple[object, ...]:
    return draft.visit, draft.diagnoses, draft.lines


def _numbered(claim: Claim) -> Claim:
    """REF*6R: unique over all our lines, because it begins with the claim's own number."""
    lines = tuple(
        replace(line, control_number=f"{claim.control_number}{number:02d}")
        for number, line in enumerate(claim.draft.lines, 1)
    )
    return replace(claim, draft=replace(claim.draft, lines=lines))


async def assess(claims: Claims, book: RuleBook, claim: Claim, now: datetime) -> Claim:
    """Runs the edits, sets the deadline, and says ready or held."""
    draft = claim.draft
    days = [line.service_from for line in draft.lines if line.service_from]
    history = await claims.history(draft.visit.patient.reference, days, claim.claim_id)
    findings = scrub(claim, World(book, now.date(), tuple(history)))
    payer, first = book.payers.get(claim.payer_id), draft.service_date
    deadline = payer.deadline(first) if payer and first else None
    payer_class = payer.payer_class if payer else ""
    assessed = replace(claim, findings=findings, filing_deadline=deadline, payer_class=payer_class)
    return replace(assessed, state=HELD if assessed.errors else READY)


def traced(claim: Claim, trace: str) -> Claim:
    """The claim in the burst that wakes it; in its own, where nothing is traced."""
    return replace(claim, draft=replace(claim.draft, trace=trace)) if trace else claim


def reason_of(claim: Claim) -> str:
    """The edit that holds it, or clean."""
    return claim.errors[0].edit_id if claim.errors else "clean"


def built(claim: Claim, from_state: str) -> list[Fact]:
    """A claim stands: ready, or held and somebody's."""
    facts: list[Fact] = [ClaimMoved("claim.built", claim, from_state, reason_of(claim))]
    return facts + (_held(claim, from_state) if claim.state == HELD else [])


def _held(claim: Claim, from_state: str) -> list[Fact]:
    first = claim.errors[0]
    return [
        ClaimMoved("claim.held", claim, from_state, first.edit_id),
        WorkOpened(HOLD, first.edit_id, _OWNERS[first.waits_for], claim),
    ]


async def reassess(claims: Claims, book: RuleBook, claim: Claim, now: datetime) -> list[Fact]:
    """A claim that is held or ready, with something changed: held and ready lead into each other."""
    assessed = await assess(claims, book, claim, now)
    if assessed.state == claim.state:
        await claims.save(assessed, now)
        moved = reason_of(assessed) != reason_of(claim)
        return _held(assessed, claim.state) if assessed.state == HELD and moved else []
    moved_claim = await move(claims, replace(assessed, state=claim.state), assessed.state, reason_of(assessed), now)
    if moved_claim.state == HELD:
        return _held(moved_claim, claim.state)
    return [
        ClaimMoved("claim.built", moved_claim, claim.state, "released"),
        WorkClosed(HOLD, reason_of(claim), "biller", moved_claim),
    ]


async def look_again(
    claims: Claims, book: RuleBook, claim_id: str, answers: Answers, now: datetime, trace: str = ""
) -> tuple[Claim | None, list[Fact]]:
    """Others know more now. A claim that is no longer held has not waited for them.

    `trace` is the burst that woke it, in which it goes on.
    """
    claim = await claims.lock(claim_id)
    if claim is None or claim.state != HELD:
        return claim, []
    facts = await reassess(claims, book, traced(replace(claim, answers=answers), trace), now)
    return await claims.lock(claim_id), facts
