"""Any interchange that can be built as a tree comes back equal from its text, however the text arrives."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from x12 import Delimiters, Group, Interchange, Segment, TransactionSet, read, write
from x12.tree import Place

_VALUE = st.text(st.characters(blacklist_characters="*:^~\r\n", blacklist_categories=("Cs",)), max_size=9)
_NAME = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=2, max_size=3).filter(
    lambda name: name not in ("ISA", "IEA", "GS", "GE", "ST", "SE", "BIN", "BDS") and not name.isdigit()
)
_ROW = st.tuples(_NAME, st.lists(_VALUE, max_size=6).map(tuple))
_BODY = st.lists(_ROW, max_size=8)
_ISA = ("00", " " * 10, "00", " " * 10, "ZZ", "A".ljust(15), "ZZ", "B".ljust(15), "260203", "0405", "^", "00501",
        "000000001", "0", "T", ":")  # fmt: skip


@st.composite
def interchanges(draw: st.DrawFn) -> Interchange:
    """Groups of sets of any segments, with strays outside of the sets, and with or without trailers."""
    marks = Delimiters(suffix=draw(st.sampled_from(("", "\n", "\r\n"))))
    place = 0

    def made(name: str, elements: tuple[str, ...]) -> Segment:
        nonlocal place
        place += 1
        return Segment(name, elements, place)

    def rows() -> tuple[Segment, ...]:
        return tuple(made(*row) for row in draw(st.lists(_ROW, max_size=2)))

    header = made("ISA", _ISA)
    strays = rows()
    groups = []
    for number in range(1, draw(st.integers(0, 2)) + 1):
        top = made("GS", ("HC", "A", "B"))
        group_strays = rows()
        sets = []
        for at in range(1, draw(st.integers(0, 3)) + 1):
            body = (made("ST", ("837", str(at))), *(made(*row) for row in draw(_BODY)), made("SE", ("9", str(at))))
            sets.append(TransactionSet(body, top, header, marks, Place(1, number, at)))
        groups.append(Group(top, tuple(sets), made("GE", ("1", "1")), group_strays))
    trailer = made("IEA", ("1", "000000001")) if draw(st.booleans()) else None
    return Interchange(header, tuple(groups), trailer, marks, strays, 1)


@given(interchanges(), st.lists(st.integers(0, 2_000), max_size=5))
def test_any_tree_comes_back(tree: Interchange, cuts: list[int]) -> None:
    data = write(tree).encode()
    assert list(read(data)) == [tree]
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    assert list(read(data[start:end] for start, end in pairwise(places))) == [tree]
    (again,) = read(data)
    assert write(again).encode() == data
    assert [item.place for item in again.sets()] == [item.place for item in tree.sets()]
