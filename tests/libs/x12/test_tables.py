"""The tables themselves: every row can be what it says."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from x12.tables.elements import COMPOSITES, ELEMENTS
from x12.tables.guide_rows import Guide, LoopRow
from x12.tables.guides import GUIDES, find_guide
from x12.tables.segments import SEGMENTS
from x12.tables.table_codes import is_carc, is_npi


def _loops(loop: LoopRow) -> Iterator[LoopRow]:
    yield loop
    for inner in loop.loops:
        yield from _loops(inner)


def test_elements_have_a_type_and_lengths() -> None:
    for element in ELEMENTS.values():
        assert element.type in {"AN", "ID", "DT", "TM", "R", "N0", "B"}, element
        assert 1 <= element.least <= element.most, element


def test_syntax_notes_name_elements_that_exist() -> None:
    for row in SEGMENTS.values():
        for note in row.notes:
            assert note.kind in "PRECL", row.id
            assert max(note.positions) <= len(row.fields), (row.id, note)
    for name, (listing, _) in COMPOSITES.items():
        assert listing.split(), name


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.name)
def test_guides_use_segments_and_elements_that_exist(guide: Guide) -> None:
    for loop in _loops(guide.root):
        assert loop.usage in "RS"
        assert loop.uses, loop.id
        for use in loop.uses:
            row = SEGMENTS[use.segment]
            assert use.usage in "RSA", use
            for element, component in {*use.codes, *use.required, *use.unused}:
                assert element <= len(row.fields), use
                assert component <= len(row.fields[element - 1].parts), use
        positions = [use.position for use in loop.uses if use.segment != "SE"]
        assert positions == sorted(positions), (guide.name, loop.id)


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.name)
def test_a_loop_opens_with_a_required_segment_that_comes_once(guide: Guide) -> None:
    for loop in _loops(guide.root):
        if loop.id:
            assert (loop.uses[0].usage, loop.uses[0].most) == ("R", 1), loop.id


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.name)
def test_guides_narrow_only_to_codes_that_fit_the_element(guide: Guide) -> None:
    for loop in _loops(guide.root):
        for use in loop.uses:
            for (element, component), codes in use.codes.items():
                part = SEGMENTS[use.segment].fields[element - 1].parts[max(component - 1, 0)]
                if use.segment != "HL" and part.type == "ID":
                    assert {len(code) for code in codes} <= set(range(part.least, part.most + 1)), (loop.id, use)


def test_guides_are_found_by_errata_and_purpose() -> None:
    assert find_guide("837", "005010X222A2") is find_guide("837", "005010X222")
    request, response = find_guide("278", "005010X217", "13"), find_guide("278", "005010X217", "11")
    assert request is not None
    assert response is not None
    assert (request.name, response.name) == ("278-request", "278-response")
    assert find_guide("837", "004010X098A1") is None
    assert find_guide("837", "005010X223A3") is find_guide("837", "005010X223A2")
    assert find_guide("277", "005010X212") is not find_guide("277", "005010X214")
    assert find_guide("850", "005010X222A1") is None


@pytest.mark.parametrize("npi", ["1234567893", "1386672277", "1811901945"])
def test_npis(npi: str) -> None:
    assert is_npi(npi)
    for at in range(10):
        digit = str((int(npi[at]) + 1) % 10)
        assert not is_npi(npi[:at] + digit + npi[at + 1 :])


@pytest.mark.parametrize("npi", ["", "123456789", "12345678930", "3234567893", "123456789X", "\u0661234567893"])
def test_what_is_no_npi(npi: str) -> None:
    assert not is_npi(npi)


def test_carcs() -> None:
    assert all(map(is_carc, ("1", "45", "253", "A1", "B7", "P12", "W1")))
    assert not any(map(is_carc, ("", "0", "045", "999", "A", "A99", "B07", "Q1", "-1", "\u0661")))
