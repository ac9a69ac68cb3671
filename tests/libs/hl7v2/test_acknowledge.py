"""Acknowledgements: what to answer, to whom, in which form, and that nothing leaks."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import hl7v2
import pytest
from hl7_examples import ADT, PID, lines  # type: ignore[import-not-found]
from hl7v2 import AckError
from hypothesis import given
from hypothesis import strategies as st
from kernel.errors import Unreadable

NOW = datetime(2026, 2, 3, 4, 5, 6, tzinfo=ZoneInfo("America/Chicago"))


def _header(version: str = "2.5.1", rest: str = "") -> bytes:
    return lines(rf"MSH|^~\&|EHR|CLINIC^1.2^ISO|LINE|BILL|2026||ADT^A04^ADT_A01|ID 7|T|{version}{rest}", PID)


def _ack(data: bytes, code: str = "AA", text: str = "", error: AckError | None = None) -> str:
    answers = [
        hl7v2.acknowledge(form, code, control_id="OWN-1", now=NOW, text=text, error=error)
        for form in (data, hl7v2.read(data))
    ]
    assert answers[0] == answers[1]
    return answers[0].decode()


def test_original_mode() -> None:
    assert _ack(_header()) == (
        "MSH|^~\\&|LINE|BILL|EHR|CLINIC^1.2^ISO|20260203040506-0600||ACK^A04^ACK|OWN-1|T|2.5.1\rMSA|AA|ID 7\r"
    )


def test_enhanced_mode_asks_for_no_answer() -> None:
    answer = hl7v2.read(_ack(_header(rest="|||AL|ER||8859/1"), "CA").encode())
    assert (answer.get("MSH-15"), answer.get("MSH-16"), answer.get("MSH-18")) == ("NE", "NE", "8859/1")
    assert answer.get("MSA-1") == "CA" and answer.message_type == ("ACK", "A04", "ACK")


def test_the_sender_is_not_quoted() -> None:
    answer = _ack(ADT, "AE", "seen", AckError("101", "PID-3.1", "E", "rule.7", "no identifier"))
    assert not any(word in answer for word in ("ORCHARD", "100001", "19620320", "ELM"))


@pytest.mark.parametrize("version", ["2.5", "2.5.1", "2.6", "2.8", "2.10", "", "unknown"])
def test_error_since_25(version: str) -> None:
    error = AckError("101", "PID(2)-3(4).1.2", "W", "rule|7", "no identifier")
    last = _ack(_header(version), "AE", "see ERR", error).split("\r")
    assert last[1:] == [
        "MSA|AE|ID 7|see ERR",
        r"ERR||PID^2^3^4^1^2|101^required field missing^HL70357|W|||rule\F\7|no identifier",
        "",
    ]


@pytest.mark.parametrize("version", ["2.1", "2.2", "2.3", "2.3.1", "2.4"])
def test_error_before_25(version: str) -> None:
    answer = _ack(_header(version), "AR", error=AckError("203", "MSH-12"))
    assert answer.split("\r")[2] == "ERR|MSH^1^12^203&version not supported&HL70357"
    assert _ack(_header(version), "AR", error=AckError("207")).split("\r")[2] == "ERR|^^^207&internal error&HL70357"


@pytest.mark.parametrize(
    ("location", "where"),
    [("PID", "PID^1"), ("PID-3", "PID^1^3"), ("", ""), ("what is this", ""), ("PID-3(2)", "PID^1^3^2")],
)
def test_locations(location: str, where: str) -> None:
    assert _ack(_header(), "AE", error=AckError("207", location)).split("\r")[2].startswith(f"ERR||{where}|207^")


def test_error_of_unreadable() -> None:
    assert AckError.of(Unreadable("hl7.timestamp", "PID-7", "no time")) == AckError(
        "102", "PID-7", "E", "hl7.timestamp", "no time"
    )
    assert AckError.of(Unreadable("hl7.no_msh", "MSH", "no MSH")).location == "MSH"
    assert AckError.of(Unreadable("x", "the/path", "odd")) == AckError("199", "", "E", "x", "odd")


def test_other_delimiters() -> None:
    answer = hl7v2.acknowledge(
        b"MSH$:*!%$EHR$$LINE$$$$ADT:A04$ID7\r",
        "AE",
        control_id="A$1",
        now=NOW,
        text="x:y",
        error=AckError("101", "PID-3"),
    )
    assert answer == (
        b"MSH$:*!%$LINE$$EHR$$20260203040506-0600$$ACK:A04:ACK$A!F!1$P$2.5.1\rMSA$AE$ID7$x!S!y\r"
        b"ERR$$PID:1:3$101:required field missing:HL70357$E\r"
    )


@pytest.mark.parametrize("codec", ["latin-1", "utf-8"])
def test_ids_come_back_byte_for_byte(codec: str) -> None:
    data = "MSH|^~\\&|Zoë|||||||É-7\r".encode(codec)
    answer = hl7v2.acknowledge(data, "AA", control_id="1", now=NOW)
    assert "MSA|AA|É-7\r".encode(codec) in answer and "||Zoë".encode(codec) in answer


@pytest.mark.parametrize(
    ("data", "control_id"),
    [
        (b"", ""), (b"hello", ""), (b"MSH", ""), (b"MSH|", ""), (b"MSH|^~\\&", ""),
        (b"garbage MSH|^~\\&|EHR|C|LINE|B|||ADT^A01|ID-9|P|2.3\rPID|1", "ID-9"),
        (b"FHS|^~\\&|\rMSH|^~\\&|EHR|C|LINE|B|||ADT^A01|ID-9|P|2.3\r", "ID-9"),
        (b"PID|MSH \nMSH|^~\\&|EHR|C|LINE|B|||ADT^A01|ID-9|P|2.3", "ID-9"),
        (b"\x0b\xffMSH|^~\\&|EHR|C|LINE|B|||ADT^A01|ID\x1c-9", "ID-9"),
        (b"MSH|^^^^|EHR", ""), (b"xMSH|^~\\&||||||||" + b"9" * 9000, "9" * 250),
    ],
)  # fmt: skip
def test_what_is_no_message_is_answered_too(data: bytes, control_id: str) -> None:
    answer = hl7v2.acknowledge(data, "AR", control_id="OWN-1", now=NOW)
    assert hl7v2.parse_ack(answer) == hl7v2.Ack("AR", control_id, "")
    message = hl7v2.read(answer)
    assert message.control_id == "OWN-1"
    if control_id == "ID-9" and b"2.3" in data:
        assert message.receiver == ("EHR", "C") and message.sender == ("LINE", "B") and message.version == "2.3"


@given(st.binary(max_size=120), st.booleans())
def test_anything_is_answered(data: bytes, headed: bool) -> None:
    answer = hl7v2.acknowledge(b"MSH|^~\\&|" * headed + data, "AE", control_id="1", now=NOW, error=AckError("207"))
    assert hl7v2.Framer().feed(hl7v2.frame(answer)) == [hl7v2.Frame(answer)]
    assert b"MSA" in answer and answer.count(b"\r") == 3


def test_refuses_another_code() -> None:
    with pytest.raises(ValueError, match="code"):
        hl7v2.acknowledge(ADT, "OK", control_id="1", now=NOW)


@pytest.mark.parametrize(
    ("accept", "application", "mode", "accepts", "applies"),
    [
        ("", "", "original", ["", "", ""], ["AA", "AE", "AR"]),
        ('""', '""', "original", ["", "", ""], ["AA", "AE", "AR"]),
        ("AL", "NE", "enhanced", ["CA", "CE", "CR"], ["", "", ""]),
        ("AL", "AL", "enhanced", ["CA", "CE", "CR"], ["AA", "AE", "AR"]),
        ("NE", "AL", "enhanced", ["", "", ""], ["AA", "AE", "AR"]),
        ("ER", "SU", "enhanced", ["", "CE", "CR"], ["AA", "", ""]),
        ("SU", "ER", "enhanced", ["CA", "", ""], ["", "AE", "AR"]),
        ("NE", "NE", "enhanced", ["", "", ""], ["", "", ""]),
        ("AL", "", "enhanced", ["CA", "CE", "CR"], ["", "", ""]),
        ("", "AL", "enhanced", ["", "", ""], ["AA", "AE", "AR"]),
        ("al", " NE ", "enhanced", ["CA", "CE", "CR"], ["", "", ""]),
        ("ACCEPT", "ALWAYS", "enhanced", ["CA", "CE", "CR"], ["AA", "AE", "AR"]),
    ],
)  # fmt: skip
def test_plan(accept: str, application: str, mode: str, accepts: list[str], applies: list[str]) -> None:
    plan = hl7v2.ack_plan(hl7v2.read(_header(rest=f"|||{accept}|{application}")))
    outcomes = ("accepted", "error", "rejected")
    assert plan.mode == mode
    assert [plan.accept_code(outcome) for outcome in outcomes] == accepts
    assert [plan.application_code(outcome) for outcome in outcomes] == applies
    assert [plan.immediate_code(outcome) for outcome in outcomes] == (applies if mode == "original" else accepts)


def test_parse_ack() -> None:
    assert hl7v2.parse_ack(_ack(ADT, "AA", "kept").encode()) == hl7v2.Ack("AA", "MSG-1", "kept")
    assert [hl7v2.Ack(code, "", "").accepted for code in ("AA", "CA", "AE", "AR", "CE", "CR")] == [True, True] + [
        False
    ] * 4
    for data in (ADT, b"MSH|^~\\&|\rMSA|OK|1"):
        with pytest.raises(Unreadable) as caught:
            hl7v2.parse_ack(data)
        assert caught.value.code == "hl7.no_msa"
