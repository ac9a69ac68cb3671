"""Both ends of a period belong to it."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel.errors import Unreadable
from kernel.period import Period

DAYS = st.dates(date(2026, 1, 1), date(2026, 1, 20))


@st.composite
def periods(draw: st.DrawFn) -> Period:
    start, end = draw(st.none() | DAYS), draw(st.none() | DAYS)
    if start and end and end < start:
        start, end = end, start
    return Period(start, end)


def test_both_ends_are_inside() -> None:
    period = Period(date(2026, 1, 1), date(2026, 1, 31))
    assert period.contains(date(2026, 1, 1)) and period.contains(date(2026, 1, 31))
    assert not period.contains(date(2025, 12, 31)) and not period.contains(date(2026, 2, 1))


def test_none_is_open() -> None:
    assert Period().contains(date.min) and Period().contains(date.max)
    assert not Period(start=date(2026, 1, 2)).contains(date(2026, 1, 1))
    assert not Period(end=date(2026, 1, 2)).contains(date(2026, 1, 3))


def test_refuses_an_end_before_the_start() -> None:
    with pytest.raises(Unreadable) as caught:
        Period(date(2026, 1, 2), date(2026, 1, 1))
    assert caught.value.code == "period_order"


@given(periods(), periods())
def test_overlap_is_a_shared_day(one: Period, other: Period) -> None:
    span = [date.min, *(date(2026, 1, day) for day in range(1, 21)), date.max]
    assert one.overlaps(other) == any(one.contains(day) and other.contains(day) for day in span)
    assert one.overlaps(other) == other.overlaps(one)
