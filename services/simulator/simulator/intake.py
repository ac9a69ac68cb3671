"""What a clearinghouse does with a batch before any payer decides: envelope, syntax, each claim's door. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from x12 import Interchange, TransactionSet, X12Error, acknowledge, acknowledge_interchange, check, read
from x12.views.acknowledgment import (
    ClaimAcknowledgment,
    ClaimStatus,
    GroupAcknowledgment,
    InterchangeAcknowledgment,
    Status,
)
from x12.views.claim import Claim837, read_837p

from simulator.model import PayerRules
from simulator.people import find_person

CLEARINGHOUSE_ID = "SYNCLEAR"
CLEARINGHOUSE_NAME = "SYNTHETIC CLEARINGHOUSE"
_ACCEPTED = Status(category="A2", code="20")
_RECEIVED = Status(category="A1", code="19", entity="PR")
_ISA_LENGTH = 106
_GOOD = frozenset("AE")


@dataclass(frozen=True, slots=True)
class Batch:
    """One accepted transaction set: its claims and the BHT03 that its 277CA answers to."""

    reference: str
    claims: tuple[Claim837, ...]


@dataclass(frozen=True, slots=True)
class Intake:
    """What came of a file: an answer to the envelope when one is due, answers to the groups, and what went through."""

    envelope: InterchangeAcknowledgment | None
    groups: tuple[GroupAcknowledgment, ...] = ()
    batches: tuple[Batch, ...] = ()


@dataclass(frozen=True, slots=True)
class Rejection:
    """One reason not to let a claim through to its payer: the 277CA status, and when it holds."""

    status: Status
    holds: Callable[[Claim837, PayerRules, date], bool]


def take_in(text: str, now: datetime) -> Intake:
    """Read a batch. X12Error when the text does not even begin like an interchange."""
    try:
        interchanges = list(read(text))
    except X12Error:
        return Intake(_refused_envelope(text, now))
    if not interchanges:
        raise X12Error("the text is empty", 0)
    parts = [_take_interchange(interchange) for interchange in interchanges]
    return Intake(
        envelope=next((part.envelope for part in parts if part.envelope), None),
        groups=tuple(group for part in parts for group in part.groups),
        batches=tuple(batch for part in parts for batch in part.batches),
    )


def _refused_envelope(text: str, now: datetime) -> InterchangeAcknowledgment:
    header = text.lstrip()[:_ISA_LENGTH]
    if not header.startswith("ISA") or len(header) < _ISA_LENGTH:
        raise X12Error("the text does not begin with an ISA segment", 0)
    control = header.split(header[3])[13]
    return InterchangeAcknowledgment(control_number=control, created=now, status="R", note="022")


def _take_interchange(interchange: Interchange) -> Intake:
    findings = check(interchange)
    envelope = acknowledge_interchange(interchange, findings)
    if envelope.status == "R":
        return Intake(envelope)
    groups = tuple(acknowledge(interchange, findings))
    good = {
        (group.group_control, item.control)
        for group in groups
        for item in group.sets
        if group.accepted and item.status in _GOOD
    }
    sets = [item for item in interchange.sets() if (item.group.get(6), item.control) in good]
    wanted = envelope.status != "A" or interchange.header.get(14) == "1"
    return Intake(envelope if wanted else None, groups, tuple(_batch(item) for item in sets if item.code == "837"))


def _batch(transaction: TransactionSet) -> Batch:
    reference = next(segment.get(3) for segment in transaction.segments if segment.id == "BHT")
    return Batch(reference, tuple(read_837p(transaction)))


def judge(claim: Claim837, rules: PayerRules, today: date) -> Status:
    """The claim's 277CA status: A2 when it goes on to its payer."""
    return next((row.status for row in REJECTIONS if row.holds(claim, rules, today)), _ACCEPTED)


def claim_status(claim: Claim837, status: Status, payer_claim_number: str, today: date) -> ClaimStatus:
    return ClaimStatus(
        control_number=claim.control_number,
        statuses=(status,),
        status_date=today,
        amount_cents=claim.total_cents,
        payer_claim_number=payer_claim_number,
        last=claim.subscriber.last,
        first=claim.subscriber.first,
        member_id=claim.subscriber.member_id,
        service_from=min(line.date_from for line in claim.lines),
        provider_npi=claim.billing.npi,
        provider_name=claim.billing.name,
        provider_first=claim.billing.first,
        provider_is_person=claim.billing.is_person,
    )


def acknowledge_batch(
    batch: Batch, statuses: tuple[ClaimStatus, ...], submitter: str, number: int, today: date
) -> ClaimAcknowledgment:
    """The 277CA of one batch, with the money that went through and that did not."""
    sums = {good: sum(status.amount_cents for status in statuses if status.accepted is good) for good in (True, False)}
    some = {status.accepted for status in statuses}
    return ClaimAcknowledgment(
        source_id=CLEARINGHOUSE_ID,
        source_name=CLEARINGHOUSE_NAME,
        source_entity="AY",
        source_id_qualifier="46",
        submitter_id=submitter,
        submitter_name=batch.claims[0].submitter.name if batch.claims else submitter,
        trace_number=f"CA{number:09d}",
        batch_reference=batch.reference,
        received_date=today,
        processed_date=today,
        batch_status=_RECEIVED,
        claims=statuses,
        accepted_cents=sums[True] if True in some else None,
        rejected_cents=sums[False] if False in some else None,
    )


def _unknown_payer(claim: Claim837, rules: PayerRules, today: date) -> bool:
    return claim.payer.id not in rules.payers


def _unknown_member(claim: Claim837, rules: PayerRules, today: date) -> bool:
    member_id = claim.subscriber.member_id
    hidden = rules.behaviour(member_id) == "intake-rejected"
    return hidden or find_person(member_id, rules.payers[claim.payer.id].letter) is None


def _not_yet_done(claim: Claim837, rules: PayerRules, today: date) -> bool:
    return any(line.date_from > today for line in claim.lines)


def _free_of_charge(claim: Claim837, rules: PayerRules, today: date) -> bool:
    return claim.total_cents <= 0


REJECTIONS = (
    Rejection(Status(category="A3", code="116", entity="PR"), _unknown_payer),
    Rejection(Status(category="A3", code="33", entity="IL"), _unknown_member),
    Rejection(Status(category="A7", code="187"), _not_yet_done),
    Rejection(Status(category="A7", code="178"), _free_of_charge),
)
