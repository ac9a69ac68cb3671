"""SNIP 1 to 3 of the institutional and dental claim, of claim status and of attachments: each damage has its rule."""

from __future__ import annotations

import pytest
from x12 import check, read
from x12.views.attachment import build_275
from x12.views.claim import build_837d, build_837i
from x12.views.status import build_276, build_277
from x12_examples import ENVELOPE, NPI
from x12_more_examples import (
    ATTACHMENT,
    DENTAL,
    DEPENDENT_INQUIRY,
    INPATIENT,
    OUTPATIENT,
    PREDETERMINATION,
    STATUS_INFO,
    STATUS_INQUIRY,
)
from x12_mutations import Change, after, swap, without

TEXTS = {
    "837I": build_837i([INPATIENT, OUTPATIENT], ENVELOPE),
    "837D": build_837d([DENTAL, PREDETERMINATION], ENVELOPE),
    "276": build_276(STATUS_INQUIRY, ENVELOPE),
    "276-dependent": build_276(DEPENDENT_INQUIRY, ENVELOPE),
    "277": build_277(STATUS_INFO, ENVELOPE),
    "275": build_275(ATTACHMENT, ENVELOPE, "005010X210"),
    "275-6020": build_275(ATTACHMENT, ENVELOPE),
}
CASES: list[tuple[str, str, int, str, Change]] = [
    ("837I", "837I.charges", 3, "837I/2300/CLM02", swap("CTRL0101*1500*", "CTRL0101*1500.01*")),
    ("837I", "837I.charges", 3, "837I/2300/CLM02", swap("0250**600", "0250**599.99")),
    ("837I", "837I.line-adjudication", 3, "837I/2430/SVD02", swap("SVD*PAYER02*300", "SVD*PAYER02*299")),
    ("837I", "837I.other-payer", 3, "837I/2320/AMT02", swap("AMT*D*300", "AMT*D*301")),
    ("837I", "segment.missing", 2, "837I/2300/DTP", without("DTP*434")),
    ("837I", "segment.missing", 2, "837I/2300/CL1", without("CL1*")),
    ("837I", "segment.missing", 2, "837I/2300/HI", without("HI*ABK")),
    ("837I", "segment.missing", 2, "837I/2400/SV2", without("SV2*")),
    ("837I", "segment.unexpected", 2, "837I/2400/SV1", after("LX*", "SV1*HC:99213*1*UN*1***1")),
    ("837I", "segment.repeat", 2, "837I/2300/HI", after("HI*ABK", "HI*ABK:E119")),
    ("837I", "segment.unexpected", 2, "837I/2300/HI", swap("HI*ABJ", "HI*ZZZ")),
    ("837I", "element.code", 2, "837I/2300/CLM05-2", swap("11:A:1", "11:B:1")),
    ("837I", "element.code", 2, "837I/2300/DTP02", swap("434*RD8*20260102-20260105", "434*D8*20260102")),
    ("837I", "element.date-format", 1, "837I/2300/DTP03", swap("20260102-20260105", "20260105-20260102")),
    ("837I", "element.missing", 2, "837I/2300/CL103", swap("CL1*1*1*01", "CL1*1*1")),
    ("837I", "element.unused", 2, "837I/2300/HI02", swap("ABJ:R079", "ABJ:R079*ABJ:R079")),
    ("837I", "component.missing", 2, "837I/2300/HI01-5", swap("BE:80:::3*", "BE:80*")),
    ("837I", "element.code", 2, "837I/2000B/SBR09", swap("GRP01******CI", "GRP01******XX")),
    ("837I", "element.code", 2, "837I/2010AA/NM102", swap("NM1*85*2", "NM1*85*1")),
    ("837I", "element.code", 2, "837I/2400/SV204", swap("*DA*3", "*MJ*3")),
    ("837I", "hl.parent", 1, "837I/2000C/HL02", swap("HL*4*3*23", "HL*4*1*23")),
    ("837I", "code.npi", 5, "837I/NM109", swap(f"IRIS****XX*{NPI}", "IRIS****XX*1234567890")),
    ("837I", "segment.unknown", 1, "837I/2300/QQQ", after("CL1*", "QQQ*1")),
    ("837I", "element.too-long", 1, "837I/2400/SV201", swap("SV2*0250", "SV2*" + "0" * 49)),
    ("837D", "837D.charges", 3, "837D/2300/CLM02", swap("CTRL0201*290*", "CTRL0201*291*")),
    ("837D", "837D.diagnosis-pointer", 4, "837D/2400/SV311", swap("*190*********1", "*190*********2")),
    ("837D", "837D.service-in-future", 4, "837D/2300/DTP03", swap("472*D8*20260105", "472*D8*20270105")),
    ("837D", "837D.line-control", 4, "837D/2400/REF02", swap("REF*6R*L2", "REF*6R*L1")),
    ("837D", "segment.missing", 2, "837D/2400/SV3", without("SV3*")),
    ("837D", "segment.unexpected", 2, "837D/2400/SV2", after("LX*", "SV2*0120**1*UN*1")),
    ("837D", "element.code", 2, "837D/2400/SV301-1", swap("AD:D2393", "HC:D2393")),
    ("837D", "code.procedure", 5, "837D/SV301-2", swap("AD:D2393", "AD:99213")),
    ("837D", "element.code", 2, "837D/2400/SV305", swap("10:20*R*1", "10:20*X*1")),
    ("837D", "element.code", 2, "837D/2400/TOO01", swap("TOO*JP*14", "TOO*JO*14")),
    ("837D", "element.missing", 2, "837D/2400/TOO02", swap("TOO*JP*14*M:O:D", "TOO*JP")),
    ("837D", "element.code", 2, "837D/2300/CLM19", swap("*PB~", "*PX~")),
    ("837D", "code.place-of-service", 5, "837D/CLM05-1", swap("11:B:1", "00:B:1")),
    ("276", "segment.unexpected", 2, "276/2100D/REF", swap("TRN*1*TRACE1~", "")),
    ("276", "segment.missing", 2, "276/2100D/NM1", without("NM1*IL")),
    ("276", "segment.unexpected", 2, "276/2100D/TRN", swap("TRN*1*", "TRN*2*")),
    ("276", "element.missing", 1, "276/2210D/SVC02", swap("99213:25*100*", "99213:25**")),
    ("276", "segment.missing", 2, "276/2210D/DTP", swap("REF*FJ*L1~DTP*472*D8*20260105", "REF*FJ*L1")),
    ("276", "gs.functional-id", 1, "GS01", swap("GS*HR*", "GS*HN*")),
    ("276", "element.code", 2, "276/BHT02", swap("BHT*0010*13", "BHT*0010*08")),
    ("276-dependent", "segment.missing", 2, "276/2000E/DMG", swap("DMG*D8*20120506*M~", "")),
    ("276-dependent", "hl.parent", 1, "276/2000E/HL02", swap("HL*5*4*23", "HL*5*3*23")),
    ("277", "segment.missing", 2, "277/2200D/STC", without("STC*")),
    ("277", "segment.missing", 2, "277/2220D/STC", without("STC*", 1)),
    ("277", "element.missing", 2, "277/2200D/STC02", swap("STC*F1:65*20260105**125.5", "STC*F1:65***125.5")),
    ("277", "element.date", 1, "277/2200D/STC06", swap("*90*20260105*", "*90*20261305*")),
    ("277", "element.date-format", 1, "277/2200D/DTP03", swap("20260105-20260106", "20260105-2026010")),
    ("277", "hl.sequence", 1, "277/2000C/HL01", swap("HL*3*2*19", "HL*8*2*19")),
    ("277", "gs.functional-id", 1, "GS01", swap("GS*HN*", "GS*HC*")),
    ("275", "segment.missing", 2, "275/2100B/BIN", without("BIN*")),
    ("275", "segment.missing", 2, "275/1000D/NM1", swap("NM1*QC*1*ORCHARD*ALMA****MI*MEM0001~", "")),
    ("275", "segment.unexpected", 2, "275/2100B/BDS", swap("EFI*05~", "EFI*05~BDS*ASC*1*X~")),
    ("275-6020", "element.code", 2, "275-6020/BGN01", swap("BGN*11*", "BGN*99*")),
    ("275-6020", "segment.missing", 2, "275-6020/2000A/TRN", without("TRN*")),
    ("275-6020", "segment.missing", 2, "275-6020/2100B/CAT", without("CAT*")),
    ("275-6020", "element.code", 2, "275-6020/2100B/BDS01", swap("BDS*B64", "BDS*ZIP")),
    ("275-6020", "gs.functional-id", 1, "GS01", swap("GS*PI*", "GS*HC*")),
]  # fmt: skip


@pytest.mark.parametrize("name", TEXTS)
def test_the_unbroken_ones_have_no_findings(name: str) -> None:
    assert [item for found in read(TEXTS[name]) for item in check(found)] == []


@pytest.mark.parametrize(
    ("name", "rule", "snip", "path", "change"), CASES, ids=[f"{at}-{case[1]}" for at, case in enumerate(CASES)]
)
def test_each_damage_has_its_rule(name: str, rule: str, snip: int, path: str, change: Change) -> None:
    findings = [item for found in read(change(TEXTS[name])) for item in check(found) if item.is_error]
    theirs = [item for item in findings if item.rule == rule]
    assert path in {item.path for item in theirs}, sorted({(item.rule, item.path) for item in findings})
    assert {item.snip for item in theirs} == {snip}
