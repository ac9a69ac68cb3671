"""Sets in portions: the views of all portions are the views of the whole, and memory holds one portion."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from x12 import ViewError, portions, read, transaction_sets
from x12.views.claim import (
    build_837d,
    build_837i,
    build_837p,
    read_837d,
    read_837i,
    read_837p,
    stream_837d,
    stream_837i,
    stream_837p,
)
from x12.views.remittance import build_835, read_835, stream_835
from x12_examples import CLAIMS, DEPENDENT_CLAIM, ENVELOPE, REMITTANCE, SUBSCRIBER
from x12_more_examples import DENTAL, INPATIENT, OUTPATIENT

_SUBSCRIBERS = [replace(SUBSCRIBER, member_id=f"M{at}") for at in range(4)]
PROFESSIONAL = build_837p(
    [
        replace(CLAIMS[at % 3], control_number=f"C{at}", subscriber=_SUBSCRIBERS[at % 4])
        if CLAIMS[at % 3] is not DEPENDENT_CLAIM
        else replace(CLAIMS[at % 3], control_number=f"C{at}")
        for at in range(30)
    ],
    ENVELOPE,
)
HOSPITAL = build_837i(
    [replace(item, control_number=f"C{at}") for at in range(8) for item in (INPATIENT, OUTPATIENT)], ENVELOPE
)
TEETH = build_837d([replace(DENTAL, control_number=f"C{at}") for at in range(9)], ENVELOPE)
REMIT = build_835(
    replace(
        REMITTANCE,
        claims=tuple(replace(item, control_number=f"C{at}") for at in range(9) for item in REMITTANCE.claims),
    ),
    ENVELOPE,
)


@pytest.mark.parametrize("most", [1, 2, 7, 1_000])
@pytest.mark.parametrize(
    ("text", "reader"),
    [(PROFESSIONAL, read_837p), (HOSPITAL, read_837i), (TEETH, read_837d), (REMIT, lambda item: read_835(item).claims)],
    ids=["837P", "837I", "837D", "835"],
)
def test_portions_are_read_like_the_whole(text, reader, most) -> None:  # type: ignore[no-untyped-def]
    whole = list(reader(next(transaction_sets(text))))
    parts = list(portions(text, most))
    assert [claim for part in parts for claim in reader(part)] == whole
    assert all(len(reader(part)) <= most for part in parts)
    assert len(parts) == -(-len(whole) // most)


def test_streams_of_views() -> None:
    whole = list(transaction_sets(PROFESSIONAL + PROFESSIONAL.replace("C7", "D7")))
    assert list(stream_837p(PROFESSIONAL + PROFESSIONAL.replace("C7", "D7"))) == [
        claim for item in whole for claim in read_837p(item)
    ]
    assert list(stream_837i(HOSPITAL)) == read_837i(next(transaction_sets(HOSPITAL)))
    assert list(stream_837d(TEETH)) == read_837d(next(transaction_sets(TEETH)))
    assert list(stream_835(REMIT)) == list(read_835(next(transaction_sets(REMIT))).claims)
    with pytest.raises(ViewError):
        next(stream_835(PROFESSIONAL))


def test_every_segment_is_in_a_portion_and_only_what_is_above_repeats() -> None:
    for text in (PROFESSIONAL, REMIT):
        (whole,) = transaction_sets(text)
        parts = list(portions(text, 3))
        assert {segment for part in parts for segment in part.segments} == set(whole.segments)
        assert all(list(part.segments) == sorted(part.segments, key=lambda item: item.position) for part in parts)
        assert all(part.place == whole.place for part in parts)
        ends = [segment.id for part in parts for segment in part.segments if segment.id in ("SE", "PLB")]
        assert ends.count("SE") == 1
        claims = [segment for part in parts for segment in part.segments if segment.id in ("CLM", "CLP")]
        assert len(claims) == len(set(claims))
    assert {segment.id for segment in parts[-1].segments} >= {"PLB", "SE"}


@given(st.lists(st.integers(0, len(PROFESSIONAL)), max_size=6), st.integers(1, 40))
def test_any_split_gives_the_same_portions(cuts: list[int], most: int) -> None:
    data = PROFESSIONAL.encode()
    places = [0, *sorted(cuts), len(data)]
    pieces = (data[start:end] for start, end in pairwise(places))
    assert list(portions(pieces, most)) == list(portions(data, most))


def test_a_set_without_end_is_read_as_far_as_is_wanted() -> None:
    head, body = PROFESSIONAL[: PROFESSIONAL.index("HL*2*")], PROFESSIONAL[PROFESSIONAL.index("HL*2*") :]
    body = body[: body.index("~SE*") + 1]
    taken = 0

    def source() -> Iterator[str]:
        nonlocal taken
        yield head
        while True:
            taken += 1
            yield body

    assert len(list(islice(stream_837p(source()), 1_000))) == 1_000
    assert taken < 50


def test_what_has_no_set_has_no_portion() -> None:
    (item,) = read(PROFESSIONAL)
    text = PROFESSIONAL[: PROFESSIONAL.index("~ST*") + 1]
    assert list(portions(text)) == []
    torn = PROFESSIONAL[: PROFESSIONAL.index("~SE*") + 1]
    assert [part.segments[-1].id for part in portions(torn, 1_000)] == [next(item.sets()).segments[-2].id]
    levels = "".join(f"HL*{at}*1*22*1~" for at in range(2, 50_000))
    many = list(portions(PROFESSIONAL[: PROFESSIONAL.index("HL*2*")] + levels))
    assert max(len(part.segments) for part in many) < 21_000
