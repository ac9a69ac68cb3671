"""The model's facts as the typed messages of the flow table, each with the key that orders it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fhir_r4 import write
from google.protobuf.message import Message
from rcm.billing.v1.billing_pb2 import Adjustment
from rcm.remittance.v1.remittance_pb2 import ClaimDenied, DepositMatched, LinePayment, PaymentPosted, RemittanceReceived
from rcm.remittance.v1.remittance_pb2 import PatientPaid as PatientPaidMessage
from rcm.work.v1.work_pb2 import WorkClosed, WorkOpened

from remittance.model import advice
from remittance.model.advice import LinePayment as PaidLine
from remittance.model.events import (
    ClaimDisputed,
    ClaimSettled,
    DepositSeen,
    Fact,
    PatientPaid,
    RemittanceQuarantined,
    RemittanceTaken,
    WorkChanged,
)
from remittance.model.remittance import NONE
from remittance.wire.adjudications import claim_response, explanation
from remittance.wire.reconciliation import reconciliation
from remittance.wire.tasks import task_of


@dataclass(frozen=True, slots=True)
class Told:
    """What goes into the outbox. `key` is the encounter's reference wherever one is known."""

    type: str
    body: Message
    key: str
    journey_id: str = ""


def told_of(fact: Fact, now: datetime) -> Told:
    """The message of a fact."""
    return _WRITERS[type(fact)](fact, now)


def received_message(taken: RemittanceTaken, now: datetime) -> RemittanceReceived:
    """remittance.received; the PaymentReconciliation is left out of the answer about a remittance that was known."""
    remittance = taken.remittance
    return RemittanceReceived(
        remittance_id=remittance.remittance_id,
        payer_id=remittance.payer_id,
        paid_cents=remittance.paid_cents,
        claims=taken.claims,
        unmatched=taken.unmatched,
        received_at=remittance.received_at,
        zero_paid=remittance.zero_paid,
        settlement=remittance.settlement,
        reconciliation_json=b"" if taken.known else write(reconciliation(taken, now)),
    )


def quarantined_message(fact: RemittanceQuarantined) -> RemittanceReceived:
    """remittance.quarantined: the reason names rule and segment."""
    return RemittanceReceived(
        remittance_id=fact.remittance_id,
        payer_id=fact.payer_id,
        paid_cents=fact.paid_cents,
        claims=fact.claims,
        reason=f"{fact.rule}@{fact.segment}",
        received_at=fact.received_at,
        zero_paid=fact.zero_paid,
        settlement=NONE,
    )


def answer_of(fact: RemittanceTaken | RemittanceQuarantined, now: datetime) -> RemittanceReceived:
    """What the giver of a remittance is told of it."""
    return received_message(fact, now) if isinstance(fact, RemittanceTaken) else quarantined_message(fact)


def _received(fact: RemittanceTaken, now: datetime) -> Told:
    return Told("remittance.received", received_message(fact, now), fact.remittance.remittance_id)


def _quarantined(fact: RemittanceQuarantined, now: datetime) -> Told:
    return Told("remittance.quarantined", quarantined_message(fact), fact.remittance_id)


def _settled(fact: ClaimSettled, now: datetime) -> Told:
    account, balance = fact.account, fact.balance
    body = PaymentPosted(
        claim_id=account.claim_id,
        encounter=account.encounter,
        outcome=fact.outcome,
        billed_cents=balance.billed_cents,
        paid_cents=balance.paid_cents,
        adjusted_cents=balance.adjusted_cents,
        patient_cents=balance.patient_cents,
        open_cents=balance.open_cents,
        payer_id=account.payer_id,
        payer_claim_number=account.payer_claim_number,
        next=fact.next,
        contractual_cents=balance.contractual_cents,
        settlement=NONE,
        by_person=fact.payment is None,
        payer_class=account.payer_class,
        patient_open_cents=balance.patient_open_cents,
    )
    if fact.payment is not None and fact.remittance is not None:
        body.remittance_id = fact.remittance.remittance_id
        body.received_at.FromDatetime(fact.remittance.received_at)
        body.settlement = fact.remittance.settlement_of(fact.payment)
        body.payer_claim_number = fact.payment.payer_claim_number or account.payer_claim_number
        body.adjustments.extend(map(_adjustment, fact.payment.adjustments))
        body.lines.extend(map(_line, fact.payment.lines))
        body.claim_response_json = write(claim_response(fact, now))
        body.explanation_json = write(explanation(fact, now))
    name = "payment.reversed" if fact.reversed else "payment.posted"
    return Told(name, body, _key(account.encounter, account.claim_id), account.journey_id)


def _line(line: PaidLine) -> LinePayment:
    return LinePayment(
        control_number=line.line_control,
        billed_cents=line.charge_cents,
        paid_cents=line.paid_cents,
        allowed_cents=line.allowed_cents or 0,
        adjustments=map(_adjustment, line.adjustments),
        remarks=line.remark_codes,
    )


def _adjustment(adjustment: advice.Adjustment) -> Adjustment:
    return Adjustment(group=adjustment.group, reason=adjustment.reason, amount_cents=adjustment.amount_cents)


def _disputed(fact: ClaimDisputed, now: datetime) -> Told:
    account = fact.account
    body = ClaimDenied(
        claim_id=account.claim_id,
        encounter=account.encounter,
        category=fact.category,
        carc=fact.carc,
        rarc=fact.rarc,
        dollars_cents=fact.cents,
        deadline=fact.due_on.isoformat(),
        payer_id=account.payer_id,
        work_id=fact.work_id,
        codes=fact.codes,
        payer_class=account.payer_class,
    )
    return Told(f"claim.{fact.kind}", body, _key(account.encounter, account.claim_id), account.journey_id)


def _patient(fact: PatientPaid, now: datetime) -> Told:
    account = fact.account
    body = PatientPaidMessage(
        claim_id=account.claim_id,
        encounter=account.encounter,
        payment_id=fact.payment_id,
        paid_cents=fact.paid_cents,
        patient_open_cents=fact.balance.patient_open_cents,
        point_of_service=fact.point_of_service,
        method=fact.method,
        payer_id=account.payer_id,
        payer_class=account.payer_class,
    )
    return Told("patient.paid", body, _key(account.encounter, account.claim_id), account.journey_id)


def _deposit(fact: DepositSeen, now: datetime) -> Told:
    deposit = fact.deposit
    body = DepositMatched(
        deposit_id=deposit.deposit_id,
        remittance_id=deposit.remittance_id,
        amount_cents=deposit.amount_cents,
        reason=fact.reason,
    )
    return Told("deposit.unmatched" if fact.reason else "deposit.matched", body, deposit.deposit_id)


def _work(fact: WorkChanged, now: datetime) -> Told:
    work = fact.work
    task = write(task_of(work, now, fact.outcome))
    if fact.outcome:
        closed = WorkClosed(work_id=work.work_id, kind=work.kind, outcome=fact.outcome, task=task)
        return Told("work.closed", closed, work.key, work.journey_id)
    opened = WorkOpened(
        work_id=work.work_id,
        kind=work.kind,
        reason=work.reason,
        dollars_cents=work.dollars_cents,
        due_on=work.due_on.isoformat() if work.due_on else "",
        encounter=work.encounter,
        task=task,
        owner=work.owner,
    )
    return Told("work.opened", opened, work.key, work.journey_id)


def _key(encounter: str, otherwise: str) -> str:
    return encounter or otherwise


_WRITERS: dict[type, Callable[[Any, datetime], Told]] = {
    RemittanceTaken: _received,
    RemittanceQuarantined: _quarantined,
    ClaimSettled: _settled,
    ClaimDisputed: _disputed,
    PatientPaid: _patient,
    DepositSeen: _deposit,
    WorkChanged: _work,
}
