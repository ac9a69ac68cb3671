"""Amounts go in and out exactly or not at all."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel.errors import Unreadable
from kernel.money import from_cents, split_cents, to_cents

CENTS = st.integers(-(10**15) + 1, 10**15 - 1)


@pytest.mark.parametrize(
    ("amount", "cents"),
    [("0", 0), ("-0.00", 0), ("100", 10_000), ("100.5", 10_050), ("-0.01", -1), (Decimal("12.30"), 1230)],
)
def test_exact_amounts(amount: str | Decimal, cents: int) -> None:
    assert to_cents(amount) == cents


@pytest.mark.parametrize(
    "amount",
    [
        "", " 1", "1 ", "1.", ".5", "+1", "1,000", "1e2", "0x1", "1_0", "١", "1.234", "100.000", "NaN", "Infinity",
        "12345678901234", Decimal("NaN"), Decimal("Infinity"), Decimal("1E+2"), Decimal("1E+999999"), Decimal("0.001"),
    ],
)  # fmt: skip
def test_refuses_what_is_not_exact_money(amount: str | Decimal) -> None:
    with pytest.raises(Unreadable) as caught:
        to_cents(amount, "Claim.total")
    assert (caught.value.code, caught.value.path) == ("amount_format", "Claim.total")
    assert caught.value.reason == "an amount has up to 13 digits and at most 2 decimals"


@pytest.mark.parametrize("amount", [1.1, 100, None])
def test_refuses_other_types(amount: object) -> None:
    with pytest.raises(TypeError):
        to_cents(amount)  # type: ignore[arg-type]


@given(CENTS)
def test_round_trip(cents: int) -> None:
    assert to_cents(from_cents(cents)) == cents
    assert Decimal(from_cents(cents)) * 100 == cents


@given(CENTS, st.lists(st.integers(0, 10**9), min_size=1, max_size=20).filter(any))
def test_split_sums_to_the_total_and_is_fair(total: int, weights: list[int]) -> None:
    parts = split_cents(total, weights)
    assert sum(parts) == total
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part * sum(weights) - total * weight) < sum(weights)
        assert weight or part == 0


def test_split_favours_the_larger_remainder_then_the_earlier_part() -> None:
    assert split_cents(100, [1, 1, 1]) == (34, 33, 33)
    assert split_cents(-100, [1, 1, 1]) == (-34, -33, -33)
    assert split_cents(10, [1, 2]) == (3, 7)


@pytest.mark.parametrize("weights", [[], [0, 0], [1, -1], [3, -1]])
def test_split_refuses_bad_weights(weights: list[int]) -> None:
    with pytest.raises(ValueError, match="weights"):
        split_cents(100, weights)
