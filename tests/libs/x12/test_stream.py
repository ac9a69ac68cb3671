"""Files of any size: nothing is missed, every finding knows where it stands, and memory does not grow with the file."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice, pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from x12 import X12Error, balance, balance_stream, check, check_stream, read, survey, transaction_sets
from x12.acknowledge import acknowledge
from x12.check import run
from x12.views.claim import build_837p
from x12.views.remittance import build_835
from x12_examples import CLAIM, CLAIMS, ENVELOPE, REMITTANCE, SUBSCRIBER

CLAIM_TEXT = build_837p(CLAIMS, ENVELOPE)
REMIT_TEXT = build_835(REMITTANCE, ENVELOPE)


def _many(count: int) -> str:
    claims = [
        replace(CLAIM, control_number=f"C{at}", subscriber=replace(SUBSCRIBER, member_id=f"M{at:05d}"))
        for at in range(count)
    ]
    return build_837p(claims, ENVELOPE)


def _broken() -> str:
    """400 claims in one set; the third line charge of claim 300 is off, claim 350 has a bad NPI, one set count."""
    text = _many(400)
    at = text.index("CLM*C300*")
    text = text[:at] + text[at:].replace("*25.5*", "*25.4*", 1)
    at = text.index("CLM*C350*")
    return text[:at] + text[at:].replace("XX*1234567893", "XX*1234567890", 1).replace("SE*", "SE*1", 1)


@pytest.mark.parametrize(
    "text", [CLAIM_TEXT, REMIT_TEXT, _broken(), _broken() + REMIT_TEXT], ids=["claims", "remit", "broken", "two"]
)
def test_the_stream_finds_what_the_whole_finds(text: str) -> None:
    whole = [finding for item in read(text) for finding in check(item)]
    pieces = (text[at : at + 997].encode() for at in range(0, len(text), 997))
    assert sorted(map(repr, check_stream(pieces))) == sorted(map(repr, whole))


def test_findings_know_their_full_position() -> None:
    first, second, third = list(check_stream(CLAIM_TEXT + _broken()))
    assert (first.rule, first.path, first.loop_path) == (
        "837P.charges", "837P/2300/CLM02", "2000A[1]/2000B[301]/2300[1]",
    )  # fmt: skip
    assert (first.interchange, first.group, first.set) == (2, 1, 1)
    assert (second.rule, second.segment_id, second.element) == ("code.npi", "NM1", 9)
    assert second.loop_path == "2000A[1]/2000B[351]/2300[1]/2310B[1]"
    assert (third.rule, third.set) == ("se.count", 1)
    segments = list(next(islice(transaction_sets(CLAIM_TEXT + _broken()), 1, None)).segments)
    by_position = {segment.position: segment for segment in segments}
    assert by_position[first.position].get(1) == "C300"
    assert by_position[second.position].get(9) == "1234567890"


def test_component_and_repetition_are_part_of_a_position() -> None:
    text = CLAIM_TEXT.replace("HC:99213:25*", "HC:99213:2555*", 1)
    (finding,) = [item for item in check_stream(text) if item.rule == "element.too-long"]
    assert (finding.element, finding.component, finding.loop_path[-7:]) == (1, 3, "2400[1]")


@pytest.mark.parametrize("piece", [1, 2, 40])
def test_pieces_of_any_size_give_the_same_findings(piece: int, monkeypatch: pytest.MonkeyPatch) -> None:
    text = _broken()
    whole = list(check_stream(text))
    monkeypatch.setattr(run, "_PIECE", piece)
    assert list(check_stream(text)) == whole


@given(st.lists(st.integers(0, len(CLAIM_TEXT)), max_size=8))
def test_any_split_of_the_bytes_gives_the_same_findings(cuts: list[int]) -> None:
    text = CLAIM_TEXT.replace("*125.5*", "*125*").encode()
    places = [0, *sorted(cuts), len(text)]
    assert list(check_stream(text[start:end] for start, end in pairwise(places))) == list(check_stream(text))


@given(st.integers(0, len(CLAIM_TEXT) - 1), st.binary(max_size=4))
def test_a_damaged_file_gives_findings_or_an_error_with_a_position(at: int, damage: bytes) -> None:
    data = CLAIM_TEXT.encode()
    data = data[:at] + damage + data[at + len(damage) :]
    try:
        streamed = list(check_stream(data))
    except X12Error as error:
        assert 0 <= error.position <= len(data)
        return
    whole = [finding for item in read(data) for finding in check(item)]
    assert sorted(map(repr, streamed)) == sorted(map(repr, whole))


def test_a_survey_is_enough_for_an_acknowledgement() -> None:
    text = _broken() + CLAIM_TEXT
    for (light, findings), item in zip(survey(text), read(text), strict=True):
        assert acknowledge(light, findings) == acknowledge(item)
        assert all(len(transaction.segments) == 1 for transaction in light.sets())


def test_balances_of_a_stream() -> None:
    off = REMIT_TEXT.replace("BPR*I*80*", "BPR*I*81*")
    good, _, bad = balance_stream(REMIT_TEXT + CLAIM_TEXT.replace("ST*837", "ST*835") + off)
    assert good.report.balanced
    assert good.claims == 2
    (found,) = bad.report.breaks
    assert found == balance(next(transaction_sets(off))).breaks[0]
    assert bad.place == (3, 1, 1)


# ---- bad input: an error or a finding with a position ----


@pytest.mark.parametrize("keep", [60, 200, 700, len(CLAIM_TEXT) - 30])
def test_a_truncated_file(keep: int) -> None:
    """Between segments the end is a finding, within one an error at its start."""
    cut = CLAIM_TEXT[: CLAIM_TEXT.rindex("~", 0, keep) + 1] if keep > 106 else ""
    if cut:
        rules = {item.rule for item in check_stream(cut)}
        assert "iea.missing" in rules
    with pytest.raises(X12Error) as caught:
        list(check_stream(CLAIM_TEXT[:keep].rstrip("~")))
    assert caught.value.position == len(cut)


def test_an_isa_of_the_wrong_length_is_a_finding() -> None:
    short = CLAIM_TEXT.replace("*THROUGHLINE    *", "*THROUGHLINE*")
    (finding,) = check_stream(short)
    assert (finding.rule, finding.element, finding.position, finding.interchange) == ("isa.width", 6, 1, 1)


def test_an_isa_with_an_impossible_time_or_an_older_version_is_a_finding() -> None:
    (late,) = check_stream(CLAIM_TEXT.replace("*0405*^", "*2460*^"))
    assert (late.rule, late.code, late.element, late.severity) == ("isa.time", "015", 10, "error")
    (old,) = check_stream(CLAIM_TEXT.replace("*00501*", "*00401*"))
    assert (old.rule, old.code, old.severity, old.group) == ("isa.version", "017", "warning", 1)


@pytest.mark.parametrize(
    "data", [b"\x00\xff\xfe\x01" * 5_000, b"ISA" + bytes(range(256)) * 40, b"\x89PNG\r\n\x1a\n" * 99]
)
def test_binary_rubbish_is_an_error_with_a_position(data: bytes) -> None:
    with pytest.raises(X12Error) as caught:
        list(check_stream(data))
    assert caught.value.position >= 0


def test_mixed_encodings_are_kept_and_found() -> None:
    """A name in Latin-1 among UTF-8: the byte goes through unharmed, and is a finding."""
    data = CLAIM_TEXT.encode().replace(b"ORCHARD", "ORCHÄRD".encode(), 1).replace(b"ALMA", b"\xc4LMA", 1)
    assert [item.rule for item in check_stream(data)] == ["element.character"]
    segments = [segment for item in read(data) for segment in item.segments()]
    assert any("\udcc4LMA" in segment.elements for segment in segments)


def test_a_segment_without_end_is_refused_soon() -> None:
    taken = 0

    def source() -> Iterator[bytes]:
        nonlocal taken
        yield CLAIM_TEXT.encode()[:-1]
        for _ in range(2_000):
            taken += 1
            yield b"X" * (1 << 20)

    with pytest.raises(X12Error) as caught:
        list(check_stream(source()))
    assert caught.value.position == CLAIM_TEXT.rindex("IEA")
    assert taken < 5


def test_a_long_segment_in_small_pieces_costs_no_more() -> None:
    """900,000 characters, ten at a time: read in less than the square of it."""
    text = CLAIM_TEXT.replace("ORCHARD", "O" * 900_000, 1)
    pieces = [text[at : at + 10] for at in range(0, len(text), 10)]
    assert len(list(read(pieces))) == 1


def test_counted_data_may_hold_delimiters() -> None:
    data = "PDF~*:GE*1~ISA*\r\nÄ"
    count = len(data.encode())
    group = f"GS*PI*A*B*20260203*0405*1*X*006020X314~ST*275*0001~BIN*{count}*{data}~SE*3*0001~GE*1*1~"
    text = CLAIM_TEXT[:106] + group + "IEA*1*000000042~"
    for pieces in ([text.encode()], [bytes([byte]) for byte in text.encode()]):
        (found,) = transaction_sets(pieces)
        assert found.segments[1].elements == (str(count), data)
        assert [segment.id for segment in found.segments] == ["ST", "BIN", "SE"]
    wrong = text.replace(f"BIN*{count}*", f"BIN*{count + 1}*")
    with pytest.raises(X12Error):
        list(transaction_sets(wrong))
    harmless = text.replace(f"BIN*{count}*{data}~", "BIN*99*PDF~")
    assert next(iter(transaction_sets(harmless))).segments[1].elements == ("99", "PDF")


# ---- memory: measured in a process of its own ----

_MEASURE = """
import json, resource, sys, tracemalloc
sys.path.insert(0, {here!r})
from test_stream import CLAIM_TEXT, REMIT_TEXT
import x12

def source(text, first, last, copies):
    head, rest = text[:text.index(first)], text[text.index(first):]
    body, tail = rest[:rest.index(last)], rest[rest.index(last):]
    yield head.encode()
    for _ in range(copies):
        yield body.encode()
    yield tail.encode()

def peak(work):
    tracemalloc.start()
    said = work()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return said, most

peaks = []
for copies in (40, {copies}):
    claims = lambda: source(CLAIM_TEXT, "HL*2*1*22", "SE*", copies)
    payments = lambda: source(REMIT_TEXT, "CLP*CTRL0001", "CLP*CTRL0009", copies)
    peaks.append([
        peak(lambda: sum(1 for f in x12.check_stream(claims()) if f.rule == "hl.sequence") if copies < 41 else
             sum(1 for f in x12.check_stream(claims()))),
        peak(lambda: sum(1 for f in x12.check_stream(payments()))),
        peak(lambda: [b.claims for b in x12.balance_stream(payments())]),
    ])
print(json.dumps(peaks))
"""


def test_memory_is_flat_in_one_large_set() -> None:
    """One transaction set, forty and then nine hundred times its claims: the peak of memory stays where it was."""
    script = _MEASURE.format(here=str(Path(__file__).parent), copies=900)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=True)
    small, large = json.loads(done.stdout)
    assert large[2][0] == [901]
    for (_, before), (_, after) in zip(small, large, strict=True):
        assert after < before * 1.6 + 2_000_000
        assert after < 16_000_000
