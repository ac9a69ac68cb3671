"""Writing, and that any tree comes back from what was written."""

from __future__ import annotations

import hl7v2
import pytest
from hl7v2 import NULL, repeat
from hypothesis import given
from hypothesis import strategies as st
from kernel.errors import Unreadable

_TREE = [
    ["MSH", "", "", "EHR", ["CLINIC", "1.2.3", "ISO"]],
    ["PID", "1", None, repeat(["100001", "", "", ["CLINIC", "1.2.3"]], "999"), "", ["O|RCHARD", "A&L", None], NULL, ""],
    ["ZPV", [["a", NULL]], "", ""],
    ["PV1"],
]


def test_writes() -> None:
    assert hl7v2.write(_TREE) == (
        b'MSH|^~\\&|EHR|CLINIC^1.2.3^ISO\rPID|1||100001^^^CLINIC&1.2.3~999||O\\F\\RCHARD^A\\T\\L|""\rZPV|a&""\rPV1\r'
    )


def test_reads_back_as_the_simplest_tree() -> None:
    assert hl7v2.read(hl7v2.write(_TREE)).tree() == [
        ["MSH", "|", "^~\\&", "EHR", ["CLINIC", "1.2.3", "ISO"]],
        ["PID", "1", "", repeat(["100001", "", "", ["CLINIC", "1.2.3"]], "999"), "", ["O|RCHARD", "A&L"], NULL],
        ["ZPV", [["a", NULL]]],
        ["PV1"],
    ]


def test_null_and_two_quotes_differ() -> None:
    message = hl7v2.read(hl7v2.write([["MSH", "", "", "EHR"], ["PID", NULL, '""', [NULL, '""', "x"]]]))
    assert message.is_null("PID-1") and message.get("PID-1") == ""
    assert not message.is_null("PID-2") and message.get("PID-2") == '""'
    assert message.is_null("PID-3.1") and not message.is_null("PID-3.2") and message.get("PID-3.2") == '""'


def test_delimiters_and_charset_of_the_feed() -> None:
    odd = hl7v2.Delimiters("$", ":", "*", "!", "%", "#")
    data = hl7v2.write([["MSH", "", "", "EHR"], ["PID", ["Zoë:", "$#"]]], delimiters=odd, charset="latin-1")
    assert data == "MSH$:*!%#$EHR\rPID$Zoë!S!:!F!!P!\r".encode("latin-1")
    assert hl7v2.read(data).get("PID-1.1") == "Zoë:" and hl7v2.read(data).get("PID-1.2") == "$#"


@pytest.mark.parametrize("id", ["", "PI", "pid", "PIDX", "1ID", "P D"])
def test_refuses_a_bad_id(id: str) -> None:
    with pytest.raises(Unreadable) as caught:
        hl7v2.write([["MSH"], [id, "1"]])
    assert (caught.value.code, caught.value.position) == ("hl7.segment_id", 1)


def test_refuses_no_id() -> None:
    for segment in ([], [NULL], [None], [["PID"]]):
        with pytest.raises(Unreadable):
            hl7v2.write([segment])


def test_refuses_what_the_charset_cannot_write() -> None:
    with pytest.raises(Unreadable) as caught:
        hl7v2.write([["MSH"], ["PID", "Łódź"]], charset="latin-1")
    assert caught.value.code == "hl7.charset" and "Łódź" not in str(caught.value)


_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.text(
    '|^~\\&#"\r\n\x0b\x1c F.brX', max_size=6
)
_LEAF = _TEXT | st.just(NULL)


def _ended(values: st.SearchStrategy[object], least: int) -> st.SearchStrategy[list[object]]:
    """Lists whose last item is not empty, as the writer cuts them."""
    return st.lists(values, min_size=least, max_size=4).filter(lambda items: not items or items[-1] not in ("", [""]))


_SUBCOMPONENTS = _ended(_LEAF, 2)
_COMPONENT = _LEAF | _SUBCOMPONENTS
_ONCE = _LEAF | _ended(_COMPONENT, 2) | _SUBCOMPONENTS.map(lambda parts: [parts])
_FIELD = _ONCE | _ended(_ONCE, 2).map(lambda parts: repeat(*parts))
_IDS = st.from_regex(r"\A(?!MSH|FHS|BHS)[A-Z][A-Z0-9]{2}\Z")
_SEGMENT = st.builds(lambda id, fields: [id, *fields], _IDS, _ended(_FIELD, 0))
_DELIMITERS = st.sampled_from(
    [hl7v2.DEFAULT, hl7v2.Delimiters(truncation="#"), hl7v2.Delimiters("$", "-", "*", "!", ".")]
)


@given(st.lists(_SEGMENT, max_size=5), _DELIMITERS)
def test_any_tree_comes_back(segments: list[list[object]], delimiters: hl7v2.Delimiters) -> None:
    header = ["MSH", delimiters.field, delimiters.encoding, "EHR"]
    data = hl7v2.write([header, *segments], delimiters=delimiters)
    message = hl7v2.read(data)
    assert message.tree() == [header, *segments]
    assert hl7v2.write(message.tree(), delimiters=delimiters) == data
    assert hl7v2.Framer().feed(hl7v2.frame(data)) == [hl7v2.Frame(data)]
    for at, segment in enumerate(segments, 1):
        read_back = message.segments()[at]
        for number, value in enumerate(segment[1:], 1):
            assert read_back.is_null(str(number)) == (value is NULL)
            if isinstance(value, str):
                assert read_back.get(str(number)) == value
