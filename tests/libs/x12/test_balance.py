"""The proof of an 835, level by level."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from x12 import balance, transaction_sets
from x12.views.parties import Adjustment
from x12.views.remittance import ClaimPayment, LinePayment, Remittance, build_835
from x12_examples import ENVELOPE, REMITTANCE, one

TEXT = build_835(REMITTANCE, ENVELOPE)


def _report(text: str) -> list[tuple[str, str, int, int]]:
    found = balance(one(text)).breaks
    return [(item.level, item.segment_id, item.expected_cents, item.found_cents) for item in found]


def test_what_balances() -> None:
    report = balance(one(TEXT))
    assert report.balanced
    assert (report.paid_cents, report.provider_adjustment_cents, report.total_cents) == (8_600, 600, 8_000)
    assert [claim.balanced for claim in report.claims] == [True, True]
    assert [claim.lines for claim in report.claims] == [1, 0]


def test_bpr02_off_by_one() -> None:
    assert _report(TEXT.replace("BPR*I*80*", "BPR*I*80.01*")) == [("transaction", "BPR", 8_000, 8_001)]


def test_svc03_off_by_one_is_not_hidden_by_the_claim() -> None:
    """Line: SVC02 less its CAS is SVC03. The claim's own sum still holds."""
    assert _report(TEXT.replace("*125.5*110~", "*125.5*110.01~")) == [("line", "SVC", 11_000, 11_001)]


def test_clp04_off_breaks_claim_and_transaction() -> None:
    assert _report(TEXT.replace("*125.5*90*", "*125.5*91*")) == [
        ("claim", "CLP", 9_000, 9_100),
        ("transaction", "BPR", 8_100, 8_000),
    ]


def test_all_pairs_of_a_plb_count() -> None:
    """The seventh pair stands in a second PLB."""
    assert _report(TEXT.replace("J1:REF*0.05", "J1:REF*0.04")) == [("transaction", "BPR", 8_001, 8_000)]


def test_amt_never_balances() -> None:
    """X12 RFI 2601."""
    assert balance(one(TEXT.replace("AMT*B6*125.5", "AMT*B6*1"))).balanced


def test_a_reversal_balances_with_negated_reasons() -> None:
    """X12 RFI 1429: CLP02 22 negates the original's CAS."""
    assert balance(one(TEXT)).claims[1].adjustment_cents == -4_600
    assert _report(TEXT.replace("CAS*CO*45*-46~", "CAS*CO*45*46~"))[0][:2] == ("claim", "CLP")


def test_a_negative_total_is_carried_by_plb_fb() -> None:
    """X12 RFI 1604, 2660: the payment is zero, FB carries the rest forward."""
    claim = REMITTANCE.claims[1]
    forward = replace(REMITTANCE.provider_adjustments[1], reason="FB", amount_cents=-400)
    carried = replace(REMITTANCE, amount_cents=0, claims=(claim,), provider_adjustments=(forward,), method="NON")
    assert balance(one(build_835(carried, ENVELOPE))).balanced


def test_a_debit_takes_money_back() -> None:
    """BPR03 D: the amount is positive, the payment negative."""
    debit = replace(
        REMITTANCE, claims=(REMITTANCE.claims[1],), provider_adjustments=(), credit_debit="D", amount_cents=400
    )
    assert balance(one(build_835(debit, ENVELOPE))).balanced


def test_an_amount_that_is_none_is_a_break() -> None:
    found = _report(TEXT.replace("*125.5*110~", "*125.5*11.005~"))
    assert ("line", "SVC", 0, 0) in found


@pytest.mark.parametrize(
    ("name", "balanced"),
    [
        ("oxedi--balanced_4010_sample.txt", True),
        ("oxedi--balanced_5010_sample.txt", True),
        ("stupidedi--1.edi", True),
        ("pyx12--835_mult_loops.txt", True),
        ("stupidedi--multiple-claims-single-check.edi", True),
    ],
)
def test_samples(x12_corpus: Path, name: str, balanced: bool) -> None:
    for transaction in transaction_sets((x12_corpus / "835" / name).read_bytes()):
        assert balance(transaction).balanced is balanced


_cents = st.integers(-(10**6), 10**6)
_reasons = st.lists(st.builds(Adjustment, st.sampled_from(("CO", "PR")), st.just("45"), _cents), max_size=8).map(tuple)


def _paid(charge: int, reasons: tuple[Adjustment, ...]) -> int:
    return charge - sum(reason.amount_cents for reason in reasons)


@st.composite
def _balanced(draw: st.DrawFn) -> Remittance:
    claims = []
    for number in range(draw(st.integers(0, 3))):
        lines = tuple(
            LinePayment(code="99213", charge_cents=charge, paid_cents=_paid(charge, reasons), adjustments=reasons)
            for charge, reasons in draw(st.lists(st.tuples(_cents, _reasons), max_size=3))
        )
        own = draw(_reasons)
        charge = sum(line.charge_cents for line in lines) if lines else draw(_cents)
        paid = _paid(charge, own + tuple(reason for line in lines for reason in line.adjustments))
        claims.append(
            ClaimPayment(control_number=f"C{number}", status="1", charge_cents=charge, paid_cents=paid, lines=lines,
                         adjustments=own)
        )  # fmt: skip
    provider = REMITTANCE.provider_adjustments
    total = sum(claim.paid_cents for claim in claims) - sum(item.amount_cents for item in provider)
    return replace(REMITTANCE, amount_cents=total, claims=tuple(claims))


@given(_balanced(), st.integers(1, 10**6))
def test_what_is_made_balanced_is_balanced_and_one_cent_breaks_it(remittance: Remittance, off: int) -> None:
    assert balance(one(build_835(remittance, ENVELOPE))).balanced
    wrong = replace(remittance, amount_cents=remittance.amount_cents + off)
    (item,) = balance(one(build_835(wrong, ENVELOPE))).breaks
    assert item.difference_cents == off
