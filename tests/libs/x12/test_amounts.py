"""Amounts: exact both ways, and never rounded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from x12 import AmountError, from_cents, to_cents


@given(st.integers(-(10**15), 10**15))
def test_cents_survive(cents: int) -> None:
    assert to_cents(from_cents(cents)) == cents


@pytest.mark.parametrize(
    ("text", "cents"),
    [("12", 1200), ("12.5", 1250), ("-.75", -75), ("0", 0), ("12.", 1200), (".1", 10), ("007.10", 710), ("-0", 0)],
)
def test_forms(text: str, cents: int) -> None:
    assert to_cents(text) == cents


@pytest.mark.parametrize("text", ["", "-", ".", "1.005", "1.000", "1e2", "+1", "1,000", " 1", "NaN", "\u0661", "1.2.3"])
def test_what_is_no_amount_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(AmountError) as caught:
        to_cents(text)
    assert not text.strip(".- ") or text not in str(caught.value)


@pytest.mark.parametrize(("cents", "text"), [(0, "0"), (5, "0.05"), (-75, "-0.75"), (1250, "12.5"), (1200, "12")])
def test_shortest_text(cents: int, text: str) -> None:
    assert from_cents(cents) == text
