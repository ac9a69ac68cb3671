"""What people look at, as messages."""

from __future__ import annotations

from collections.abc import Iterable

from rcm.billing.v1.billing_pb2 import Adjustment
from rcm.remittance.v1 import remittance_pb2 as pb

from remittance.model import advice
from remittance.model.ledger import Balance
from remittance.model.remittance import Deposit
from remittance.model.shown import (
    Booked,
    Opened,
    RemittancePage,
    ShownBreak,
    ShownClaim,
    ShownDenial,
    ShownLine,
    ShownRemittance,
)
from remittance.wire.books import balance_message


def remittance_summary(shown: ShownRemittance) -> pb.RemittanceSummary:
    """An 835 as lists show it."""
    return pb.RemittanceSummary(
        remittance_id=shown.remittance_id,
        state=shown.state,
        payer_id=shown.payer_id,
        payer_name=shown.payer_name,
        trace_number=shown.trace_number,
        method=shown.method,
        paid_cents=shown.paid_cents,
        payment_date=shown.payment_date.isoformat() if shown.payment_date else "",
        received_at=shown.received_at,
        claims=shown.claims,
        zero_paid=shown.zero_paid,
        unmatched=shown.unmatched,
        settlement=shown.settlement,
        deposit_id=shown.deposit_id,
        rule=shown.rule,
        segment=shown.segment,
    )


def remittance_page(page: RemittancePage) -> pb.GetRemittanceResponse:
    """One look at an 835: its proof, a page of its claims and a page of its lines."""
    opened = page.opened
    return pb.GetRemittanceResponse(
        remittance=remittance_summary(page.remittance),
        balance=_transaction(opened),
        claims=[_claim(claim, page.booked.get(claim.ordinal, Booked())) for claim in opened.claims],
        claims_next=opened.claims_next,
        provider_adjustments=map(_provider_adjustment, opened.provider_adjustments),
        deposit=_deposit(page.deposit) if page.deposit else None,
        readable=opened.readable,
        readable_next=opened.readable_next,
    )


def _transaction(opened: Opened) -> pb.TransactionBalance:
    return pb.TransactionBalance(
        claims_paid_cents=opened.claims_paid_cents,
        provider_adjustment_cents=opened.provider_adjustment_cents,
        total_cents=opened.total_cents,
        balanced=opened.balanced,
        breaks=map(_break, opened.breaks),
    )


def _break(found: ShownBreak) -> pb.BalanceBreak:
    return pb.BalanceBreak(
        level=found.level,
        segment=found.segment,
        expected_cents=found.expected_cents,
        found_cents=found.found_cents,
    )


def _claim(claim: ShownClaim, booked: Booked) -> pb.RemittanceClaim:
    return pb.RemittanceClaim(
        ordinal=claim.ordinal,
        control_number=claim.control_number,
        status=claim.status,
        charge_cents=claim.sum.charge_cents,
        adjusted_cents=claim.sum.adjusted_cents,
        paid_cents=claim.sum.paid_cents,
        balanced=claim.sum.balanced,
        claim_id=booked.claim_id,
        journey_id=booked.journey_id,
        waits_for=booked.waits_for,
        adjustments=_adjustments(claim.adjustments),
        remarks=claim.remarks,
        lines=map(_line, claim.lines),
    )


def _line(line: ShownLine) -> pb.RemittanceLine:
    return pb.RemittanceLine(
        code=line.code,
        control_number=line.control_number,
        charge_cents=line.sum.charge_cents,
        adjusted_cents=line.sum.adjusted_cents,
        paid_cents=line.sum.paid_cents,
        balanced=line.sum.balanced,
        adjustments=_adjustments(line.adjustments),
        remarks=line.remarks,
    )


def _adjustments(found: Iterable[advice.Adjustment]) -> list[Adjustment]:
    return [Adjustment(group=item.group, reason=item.reason, amount_cents=item.amount_cents) for item in found]


def _provider_adjustment(found: advice.ProviderAdjustment) -> pb.ProviderAdjustment:
    return pb.ProviderAdjustment(
        reason=found.reason,
        amount_cents=found.amount_cents,
        fiscal_period_end=found.fiscal_period_end.isoformat(),
        reference=found.reference,
    )


def _deposit(deposit: Deposit) -> pb.BankDeposit:
    return pb.BankDeposit(
        deposit_id=deposit.deposit_id,
        trace_number=deposit.trace_number,
        amount_cents=deposit.amount_cents,
        effective_on=deposit.effective_on.isoformat() if deposit.effective_on else "",
    )


def denial_summary(shown: ShownDenial) -> pb.DenialSummary:
    """A denial as lists show it."""
    denial, account = shown.denial, shown.account
    return pb.DenialSummary(
        work_id=denial.work_id,
        claim_id=denial.claim_id,
        control_number=account.control_number,
        encounter=account.encounter,
        journey_id=account.journey_id,
        payer_id=account.payer_id,
        payer_class=account.payer_class,
        category=denial.category,
        carc=denial.carc,
        rarc=denial.rarc,
        codes=denial.codes,
        denied_cents=denial.cents,
        due_on=denial.due_on.isoformat(),
        state=denial.state,
        opened_at=shown.opened_at,
        changed_at=shown.changed_at,
        remittance_id=denial.remittance_id,
    )


def denial_page(shown: ShownDenial, balance: Balance) -> pb.GetDenialResponse:
    """A denial with its claim's balance and what can be done about it."""
    return pb.GetDenialResponse(
        denial=denial_summary(shown),
        balance=balance_message(shown.denial.claim_id, balance),
        actions=shown.denial.actions,
    )
