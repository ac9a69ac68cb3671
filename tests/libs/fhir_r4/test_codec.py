"""Text goes in and comes out without losing a digit, and what cannot be trusted is refused with a code."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from fhir_r4 import Resource, codec, read, read_optional, write
from hypothesis import given
from hypothesis import strategies as st
from kernel.errors import Unreadable

TEXT = st.text(st.characters(codec="utf-8"), max_size=8)
DECIMALS = st.builds(
    lambda digits, places: Decimal(digits).scaleb(-places), st.integers(-(10**20), 10**20), st.integers(1, 8)
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | DECIMALS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


def _exact(value: Any) -> Any:
    """Equality that sees 1.0 and 1.00, True and 1, as different."""
    if isinstance(value, dict):
        return [(key, _exact(inner)) for key, inner in value.items()]
    if isinstance(value, list):
        return [_exact(inner) for inner in value]
    return type(value), str(value)


@given(st.dictionaries(TEXT.filter(lambda key: key != "resourceType"), VALUES, max_size=6))
def test_write_then_read_is_exact(content: dict[str, Any]) -> None:
    resource = {"resourceType": "Basic", **content}
    assert _exact(read(write(resource))) == _exact(resource)


@pytest.mark.parametrize("digits", ["100.00", "0.10", "-0.00", "1234567890123456789.0123456789", "0.1", "100"])
def test_digits_stay_as_they_are(digits: str) -> None:
    data = f'{{"resourceType":"Basic","value":{digits}}}'.encode()
    assert write(read(data)) == data


def test_decimals_are_decimal_and_whole_numbers_int() -> None:
    made = read(b'{"resourceType":"Basic","a":1.0,"b":1,"c":1e2,"d":true}')
    assert {key: type(value) for key, value in made.items() if key != "resourceType"} == {
        "a": Decimal,
        "b": int,
        "c": Decimal,
        "d": bool,
    }


def test_a_byte_order_mark_is_no_content() -> None:
    assert read(b'\xef\xbb\xbf{"resourceType":"Basic"}') == {"resourceType": "Basic"}


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "json_syntax"),
        (b"{", "json_syntax"),
        (b'{"resourceType":"Basic",}', "json_syntax"),
        (b'{"resourceType":"Basic"} {}', "json_syntax"),
        (b'{"resourceType":"Basic","a":01}', "json_syntax"),
        (b"{'resourceType':'Basic'}", "json_syntax"),
        (b'{"resourceType":"Basic","a":"\x01"}', "json_syntax"),
        (b'{"resourceType":"Basic","a":NaN}', "json_number"),
        (b'{"resourceType":"Basic","a":-Infinity}', "json_number"),
        (b'{"resourceType":"Basic","a":1e999999999}', "json_number"),
        (b'{"resourceType":"Basic","a":1e-999999999}', "json_number"),
        (b'{"resourceType":"Basic","a":' + b"9" * 5000 + b"}", "json_number"),
        (b'{"resourceType":"Basic","a":0.' + b"9" * 5000 + b"}", "json_number"),
        (b'{"resourceType":"Basic","resourceType":"Basic"}', "json_duplicate_key"),
        (b'{"resourceType":"Basic","a":{"b":1,"b":1}}', "json_duplicate_key"),
        (b'{"resourceType":"Basic","a":{"b":1,"\\u0062":2}}', "json_duplicate_key"),
        (b'{"resourceType":"Basic","a":"\xff"}', "json_text"),
        (b'{"resourceType":"Basic","a":"\\ud800"}', "json_text"),
        (b'{"resourceType":"Basic","a":"\\uD800"}', "json_text"),
        (b"[]", "json_not_resource"),
        (b'"Basic"', "json_not_resource"),
        (b"{}", "json_not_resource"),
        (b'{"resourceType":1}', "json_not_resource"),
        (b'{"resourceType":"Basic","a":' + b"[" * 70 + b"]" * 70 + b"}", "json_depth"),
        (b"[" * 1_000_000, "json_depth"),
    ],
)
def test_refusals(data: bytes, code: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read(data)
    assert caught.value.code == code


def test_a_whole_surrogate_pair_is_fine() -> None:
    assert read(b'{"resourceType":"Basic","a":"\\ud83d\\ude00"}')["a"] == "\N{GRINNING FACE}"


def test_limits_are_the_callers() -> None:
    data = b'{"resourceType":"Basic","a":[[1]]}'
    assert read(data, max_bytes=len(data), max_depth=3)
    for limits in ({"max_bytes": len(data) - 1}, {"max_depth": 2}):
        with pytest.raises(Unreadable):
            read(data, **limits)


def test_a_refusal_repeats_nothing_of_the_text() -> None:
    with pytest.raises(Unreadable) as caught:
        read(b'{"resourceType":"Patient","name":Zebulon}')
    assert "Zebulon" not in str(caught.value)
    assert caught.value.position == 33


@pytest.mark.parametrize("value", [1.5, float("nan"), Decimal("NaN"), Decimal("Infinity")])
def test_what_is_not_exact_is_never_written(value: object) -> None:
    with pytest.raises(ValueError, match="exactly"):
        write({"resourceType": "Basic", "a": [{"b": value}]})


@given(st.binary(max_size=60) | st.text(max_size=40).map(str.encode))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        made = read(data)
    except Unreadable:
        return
    assert made["resourceType"]


def _told(data: bytes) -> object:
    try:
        return _exact(read(data))
    except Unreadable as refusal:
        return refusal.code, refusal.position


PIECES = st.sampled_from([
    *'{}[],:"', " ", "\n", '"a"', '"b"', '"a:b"', '"resourceType"', '"Basic"',
    '"\\u0061"', '"\\u003a"', '"\\\\u003a"', '"\\/"',
    "1", "-0", "1.10", "1E2", "true", "null", "18446744073709551616", "9" * 65, "9" * 64,
    "1e101", "NaN", "\ufeff", "[" * 80,
    '{"a":1,"a":2}', '{"a":"::","b":1,"b":"x"}', '{"a:":1,"a:":2}', '{"a":1,"a":' + "9" * 30 + "}",
])  # fmt: skip
OBJECTS = st.lists(st.tuples(st.sampled_from(["a", "b", "a:b", "\\u0061", "c"]), PIECES), max_size=5).map(
    lambda pairs: "{" + ",".join(f'"{key}":{value}' for key, value in [("resourceType", '"Basic"'), *pairs]) + "}"
)


@given(OBJECTS | st.lists(PIECES, max_size=12).map("".join))
def test_the_fast_reader_and_the_exact_one_say_the_same(text: str) -> None:
    quick = _told(text.encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(codec, "_read_plain", lambda data, max_depth: None)
        assert _told(text.encode()) == quick


def test_plain_texts_take_the_fast_reader(samples: dict[str, Resource]) -> None:
    taken = [codec._read_plain(write(resource), 64) is not None for resource in samples.values()]
    assert sum(taken) > 0.9 * len(taken)


def test_samples_keep_every_value(samples: dict[str, Resource]) -> None:
    for name, resource in samples.items():
        again = write(resource)
        assert _exact(read(again)) == _exact(resource), name


def test_only_what_is_empty_may_be_left_out() -> None:
    assert read_optional(b"") == {}
    assert read_optional(b'{"resourceType":"Patient"}') == {"resourceType": "Patient"}
    with pytest.raises(Unreadable):
        read_optional(b"{}")
