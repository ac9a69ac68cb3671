"""Batch files: the messages, the counts, and the ways in which files arrive broken."""

from __future__ import annotations

import hl7v2
import pytest
from kernel.errors import Unreadable

FHS, BHS = r"FHS|^~\&|EHR|CLINIC", r"BHS|^~\&|EHR|CLINIC"
ONE, TWO = "MSH|^~\\&|EHR|||||||1\rPID|1||7", "MSH|^~\\&|EHR|||||||2\rPID|1||8"


def _file(*parts: str, end: str = "\r") -> bytes:
    return "".join(part + end for part in parts).encode()


def _codes(data: bytes) -> list[str]:
    return [finding.code for finding in hl7v2.split_batch(data).findings]


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_a_whole_file(end: str) -> None:
    one, two = ONE.replace("\r", end), TWO.replace("\r", end)
    found = hl7v2.split_batch(_file(FHS, BHS, one, two, "BTS|2|ok", BHS, one, "BTS|1", "FTS|2", end=end))
    assert found.messages == (one.encode(), two.encode(), one.encode())
    assert found.findings == () and found.has_headers
    assert [hl7v2.read(message).control_id for message in found.messages] == ["1", "2", "1"]


@pytest.mark.parametrize(
    ("parts", "codes"),
    [
        ((FHS, BHS, ONE, "BTS|2", "FTS|1"), ["batch.count"]),
        ((FHS, BHS, ONE, "BTS|1", "FTS|2"), ["file.count"]),
        ((FHS, BHS, ONE, "BTS", "FTS"), []), ((FHS, BHS, ONE, "BTS||", "FTS||"), []),
        ((FHS, BHS, ONE, "BTS|one", "FTS|1"), ["batch.count_unreadable"]),
        ((FHS, BHS, ONE, "BTS|1"), ["file.no_trailer"]), ((FHS, BHS, ONE), ["file.no_trailer", "batch.no_trailer"]),
        ((BHS, ONE, "BTS|1"), []), ((BHS, ONE, BHS, TWO, "BTS|1"), ["batch.no_trailer"]),
        ((FHS, BHS, "BTS|0", "FTS|1"), []), ((FHS, "FTS|0"), []),
        ((FHS, BHS, "ZZZ|1", ONE, "BTS|1", "FTS|1"), ["batch.stray"]),
        ((FHS, BHS, ONE, "BTS|1", "PID|1", "FTS|1"), ["batch.stray"]),
        (("hello", BHS, ONE, "BTS|1"), ["batch.stray"]),
        ((FHS, BHS, ONE, "BTS|3", "FTS|9"), ["batch.count", "file.count"]),
        ((FHS, BHS, ONE, "BTS|1", "FTS|1", FHS, BHS, TWO, "BTS|1", "FTS|1"), []),
        ((ONE, TWO), []), ((ONE,), []), ((ONE, "BTS|2"), ["batch.count"]),
    ],
)  # fmt: skip
def test_findings(parts: tuple[str, ...], codes: list[str]) -> None:
    assert _codes(_file(*parts)) == codes


def test_a_finding_says_what_and_where() -> None:
    data = _file(FHS, BHS, ONE, "BTS|2", "FTS|1")
    (finding,) = hl7v2.split_batch(data).findings
    assert (finding.expected, finding.found) == (2, 1)
    assert data[finding.position :].startswith(b"BTS|2")


def test_a_file_without_headers() -> None:
    found = hl7v2.split_batch(b"\xef\xbb\xbf\r\n" + _file(ONE, "", TWO))
    assert found.messages == (ONE.encode(), TWO.encode()) and not found.has_headers and not found.findings


def test_frames_left_in_a_file() -> None:
    found = hl7v2.split_batch(hl7v2.frame(ONE.encode()) + hl7v2.frame(TWO.encode()))
    assert found.messages == (ONE.encode(), TWO.encode())


def test_only_a_segment_begins_a_message() -> None:
    inner = ONE + "\rNTE|1||see MSH|^~\\& in BTS|4\rMSHX|1\rZZZ|BHS"
    found = hl7v2.split_batch(_file(FHS, BHS, inner, "BTS|1", "FTS|1"))
    assert found.messages == (inner.encode(),) and not found.findings


def test_bytes_stay_as_they_are() -> None:
    odd = ONE.encode() + b"\rNTE|1||\xff\x85\xa0 \xe3\x82\xbd  "
    assert hl7v2.split_batch(_file(FHS) + odd + b"\rFTS|0\r").messages == (odd,)


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-be", "utf-32-le"])
def test_wide_files(codec: str) -> None:
    found = hl7v2.split_batch(_file(BHS, ONE, TWO, "BTS|2").decode().encode(codec))
    assert [hl7v2.read(message).get("PID-3") for message in found.messages] == ["7", "8"] and not found.findings


def test_a_wide_file_that_was_torn_within_a_character() -> None:
    data = _file(BHS, ONE).decode().encode("utf-16")
    found = hl7v2.split_batch(data[:-5])
    assert [hl7v2.read(message).get("PID-1") for message in found.messages] == ["1"]
    assert [finding.code for finding in found.findings] == ["batch.no_trailer"]


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"", "hl7.empty"), (b"\r\n \x1a", "hl7.empty"), (b"a,b\n1,2", "hl7.no_msh"), (b"PID|1", "hl7.no_msh")],
)
def test_what_is_no_file(data: bytes, code: str) -> None:
    with pytest.raises(Unreadable) as caught:
        hl7v2.split_batch(data)
    assert caught.value.code == code
