"""Character sets: MSH-18, the feed's own word, and guesses."""

from __future__ import annotations

import hl7v2
import pytest

TEXT = "Zoë Müller"


def _message(name: str, declared: str = "") -> str:
    return rf"MSH|^~\&|EHR|||||||1|P|2.5.1||||||{declared}" + f"\rPID|1||7||{name}\r"


@pytest.mark.parametrize(
    ("declared", "codec", "text"),
    [
        ("8859/1", "latin-1", TEXT), ("8859/15", "iso8859-15", "Zoë €"), ("8859/2", "iso8859-2", "Łódź"),
        ("8859/5", "iso8859-5", "Иван"), ("8859/7", "iso8859-7", "Ελένη"), ("8859/8", "iso8859-8", "דנה"),
        ("8859/9", "iso8859-9", "Şule"), ("8859/6", "iso8859-6", "ليلى"), ("8859/4", "iso8859-4", "Ģirts"),
        ("8859/3", "iso8859-3", "Ħ"), ("UNICODE UTF-8", "utf-8", TEXT), ("UNICODE", "utf-8", TEXT),
        ("UTF-8", "utf-8", TEXT), ("utf8", "utf-8", TEXT), ("windows-1252", "cp1252", "Zoë “"),
        ("ISO-8859-1", "latin-1", TEXT),
        ("GB 18030-2000", "gb18030", "王芳"), ("BIG-5", "big5", "王芳"), ("KS X1001", "euc_kr", "김철수"),
        ("KS X 1001", "euc_kr", "김철수"), ("ISO IR87", "iso2022_jp", "山田太郎"),
        ("~ISO IR87", "iso2022_jp", "山田太郎"),
        ("ASCII~ISO IR87", "iso2022_jp", "山田太郎"), ("ISO IR159", "iso2022_jp_1", "丂"), ("~8859/1", "latin-1", TEXT),
        ("UTF-8~UNICODE", "utf-8", TEXT), ("ISO IR14", "iso2022_jp", "山田"),
    ],
)  # fmt: skip
def test_declared(declared: str, codec: str, text: str) -> None:
    message = hl7v2.read(_message(text, declared).encode(codec))
    assert message.get("PID-5") == text
    assert not message.charset_guessed


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be", "utf-16", "utf-32", "utf-8-sig"])
@pytest.mark.parametrize("declared", ["", "UNICODE UTF-16", "8859/1"])
def test_the_bytes_show_it(codec: str, declared: str) -> None:
    message = hl7v2.read(_message(TEXT, declared).encode(codec))
    assert message.get("PID-5") == TEXT and not message.charset_guessed


def test_the_feed_says_it() -> None:
    message = hl7v2.read(_message("Łódź").encode("iso8859-2"), charset="8859/2")
    assert (message.get("PID-5"), message.charset, message.charset_guessed) == ("Łódź", "iso8859-2", False)


def test_the_message_goes_before_the_feed() -> None:
    assert hl7v2.read(_message(TEXT, "8859/1").encode("latin-1"), charset="8859/5").get("PID-5") == TEXT


@pytest.mark.parametrize("declared", ["", "ASCII", "nonsense", "CNS 11643-1992", "UNICODE UTF-16", "punycode"])
@pytest.mark.parametrize(("codec", "read_as"), [("utf-8", "utf-8"), ("latin-1", "latin-1")])
def test_guesses(declared: str, codec: str, read_as: str) -> None:
    message = hl7v2.read(_message(TEXT, declared).encode(codec))
    assert (message.get("PID-5"), message.charset, message.charset_guessed) == (TEXT, read_as, True)


def test_what_is_declared_and_not_true() -> None:
    message = hl7v2.read(_message(TEXT, "UNICODE UTF-8").encode("latin-1"))
    assert (message.get("PID-5"), message.charset_guessed) == (TEXT, True)


@pytest.mark.parametrize(("declared", "codec"), [("8859/1", "iso8859-1"), ("", "utf-8"), ("UNICODE UTF-16", "utf-8")])
def test_plain_bytes_are_no_guess(declared: str, codec: str) -> None:
    message = hl7v2.read(_message("ALMA", declared).encode())
    assert (message.get("PID-5"), message.charset, message.charset_guessed) == ("ALMA", codec, False)


def test_bytes_in_text_are_of_the_declared_set() -> None:
    assert hl7v2.read(_message(r"\XC5\ ").encode(), charset="8859/2").get("PID-5") == "Ĺ "
    assert hl7v2.read(_message(r"Zo\XEB\ ", "8859/1").encode()).get("PID-5") == "Zoë "
    assert hl7v2.read(_message(r"Zo\XC3AB\ ").encode()).get("PID-5") == "Zoë "
    assert hl7v2.read(_message(r"Zo\XEB\ ").encode()).get("PID-5") == "Zoë "  # no UTF-8: Latin-1


def test_a_second_byte_that_looks_like_a_delimiter() -> None:
    message = hl7v2.read(_message("ソ|表^能", "SHIFT_JIS").encode("cp932"))  # their second byte is a backslash
    assert message.get("PID-5") == "ソ" and message.get("PID-6.1") == "表" and message.get("PID-6.2") == "能"
