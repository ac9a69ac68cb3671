"""HL7 times as they should be, as they come, and what is no time."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import hl7v2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel.errors import Unreadable

CHICAGO = ZoneInfo("America/Chicago")
_EAST = timezone(timedelta(hours=5, minutes=30))
_WEST = timezone(-timedelta(hours=5))


@pytest.mark.parametrize(
    ("text", "value", "precision"),
    [
        ("2026", date(2026, 1, 1), "year"), ("202602", date(2026, 2, 1), "month"),
        ("20260203", date(2026, 2, 3), "day"),
        ("2026020304", datetime(2026, 2, 3, 4, tzinfo=CHICAGO), "hour"),
        ("202602030405", datetime(2026, 2, 3, 4, 5, tzinfo=CHICAGO), "minute"),
        ("20260203040506", datetime(2026, 2, 3, 4, 5, 6, tzinfo=CHICAGO), "second"),
        ("20260203040506.7", datetime(2026, 2, 3, 4, 5, 6, 700_000, tzinfo=CHICAGO), "fraction"),
        ("20260203040506.123456789", datetime(2026, 2, 3, 4, 5, 6, 123_456, tzinfo=CHICAGO), "fraction"),
        ("20260203040506-0500", datetime(2026, 2, 3, 4, 5, 6, tzinfo=_WEST), "second"),
        ("202602030405+0530", datetime(2026, 2, 3, 4, 5, tzinfo=_EAST), "minute"),
        ("20260203040506.0001+0000", datetime(2026, 2, 3, 4, 5, 6, 100, tzinfo=UTC), "fraction"),
        ("20260203-0500", date(2026, 2, 3), "day"), ("2026-0500", date(2026, 1, 1), "year"),
        # not so, but known
        ("2026-02", date(2026, 2, 1), "month"), ("2026-02-03", date(2026, 2, 3), "day"),
        ("2026-02-03T04:05:06Z", datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC), "second"),
        ("2026-02-03 04:05", datetime(2026, 2, 3, 4, 5, tzinfo=CHICAGO), "minute"),
        ("2026-02-03T04:05:06.25-05:00", datetime(2026, 2, 3, 4, 5, 6, 250_000, tzinfo=_WEST), "fraction"),
        ("20260203T040506", datetime(2026, 2, 3, 4, 5, 6, tzinfo=CHICAGO), "second"),
        ("20260203 0405", datetime(2026, 2, 3, 4, 5, tzinfo=CHICAGO), "minute"),
        ("20260203040506Z", datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC), "second"),
        ("20260203040506 -0500", datetime(2026, 2, 3, 4, 5, 6, tzinfo=_WEST), "second"),
        ("20260203040506-05", datetime(2026, 2, 3, 4, 5, 6, tzinfo=_WEST), "second"),
        (" 20260203 ", date(2026, 2, 3), "day"), ("20260203^D", date(2026, 2, 3), "day"),
        ("20260200", date(2026, 2, 1), "month"), ("20260000", date(2026, 1, 1), "year"),
        ("202600", date(2026, 1, 1), "year"),
        ("202602032400", datetime(2026, 2, 4, 0, 0, tzinfo=CHICAGO), "minute"),
        ("20260203235960", datetime(2026, 2, 4, 0, 0, tzinfo=CHICAGO), "second"),
    ],
)  # fmt: skip
def test_reads(text: str, value: date | datetime, precision: str) -> None:
    found = hl7v2.parse_timestamp(text, CHICAGO)
    assert (found.value, found.precision) == (value, precision)
    assert isinstance(found.value, datetime) == isinstance(value, datetime)
    if isinstance(found.value, datetime):
        assert found.value.utcoffset() is not None
    assert found.day == (value.date() if isinstance(value, datetime) else value)


@pytest.mark.parametrize(
    "text",
    ["", " ", "26", "202", "20261", "2026020", "202602030", "20261301", "20260230", "20260203250000", "202602032401",
     "20260203046000", "20260203040561", "00000000", "00000101", "02/03/2026", "3 Feb 2026", "UNKNOWN",
     "20260203040506+1500",
     "20260203040506-0560", "20260203040506+5", "20260203040506.", "2026-02-03T", "2026-2-3", "99991231240000",
     "٢٠٢٦٠٢٠٣", "20260203040506EST", '""', "^20260203"],
)  # fmt: skip
def test_refuses(text: str) -> None:
    with pytest.raises(Unreadable) as caught:
        hl7v2.parse_timestamp(text, CHICAGO, "PID-7")
    assert (caught.value.code, caught.value.path) == ("hl7.timestamp", "PID-7")
    assert not text.strip() or text not in str(caught.value)


@given(st.text())
def test_any_text_is_a_time_or_unreadable(text: str) -> None:
    try:
        hl7v2.parse_timestamp(text, UTC)
    except Unreadable as error:
        assert error.code == "hl7.timestamp"


_OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.datetimes(min_value=datetime(1000, 1, 1), timezones=_OFFSETS))  # noqa: DTZ001 - hypothesis wants it naive
def test_written_times_read_back(moment: datetime) -> None:
    read_back = hl7v2.parse_timestamp(hl7v2.format_timestamp(moment), CHICAGO).value
    assert read_back == moment.replace(microsecond=moment.microsecond // 100 * 100)


def test_format() -> None:
    assert hl7v2.format_timestamp(datetime(2026, 2, 3, 4, 5, 6, tzinfo=CHICAGO)) == "20260203040506-0600"
    assert hl7v2.format_timestamp(datetime(2026, 2, 3, 4, 5, 6, 70_000, tzinfo=UTC)) == "20260203040506.0700+0000"
    with pytest.raises(ValueError, match="zone"):
        hl7v2.format_timestamp(datetime(2026, 2, 3))  # noqa: DTZ001 - that is the point
