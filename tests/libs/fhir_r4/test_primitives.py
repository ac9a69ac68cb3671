"""Formats of primitive values: the published examples of good ones, and what must not pass."""

from decimal import Decimal

import pytest
from fhir_r4.primitives import FORMATS, QUICK
from hypothesis import given
from hypothesis import strategies as st

GOOD: dict[str, list[object]] = {
    "boolean": [True, False],
    "integer": [0, -5, 2147483647, -2147483648],
    "unsignedInt": [0, 7],
    "positiveInt": [1, 2147483647],
    "decimal": [0, -3, Decimal("1.00"), Decimal("1E-7")],
    "string": ["a", " a\n", "é"],
    "markdown": ["# a\n\n- b"],
    "code": ["a", "a b", "final"],
    "id": ["a", "A-1.b", "x" * 64],
    "uri": ["http://a.example/b", "urn:oid:1.2", "a"],
    "url": ["mailto:a@b.example"],
    "canonical": ["http://a.example/b|1.0"],
    "oid": ["urn:oid:1.2.840.0"],
    "uuid": ["urn:uuid:c757873d-ec9a-4326-a141-556f43239520"],
    "date": ["2026", "2026-02", "2026-02-28", "2024-02-29", "0001"],
    "dateTime": ["2026", "2026-02-28", "2026-02-28T10:00:00Z", "2026-02-28T10:00:00.123456789+14:00"],
    "instant": ["2026-02-28T10:00:60Z", "2026-02-28T10:00:00.1-05:00"],
    "time": ["00:00:00", "23:59:60", "12:00:00.5"],
    "base64Binary": ["aGk=", " aG\nk= ", "aG==", "AAAA"],
    "xhtml": ['<div xmlns="http://www.w3.org/1999/xhtml">a</div>', '<div xmlns="http://www.w3.org/1999/xhtml"/>'],
}
BAD: dict[str, list[object]] = {
    "boolean": [1, 0, "true", None],
    "integer": [True, 1.0, Decimal(1), "1", 2147483648, -2147483649, None],
    "unsignedInt": [-1, True],
    "positiveInt": [0, -1, True],
    "decimal": ["1.0", True, 1.5, Decimal("NaN"), Decimal("Infinity"), None],
    "string": ["", " ", "\n", "a\x00b", "\x1f", 1, None, "a" * (1024 * 1024 + 1)],
    "markdown": ["", 1],
    "code": ["", " a", "a ", "a  b", 1],
    "id": ["", "a_b", "a b", "x" * 65, "é", "a/b"],
    "uri": ["", "a b", 1],
    "url": [" "],
    "canonical": ["a\nb"],
    "oid": ["1.2.3", "urn:oid:3.1", "urn:oid:1.02", "urn:oid:1"],
    "uuid": ["c757873d-ec9a-4326-a141-556f43239520", "urn:uuid:C757873D-EC9A-4326-A141-556F43239520"],
    "date": ["", "26", "2026-13", "2026-02-29", "2026-2-1", "2026-04-31", "2026-01-01T00:00:00Z", "0000", 2026],
    "dateTime": ["2026-01-01T10:00:00", "2026-01-01T10:00Z", "2026-01-01T24:00:00Z", "2026-01T10:00:00Z", "2026-02-30"],
    "instant": ["2026-01-01", "2026-01-01T10:00:00", "2026-01-01T10:00:00+14:30"],
    "time": ["24:00:00", "10:00", "10:00:00Z", "1:00:00"],
    "base64Binary": ["", " ", "a*b=", "aGk", "a=Gk", "aG===", "====", 1],
    "xhtml": [
        "",
        "text",
        "<p>a</p>",
        "<div><script>a</script></div>",
        '<div onclick="a">a</div>',
        '<div><a href="javascript:a">a</a></div>',
        "<div><iframe/></div>",
        "<div>< / SCRIPT></div>",
        1,
    ],
}


def test_the_tables_cover_every_primitive_type() -> None:
    assert GOOD.keys() == BAD.keys() == FORMATS.keys()


@pytest.mark.parametrize("name", FORMATS)
def test_formats(name: str) -> None:
    for value in GOOD[name]:
        assert FORMATS[name](value), value
    for value in BAD[name]:
        assert not FORMATS[name](value), value


TRICKY = [
    *(value for values in (*GOOD.values(), *BAD.values()) for value in values),
    *("1999-02-29", "1000", "2100-02-29", "0999-01-01", "2026-06-31", "\x85", "\xa0a", "a\x1c", "a" * 10_001),
]


def _quick(name: str, value: object) -> bool:
    try:
        return bool(QUICK[name](value))
    except TypeError:
        return False


@given(st.sampled_from(sorted(QUICK)), st.sampled_from(TRICKY) | st.text(max_size=12) | st.datetimes().map(str))
def test_what_is_accepted_quickly_is_good(name: str, value: object) -> None:
    assert FORMATS[name](value) or not _quick(name, value)


@pytest.mark.parametrize("name", QUICK)
def test_what_is_usual_is_accepted_quickly(name: str) -> None:
    assert any(_quick(name, value) for value in GOOD[name])


@pytest.mark.parametrize("year", [1999, 2000, 2024, 2100])
@pytest.mark.parametrize("name", ["date", "dateTime"])
def test_every_day_that_is_accepted_quickly_is_in_the_calendar(name: str, year: int) -> None:
    for month in range(14):
        for day in range(33):
            text = f"{year}-{month:02}-{day:02}"
            assert FORMATS[name](text) or not _quick(name, text), text
