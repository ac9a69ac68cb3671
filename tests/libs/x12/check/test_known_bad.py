"""Samples that the README of the corpora calls faulty are refused, or blemished, for the reason that it states."""

from __future__ import annotations

from pathlib import Path

import pytest
from x12 import Finding, X12Error, acknowledge, balance, check, read, transaction_sets

X217 = "278/hipaa-attachments--x217-"
X215 = "278/hipaa-attachments--x215-inquiry-by-"
# file: rules (with the path where the README names one) that say what it says
REASONS: dict[str, list[tuple[str, str]]] = {
    "271/LinuxForHealth-x12--subscriber-health-benefit-check-error.271": [("se.control", "SE02")],
    "277/stupidedi--1.era": [("iea.control", "IEA02")],
    f"{X215}auth-number-response.edi": [("se.count", "SE01")],
    f"{X215}member-request.edi": [("se.count", "SE01")],
    f"{X215}member-response.edi": [("se.count", "SE01")],
    f"{X217}inpatient-request.edi": [("gs.functional-id", "GS01"), ("segment.unexpected", "278-request/")],
    f"{X217}inpatient-response-denied.edi": [("gs.functional-id", "GS01"), ("segment.unexpected", "/STC")],
    f"{X217}outpatient-response.edi": [
        ("se.count", "SE01"), ("gs.functional-id", "GS01"), ("segment.unexpected", "/STC"),
    ],
    f"{X217}revision-request.edi": [("se.count", "SE01"), ("gs.functional-id", "GS01")],
    "278/stupidedi--request-for-home-health-care.edi": [("se.count", "SE01")],
    "835/oxedi--balanced_5010_sample.txt": [("835.root.guide-named", "835/ST03")],
    "835/stupidedi--1.edi": [("isa.width", "ISA")],
    **{
        f"837I/hccinfhir--sample_837_{number}.txt": [
            ("segment.unexpected", "837I/2400/SV1"), ("segment.missing", "837I/2400/SV2"),
            ("segment.missing", "837I/2300/CL1"), ("segment.repeat", "837I/2300/HI"),
        ]
        for number in (1, 2, 3, 4, 6, 7, 8)
    },
    "ack-pairs/pyx12--835id.source.edi": [("835.transaction.balance", "835/BPR02")],
    "ack-pairs/pyx12--837miss.source.edi": [("se.missing", "ST"), ("ge.missing", "GS"), ("iea.missing", "ISA")],
    "ack-pairs/pyx12--bad_header_looping.source.edi": [("se.count", "SE01")],
    "ack-pairs/pyx12--elements.source.edi": [("se.count", "SE01")],
    "ack-pairs/pyx12--fail_no_IEA.source.edi": [("se.count", "SE01"), ("iea.missing", "ISA")],
    "ack-pairs/pyx12--trailer_errors.source.edi": [
        ("se.count", "SE01"), ("ge.control", "GE02"), ("iea.count", "IEA01"), ("iea.control", "IEA02"),
    ],
}  # fmt: skip
# README says so, no guide of ours can: 4010 claims whose CLM02 differs, and files that are only sketches
BLEMISHED_ONLY = {"835/oxedi--balanced_5010_sample.txt"}


def _findings(path: Path) -> list[Finding]:
    return [item for found in read(path.read_bytes()) for item in check(found)]


@pytest.mark.parametrize("name", REASONS)
def test_the_stated_reason_is_found(x12_corpus: Path, name: str) -> None:
    findings = _findings(x12_corpus / name)
    for rule, place in REASONS[name]:
        theirs = [item for item in findings if item.rule == rule]
        assert any(place in item.path for item in theirs), (rule, sorted({(i.rule, i.path) for i in findings}))
        assert all(item.is_error for item in theirs) is (name not in BLEMISHED_ONLY), rule
        assert all(item.position > 0 for item in theirs)


def test_free_text_before_isa_is_not_x12_and_behind_it_the_sums_fail(x12_corpus: Path) -> None:
    """835/stupidedi--3a.edi: a description stands before ISA; SE01 says 39 for 41; BPR02 is 2.54 off."""
    text = (x12_corpus / "835" / "stupidedi--3a.edi").read_text()
    with pytest.raises(X12Error) as caught:
        list(read(text))
    assert caught.value.position == len(text) - len(text.lstrip())
    (interchange,) = read(text[text.index("ISA*") :])
    rules = {item.rule for item in check(interchange)}
    assert {"se.count", "835.transaction.balance"} <= rules
    (transaction,) = interchange.sets()
    (item,) = balance(transaction).breaks
    assert (item.segment_id, item.found_cents, item.expected_cents) == ("BPR", 122_200, 122_454)


def test_a_refused_sample_is_refused_in_its_999(x12_corpus: Path) -> None:
    for name in ("837I/hccinfhir--sample_837_1.txt", "278/stupidedi--request-for-home-health-care.edi"):
        (interchange,) = read((x12_corpus / name).read_bytes())
        (group,) = acknowledge(interchange)
        assert (group.status, group.accepted) == ("R", 0)


def test_byte_order_marks_are_no_fault(x12_corpus: Path) -> None:
    for folder in ("997", "999"):
        (path,) = (x12_corpus / folder).glob("*")
        assert path.read_bytes().startswith(b"\xef\xbb\xbf")
        assert _findings(path) == []
        assert len(list(transaction_sets(path.read_bytes()))) == 1


def test_an_interchange_of_4010_around_a_5010_group_is_a_warning(x12_corpus: Path) -> None:
    """hccinfhir: ISA12 says 00401 while GS08 is a 5010 guide. It can be read, so it is not refused for that."""
    for path in (x12_corpus / "837I").glob("hccinfhir*"):
        (item,) = [item for item in _findings(path) if item.rule == "isa.version"]
        assert (item.severity, item.code) == ("warning", "017")
