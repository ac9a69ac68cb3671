"""Dates and numbers by precision, tokens through their escapes, and text through its folding."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from itertools import pairwise

import pytest
from fhir_r4.search import (
    EARLIEST,
    LATEST,
    DateValue,
    NumberValue,
    StringValue,
    TokenValue,
    Value,
    fold,
    index,
    parameters,
    parse_query,
)
from fhir_r4.search.moments import interval, widened
from fhir_r4.search.values import READERS, split, unescaped
from hypothesis import given
from hypothesis import strategies as st

MOMENTS = st.datetimes(datetime(1800, 1, 1), datetime(2200, 1, 1))  # noqa: DTZ001
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
PREFIXES = ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb")


def read(type_name: str, name: str, text: str) -> Value:
    return READERS[parameters(type_name)[name].kind](parameters(type_name)[name], text)


def zone_of(moment: datetime) -> str:
    return moment.isoformat()[-6:]


def spelled(moment: datetime) -> list[str]:
    """The same moment at every precision, coarsest first; days, months and years are those of UTC."""
    day, zone = moment.astimezone(UTC).strftime("%Y-%m-%d"), zone_of(moment)
    local = moment.isoformat(timespec="microseconds")[:26]
    times = [local[:16], local[:19], local[:21], local[:23], local]
    return [day[:4], day[:7], day, *(time + zone for time in times)]


@given(MOMENTS, ZONES)
def test_each_precision_holds_the_moment_and_lies_in_the_coarser(naive: datetime, zone: timezone) -> None:
    moment = naive.replace(tzinfo=zone)
    ranges = [interval(text) for text in spelled(moment)]
    for one in ranges:
        assert one is not None
        assert one[0] <= moment < one[1]
        assert one[0].utcoffset() == one[1].utcoffset() == timedelta(0)
    for coarse, fine in pairwise(ranges):
        assert coarse is not None
        assert fine is not None
        assert coarse[0] <= fine[0] < fine[1] <= coarse[1]


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("2024", timedelta(days=366)),
        ("2024-02", timedelta(days=29)),
        ("2024-12", timedelta(days=31)),
        ("2024-02-29", timedelta(days=1)),
        ("2024-02-29T10:00", timedelta(minutes=1)),
        ("2024-02-29T10:00Z", timedelta(minutes=1)),
        ("2024-02-29T10:00:00-05:00", timedelta(seconds=1)),
        ("2024-02-29T10:00:00.5Z", timedelta(milliseconds=100)),
        ("2024-02-29T10:00:00.123456789Z", timedelta(microseconds=1)),
    ],
)
def test_a_range_is_as_long_as_the_precision(text: str, length: timedelta) -> None:
    found = interval(text)
    assert found is not None
    assert found[1] - found[0] == length


def test_a_leap_second_is_the_second_before() -> None:
    assert interval("2016-12-31T23:59:60Z") == interval("2016-12-31T23:59:59Z")


@pytest.mark.parametrize(
    "text",
    ["0001", "0001-01", "0001-01-01", "0001-01-01T00:00:00+14:00", "9999", "9999-11", "9999-12",
     "9999-12-30", "9999-12-31", "9999-12-31T23:59:59-14:00", "9999-12-31T23:59:59.999Z"],
)  # fmt: skip
def test_the_edges_of_time_are_clamped_and_never_empty(text: str) -> None:
    found = interval(text)
    assert found is not None
    assert EARLIEST <= found[0] < found[1] <= LATEST


def test_years_and_months_at_the_edges_end_where_they_should() -> None:
    assert interval("9999") == (datetime(9999, 1, 1, tzinfo=UTC), LATEST)
    assert interval("9999-11") == (datetime(9999, 11, 1, tzinfo=UTC), datetime(9999, 12, 1, tzinfo=UTC))
    assert interval("9998") == (datetime(9998, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC))
    assert interval("0001") == (EARLIEST, datetime(2, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    "text",
    ["", "26", "20260131", "2026-1-31", "2026-00", "2026-13", "2026-02-30", "2026-01-31T", "2026-01-31T10", "0000",
     "2026-01-31T24:00:00Z", "2026-01-31T10:60Z", "2026-01-31 10:00", "2026-W05", "2026-01-31T10:00:00z",
     "2026-01-31T10:00:00+0200", "２０２６", "2026-01-31T10:00:00.Z", " 2026", "2026 ", "2026\n"],
)  # fmt: skip
def test_what_is_no_date(text: str) -> None:
    assert interval(text) is None


@given(MOMENTS, st.sampled_from(PREFIXES))
def test_a_prefix_is_read_and_leaves_the_range_alone(moment: datetime, prefix: str) -> None:
    text = moment.strftime("%Y-%m-%d")
    low, high = interval(text) or (EARLIEST, LATEST)
    assert read("Encounter", "date", prefix + text) == DateValue(prefix, low, high)  # type: ignore[arg-type]
    assert read("Encounter", "date", text) == DateValue("eq", low, high)


@given(MOMENTS)
def test_about_a_date_is_wider_on_both_sides(moment: datetime) -> None:
    text = moment.strftime("%Y-%m-%d")
    low, high = interval(text) or (EARLIEST, LATEST)
    assert read("Encounter", "date", f"ap{text}") == DateValue("ap", low - timedelta(days=1), high + timedelta(days=1))


def test_about_the_edges_stays_within() -> None:
    assert widened(EARLIEST, LATEST) == (EARLIEST, LATEST)


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("100", "99.5", "100.5"),
        ("100.00", "99.995", "100.005"),
        ("1e2", "95", "105"),
        ("1.0e2", "95", "105"),
        ("-2", "-2.5", "-1.5"),
        ("0", "-0.5", "0.5"),
        ("ap100", "90", "110"),
        ("ap-10", "-11", "-9"),
        ("gt100", "100", "100"),
        ("le0.5", "0.5", "0.5"),
    ],
)
def test_numbers_by_precision(text: str, low: str, high: str) -> None:
    found = read("ChargeItem", "factor-override", text)
    assert isinstance(found, NumberValue)
    assert (found.low, found.high) == (Decimal(low), Decimal(high))


@given(st.decimals(-(10**9), 10**9, places=3, allow_nan=False, allow_infinity=False))
def test_a_number_lies_in_its_own_range(number: Decimal) -> None:
    found = read("RiskAssessment", "probability", f"{number:f}")
    assert isinstance(found, NumberValue)
    assert found.low <= number < found.high
    assert found.high - found.low == Decimal("0.001")


def escaped(text: str) -> str:
    return "".join(f"\\{one}" if one in ",|$\\" else one for one in text)


WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20)


@given(WORDS, WORDS)
def test_an_escaped_token_comes_back_whole(system: str, code: str) -> None:
    (term,) = parse_query("Patient", [("identifier", f"{escaped(system)}|{escaped(code)}")]).terms
    assert term.alternatives == (TokenValue(system, code),)


@given(st.lists(WORDS, min_size=1, max_size=5))
def test_escaped_alternatives_come_back_in_order(codes: list[str]) -> None:
    (term,) = parse_query("Patient", [("identifier", ",".join(map(escaped, codes)))]).terms
    assert term.alternatives == tuple(TokenValue(None, code) for code in codes)


@given(st.text(st.sampled_from("a,|\\$"), max_size=12), st.sampled_from(",|"))
def test_splitting_loses_nothing(text: str, separator: str) -> None:
    assert separator.join(split(text, separator)) == text
    assert len(unescaped(text)) <= len(text)


@given(st.text(max_size=30))
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text(st.characters(max_codepoint=0x24F), max_size=30))
def test_case_does_not_count(text: str) -> None:
    assert fold(text.upper()) == fold(text.upper().lower().upper())
    assert fold(text) == fold(text.casefold())


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("  Ana\t\nMaría ", "ana maria"),
        ("O'BRIEN, Jr.", "o'brien, jr."),
        ("Straße", "strasse"),
        ("Łódź", "lodz"),
    ],
)
def test_folding(text: str, folded: str) -> None:
    assert fold(text) == folded


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=40))
def test_a_name_is_found_by_itself(family: str) -> None:
    rows = index({"resourceType": "Patient", "name": [{"family": family}]})
    if not fold(family):
        assert not [row for row in rows.strings if row[0] == "family"]
        return
    (term,) = parse_query("Patient", [("family", escaped(family))]).terms
    (value,) = term.alternatives
    assert isinstance(value, StringValue)
    assert ("family", value.folded) in rows.strings
    assert ("family:exact", "", value.text) in rows.tokens
