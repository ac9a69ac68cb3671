"""A person's word on a claim: overrule what holds it, or correct what was rejected and let it go out again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from kernel.errors import Refused

from claims_gateway.handlers.building import assess, built, reason_of, reassess, traced
from claims_gateway.handlers.needs import Claims, locked, move
from claims_gateway.model import CORRECTED, HELD, REJECTED, REJECTION, Answers, Claim, Fact, WorkClosed
from claims_gateway.rules import RuleBook


@dataclass(frozen=True, slots=True)
class Word:
    """What a person says, beside the `answers` that were asked anew: edits that may be failed, REF*G1, the member id.

    "" leaves what is known.

    `trace` is the burst that the person's word begins.
    """

    answers: Answers
    waive: tuple[str, ...] = ()
    authorization: str = ""
    trace: str = ""
    member_id: str = ""


async def release_hold(
    claims: Claims,
    book: RuleBook,
    claim_id: str,
    waive: Sequence[str],
    authorization: str,
    answers: Answers,
    now: datetime,
    trace: str = "",
) -> tuple[Claim, list[Fact]]:
    """A person overrules edits, gives an authorization number, or has mended the cause elsewhere.

    A rejected claim is corrected by it and goes out again. For a claim that has gone on, nothing happens.
    Refused: claim-not-found, edit-unknown, edit-not-waivable.
    """
    claim = await locked(claims, claim_id)
    _check_waivable(book, waive)
    if claim.state not in {HELD, REJECTED}:
        return claim, []
    changed = _said(claim, Word(answers, tuple(waive), authorization, trace))
    facts = await (_correct if claim.state == REJECTED else reassess)(claims, book, changed, now)
    return await locked(claims, claim_id), facts


async def resubmit_claim(
    claims: Claims, book: RuleBook, claim_id: str, word: Word, now: datetime
) -> tuple[Claim, list[Fact]]:
    """A rejected claim, corrected, goes out again with a new file under its own CLM01 and frequency code.

    A rejection at the door (999, 277CA) is no adjudication: the payer has no claim that a frequency 7 could replace.
    One that has gone on since its rejection comes back as it is. Refused: claim-not-found, claim-not-rejected,
    edit-unknown, edit-not-waivable.
    """
    claim = await locked(claims, claim_id)
    _check_waivable(book, word.waive)
    if claim.state == REJECTED:
        facts = await _correct(claims, book, _said(claim, word), now)
        return await locked(claims, claim_id), facts
    if not claim.sent_before:
        raise Refused("claim-not-rejected", "only a claim that was rejected can go out again")
    return claim, []


def _said(claim: Claim, word: Word) -> Claim:
    waived = tuple(dict.fromkeys((*claim.waived, *word.waive)))
    number = word.authorization or claim.given_authorization
    said = replace(claim, waived=waived, answers=word.answers, given_authorization=number, touched=True)
    return traced(_named(said, word.member_id), word.trace)


def _named(claim: Claim, member_id: str) -> Claim:
    """The claim under the number by which the payer knows the subscriber."""
    visit = claim.draft.visit
    if not member_id or visit.insurance is None:
        return claim
    insured = replace(visit, insurance=replace(visit.insurance, member_id=member_id))
    return replace(claim, draft=replace(claim.draft, visit=insured))


async def _correct(claims: Claims, book: RuleBook, claim: Claim, now: datetime) -> list[Fact]:
    sent = await claims.sent_in(claim.claim_id)
    before = (*claim.sent_before, sent[0]) if sent else claim.sent_before
    corrected = await move(claims, replace(claim, sent_before=before), CORRECTED, "corrected", now)
    assessed = await assess(claims, book, corrected, now)
    moved = await move(claims, replace(assessed, state=CORRECTED), assessed.state, reason_of(assessed), now)
    return [*built(moved, REJECTED), WorkClosed(REJECTION, "corrected", "biller", moved)]


def _check_waivable(book: RuleBook, waive: Sequence[str]) -> None:
    for edit_id in waive:
        edit = book.edit(edit_id)
        if edit is None:
            raise Refused("edit-unknown", "no edit has this id")
        if not edit.waivable:
            raise Refused("edit-not-waivable", f"{edit_id} cannot be overruled: mend its cause")
