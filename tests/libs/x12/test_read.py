"""The reader: lossless, streaming, indifferent to how the bytes arrive, and X12Error for anything that is not X12."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from x12 import Delimiters, X12Error, read, segments, transaction_sets, write, write_segments
from x12.views.claim import build_837p
from x12_examples import CLAIMS, ENVELOPE

TEXT = build_837p(CLAIMS, ENVELOPE)
# README of the corpora: free text stands before the ISA
NOT_X12 = {"stupidedi--3a.edi"}


def _bare(text: str) -> str:
    return text.lstrip("\ufeff").replace("\r", "").replace("\n", "")


def test_every_sample_comes_back_as_it_was(x12_corpus: Path) -> None:
    """Line breaks apart, not a character is lost."""
    seen = 0
    for path in sorted(x12_corpus.glob("*/*")):
        data = path.read_bytes()
        if path.name in NOT_X12:
            with pytest.raises(X12Error):
                list(read(data))
            continue
        seen += 1
        assert _bare("".join(map(write, read(data)))) == _bare(data.decode("utf-8", "surrogateescape")), path.name
        again = list(read("".join(map(write, read(data)))))
        assert [list(item.segments()) for item in again] == [list(item.segments()) for item in read(data)], path.name
        assert list(transaction_sets(data)) == [item for found in read(data) for item in found.sets()], path.name
    assert seen > 100


def test_samples_do_not_care_how_their_bytes_arrive(x12_corpus: Path) -> None:
    for path in sorted(x12_corpus.glob("8*/*")):
        data = path.read_bytes()
        if path.name not in NOT_X12:
            assert list(read(bytes([byte]) for byte in data)) == list(read(data)), path.name


@given(st.lists(st.integers(0, len(TEXT)), max_size=12))
def test_pieces_make_no_difference(cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(TEXT)]
    pieces = [TEXT[start:end].encode() for start, end in pairwise(places)]
    assert list(read(pieces)) == list(read(TEXT))


@given(st.binary(max_size=400))
def test_arbitrary_bytes_raise_nothing_but_x12_error(data: bytes) -> None:
    try:
        list(read(data))
    except X12Error as error:
        assert error.position >= 0


@given(st.integers(0, len(TEXT) - 1), st.binary(max_size=6))
def test_damaged_text_raises_nothing_but_x12_error(at: int, damage: bytes) -> None:
    data = TEXT.encode()
    try:
        found = list(read(data[:at] + damage + data[at + len(damage) :]))
    except X12Error:
        return
    assert found


HOSTILE = st.text(st.characters(blacklist_characters="|>^!\r\n", blacklist_categories=("Cs",)), max_size=12)


@given(st.lists(st.lists(HOSTILE, max_size=5), max_size=6))
def test_elements_survive_whatever_they_hold(rows: list[list[str]]) -> None:
    marks = Delimiters("|", ">", "^", "!", "\r\n")
    isa = TEXT[:105].replace("*", "|").replace(":", ">") + "!\r\n"
    body = "".join("|".join(["ZZ9", *row]) + "!\r\n" for row in rows)
    (interchange,) = read(isa + body)
    assert interchange.delimiters == marks
    assert [segment.elements for segment in interchange.strays] == [tuple(row) for row in rows]
    assert write(interchange) == isa + body


def test_delimiters_come_from_the_isa() -> None:
    text = TEXT.replace("~", "\n").replace("*", "|").replace(":", ">").replace("^", "!")
    (interchange,) = read(text)
    assert interchange.delimiters == Delimiters("|", ">", "!", "\n")
    assert write(interchange) == text


def test_isa11_u_means_no_repetition_separator() -> None:
    (interchange,) = read(TEXT.replace("*^*", "*U*"))
    assert interchange.delimiters.repetition == ""


def test_several_interchanges_groups_and_sets() -> None:
    group = TEXT[TEXT.index("GS*") : TEXT.index("IEA*")]
    double = TEXT.replace(group, group + group).replace("IEA*1*", "IEA*2*")
    found = list(read(double + "\r\n" + double))
    assert [len(item.groups) for item in found] == [2, 2]
    assert len(list(transaction_sets(double + double))) == 4
    assert [segment.position for segment in found[0].segments()] == list(range(1, len(list(found[0].segments())) + 1))


def test_a_missing_trailer_does_not_lose_the_set() -> None:
    cut = TEXT[: TEXT.index("~SE*") + 1]
    (interchange,) = read(cut)
    assert interchange.trailer is None
    assert interchange.groups[0].trailer is None
    assert [item.code for item in transaction_sets(cut)] == ["837"]


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("HELLO", 0),
        ("\n\nGS*HC~", 2),
        ("ISA*00*", 0),
        (TEXT + "MORE", len(TEXT)),
        (TEXT[:-1], TEXT.rindex("IEA")),
        (TEXT.replace("GS*", "gs*", 1), 106),
        (TEXT.replace("GS*", "*", 1), 106),
        ("ISA" + "*" * 16 + "**", 0),
    ],
)
def test_what_is_not_x12_is_refused_with_its_position(text: str, position: int) -> None:
    with pytest.raises(X12Error) as caught:
        list(read(text))
    assert caught.value.position == position


def test_streaming_takes_no_more_than_it_needs() -> None:
    """The first set is there before the second interchange was asked for."""
    taken: list[int] = []

    def source() -> Iterator[str]:
        for number in range(50):
            taken.append(number)
            yield TEXT

    first = next(iter(transaction_sets(source())))
    assert first.code == "837"
    assert len(taken) <= 2


def test_blanks_between_segments_and_old_end_marks_are_no_content() -> None:
    loose = TEXT.replace("~", "~ \r\n\t") + "\x1a\x00"
    assert [item.groups for item in read(loose)] == [item.groups for item in read(TEXT)]


def test_segments_write_back() -> None:
    found = list(segments(TEXT))
    assert write_segments([segment for segment, _ in found], found[0][1]) == TEXT
