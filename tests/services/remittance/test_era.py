"""835 files: what balances is read, what does not is set aside whole with rule and exact segment."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from remittance.model.remittance import Broken, Readable
from remittance.wire.era import read_remittances

NOW = datetime(2026, 3, 5, 12, tzinfo=UTC)
CORPORA = Path(os.environ.get("RCM_CORPORA", Path(__file__).parents[4] / "shared" / "corpora"))


def read_one(text: str) -> Readable | Broken:
    (reading,) = read_remittances(text.encode(), "file", NOW)
    return reading


def test_what_balances_is_read_whole(era: Any, payment: Any) -> None:
    reading = read_one(era(payment(adjustments=(("CO", "45", 4000), ("PR", "2", 1200))), payment("c2")))
    assert isinstance(reading, Readable)
    remittance = reading.remittance
    assert (remittance.payer_id, remittance.trace_number, remittance.paid_cents) == ("SYNPA", "T1", 14800)
    assert [item.control_number for item in reading.payments] == ["CTLc1", "CTLc2"]
    assert reading.payments[0].lines[0].line_control == "Lc1"


def test_the_books_keep_no_names(era: Any, payment: Any) -> None:
    text = era(payment(adjustments=(("CO", "45", 4000),)))
    assert "SAMPLE-ALDER" in text and "SAMPLE-ALDER" not in repr(read_one(text))


def test_the_same_payment_under_another_control_number_is_the_same(era: Any, payment: Any) -> None:
    first, again = read_one(era(payment())), read_one(era(payment(), control=2, set_control="0002"))
    other = read_one(era(payment(charge_cents=10001)))
    assert isinstance(first, Readable) and isinstance(again, Readable) and isinstance(other, Readable)
    assert first.remittance.remittance_id == again.remittance.remittance_id
    assert first.remittance.content != other.remittance.content


@pytest.mark.parametrize(
    ("changed", "into", "rule", "segment"),
    [
        ("BPR*I*148*", "BPR*I*148.01*", "835-transaction-balance", "BPR[1]"),
        ("CLP*CTLc1*1*100*48*", "CLP*CTLc1*1*100*48.01*", "835-claim-balance", "CLP[1]"),
        ("SVC*HC:99213*100*48~", "SVC*HC:99213*100*47~", "835-line-balance", "SVC[1]"),
        ("CAS*CO*45*40~", "CAS*CO*45*39.99~", "835-line-balance", "SVC[1]"),
    ],
)
def test_what_does_not_balance_names_the_segment(
    era: Any, payment: Any, changed: str, into: str, rule: str, segment: str
) -> None:
    text = era(payment(adjustments=(("CO", "45", 4000), ("PR", "2", 1200))), payment("c2"))
    assert isinstance(read_one(text), Readable) and changed in text
    reading = read_one(text.replace(changed, into, 1))
    assert isinstance(reading, Broken)
    assert (reading.rule, reading.segment, reading.claims, reading.payer_id) == (rule, segment, 2, "SYNPA")


def test_a_wrong_segment_count_is_set_aside(era: Any, payment: Any) -> None:
    text = era(payment())
    start = text.index("SE*")
    end = text.index("*", start + 3)
    reading = read_one(text[:start] + "SE*99" + text[end:])
    assert isinstance(reading, Broken) and reading.segment == "SE[1]"


def test_one_broken_set_does_not_hold_up_the_others(era: Any, payment: Any) -> None:
    good, bad = era(payment("c1")), era(payment("c2"), trace="T2", control=2)
    broken = bad.replace("BPR*I*100", "BPR*I*101")
    assert broken != bad
    readings = read_remittances((good + broken).encode(), "file", NOW)
    assert [type(item) for item in readings] == [Readable, Broken]


@pytest.mark.parametrize("raw", [b"", b"hello", b"\xff\xfe", b"ISA*00*"])
def test_what_is_not_x12_is_one_broken_reading(raw: bytes) -> None:
    (reading,) = read_remittances(raw, "file", NOW)
    assert isinstance(reading, Broken) and reading.rule in ("x12-unreadable", "x12-empty")


@given(st.binary(max_size=200), st.integers(0, 400))
def test_no_bytes_break_the_reader(era: Any, payment: Any, noise: bytes, at: int) -> None:
    raw = era(payment()).encode()
    for reading in read_remittances(raw[:at] + noise + raw[at:], "file", NOW):
        assert isinstance(reading, (Readable, Broken))


def test_money_taken_from_our_account_is_negative(era: Any, payment: Any, takeback: Any) -> None:
    text = era(takeback(payment()), amount_cents=10000, credit_debit="D")
    reading = read_one(text)
    assert isinstance(reading, Readable) and reading.remittance.paid_cents == -10000


@pytest.mark.skipif(not (CORPORA / "x12" / "835").is_dir(), reason="the corpora are not here")
def test_public_samples_are_read_or_named() -> None:
    found = {}
    for path in sorted((CORPORA / "x12" / "835").iterdir()):
        found[path.name] = {type(item).__name__ for item in read_remittances(path.read_bytes(), "file", NOW)}
    assert found["oxedi--balanced_5010_sample.txt"] == {"Readable"}
    assert found["stupidedi--multiple-claims-single-check.edi"] == {"Readable"}
