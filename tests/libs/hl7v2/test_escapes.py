"""Escape sequences both ways."""

from __future__ import annotations

import hl7v2
import pytest
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r"a\F\b", "a|b"), (r"a\S\b", "a^b"), (r"a\T\b", "a&b"), (r"a\R\b", "a~b"), (r"a\E\b", "a\\b"),
        (r"\X41\\X4142\ ", "AAB "), (r"one\.br\two", "one\ntwo"), (r"one\.sp\two\.sp2\three", "one\ntwo\n\nthree"),
        (r"\H\loud\N\ soft", "loud soft"), (r"\E\F\E\ ", "\\F\\ "),
        # left as they are
        (r"\C2842\ ", r"\C2842\ "), (r"\M254221\ ", r"\M254221\ "), (r"\Z01\F\Z02\ ", r"\Z01\F\Z02\ "),
        (r"\.in+4\x", r"\.in+4\x"),
        (r"C:\temp", r"C:\temp"), (r"\X4\ ", r"\X4\ "), (r"\XGG\ ", r"\XGG\ "), ("end\\", "end\\"), (r"\\ ", r"\\ "),
        (r"\P\ ", r"\P\ "), (r"\f\ ", r"\f\ "), ("plain", "plain"), ("", ""),
    ],
)  # fmt: skip
def test_unescape(text: str, value: str) -> None:
    assert hl7v2.unescape(text) == value
    assert hl7v2.read(f"MSH|^~\\&|EHR\rNTE|1||{text}".encode()).get("NTE-3") == value


def test_truncation_character() -> None:
    assert hl7v2.read(b"MSH|^~\\&#|EHR\rNTE|1||a\\P\\b").get("NTE-3") == "a#b"
    assert hl7v2.escape("a#b", hl7v2.Delimiters(truncation="#")) == r"a\P\b"
    assert hl7v2.escape("a#b") == "a#b"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a|b^c~d\\e&f", r"a\F\b\S\c\R\d\E\e\T\f"), ("\r\n", r"\X0D\\.br\ ".strip()),
        ("\x0b\x1c", r"\X0B\\X1C\ ".strip()),
        ('""', r"\X2222\ ".strip()), ('a""', 'a""'), ("tab\there", "tab\there"), ("Zoë", "Zoë"), ("", ""),
    ],
)  # fmt: skip
def test_escape(text: str, written: str) -> None:
    assert hl7v2.escape(text) == written


_DELIMITERS = st.sampled_from(
    [
        hl7v2.DEFAULT,
        hl7v2.Delimiters(truncation="#"),
        hl7v2.Delimiters("$", ":", "*", "!", "%"),
        hl7v2.Delimiters("]", "-", "[", "^", "."),
    ]
)


@given(st.text(), _DELIMITERS)
def test_any_text_comes_back(text: str, delimiters: hl7v2.Delimiters) -> None:
    written = hl7v2.escape(text, delimiters)
    assert hl7v2.unescape(written, delimiters) == text
    borders = {
        delimiters.field,
        delimiters.component,
        delimiters.repetition,
        delimiters.subcomponent,
        "\r",
        "\n",
        "\x1c",
    }
    assert not borders & set(written)


@given(st.text(alphabet="\\FSTREXHN.brZCM01A "), _DELIMITERS)
def test_no_text_breaks_unescape(text: str, delimiters: hl7v2.Delimiters) -> None:
    assert isinstance(hl7v2.unescape(text, delimiters, "ascii"), str)
