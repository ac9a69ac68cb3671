"""The verbs of the outside world: answer a question, take in a batch, pay what is due.

They block and run in a thread. `now` is handed in. Whatever they change is on disk before they return.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import groupby

from kernel.errors import Refused, Unreadable
from x12 import Interchange, TransactionSet, ViewError, X12Error, acknowledge, read
from x12.views.acknowledgment import GroupAcknowledgment, SetAcknowledgment, build_277ca, build_999, build_ta1
from x12.views.authorization import build_278_response, read_278_request
from x12.views.claim import Claim837
from x12.views.eligibility import build_271, read_270
from x12.views.envelope import Envelope
from x12.views.remittance import Remittance, build_835

from simulator.adjudicate import Case, adjudicate, reverse, service_key
from simulator.bank import Deposit, write_ccd
from simulator.faults import Faults
from simulator.intake import CLEARINGHOUSE_ID, Batch, acknowledge_batch, claim_status, judge, take_in
from simulator.model import PayerRules
from simulator.realtime import answer_authorization, answer_eligibility
from simulator.settle import Payee, payee_of, remit
from simulator.store import Due, Store

_CLAIMS_PER_REMITTANCE = 50
_DUE_AT_ONCE = 1000
_VOID, _REPLACEMENT = "8", "7"


@dataclass(frozen=True, slots=True)
class World:
    """Everything that the verbs need: memory, payers' rules, how long payers take, and what goes wrong."""

    store: Store
    rules: PayerRules
    pay_after: timedelta = timedelta(milliseconds=1500)
    faults: Faults = field(default_factory=Faults)

    def envelope(self, receiver: str, now: datetime) -> Envelope:
        """The envelope of the next file to a submitter."""
        number = self.store.next_number("interchange") % 1_000_000_000
        return Envelope(
            sender_id=CLEARINGHOUSE_ID,
            receiver_id=receiver,
            control_number=number,
            group_control=number,
            created=now,
        )


def answer_realtime(world: World, text: str, now: datetime) -> str:
    """The 271 or 278 for a question; a 999 when it breaks the guide. Unreadable when it is no such question at all."""
    interchange, question = _question(text)
    with world.store.change():
        envelope = world.envelope(interchange.header.get(6).strip(), now)
        refused = next((group for group in acknowledge(interchange) if group.rejected_sets), None)
        if refused is not None:
            return build_999(refused, envelope)
        try:
            return _ANSWERS[question.code](world, question, envelope)
        except ViewError as error:
            raise Unreadable("x12-content", error.path, "a value that the guide does not allow") from error


def _question(text: str) -> tuple[Interchange, TransactionSet]:
    try:
        interchange = next(iter(read(text)), None)
    except X12Error as error:
        raise Unreadable("not-x12", "", error.reason, error.position) from error
    question = next(interchange.sets(), None) if interchange else None
    if interchange is None or question is None or question.code not in _ANSWERS:
        raise Unreadable("not-a-question", "ST01", "only a 270 or a 278 is answered at once")
    return interchange, question


def _answer_270(world: World, question: TransactionSet, envelope: Envelope) -> str:
    inquiry = read_270(question)[0]
    return build_271(answer_eligibility(inquiry, world.rules, world.store, envelope.created.date()), envelope)


def _answer_278(world: World, question: TransactionSet, envelope: Envelope) -> str:
    request = read_278_request(question)[0]
    reply = answer_authorization(request, world.rules, world.store, envelope.created.date())
    return build_278_response(reply, envelope)


_ANSWERS = {"270": _answer_270, "278": _answer_278}


def accept_batch(world: World, submitter: str, content: bytes, now: datetime) -> str:
    """Take in an 837 and put the answers into the mailbox. The same bytes are worked on once and keep their id."""
    id = hashlib.sha256(content).hexdigest()[:32]
    with world.store.change():
        if world.store.receive(submitter, id, content, now):
            _work_on(world, submitter, _text(content), now)
    return id


def _text(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise Unreadable("not-x12", "", "the file is not UTF-8", error.start) from error


def _work_on(world: World, submitter: str, text: str, now: datetime) -> None:
    try:
        intake = take_in(text, now)
    except X12Error as error:
        raise Unreadable("not-x12", "", error.reason, error.position) from error
    except ViewError as error:
        raise Unreadable("x12-content", error.path, "a value that the guide does not allow") from error
    if intake.envelope is not None:
        _send(world, submitter, "TA1", build_ta1(intake.envelope, world.envelope(submitter, now)))
    for group in intake.groups:
        _send(world, submitter, "999", build_999(group, world.envelope(submitter, now)))
        _send_stray_999(world, submitter, group, now)
    for batch in intake.batches:
        _acknowledge_claims(world, submitter, batch, now)


def _send(world: World, submitter: str, kind: str, content: str) -> None:
    world.store.put_mail(submitter, kind, content)
    if world.faults.fires("duplicate-file", content):
        world.store.put_mail(submitter, kind, content)


def _send_stray_999(world: World, submitter: str, group: GroupAcknowledgment, now: datetime) -> None:
    """An answer to a set that nobody sent."""
    if not world.faults.fires("unknown-set-999", group.group_control):
        return
    stray = SetAcknowledgment(code="837", control="999999999", status="A", guide=group.guide)
    unknown = replace(group, group_control="999999999", status="A", included=1, received=1, accepted=1, sets=(stray,))
    _send(world, submitter, "999", build_999(unknown, world.envelope(submitter, now)))


def _acknowledge_claims(world: World, submitter: str, batch: Batch, now: datetime) -> None:
    today = now.date()
    statuses = []
    for claim in batch.claims:
        status = judge(claim, world.rules, today)
        number = _decide(world, submitter, claim, now) if status.accepted else ""
        statuses.append(claim_status(claim, status, number, today))
    answer = acknowledge_batch(batch, tuple(statuses), submitter, world.store.next_number("277CA"), today)
    _send(world, submitter, "277CA", build_277ca(answer, world.envelope(submitter, now)))


def _decide(world: World, submitter: str, claim: Claim837, now: datetime) -> str:
    """Let the payer decide a claim and put the payment down for later. The payer's claim number."""
    store, payer = world.store, world.rules.payers[claim.payer.id]
    number = f"{payer.letter}{store.next_number(f'claim {payer.id}'):011d}"
    payee, due = payee_of(claim.billing), now + world.pay_after
    if claim.frequency in {_VOID, _REPLACEMENT}:
        _take_back(world, submitter, claim, payee, due)
    if claim.frequency == _VOID:
        return number
    decided = adjudicate(Case(claim, payer, world.rules, now.date(), store), number)
    store.add_payment(submitter, payer.id, payee, decided.payment, due)
    member_id = claim.subscriber.member_id
    store.use_deductible(payer.id, member_id, claim.lines[0].date_from.year, decided.deductible_cents)
    for line, payment in zip(claim.lines, decided.payment.lines, strict=True):
        if payment.allowed_cents:
            store.remember_service(payer.id, member_id, service_key(claim, line), claim.control_number)
    return number


def _take_back(world: World, submitter: str, claim: Claim837, payee: Payee, due: datetime) -> None:
    """A void or a replacement names the payer's number of the original, which is reversed first."""
    original = world.store.newest_payment(claim.payer_claim_control)
    if original is None or original.is_reversal:
        return
    world.store.add_payment(submitter, claim.payer.id, payee, reverse(original), due, takeback=True)
    world.store.forget_services(original.control_number)
    back = -sum(
        a.amount_cents for line in original.lines for a in line.adjustments if (a.group, a.reason) == ("PR", "1")
    )
    year = claim.lines[0].date_from.year
    world.store.use_deductible(claim.payer.id, claim.subscriber.member_id, year, back)


def pay_due(world: World, now: datetime) -> int:
    """Send the remittances and deposits of everything whose time has come. How many claims were paid."""
    with world.store.change():
        due = world.store.due_payments(now, _DUE_AT_ONCE)
        for (submitter, payer_id, payee), members in groupby(sorted(due, key=_order), key=_account):
            listed = list(members)
            for at in range(0, len(listed), _CLAIMS_PER_REMITTANCE):
                _pay(world, submitter, payer_id, payee, listed[at : at + _CLAIMS_PER_REMITTANCE], now)
        world.store.mark_paid([item.number for item in due])
    return len(due)


def _order(due: Due) -> tuple[str, str, str, int]:
    return due.submitter, due.payer_id, due.payee.npi + due.payee.tax_id + due.payee.name, due.number


def _account(due: Due) -> tuple[str, str, Payee]:
    return due.submitter, due.payer_id, due.payee


def _pay(world: World, submitter: str, payer_id: str, payee: Payee, due: Sequence[Due], now: datetime) -> None:
    payer = world.rules.payers[payer_id]
    number = world.store.next_number(f"remittance {payer_id}")
    claims = [item.payment for item in due]
    if world.faults.fires("unknown-claim-835", number):
        claims.append(replace(claims[0], control_number=f"NOTOURS{number:06d}", payer_claim_number=f"X{number:010d}"))
    remittance = remit(payer, payee, claims, number, now.date())
    if world.faults.fires("unbalanced-835", number):
        broken = replace(remittance, amount_cents=remittance.amount_cents + 1)
        _send(world, submitter, "835", build_835(broken, world.envelope(submitter, now)))
    _send(world, submitter, "835", build_835(remittance, world.envelope(submitter, now)))
    if remittance.amount_cents:
        _send(world, submitter, "CCD", write_ccd(_deposit(world, remittance, payer.routing, now)))
    for item in due:
        _perhaps_correct(world, item, now)


def _deposit(world: World, remittance: Remittance, routing: str, now: datetime) -> Deposit:
    return Deposit(
        amount_cents=remittance.amount_cents,
        trace_number=remittance.trace_number,
        origin=remittance.trace_origin,
        payer_name=remittance.payer.name,
        routing=routing,
        payee_name=remittance.payee.name,
        sequence=world.store.next_number("deposit"),
        created=now,
    )


def _perhaps_correct(world: World, due: Due, now: datetime) -> None:
    """A payer that changes its mind: the payment is reversed and made again, in that order (RFI 791)."""
    if due.takeback or not world.faults.fires("takeback", due.number):
        return
    for payment in (reverse(due.payment), due.payment):
        later = now + world.pay_after
        world.store.add_payment(due.submitter, due.payer_id, due.payee, payment, later, takeback=True)


def read_mail(world: World, submitter: str, id: str) -> bytes:
    """The raw file. Refused (not found) when the mailbox has none with this id."""
    content = world.store.read_mail(submitter, id)
    if content is None:
        raise Refused("no-such-file", "the mailbox has no such file", kind="not_found")
    return content
