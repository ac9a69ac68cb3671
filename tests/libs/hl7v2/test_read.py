"""Reading: what is a message, what is not, and what stands where."""

from __future__ import annotations

import hl7v2
import pytest
from hl7_examples import ADT, DFT, MSH, PID, lines  # type: ignore[import-not-found]
from hypothesis import example, given
from hypothesis import strategies as st
from kernel.errors import Unreadable


def test_header_properties() -> None:
    message = hl7v2.read(ADT)
    assert message.raw == ADT
    assert message.control_id == "MSG-1"
    assert message.message_type == ("ADT", "A08", "ADT_A01")
    assert message.sender == ("EHR", "CLINIC")
    assert message.receiver == ("LINE", "BILLING")
    assert (message.version, message.processing_id, message.sent) == ("2.5.1", "P", "20260102030405-0600")
    assert message.identity == ("EHR", "CLINIC^1.2.3^ISO", "MSG-1")


def test_header_falls_back() -> None:
    message = hl7v2.read(lines(r"MSH|^~\&|^2.16.1^ISO|||||20260102|ADT|7", "EVN|A04"))
    assert message.message_type == ("ADT", "A04", "")
    assert message.sender == ("2.16.1", "")
    bare = hl7v2.read(rb"MSH|^~\&")
    assert (bare.control_id, bare.message_type, bare.version) == ("", ("", "", ""), "")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("MSH-1", "|"), ("MSH-2", r"^~\&"), ("MSH-3", "EHR"), ("MSH-9.3", "ADT_A01"), ("MSH-99", ""),
        ("PID-3", "100001"), ("PID-3.1", "100001"), ("PID-3.4", "CLINIC"), ("PID-3.4.2", "1.2.3"),
        ("PID-3(2).1", "999"), ("PID-3(2)", "999"), ("PID-3(2).5", "SS"), ("PID-3(3).1", ""), ("PID-3.9", ""),
        ("PID-3.4.9", ""), ("PID-3.1.2", ""), ("PID-5(2).1", "MEADOW"), ("PID-7", "19620320"), ("PID-7.2", ""),
        ("PID-7(2)", ""), ("PID-7.1.1", "19620320"), ("PID-11.2", ""), ("PID-12", ""), ("PID-13", "555-0100"),
        ("PID-13.2", ""), ("PID-13(2)", ""), ("DG1-3", "I10"), ("DG1(2)-3", "E11.9"), ("DG1(3)-3", ""),
        ("DG1(1)-3", "I10"), ("ZPV-2.2", "as"), ("ZPV-2(2).1.2", "is"), ("IN1-3", ""),
    ],
)  # fmt: skip
def test_get(path: str, value: str) -> None:
    message = hl7v2.read(ADT)
    assert message.get(path) == value
    assert message.get(path) == value  # and from what is remembered


def test_null_is_not_absence() -> None:
    message = hl7v2.read(ADT)
    assert message.is_null("PID-12") and message.is_null("PID-12.1") and message.is_null("PID-12(1).3")
    assert message.is_null("PID-11.2") and not message.is_null("PID-11") and not message.is_null("PID-11.3")
    assert not message.is_null("PID-10") and not message.is_null("PID-99") and not message.is_null("IN1-3")
    assert not message.is_null("PID-7")
    pid = message.segments("PID")[0]
    assert pid.is_null("12") and pid.field(12).is_null and not pid.field(12).is_absent
    assert pid.field(10).is_absent and not pid.field(10).is_null and pid.field(99).is_absent


def test_raw_at_gives_what_is_named() -> None:
    message = hl7v2.read(ADT)
    assert message.raw_at("PID-3") == "100001^^^CLINIC&1.2.3&ISO^MR~999^^^SSA^SS"
    assert message.raw_at("PID-3(2)") == "999^^^SSA^SS"
    assert message.raw_at("PID-3.4") == "CLINIC&1.2.3&ISO"
    assert message.raw_at("PID-12") == '""'
    assert message.raw_at("ZPV-2") == "kept^as~it&is"
    assert message.raw_at("MSH-2") == r"^~\&" and message.raw_at("MSH-1") == "|"
    assert message.raw_at("NTE-3") == "" and message.raw_at("PID-99.1") == ""


def test_all_repetitions_of_all_segments() -> None:
    message = hl7v2.read(ADT)
    assert message.all("PID-3.1") == ["100001", "999"]
    assert message.all("PID-3.4") == ["CLINIC", "SSA"]
    assert message.all("PID-3(2).1") == ["999"]
    assert message.all("DG1-3.1") == ["I10", "E11.9"]
    assert message.all("DG1(2)-3") == ["E11.9"]
    assert message.all("DG1(9)-3") == message.all("PID-20") == message.all("IN1-3") == []
    assert message.all("MSH-2") == [r"^~\&"]
    assert hl7v2.read(lines(MSH, "PID|1||a~~b")).all("PID-3") == ["a", "", "b"]


def test_segments_and_fields() -> None:
    message = hl7v2.read(ADT)
    assert [segment.id for segment in message.segments()] == ["MSH", "EVN", "PID", "PV1", "ZPV", "DG1", "DG1"]
    first, second = message.segments("DG1")
    assert (first.index, second.index) == (5, 6) and second.get("3") == second.get("DG1-3") == "E11.9"
    assert message.segments("FT1") == []
    header = message.segments("MSH")[0]
    assert (header.get("1"), header.get("2"), header.get("3")) == ("|", r"^~\&", "EHR")
    assert header.raw_at("2") == r"^~\&" and header.fields[10] == "MSG-1"
    pid = message.segments("PID")[0]
    assert pid.raw == PID and pid.all("3.1") == ["100001", "999"] and pid.raw_at("3(2)") == "999^^^SSA^SS"
    names = pid.field(5)
    assert [str(name) for name in names.repetitions] == ["ORCHARD", "MEADOW"]
    assert names.components == ["ORCHARD", "ALMA", "Q"] and names.get(2) == "ALMA" and names.get(9) == ""
    assert names.repetitions[1].components == ["MEADOW", "ALMA"]
    assert message.field("PID-3(2)").get(4) == "SSA" and message.field("PID-3").get(4, 2) == "1.2.3"
    assert pid.field(0).is_absent and pid.field(10).repetitions == []


def test_nothing_prints_patient_data() -> None:
    message = hl7v2.read(ADT)
    pid = message.segments("PID")[0]
    shown = repr(
        (message, pid, pid.field(5), next(message.groups("PID")), hl7v2.Frame(ADT), hl7v2.Fault("stray", 1, ADT))
    )
    assert "ORCHARD" not in shown and "100001" not in shown


def test_groups() -> None:
    message = hl7v2.read(DFT)
    first, second = message.groups("FT1", members=("NTE", "PR1"))
    assert [segment.id for segment in first.segments()] == ["FT1", "NTE", "PR1"]
    assert [segment.id for segment in second.segments()] == ["FT1", "PR1", "PR1"]
    assert (first.get("FT1-7"), first.get("NTE-3"), second.get("FT1-12"), second.get("NTE-3")) == (
        "99213",
        "first",
        "20.50",
        "",
    )
    assert second.all("PR1-3") == ["85025", "36415"] and second.get("PID-3") == ""
    assert [segment.index for segment in second.segments("PR1")] == [6, 7]
    assert [group.get("PR1-3") for group in second.groups("PR1")] == ["85025", "36415"]
    assert [group.segments()[0].index for group in second.groups("PR1")] == [6, 7]


def test_groups_without_members_run_on() -> None:
    message = hl7v2.read(DFT)
    *_, last = message.groups("FT1")
    assert [segment.id for segment in last.segments()] == ["FT1", "PR1", "PR1", "DG1", "IN1"]
    assert list(message.groups("OBR")) == []


def test_a_group_that_was_ended_stays_ended() -> None:
    message = hl7v2.read(lines(MSH, "FT1|1", "DG1|1", "PR1|1", "FT1|2"))
    assert [len(group.segments()) for group in message.groups("FT1", members=("PR1",))] == [1, 1]


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n", "\r\r", "\n\n", "\r \t\r", "\r\n\r\n"])
def test_line_ends(end: str) -> None:
    message = hl7v2.read(lines(MSH, "PID|1||7 ", "ZZZ|x", end=end))
    assert [segment.raw for segment in message.segments()] == [MSH, "PID|1||7 ", "ZZZ|x"]


def test_mixed_line_ends_and_no_last_one() -> None:
    message = hl7v2.read(f"{MSH}\r\nPID|1\nPV1|1\rDG1|1".encode())
    assert [segment.id for segment in message.segments()] == ["MSH", "PID", "PV1", "DG1"]


@pytest.mark.parametrize("before", [b"\xef\xbb\xbf", b"\r\n\r\n", b" \t", b"\x0b", b"\0\0", b"\xef\xbb\xbf\x0b \r\n"])
@pytest.mark.parametrize("after", [b"", b"\x1c\r", b"\r\n\x1a", b"\0\0\0", b"\n\n  \n"])
def test_junk_around(before: bytes, after: bytes) -> None:
    data = before + ADT + after
    message = hl7v2.read(data)
    assert message.raw == data
    assert message.tree() == hl7v2.read(ADT).tree()
    assert not message.strays


def test_blanks_at_the_end_of_the_last_field_stay() -> None:
    assert hl7v2.read(f"{MSH}\rNTE|1||ends with blanks  ".encode()).get("NTE-3") == "ends with blanks  "


def test_other_delimiters() -> None:
    message = hl7v2.read(b"MSH$:*!%$EHR$CLINIC:1\rPID$1$$a:b%c*d\r")
    assert message.get("PID-3.2.2") == "c" and message.get("PID-3(2)") == "d"
    assert message.get("MSH-1") == "$" and message.get("MSH-2") == ":*!%" and message.get("MSH-4.2") == "1"


@pytest.mark.parametrize(
    ("stated", "encoding"),
    [
        ("^~\\&#", "^~\\&#"), ("^~\\\\&", "^~\\&"), ("^~\\", "^~\\&"), ("^~", "^~\\&"), ("^", "^~\\&"),
        ("&^~\\", "&^~\\"), ("^~&", "^~&"), ("^~\\&amp;", "^~\\&"), ("^~\\&|", "^~\\&"),
    ],
)  # fmt: skip
def test_odd_encoding_characters(stated: str, encoding: str) -> None:
    message = hl7v2.read(f"MSH|{stated}|EHR".encode())
    assert message.delimiters.encoding == encoding


def test_a_delimiter_that_is_missing_splits_nothing() -> None:
    message = hl7v2.read(b"MSH|^~&|EHR\rPID|1||a&b^c")
    assert message.delimiters.escape == "&" and message.get("PID-3") == "a&b" and message.get("PID-3.2") == "c"


def test_strays_are_kept_and_named() -> None:
    message = hl7v2.read(lines(MSH, "PID|1||7", "OBX|1|TX|||first line", "PIDGEON second line|x", "pid|lower", "PV1"))
    assert [line.raw for line in message.strays] == ["PIDGEON second line|x", "pid|lower"]
    assert message.get("PID-3") == "7" and len(message.segments("PID")) == 1
    assert len(message.segments("PV1")) == 1 and message.get("PV1-2") == ""
    assert hl7v2.read(ADT).strays == []
    first = hl7v2.read(lines(MSH, "PIDGEON|1||8", "PID2|1||9", "PID|1||7"))
    assert first.get("PID-3") == "7" and first.get("PID(2)-3") == "" and first.all("PID-3") == ["7"]


@pytest.mark.parametrize(
    ("data", "code", "position"),
    [
        (b"", "hl7.empty", 0), (b" \r\n\x1c\r", "hl7.empty", 0), (b"PID|1\rMSH|^~\\&|", "hl7.no_msh", 0),
        (b"\r\n hello", "hl7.no_msh", 3), (b"MSH", "hl7.short", 3), (b"MSH|", "hl7.short", 4),
        (b"MSH||x", "hl7.short", 4),
        (b"MSH\rPID|1", "hl7.short", 3), (b"MSHX^~", "hl7.delimiters", 3), (b"MSH ^~\\&", "hl7.delimiters", 3),
        (b"MSH|^^^^|", "hl7.delimiters", 4), (b"MSH|ABCD|", "hl7.delimiters", 4),
        (b"MSH|^~\\&".lower(), "hl7.no_msh", 0),
        (b"MSH|^|~\\&", None, 0), (b"FHS|^~\\&|\rMSH|^~\\&|", "hl7.batch", 0), (b"\nBHS|^~\\&|\r", "hl7.batch", 1),
        (b"<ClinicalDocument/>", "hl7.no_msh", 0), (b"MSH|^~\\ |EHR", "hl7.delimiters", 4),
    ],
)  # fmt: skip
def test_what_is_no_message(data: bytes, code: str | None, position: int) -> None:
    if code is None:
        assert hl7v2.read(data).delimiters.encoding == "^~\\&"
        return
    with pytest.raises(Unreadable) as caught:
        hl7v2.read(data)
    assert (caught.value.code, caught.value.position) == (code, position)


@pytest.mark.parametrize(
    "path",
    ["", "PID", "PID-", "PID-0", "PID-3.0", "PID-3(0)", "PID(0)-3", "pid-3", "PID.3", "PID-3.1.1.1", "PID-3 ", "PIDX-1",
     "PID-3..1", "PID-03", "PID-3(x)", "PID-99999"],
)  # fmt: skip
def test_a_bad_path_is_refused(path: str) -> None:
    for ask in (hl7v2.compile_path, hl7v2.read(ADT).get, hl7v2.read(ADT).is_null, hl7v2.read(ADT).all):
        with pytest.raises(Unreadable) as caught:
            ask(path)
        assert caught.value.code == "hl7.path"


def test_paths_in_the_wrong_place() -> None:
    message = hl7v2.read(ADT)
    with pytest.raises(Unreadable):
        message.get("3.1")
    with pytest.raises(Unreadable):
        message.segments("PID")[0].get("PV1-2")
    with pytest.raises(Unreadable):
        message.field("PID-3.1")


_FRAGMENTS = st.sampled_from(
    [b"MSH", b"MSH|^~\\&|", b"|", b"^", b"~", b"\\", b"&", b"\r", b"\n", b"PID|", b'""', b"\\X", b"\\F\\", b"\xff",
    b"\0",
     b"\xef\xbb\xbf", b"\xff\xfe", b"\x1b$B", b"UNICODE UTF-16", b"8859/1", b"M\0S\0H\0|\0", b"FHS|", b"BTS|1", b"\x0b",
     b"\x1c\r", b"#"]
)  # fmt: skip
any_bytes = st.one_of(
    st.binary(max_size=200),
    st.lists(st.one_of(_FRAGMENTS, st.binary(max_size=8)), max_size=40).map(b"".join),
    st.lists(st.one_of(_FRAGMENTS, st.binary(max_size=8)), max_size=40).map(
        lambda parts: b"MSH|^~\\&|" + b"".join(parts)
    ),
)


@given(any_bytes, st.sampled_from(["", "8859/1", "nonsense", "UNICODE UTF-16", "ISO IR87"]))
@example(b"MSH|^~\\&|" + b"|" * 15 + b"UNICODE UTF-16\rPID|\\XE9\\", "")
@example(b"\xff\xfeM\0S\0H", "")
def test_any_bytes_read_or_are_unreadable(data: bytes, charset: str) -> None:
    try:
        message = hl7v2.read(data, charset=charset)
    except Unreadable as error:
        assert error.code.startswith("hl7.") and 0 <= (error.position or 0) <= len(data)
        return
    assert message.raw == data
    assert message.strays is not None and message.message_type is not None and message.identity is not None
    for segment in message.segments():
        for number in range(len(segment.fields)):
            assert all(value.get(2, 2) is not None for value in segment.field(number).repetitions)
        segment.tree()
    for path in ("MSH-1", "PID-3(2).4.2", "PID-3", "OBX(2)-5.1"):
        message.get(path), message.is_null(path), message.raw_at(path), message.all(path)
    hl7v2.ack_plan(message)


@given(any_bytes)
def test_any_bytes_split_or_are_unreadable(data: bytes) -> None:
    try:
        found = hl7v2.split_batch(data)
    except Unreadable as error:
        assert error.code in ("hl7.empty", "hl7.no_msh")
        return
    assert all(message in data for message in found.messages)
