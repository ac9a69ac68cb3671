"""Predicates about who pays: coverage, payer, order of payers, authorization, referral, filing window, duplicates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

from kernel.rules import evaluate

from claims_gateway.model import AuthorizationAnswer, Claim, Line
from claims_gateway.rules.book import World

_PERSON_FIELDS = {"name", "birth-date", "member-id", "gender"}
_REPEATS = {"76", "77", "91"}


def payer_not_in_table(claim: Claim, world: World) -> Iterator[str]:
    if claim.payer_id and world.payer(claim) is None:
        yield "insurance.payer"


def coverage_not_active(claim: Claim, world: World) -> Iterator[str]:
    """A rejected inquiry that says which field is wrong is a mismatch, not an inactive plan."""
    answer, on = claim.answers.coverage, claim.draft.service_date
    if answer is None or (answer.status != "active" and not (answer.status == "rejected" and answer.mismatches)):
        yield "coverage.status"
        return
    if on and ((answer.plan_begin and on < answer.plan_begin) or (answer.plan_end and on > answer.plan_end)):
        yield "coverage.period"


def member_mismatch(claim: Claim, world: World) -> Iterator[str]:
    for mismatch in claim.answers.coverage.mismatches if claim.answers.coverage else ():
        if mismatch.field in _PERSON_FIELDS:
            yield f"patient.{mismatch.field}"


def wrong_payer(claim: Claim, world: World) -> Iterator[str]:
    answer = claim.answers.coverage
    if answer is None:
        return
    named = any(mismatch.field == "payer" for mismatch in answer.mismatches)
    if named or (answer.payer_id and answer.payer_id != claim.payer_id):
        yield "insurance.payer"


def order_of_payers(claim: Claim, world: World) -> Iterator[str]:
    answer, visit = claim.answers.coverage, claim.draft.visit
    if answer and claim.responsibility == 1 and answer.other_payer_id not in {"", claim.payer_id}:
        yield "coverage.order"
    orders = [visit.insurance.order] if visit.insurance else []
    orders += [other.order for other in visit.other_insurance]
    if any(count > 1 for count in Counter(orders).values()):
        yield "insurance.order"


def prior_payer_unbalanced(claim: Claim, world: World) -> Iterator[str]:
    if claim.responsibility == 1:
        return
    for number, line in enumerate(claim.draft.lines):
        if line.prior is None or line.charge_cents - line.prior.adjusted_cents != line.prior.paid_cents:
            yield f"lines[{number}].prior"


def _authorization_of(claim: Claim, line: Line) -> AuthorizationAnswer | None:
    answers = (answer for answer in claim.answers.authorizations if answer.code == line.code and answer.required)
    return next(answers, None)


def authorization_missing(claim: Claim, world: World) -> Iterator[str]:
    for number, line in enumerate(claim.draft.lines):
        answer = _authorization_of(claim, line)
        if answer and not answer.granted and not claim.given_authorization:
            yield f"lines[{number}].authorization"


def authorization_exceeded(claim: Claim, world: World) -> Iterator[str]:
    """A number that a person typed in speaks for itself: nobody here knows its dates and units."""
    units: dict[str, Decimal] = {}
    for number, line in enumerate(claim.draft.lines):
        answer = _authorization_of(claim, line)
        if answer is None or not answer.granted or claim.given_authorization:
            continue
        units[line.code] = units.get(line.code, Decimal(0)) + _decimal(line.units)
        if _outside(answer, line) or (answer.units and units[line.code] > _decimal(answer.units)):
            yield f"lines[{number}].authorization"


def _outside(answer: AuthorizationAnswer, line: Line) -> bool:
    first, last = line.service_from, line.service_to or line.service_from
    early = answer.valid_from and first and first < answer.valid_from
    late = answer.valid_to and last and last > answer.valid_to
    return bool(early or late)


def _decimal(text: str) -> Decimal:
    return Decimal(text) if text.replace(".", "", 1).isdigit() and text.isascii() else Decimal(0)


def several_authorizations(claim: Claim, world: World) -> Iterator[str]:
    numbers = {answer.number for answer in claim.answers.authorizations if answer.required and answer.granted}
    if len(numbers) > 1 and not claim.given_authorization:
        yield "authorization"


def referral_missing(claim: Claim, world: World) -> Iterator[str]:
    for number, line in enumerate(claim.draft.lines):
        if line.ordering_npi or line.service_from is None:
            continue
        facts = {"payer": claim.payer_id, "cpt": line.code}
        hits = evaluate(world.book.referrals, facts, line.service_from)
        if any(hit.outcome["required"] for hit in hits):
            yield f"lines[{number}].ordering"


def filed_too_late(claim: Claim, world: World) -> Iterator[str]:
    payer, first = world.payer(claim), claim.draft.service_date
    if payer is None or first is None:
        return
    days = payer.timely_filing_days if claim.frequency == "1" else payer.corrected_filing_days
    if world.today > first + timedelta(days=days):
        yield "lines.service_from"


def already_billed(claim: Claim, world: World) -> Iterator[str]:
    """Exact duplicates only: 76, 77 and 91 say that the service was repeated."""
    if claim.frequency != "1":
        return
    sent = {
        (line.payer_id, line.code, frozenset(line.modifiers), line.service_from, line.rendering_npi)
        for line in world.history
        if line.claim_id != claim.claim_id
    }
    for number, line in enumerate(claim.draft.lines):
        key = (claim.payer_id, line.code, frozenset(line.modifiers), line.service_from, line.rendering_npi)
        if key in sent and not _REPEATS.intersection(line.modifiers):
            yield f"lines[{number}]"


def correction_without_original(claim: Claim, world: World) -> Iterator[str]:
    if claim.frequency in {"7", "8"} and not (claim.payer_claim_number and claim.original_adjudicated):
        yield "payer_claim_number"


CHECKS = (
    payer_not_in_table,
    coverage_not_active,
    member_mismatch,
    wrong_payer,
    order_of_payers,
    prior_payer_unbalanced,
    authorization_missing,
    authorization_exceeded,
    several_authorizations,
    referral_missing,
    filed_too_late,
    already_billed,
    correction_without_original,
)
