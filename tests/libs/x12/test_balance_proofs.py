"""The proofs of an 835, each with the X12 request for interpretation (RFI) that settled it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from x12 import balance, check
from x12.views.parties import Adjustment
from x12.views.remittance import (
    ClaimPayment,
    LinePayment,
    ProviderAdjustment,
    Remittance,
    build_835,
    read_835,
)
from x12_examples import DAY, ENVELOPE, NPI, REMITTANCE, one

PAID = ClaimPayment(
    control_number="CTRL0500", status="1", charge_cents=20_000, paid_cents=12_000, patient_responsibility_cents=3_000,
    payer_claim_number="ICN0500", filing_indicator="12", patient=REMITTANCE.claims[0].patient, date_from=DAY,
    lines=(
        LinePayment(code="99213", modifiers=("25",), charge_cents=20_000, paid_cents=12_000, date_from=DAY,
                    adjustments=(Adjustment("CO", "45", 5_000), Adjustment("PR", "2", 3_000))),
    ),
)  # fmt: skip
REVERSAL = replace(
    PAID, status="22", charge_cents=-20_000, paid_cents=-12_000, patient_responsibility_cents=0,
    lines=(replace(PAID.lines[0], charge_cents=-20_000, paid_cents=-12_000,
                   adjustments=(Adjustment("CO", "45", -5_000), Adjustment("PR", "2", -3_000))),),
)  # fmt: skip
CORRECTION = replace(
    PAID, paid_cents=9_000,
    lines=(replace(PAID.lines[0], paid_cents=9_000,
                   adjustments=(Adjustment("CO", "45", 8_000), Adjustment("PR", "2", 3_000))),),
)  # fmt: skip


def _remittance(claims: tuple[ClaimPayment, ...], *adjustments: tuple[str, int], paid: int | None = None) -> Remittance:
    provider = tuple(
        ProviderAdjustment(provider_id=NPI, fiscal_period_end=DAY.replace(month=12, day=31), reason=reason,
                           amount_cents=cents, reference="REF1")
        for reason, cents in adjustments
    )  # fmt: skip
    total = sum(claim.paid_cents for claim in claims) - sum(cents for _, cents in adjustments)
    total = total if paid is None else paid
    method = {"method": "NON", "payment_format": "", "bank": None} if total == 0 else {}
    return replace(REMITTANCE, claims=claims, provider_adjustments=provider, amount_cents=total, **method)


def _proven(remittance: Remittance) -> bool:
    """Balanced, without errors of any level, and read back as it was."""
    transaction = one(build_835(remittance, ENVELOPE))
    assert [item for item in check(transaction) if item.is_error] == []
    assert read_835(transaction) == remittance
    return balance(transaction).balanced


def _levels(remittance: Remittance) -> list[tuple[str, str, int]]:
    found = balance(one(build_835(remittance, ENVELOPE))).breaks
    return [(item.level, item.segment_id, item.difference_cents) for item in found]


def test_rfi_1429_a_reversal_negates_the_reasons_of_its_original() -> None:
    """Reversal and correction in one 835 with other business: the net goes out."""
    assert _proven(_remittance((replace(PAID, control_number="CTRL0501"), REVERSAL, CORRECTION)))
    kept = replace(REVERSAL.lines[0], adjustments=PAID.lines[0].adjustments)
    wrong = _remittance((replace(PAID, control_number="CTRL0501"), replace(REVERSAL, lines=(kept,)), CORRECTION))
    assert [(level, segment) for level, segment, _ in _levels(wrong)] == [("line", "SVC"), ("claim", "CLP")]


def test_rfi_791_a_reversal_comes_before_its_correction_or_alone_in_another_835() -> None:
    """Both orders balance; the view keeps the order, so that the reversal can be posted first."""
    found = read_835(one(build_835(_remittance((REVERSAL, CORRECTION, PAID)), ENVELOPE)))
    assert [claim.is_reversal for claim in found.claims] == [True, False, False]
    assert _proven(_remittance((PAID, REVERSAL)))
    assert _proven(_remittance((CORRECTION,)))


def test_rfi_1604_a_negative_total_is_carried_forward_by_fb() -> None:
    """12000 taken back, nothing paid: FB of -12000 brings BPR02 to zero."""
    assert _proven(_remittance((REVERSAL,), ("FB", -12_000)))
    assert _levels(_remittance((REVERSAL,), paid=0)) == [("transaction", "BPR", 12_000)]


def test_rfi_2660_the_next_remittance_takes_it_without_repeating_the_claim() -> None:
    """FB of +12000 in the next 835 reduces what is paid there."""
    later = _remittance((replace(PAID, paid_cents=20_000, patient_responsibility_cents=0, lines=(
        replace(PAID.lines[0], paid_cents=20_000, adjustments=()),)),), ("FB", 12_000))  # fmt: skip
    assert later.amount_cents == 8_000
    assert _proven(later)
    repeated = replace(later, claims=(*later.claims, REVERSAL))
    assert _levels(repeated) == [("transaction", "BPR", 12_000)]


@pytest.mark.parametrize(("cents", "paid"), [(5_000, 7_000), (-5_000, 17_000)])
def test_wo_recovers_or_announces_by_its_sign(cents: int, paid: int) -> None:
    """A positive WO takes money now; a negative one gives it back until recovery."""
    remittance = _remittance((PAID,), ("WO", cents))
    assert remittance.amount_cents == paid
    assert _proven(remittance)
    assert _levels(replace(remittance, amount_cents=paid + 2 * cents)) == [("transaction", "BPR", 2 * cents)]


def test_l6_interest_is_paid_on_top() -> None:
    """Interest is a negative PLB amount: the payment is higher than the claims."""
    remittance = _remittance((PAID,), ("L6", -123))
    assert remittance.amount_cents == 12_123
    assert _proven(remittance)


def test_several_pairs_of_a_plb_all_count() -> None:
    """Seven pairs: six in one PLB, the seventh in the next; each of them is in the sum."""
    pairs = (("WO", 700), ("FB", -50), ("72", 25), ("L6", -10), ("CS", 20), ("IR", 10), ("J1", 5))
    remittance = _remittance((PAID,), *pairs)
    text = build_835(remittance, ENVELOPE)
    assert text.count("PLB*") == 2
    assert remittance.amount_cents == 12_000 - 700
    assert _proven(remittance)
    for at, (_, cents) in enumerate(pairs):
        fewer = replace(remittance, provider_adjustments=tuple(
            item for number, item in enumerate(remittance.provider_adjustments) if number != at))  # fmt: skip
        assert _levels(fewer) == [("transaction", "BPR", -cents)]


def test_72_and_le_and_ir_reduce_the_payment() -> None:
    assert _proven(_remittance((PAID,), ("72", 100), ("LE", 200), ("IR", 300)))


def test_rfi_2601_amt_never_balances() -> None:
    line = replace(PAID.lines[0], allowed_cents=1)
    assert _proven(_remittance((replace(PAID, lines=(line,), coverage_cents=7, interest_cents=99),)))


def test_rfi_1423_and_1079_status_4_pays_nothing_and_an_ordinary_denial_is_status_1() -> None:
    """Denial is decided from CAS: everything is adjusted away under status 1."""
    denied = replace(
        PAID, paid_cents=0, patient_responsibility_cents=0, remark_codes=("N130",),
        lines=(replace(PAID.lines[0], paid_cents=0, adjustments=(Adjustment("CO", "50", 20_000),)),),
    )  # fmt: skip
    remittance = _remittance((denied,))
    assert _proven(remittance)
    paid_stranger = _remittance((replace(PAID, status="4"),))
    found = check(one(build_835(paid_stranger, ENVELOPE)))
    assert [item.rule for item in found] == ["835.2100.unknown-patient-paid"]


def test_claim_level_reasons_count_with_those_of_the_lines() -> None:
    claim = replace(PAID, paid_cents=11_000, adjustments=(Adjustment("OA", "23", 1_000),))
    assert _proven(_remittance((claim,)))
    assert _levels(_remittance((replace(claim, adjustments=()),))) == [("claim", "CLP", -1_000)]


def test_a_secondary_payment_balances_with_oa_23() -> None:
    line = replace(PAID.lines[0], paid_cents=2_000, adjustments=(
        Adjustment("OA", "23", 16_000), Adjustment("CO", "45", 2_000)))  # fmt: skip
    assert _proven(_remittance((replace(PAID, status="2", paid_cents=2_000, patient_responsibility_cents=0,
                                        lines=(line,)),)))  # fmt: skip


def test_the_billed_modifier_comes_back() -> None:
    """A peer drops it."""
    (claim,) = read_835(one(build_835(_remittance((PAID,)), ENVELOPE))).claims
    assert claim.lines[0].modifiers == ("25",)


def test_an_imbalance_is_reported_and_never_plugged() -> None:
    """RFI 2660: nothing is invented to make it even, the segment that breaks is named."""
    wrong = _remittance((PAID,), paid=12_001)
    assert _levels(wrong) == [("transaction", "BPR", 1)]
    assert read_835(one(build_835(wrong, ENVELOPE))) == wrong
