"""Framing: whatever the cuts between reads, the same frames and faults; and what torn streams look like."""

from __future__ import annotations

from itertools import pairwise

import hl7v2
import pytest
from hl7_examples import ADT, DFT  # type: ignore[import-not-found]
from hl7v2 import Fault, Frame, Framer
from hl7v2.mllp import KEPT
from hypothesis import given
from hypothesis import strategies as st
from kernel.errors import Unreadable

SB, EB = b"\x0b", b"\x1c\r"
BOM = b"\xef\xbb\xbf"
Found = list[Frame | Fault]

# name -> (the stream, what comes out of it and of closing it)
TORN: dict[str, tuple[bytes, Found]] = {
    "one": (SB + ADT + EB, [Frame(ADT)]),
    "several": (SB + ADT + EB + SB + DFT + EB + SB + b"x" + EB, [Frame(ADT), Frame(DFT), Frame(b"x")]),
    "empty frame": (SB + EB, [Frame(b"")]),
    "nothing": (b"", []),
    "line ends between": (SB + b"a" + EB + b"\r\n" + SB + b"b" + EB, [Frame(b"a"), Fault("stray", 2, b"\r\n"),
    Frame(b"b")]),
    "stray bytes first": (b"GET / HTTP/1.1" + SB + b"a" + EB, [Fault("stray", 14, b"GET / HTTP/1.1"), Frame(b"a")]),
    "stray bytes last": (SB + b"a" + EB + b"MSH|", [Frame(b"a"), Fault("stray", 4, b"MSH|")]),
    "no framing at all": (ADT, [Fault("stray", len(ADT), ADT)]),
    "LF for CR": (SB + b"a\x1c\n" + SB + b"b" + EB, [Frame(b"a"), Fault("missing_cr", 0), Frame(b"b")]),
    "no CR before the next": (SB + b"a\x1c" + SB + b"b" + EB, [Frame(b"a"), Fault("missing_cr", 0), Frame(b"b")]),
    "no CR at the end": (SB + b"a\x1c", [Frame(b"a"), Fault("missing_cr", 0)]),
    "blanks for CR": (SB + b"a\x1c  " + SB + b"MSH|" + EB, [Frame(b"a"), Fault("missing_cr", 2, b"  "),
    Frame(b"MSH|")]),
    "end block in text": (SB + b"MSH|a\x1cb\r" + EB, [Frame(b"MSH|a\x1cb\r")]),
    "tab in text": (SB + b"MSH|a\x0bb\x0b" + EB, [Frame(b"MSH|a\x0bb\x0b")]),
    "tab before a like word": (SB + b"MSH|a\x0bMSX\x0bM" + EB, [Frame(b"MSH|a\x0bMSX\x0bM")]),
    "begun again": (SB + ADT[:40] + SB + ADT + EB, [Fault("unterminated", 40, ADT[:40]), Frame(ADT)]),
    "begun again with a mark": (SB + b"MSH|" + SB + BOM + ADT + EB, [Fault("unterminated", 4, b"MSH|"),
    Frame(BOM + ADT)]),
    "begun twice": (SB + SB + ADT + EB, [Fault("unterminated", 0), Frame(ADT)]),
    "never ended": (SB + ADT + SB + DFT, [Fault("unterminated", len(ADT), ADT), Fault("partial", len(DFT), DFT)]),
    "end block in text, then begun again": (
        SB + b"MSH|a\x1cb" + SB + b"FHS|" + EB, [Fault("unterminated", 7, b"MSH|a\x1cb"), Frame(b"FHS|")],
    ),
    "torn": (SB + ADT[:99], [Fault("partial", 99, ADT[:99])]),
    "torn at the start": (SB, [Fault("partial", 0)]),
    "torn before a header": (SB + b"a" + SB + b"MS", [Fault("partial", 4, b"a\x0bMS")]),
    "an end without a start": (b"abc" + EB + SB + b"a" + EB, [Fault("stray", 5, b"abc\x1c\r"), Frame(b"a")]),
    "over the limit": (SB + b"MSH|" + b"x" * 600 + EB + SB + b"b" + EB, [Fault("oversize", 604,
    b"MSH|" + b"x" * 600), Frame(b"b")]),
    "at the limit": (SB + b"x" * 500 + EB, [Frame(b"x" * 500)]),
    "at the limit with an end block": (SB + b"x" * 499 + b"\x1c" + EB, [Frame(b"x" * 499 + b"\x1c")]),
    "one over": (SB + b"x" * 501 + EB, [Fault("oversize", 501, b"x" * 501)]),
    "far over": (SB + b"y" * 5000 + EB, [Fault("oversize", 5000, b"y" * KEPT)]),
    "over the limit and begun again": (SB + b"x" * 700 + SB + ADT + EB, [Fault("oversize", 700, b"x" * 700),
    Frame(ADT)]),
    "over the limit and torn": (SB + b"x" * 700, [Fault("oversize", 700, b"x" * 700)]),
    "over the limit, then no CR": (
        SB + b"x" * 700 + b"\x1c" + SB + b"b" + EB, [Fault("oversize", 700, b"x" * 700), Fault("missing_cr", 0),
        Frame(b"b")],
    ),
    "torn at the limit": (SB + b"x" * 500, [Fault("partial", 500, b"x" * 500)]),
    "many stray bytes": (b"s" * 3000 + SB + b"a" + EB, [Fault("stray", 3000, b"s" * KEPT), Frame(b"a")]),
}  # fmt: skip


def _found(chunks: list[bytes], max_bytes: int = 500) -> Found:
    framer = Framer(max_bytes=max_bytes)
    found = [item for chunk in chunks for item in framer.feed(chunk)]
    return found + framer.close()


@pytest.mark.parametrize("name", TORN)
def test_whole_and_byte_by_byte(name: str) -> None:
    stream, expected = TORN[name]
    assert _found([stream]) == expected
    assert _found([stream[at : at + 1] for at in range(len(stream))]) == expected
    assert _found([stream[at : at + 7] for at in range(0, len(stream), 7)]) == expected


@pytest.mark.parametrize("name", TORN)
def test_every_split_point(name: str) -> None:
    stream, expected = TORN[name]
    for at in range(len(stream) + 1):
        assert _found([stream[:at], stream[at:]]) == expected, at


_ALL = b"".join(stream for name, (stream, _) in TORN.items() if "ar over" not in name and "any stray" not in name)


def test_every_split_point_of_all_of_them_in_one_stream() -> None:
    expected = _found([_ALL])
    assert sum(isinstance(item, Frame) for item in expected) > 25
    for at in range(len(_ALL) + 1):
        assert _found([_ALL[:at], _ALL[at:]]) == expected, at


_PIECES = st.sampled_from(
    [SB, EB, b"\x1c", b"\r", b"\n", b"MSH", b"MSH|^~\\&|", BOM, b"\xef", b"FHS", b"a", b" ", ADT, b"x" * 90, b"M", b"B"]
)


@given(st.lists(_PIECES, max_size=40), st.lists(st.integers(0, 4000), max_size=12), st.sampled_from([5, 100, 10_000]))
def test_any_stream_any_splits(pieces: list[bytes], cuts: list[int], max_bytes: int) -> None:
    stream = b"".join(pieces)
    borders = sorted({0, len(stream), *(cut % (len(stream) + 1) for cut in cuts)})
    chunks = [stream[begin:end] for begin, end in pairwise(borders)]
    assert _found(chunks, max_bytes) == _found([stream], max_bytes)


@given(st.lists(_PIECES, max_size=40))
def test_no_byte_is_lost(pieces: list[bytes]) -> None:
    """Every byte is in a frame, in a fault's count, or is a border (start, end block, last CR or LF)."""
    stream = b"".join(pieces)
    found = _found([stream], 1_000_000)
    frames = [item for item in found if isinstance(item, Frame)]
    faults = [item for item in found if isinstance(item, Fault)]
    inside = sum(len(item.payload) for item in frames) + sum(fault.count for fault in faults)
    kinds = [fault.kind for fault in faults]
    ends = len(frames) - kinds.count("missing_cr")  # each with two bytes, the others with one or, by LF, two
    starts = len(frames) + kinds.count("unterminated") + kinds.count("partial")
    least = inside + starts + 2 * ends + kinds.count("missing_cr")
    assert least <= len(stream) <= least + kinds.count("missing_cr")


@given(
    st.lists(st.binary(max_size=50).filter(lambda data: b"\x1c" not in data and SB not in data), max_size=8), st.data()
)
def test_frames_come_back(payloads: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(map(hl7v2.frame, payloads))
    cut = data.draw(st.integers(0, len(stream)))
    assert _found([stream[:cut], stream[cut:]]) == [Frame(payload) for payload in payloads]


def test_memory_is_bounded() -> None:
    framer = Framer(max_bytes=1000)
    framer.feed(SB)
    for _ in range(500):
        assert framer.feed(b"z" * 900) == []
        assert len(framer._buffer) <= 2000
    assert framer.oversize and framer.pending == 450_000
    assert framer.feed(EB) == [Fault("oversize", 450_000, b"z" * KEPT)]
    assert not framer.oversize and framer.pending == 0
    for _ in range(500):
        framer.feed(b"z" * 900)
        assert len(framer._buffer) <= 2000
    assert framer.close() == [Fault("stray", 450_000, b"z" * KEPT)]


@pytest.mark.parametrize("filling", [SB, b"\x1cx", SB + b"\x1cx", b"\x1cx" + SB + b"MSx"])
def test_border_bytes_in_text_cost_no_more_than_others(filling: bytes) -> None:
    """Each byte is searched once; were it once for each border byte, this would take minutes."""
    text = b"MSH|" + filling * (1_000_000 // len(filling))
    assert Framer(2_000_000).feed(SB + text + EB) == [Frame(text)]


def test_an_oversized_message_can_be_answered() -> None:
    (fault,) = Framer(max_bytes=200).feed(SB + ADT + EB)
    assert isinstance(fault, Fault) and fault.kind == "oversize"
    assert hl7v2.read(fault.data).control_id == "MSG-1"


def test_idle_ends_only_what_lacks_its_last_byte() -> None:
    framer = Framer()
    assert framer.idle() == []
    assert framer.feed(SB + ADT) == [] and framer.idle() == [] and framer.pending == len(ADT)
    assert framer.feed(b"\x1c") == []
    assert framer.idle() == [Frame(ADT), Fault("missing_cr", 0)] and framer.idle() == [] and framer.pending == 0
    assert framer.feed(b"\r" + SB + b"b" + EB) == [Fault("stray", 1, b"\r"), Frame(b"b")]


def test_a_framer_can_be_used_again_after_close() -> None:
    framer = Framer()
    framer.feed(b"junk" + SB + ADT[:20])
    assert framer.close() == [Fault("partial", 20, ADT[:20])]
    assert framer.close() == [] and framer.feed(SB + ADT + EB) == [Frame(ADT)]


@pytest.mark.parametrize("payload", [b"a\x1c\rb", b"\x1c", ADT + SB + ADT, SB + BOM + b"MSH"])
def test_what_cannot_be_framed(payload: bytes) -> None:
    with pytest.raises(Unreadable) as caught:
        hl7v2.frame(payload)
    assert caught.value.code == "mllp.payload"
    assert hl7v2.frame(b"a\x0bb") == b"\x0ba\x0bb\x1c\r"
