"""A fixed clock stands still, moves on when told, and never goes back."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from kernel.clock import Clock, FixedClock, SystemClock

START = datetime(2026, 1, 1, tzinfo=UTC)


def test_fixed_clock() -> None:
    clock: Clock = (fixed := FixedClock(START))
    assert clock.now() == clock.now() == START
    assert fixed.advance(days=1, seconds=2) == START + timedelta(days=1, seconds=2) == clock.now()
    assert fixed.advance(timedelta(hours=1)) == START + timedelta(days=1, hours=1, seconds=2)


def test_moments_are_utc() -> None:
    assert SystemClock().now().tzinfo is UTC
    elsewhere = START.astimezone(timezone(timedelta(hours=-5)))
    assert FixedClock(elsewhere).now().utcoffset() == timedelta(0)


def test_refusals() -> None:
    with pytest.raises(ValueError, match="aware"):
        FixedClock(datetime(2026, 1, 1))  # noqa: DTZ001
    with pytest.raises(ValueError, match="back"):
        FixedClock(START).advance(seconds=-1)
