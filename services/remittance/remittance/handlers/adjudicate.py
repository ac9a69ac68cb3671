"""Pure judgments on one claim payment: what each adjustment is, what it takes back, whether it keeps the contract."""

from __future__ import annotations

from collections import Counter
from datetime import date

from remittance.model.advice import Adjustment, ClaimPayment
from remittance.model.claim import CONTRACTUAL, DENIAL, Adjudication, Classified, Shortfall
from remittance.rules import Rulebook

PROCESSED_PRIMARY = ("1", "19")


def adjudicate(payment: ClaimPayment, payer_id: str, rules: Rulebook, on: date) -> Adjudication:
    """Every adjustment of the claim and its lines with its kind, judged with the remarks that stand beside it."""
    classified = _classify(payment.adjustments, payment.remark_codes, payer_id, rules, on)
    for line in payment.lines:
        classified += _classify(line.adjustments, line.remark_codes, payer_id, rules, on)
    return Adjudication(payment.paid_cents, tuple(classified))


def _classify(
    adjustments: tuple[Adjustment, ...], remarks: tuple[str, ...], payer_id: str, rules: Rulebook, on: date
) -> list[Classified]:
    found = []
    for adjustment in adjustments:
        judgment = rules.judge(payer_id, adjustment.group, adjustment.reason, remarks, on)
        found.append(Classified(adjustment, judgment.kind, judgment.category, judgment.wording))
    return found


def mark_of(payment: ClaimPayment, *, taken_back: bool = False) -> str:
    """Charge, paid and adjustments by group and reason as one text; with `taken_back`, of what this one negates.

    A reversal negates the original's adjustments (RFI 1429), so it finds the payment whose mark is its own negated one.
    """
    sign = -1 if taken_back else 1
    totals: Counter[tuple[str, str]] = Counter()
    for adjustment in payment.every_adjustment():
        totals[adjustment.group, adjustment.reason] += sign * adjustment.amount_cents
    parts = [f"{group}-{reason}:{cents}" for (group, reason), cents in sorted(totals.items()) if cents]
    return "|".join([str(sign * payment.charge_cents), str(sign * payment.paid_cents), *parts])


def remarks_of(payment: ClaimPayment) -> tuple[str, ...]:
    """The remark codes of the claim and its lines, each once, in order."""
    remarks = [*payment.remark_codes, *(code for line in payment.lines for code in line.remark_codes)]
    return tuple(dict.fromkeys(remarks))


def denied_codes(payment: ClaimPayment, payer_id: str, rules: Rulebook, on: date) -> tuple[str, ...]:
    """The procedures that were denied, as billed: those of the lines denied, or all where the claim was as a whole."""

    def denied(adjustments: tuple[Adjustment, ...], remarks: tuple[str, ...]) -> bool:
        return any(item.kind == DENIAL for item in _classify(adjustments, remarks, payer_id, rules, on))

    whole = denied(payment.adjustments, payment.remark_codes)
    lines = [line for line in payment.lines if whole or denied(line.adjustments, line.remark_codes)]
    return tuple(dict.fromkeys(line.original_code or line.code for line in lines))


def shortfall_of(payment: ClaimPayment, payer_id: str, rules: Rulebook, on: date) -> Shortfall | None:
    """What a primary payer allowed below the contract, over the lines that it did not deny; None when all is well.

    Allowed is the charge less the contractual reduction: the money itself, not AMT*B6, which never balances (RFI 2601).
    """
    expected = allowed = 0
    for charge_cents, adjustments in _audited(payment) if payment.status in PROCESSED_PRIMARY else ():
        judged = _classify(adjustments, (), payer_id, rules, on)
        contract = rules.allowed_cents(payer_id, charge_cents, on)
        if contract is None or any(item.kind == DENIAL for item in judged):
            continue
        expected += contract
        allowed += charge_cents - sum(item.adjustment.amount_cents for item in judged if item.kind == CONTRACTUAL)
    found = Shortfall(expected, allowed)
    return found if found.short_cents > rules.tolerance_cents(payer_id, on) else None


def _audited(payment: ClaimPayment) -> list[tuple[int, tuple[Adjustment, ...]]]:
    """Charges with their adjustments. Where the payer adjusted the claim as a whole, so is the audit."""
    if payment.adjustments or not payment.lines:
        return [(payment.charge_cents, payment.every_adjustment())]
    return [(line.charge_cents, line.adjustments) for line in payment.lines]
