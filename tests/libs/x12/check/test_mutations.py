"""The faults that peers let through, and the ones that they catch: each must be found, and nothing else."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from x12 import Finding, check, read
from x12.views.claim import build_837p
from x12.views.eligibility import build_270
from x12.views.remittance import build_835
from x12_examples import CLAIMS, ENVELOPE, INQUIRY, NPI, REMITTANCE, one

CLAIM_TEXT = build_837p(CLAIMS, ENVELOPE)
REMIT_TEXT = build_835(REMITTANCE, ENVELOPE)
QUESTION = build_270(INQUIRY, ENVELOPE)


def _errors(text: str) -> list[Finding]:
    return [item for found in read(text) for item in check(found) if item.is_error]


def _swap(old: str, new: str, count: int = 1) -> Callable[[str], str]:
    def change(text: str) -> str:
        assert old in text
        return text.replace(old, new, count)

    return change


def _without(segment: str) -> Callable[[str], str]:
    """Drop the first segment that starts so, and count it off in SE01."""

    def change(text: str) -> str:
        lines = text.split("~")
        at = next(number for number, line in enumerate(lines) if line.startswith(segment))
        del lines[at]
        return _recounted("~".join(lines))

    return change


def _doubled(segment: str, times: int = 2) -> Callable[[str], str]:
    def change(text: str) -> str:
        lines = text.split("~")
        at = next(number for number, line in enumerate(lines) if line.startswith(segment))
        return _recounted("~".join([*lines[:at], *[lines[at]] * times, *lines[at + 1 :]]))

    return change


def _recounted(text: str) -> str:
    lines = text.split("~")
    start = next(number for number, line in enumerate(lines) if line.startswith("ST*"))
    end = next(number for number, line in enumerate(lines) if line.startswith("SE*"))
    _, _, control = lines[end].split("*")
    lines[end] = f"SE*{end - start + 1}*{control}"
    return "~".join(lines)


REMITTANCE_CASES = [
    ("835.transaction.balance", 3, "835/BPR02", _swap("BPR*I*80*", "BPR*I*80.01*")),
    ("835.line.balance", 3, "835/SVC03", _swap("*125.5*110~", "*125.5*109.99~")),
    ("835.claim.balance", 3, "835/CLP04", _swap("CLP*CTRL0009*22*-50*-4*", "CLP*CTRL0009*22*-50*-5*")),
    ("835.transaction.balance", 3, "835/BPR02", _swap("WO:REF*5*", "WO:REF*6*")),
    ("835.transaction.balance", 3, "835/BPR02", _swap("J1:REF*0.05", "J1:REF*0.06")),
    ("code.carc", 5, "835/CAS02", _swap("CAS*PR*1*", "CAS*PR*999*")),
    ("code.npi", 5, "835/N104", _swap(f"XX*{NPI}", "XX*1234567890")),
    ("element.code", 2, "835/2100/CLP02", _swap("CLP*CTRL0001*1*", "CLP*CTRL0001*9*")),
    ("element.decimal", 1, "835/2110/SVC02", _swap("99213:25*125.5*", "99213:25*12x*")),
    ("segment.missing", 2, "835/2100/NM1", _without("NM1*QC")),
    ("segment.missing", 2, "835/TRN", _without("TRN*")),
    ("segment.unexpected", 2, "835/2110/CLM", _swap("LQ*HE*N14", "CLM*1")),
]
CLAIM_CASES = [
    ("837P.charges", 3, "837P/2300/CLM02", _swap("CLM*CTRL0001*125.5*", "CLM*CTRL0001*125.51*")),
    ("837P.line-adjudication", 3, "837P/2430/SVD02", _swap("SVD*PAYER02*70*", "SVD*PAYER02*71*")),
    ("837P.other-payer", 3, "837P/2320/AMT02", _swap("AMT*D*70~", "AMT*D*69~")),
    ("code.npi", 5, "837P/NM109", _swap(f"XX*{NPI}", "XX*1234567890")),
    ("code.diagnosis", 5, "837P/HI01-2", _swap("ABK:E119", "ABK:119E")),
    ("code.procedure", 5, "837P/SV101-2", _swap("HC:99213", "HC:9921")),
    ("837P.diagnosis-pointer", 4, "837P/2400/SV107", _swap("UN*1***1:2", "UN*1***1:9")),
    ("837P.service-in-future", 4, "837P/2400/DTP03", _swap("DTP*472*D8*20260105", "DTP*472*D8*20270105")),
    ("837P.service-before-birth", 4, "837P/2400/DTP03", _swap("DTP*472*D8*20260105", "DTP*472*D8*19790105")),
    ("hl.parent", 1, "837P/2000C/HL02", _swap("HL*4*3*23", "HL*4*1*23")),
    ("hl.sequence", 1, "837P/2000B/HL01", _swap("HL*2*1*22", "HL*7*1*22")),
    ("code.state", 5, "837P/N402", _swap("SPRINGFIELD*IL*", "SPRINGFIELD*ZZ*")),
    ("code.place-of-service", 5, "837P/CLM05-1", _swap("11:B:1", "00:B:1")),
    ("element.date-format", 1, "837P/2010BA/DMG02", _swap("DMG*D8*19800229*", "DMG*D8*19800230*")),
    ("element.missing", 2, "837P/2300/CLM06", _swap("11:B:1*Y*A", "11:B:1**A")),
    ("component.missing", 2, "837P/2300/CLM05-3", _swap("11:B:1*", "11:B*")),
    ("element.code", 2, "837P/2000B/SBR01", _swap("SBR*P*18", "SBR*Q*18")),
    ("element.syntax-note", 1, "837P/2010AA/NM109", _swap(f"XX*{NPI}", "XX")),
    ("element.too-long", 1, "837P/2010BA/NM104", _swap("ORCHARD*ALMA", "ORCHARD*" + "A" * 36)),
    ("element.too-short", 1, "837P/1000A/NM109", _swap("46*SUB01", "46*S")),
    ("element.too-many", 1, "837P/1000B/NM113", _swap("46*REC01", "46*REC01****X")),
    ("segment.missing", 2, "837P/2010AA/N3", _without("N3*")),
    ("segment.missing", 2, "837P/1000B/NM1", _without("NM1*40")),
    ("segment.missing", 2, "837P/2300/HI", _without("HI*")),
    ("segment.repeat", 2, "837P/2300/HI", _doubled("HI*ABK")),
    ("segment.repeat", 2, "837P/2400/DTP", _doubled("DTP*472")),
    ("segment.sequence", 1, "837P/2300/DTP", _swap("REF*G1*AUTH0001~REF*F8", "REF*G1*A~DTP*431*D8*20260101~REF*F8")),
    ("segment.unknown", 1, "837P/2300/ZZZ", _swap("HI*ABK", "ZZZ*1~HI*ABK")),
    ("se.count", 1, "SE01", _swap("~SE*", "~SE*1")),
    ("se.control", 1, "SE02", _swap("*0001~GE*", "*0002~GE*")),
    ("ge.count", 1, "GE01", _swap("GE*1*", "GE*2*")),
    ("ge.control", 1, "GE02", _swap("GE*1*1~", "GE*1*9~")),
    ("iea.count", 1, "IEA01", _swap("IEA*1*", "IEA*2*")),
    ("iea.control", 1, "IEA02", _swap("IEA*1*000000042", "IEA*1*000000043")),
    ("gs.functional-id", 1, "GS01", _swap("GS*HC*", "GS*HP*")),
    ("st.guide", 1, "ST03", _swap("ST*837*0001*005010X222A1", "ST*837*0001*005010X222A2")),
    ("isa.usage", 1, "ISA15", _swap("*0*T*:", "*0*X*:")),
]  # fmt: skip


def _assert_found(found: list[Finding], rule: str, snip: int, path: str) -> None:
    assert rule in {item.rule for item in found}, [(item.rule, item.path) for item in found]
    item = next(item for item in found if item.rule == rule)
    assert item.snip == snip
    assert item.path == path
    assert item.position > 0


@pytest.mark.parametrize(("rule", "snip", "path", "change"), REMITTANCE_CASES)
def test_broken_remittances(rule: str, snip: int, path: str, change: Callable[[str], str]) -> None:
    _assert_found(_errors(change(REMIT_TEXT)), rule, snip, path)


@pytest.mark.parametrize(("rule", "snip", "path", "change"), CLAIM_CASES)
def test_broken_claims(rule: str, snip: int, path: str, change: Callable[[str], str]) -> None:
    _assert_found(_errors(change(CLAIM_TEXT)), rule, snip, path)


def test_the_unbroken_ones_have_no_findings() -> None:
    for text in (CLAIM_TEXT, REMIT_TEXT, QUESTION):
        assert [item for found in read(text) for item in check(found)] == []


def test_one_fault_gives_one_finding() -> None:
    """What is broken once is reported once, at the segment where it is."""
    (item,) = _errors(_swap("CLM*CTRL0001*125.5*", "CLM*CTRL0001*125.51*")(CLAIM_TEXT))
    (interchange,) = read(CLAIM_TEXT)
    assert next(s.position for s in interchange.segments() if s.id == "CLM") == item.position
    assert item.set_position == item.position - 2
    assert (item.found, item.expected) == ("125.51", "125.5")


def test_a_missing_technical_contact_is_a_warning_only() -> None:
    """The published examples of the 835 go without PER*BL."""
    (item,) = check(one(_without("PER*BL")(REMIT_TEXT)))
    assert (item.rule, item.severity) == ("segment.missing", "warning")


def test_a_single_contact_in_1000a_is_accepted() -> None:
    assert CLAIM_TEXT.count("PER*IC*DESK") == 1
    assert _errors(CLAIM_TEXT) == []


def test_trailing_separators_are_a_warning_only() -> None:
    found = check(one(CLAIM_TEXT.replace("46*REC01~", "46*REC01**~")))
    assert [(item.rule, item.severity) for item in found] == [("element.trailing-separator", "warning")]


def test_a_repeated_control_number_is_found() -> None:
    start, end = QUESTION.index("ST*"), QUESTION.index("GE*")
    double = QUESTION[:end] + QUESTION[start:end] + QUESTION[end:].replace("GE*1*", "GE*2*")
    assert [item.rule for item in _errors(double)] == ["st.control-repeated"]


def test_segments_that_share_a_position_may_come_in_any_order() -> None:
    changed = _swap("REF*G1*AUTH0001~REF*F8*ICN0001", "REF*F8*ICN0001~REF*G1*AUTH0001")(CLAIM_TEXT)
    assert _errors(changed) == []


def test_a_line_break_inside_an_element_is_found() -> None:
    found = _errors(_swap("12 ELM ST", "12 ELM\nST")(CLAIM_TEXT))
    assert [(item.rule, item.code) for item in found] == [("element.character", "6")]


def test_an_amount_that_cannot_be_read_does_not_raise() -> None:
    assert _errors(REMIT_TEXT.replace("*125.5*", "*12.555*"))


def test_too_many_lines_are_reported_at_the_first_too_many() -> None:
    lines = CLAIM_TEXT.split("~")
    at = next(number for number, line in enumerate(lines) if line.startswith("LX*2"))
    text = _recounted("~".join([*lines[:at], *lines[at : at + 4] * 50, *lines[at + 4 :]]))
    item = next(item for item in _errors(text) if item.rule == "loop.repeat")
    assert (item.path, item.code, item.expected) == ("837P/2400/LX", "4", "at most 50")
