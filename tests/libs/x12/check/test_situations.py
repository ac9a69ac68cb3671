"""SNIP 4: every row of the tables catches its own mutation, and the unbroken examples break no row."""

from __future__ import annotations

from dataclasses import replace

import pytest
from x12 import Finding, check
from x12.check.situations import rules_of, situations
from x12.tables.situations import SITUATIONS
from x12.views.claim import build_837i, build_837p
from x12.views.remittance import build_835
from x12_examples import CLAIMS, ENVELOPE, REMITTANCE, one
from x12_more_examples import INPATIENT, OUTPATIENT
from x12_mutations import Change, after, both, recounted, swap, without

PROFESSIONAL = build_837p(CLAIMS, ENVELOPE)
HOSPITAL = build_837i([INPATIENT, OUTPATIENT], ENVELOPE)
REMIT = build_835(REMITTANCE, ENVELOPE)
RENDERING = "NM1*82*1*MEADOW*IRIS****XX*1234567893~PRV*PE*PXC*207Q00000X~"
FACILITY = "NM1*77*2*ELM ANNEX*****XX*1234567893~N3*1 ASH ST~N4*SPRINGFIELD*IL*62701~"

MEDICARE = "*******{}~NM1*IL*1*ORCHARD*ALMA****MI*MEM0001"

SHARED: list[tuple[str, Change]] = [
    ("2000B.patient-level", swap("SBR*P*18*GRP01", "SBR*P**GRP01")),
    ("2000B.medicare-secondary", swap(MEDICARE.format("CI"), MEDICARE.format("MB"))),
    ("2000B.subscriber-address", without("N3*", 1)),
    ("2000B.subscriber-city", without("N4*", 1)),
    ("2000B.subscriber-demographics", without("DMG*")),
    ("2010BA.member-id", swap("NM1*IL*1*ORCHARD*ALMA****MI*MEM0001", "NM1*IL*1*ORCHARD*ALMA")),
    ("city.state", swap("N4*SPRINGFIELD*IL*627010000", "N4*SPRINGFIELD**627010000")),
    ("city.postal-code", swap("N4*SPRINGFIELD*IL*627010000", "N4*SPRINGFIELD*IL")),
    ("city.postal-form", swap("N4*SPRINGFIELD*IL*627010000", "N4*SPRINGFIELD*IL*62701-0000")),
    ("2010AA.full-postal-code", swap("N4*SPRINGFIELD*IL*627010000", "N4*SPRINGFIELD*IL*62701")),
    ("2010AA.street", swap("N3*12 ELM ST", "N3*P.O. BOX 12")),
    ("2300.attachment-control", after("CLM*", "PWK*OZ*EL")),
    ("2320.paid-date", without("DTP*573")),
    ("2320.not-adjudicated", after("AMT*D*", "AMT*A8*100")),
    ("2320.paid-amount", swap("AMT*D*", "CAS*CO*45*1~AMT*EAF*")),
    ("2320.not-adjusted", swap("AMT*D*", "CAS*CO*45*1~AMT*A8*")),
]  # fmt: skip
PROFESSIONAL_CASES: list[tuple[str, Change]] = [
    ("2000B.patient-is-subscriber", swap("SBR*P**GRP01", "SBR*P*18*GRP01")),
    ("2010AA.npi", swap("NM1*85*2*ELM CLINIC*****XX*1234567893", "NM1*85*2*ELM CLINIC")),
    ("2300.original-claim", without("REF*F8")),
    ("2300.original-claim-unasked", after("CLM*CTRL0001", "REF*F8*ICN1")),
    ("2300.negative-charge", swap("CTRL0001*125.5", "CTRL0001*-125.5")),
    ("2300.control-number-length", swap("CLM*CTRL0001", "CLM*" + "C" * 21)),
    ("2300.accident-date", without("DTP*439")),
    ("2300.accident-state", swap("*AA:::IL", "*AA")),
    ("2300.accident-state-unasked", swap("*AA:::IL", "*OA:::IL")),
    ("2300.accident-cause", swap("**AA:::IL", "")),
    ("2300.workers-compensation", swap("GRP01******CI", "GRP01******WC")),
    ("2300.auto-insurance", swap("GRP01******CI", "GRP01******AM")),
    ("2300.admission-date", swap("***11:B:1", "***21:B:1")),
    ("2300.discharge-without-admission", after("CLM*CTRL0001", "DTP*096*D8*20260106")),
    ("2300.patient-paid-negative", after("CLM*CTRL0001", "AMT*F5*-1")),
    ("2300.referral-twice", after("HI*", "NM1*P3*1*PINE*ANN")),
    ("2300.screening-referral", swap("UN*1***1:2", "UN*1***1:2****Y")),
    ("2300.pregnancy-last-period", after("SBR*P*18*GRP01", "PAT*********Y")),
    ("2300.supervisor-alone", swap(RENDERING, "NM1*DQ*1*PINE*ANN~")),
    ("2310B.npi", swap("NM1*82*1*MEADOW*IRIS****XX*1234567893", "NM1*82*1*MEADOW*IRIS")),
    ("2310C.full-postal-code", swap(RENDERING, RENDERING + FACILITY)),
    ("2400.negative-charge", swap("99213:25*100", "99213:25*-100")),
    ("2400.units", swap("*100*UN*1*", "*100*UN*0.0*")),
    ("2400.description", swap("HC:99213:25", "HC:99199")),
    ("2400.ambulance", swap("HC:99213:25", "HC:A0428")),
    ("2400.ambulance-pick-up", swap("HC:99213:25", "HC:A0436")),
    ("2400.ambulance-drop-off", swap("HC:99213:25", "HC:A0998")),
    ("2400.anesthesia-minutes", swap("*100*UN*1*", "*100*MJ*1.5*")),
    ("2400.reference-laboratory", swap("HC:99213:25", "HC:80053:90")),
    ("2400.mammography", swap("HC:99213:25", "HC:77067")),
    ("2400.equipment-therapy-date", after("SV1*", "CR3*I*MO*6")),
    ("2400.rental", after("SV1*", "SV5*HC:E0260*DA*1")),
    ("2400.pointer-unused", swap("***1:2", "***2:1")),
    ("2400.line-attachment", after("SV1*", "PWK*OZ*AA***AC*ATT1")),
    ("2410.national-drug-code", swap("N4*00026063512", "N4*0002606351")),
    ("2410.quantity", swap("CTP****10*ML", "CTP*****ML")),
    ("2430.remaining", after("DTP*573", "AMT*EAF*-1")),
    ("responsibility", swap("SBR*T*18", "SBR*P*18")),
    ("line-payer", swap("SVD*PAYER02", "SVD*PAYER09")),
    ("line-number", swap("LX*2", "LX*3")),
    ("line-control", swap("REF*6R*L2", "REF*6R*L1")),
    ("diagnosis-pointer", swap("***1:2", "***1:3")),
    ("service-in-future", swap("DTP*472*D8*20260105", "DTP*472*D8*20260204")),
    ("service-before-birth", swap("DTP*472*D8*20260105", "DTP*472*D8*19800228")),
]
HOSPITAL_CASES: list[tuple[str, Change]] = [
    ("2300.admission-date", without("DTP*435")),
    ("2300.start-of-care", without("DTP*435")),
    ("2300.admission-hour", swap("DTP*435*DT*202601020815", "DTP*435*D8*20260102")),
    ("2300.admission-type", swap("CL1*1*1*01", "CL1**1*01")),
    ("2300.admission-source", swap("CL1*1*1*01", "CL1*1**01")),
    ("2300.newborn-source", swap("CL1*1*1*01", "CL1*4*1*01")),
    ("2300.admitting-diagnosis", without("HI*ABJ")),
    ("2300.discharge-hour", without("DTP*096")),
    ("2300.discharge-hour-form", swap("DTP*096*TM*1130", "DTP*096*TM*2530")),
    ("2300.still-patient", swap("CL1*1*1*01", "CL1*1*1*30")),
    ("2300.reason-for-visit", without("HI*APR")),
    ("2300.reason-for-inpatient", after("HI*ABJ", "HI*APR:R079")),
    ("2300.attending", swap("NM1*71*1*MEADOW*IRIS****XX*1234567893~PRV*AT*PXC*207Q00000X~", "")),
    ("2300.operating", without("NM1*72")),
    ("2300.principal-procedure", without("HI*BBR")),
    ("2300.other-operating", swap("NM1*72*", "NM1*ZZ*")),
    ("2300.accident-state", without("REF*LU")),
    ("2300.covered-days", both(swap("GRP01******CI", "GRP01******MA"), swap("BE:80:::3*", ""))),
    ("2300.estimated-due-negative", swap("AMT*F3*10", "AMT*F3*-10")),
    ("2310A.npi", swap("NM1*71*1*MEADOW*IRIS****XX*1234567893", "NM1*71*1*MEADOW*IRIS")),
    ("2320.inpatient-answer", after("OI*", "MIA*1")),
    ("2320.one-answer", after("OI*", "MIA*1", "MOA***MA01")),
    ("2400.line-date", without("DTP*472")),
    ("2400.total-line", swap("SV2*0250", "SV2*0001")),
    ("2400.drug-code", swap("SV2*0450*HC:99283:25", "SV2*0636*")),
    ("2400.room-days", swap("*DA*3", "*UN*3")),
    ("2400.units", swap("*UN*5*", "*UN*0*")),
    ("2400.revenue-form", swap("SV2*0250", "SV2*25X")),
    ("2400.negative-charge", swap("0250**600", "0250**-600")),
    ("2400.unlisted", swap("HC:99283:25", "HC:99499")),
    ("service-outside-statement", swap("DTP*472*D8*20260105", "DTP*472*D8*20251231")),
    ("service-in-future", swap("20260102-20260105", "20260102-20260204")),
    ("line-number", swap("LX*2", "LX*1")),
    ("line-payer", swap("SVD*PAYER02", "SVD*PAYER09")),
    ("2300.original-claim", swap("11:A:1", "11:A:7")),
]
REMIT_CASES: list[tuple[str, Change]] = [
    ("root.negative-payment", swap("BPR*I*80*", "BPR*I*-80*")),
    ("root.guide-named", swap("ST*835*0001", "ST*835*0001*005010X221A1")),
    ("root.no-payment", swap("C*ACH*CCP", "C*NON*CCP")),
    ("root.notification", swap("BPR*I*", "BPR*H*")),
    ("root.ach-format", swap("*ACH*CCP*", "*ACH**")),
    ("root.paying-bank", swap("*01*021000021*DA*11*", "***DA*11*")),
    ("root.paying-account", swap("*DA*11*", "***")),
    ("root.receiving-bank", swap("*01*021000021*DA*22*", "***DA*22*")),
    ("root.receiving-account", swap("*DA*22*", "***")),
    ("root.trace-origin", swap("EFT0001*1512345678", "EFT0001*512345678")),
    ("1000B.payee-npi", swap("N1*PE*ELM CLINIC*XX*", "N1*PE*ELM CLINIC*24*")),
    ("2100.reversal-charge", swap("*22*-50*-4*", "*22*50*-4*")),
    ("2100.reversal-payment", swap("*22*-50*-4*", "*22*-50*4*")),
    ("2100.negative-charge", swap("*22*-50*-4*", "*1*-50*-4*")),
    ("2100.predetermination", swap("CLP*CTRL0001*1*", "CLP*CTRL0001*25*")),
    ("2100.not-ours", swap("CLP*CTRL0001*1*", "CLP*CTRL0001*23*")),
    ("2100.unknown-patient-paid", swap("CLP*CTRL0001*1*", "CLP*CTRL0001*4*")),
    ("2100.crossover", swap("CLP*CTRL0001*1*", "CLP*CTRL0001*19*")),
    ("2100.payer-claim-number", swap("*12*ICN0001", "*12*0")),
    ("2100.one-answer", swap("MOA***MA01", "MIA*1~MOA***MA01")),
    ("2100.remark", swap("CAS*CO*45*-46", "CAS*CO*16*-46")),
    ("2100.statement-end", after("MOA*", "DTM*233*20260105")),
    ("2100.patient-paid-negative", swap("*90*15.5*", "*90*-15.5*")),
    ("2110.service-date", without("DTM*472")),
    ("2110.period-end", swap("DTM*472", "DTM*150")),
    ("2110.period-start", swap("DTM*472", "DTM*151")),
    ("2110.one-date", after("DTM*472", "DTM*150*20260105", "DTM*151*20260105")),
    ("2110.remark", both(swap("CAS*PR*1*", "CAS*PR*16*"), without("LQ*"), without("LQ*"), without("MOA*"))),
    ("2110.reversal-charge", swap("*125.5*110~", "*-125.5*110~")),
    ("2110.original-units", swap("*125.5*110~", "*125.5*110****2~")),
]
CASES = (
    [("837P", name, change) for name, change in SHARED + PROFESSIONAL_CASES]
    + [("837I", name, change) for name, change in SHARED + HOSPITAL_CASES]
    + [("835", name, change) for name, change in REMIT_CASES]
)
TEXTS = {"837P": PROFESSIONAL, "837I": HOSPITAL, "835": REMIT}


def _found(text: str) -> list[Finding]:
    return check(one(text))


@pytest.mark.parametrize("guide", TEXTS)
def test_unbroken_examples_break_no_row(guide: str) -> None:
    assert _found(TEXTS[guide]) == []


@pytest.mark.parametrize(("guide", "name", "change"), CASES, ids=[f"{guide}.{name}" for guide, name, _ in CASES])
def test_each_row_catches_its_mutation(guide: str, name: str, change: Change) -> None:
    findings = {item.rule: item for item in _found(change(TEXTS[guide]))}
    rule = f"{guide}.{name}"
    assert rule in findings, sorted(findings)
    item = findings[rule]
    assert item.snip == 4
    assert item.position > 0
    assert item.expected


def test_no_row_is_without_a_mutation() -> None:
    """A row that no mutation reaches is a row that may be wrong. Shared rows are proven in one of the two guides."""
    proven = {f"{guide}.{name}" for guide, name, _ in CASES}
    shared = {rule.split(".", 1)[1] for rule in proven if rule.startswith("837")}
    for guide in SITUATIONS:
        for rule in situations(guide):
            name = rule.id.split(".", 1)[1]
            assert rule.id in proven or (guide != "835" and name in shared), rule.id


def test_there_are_more_than_sixty_mutations() -> None:
    assert len({(guide, name) for guide, name, _ in CASES}) > 130


def test_ids_are_unique_and_warnings_are_marked() -> None:
    for guide in SITUATIONS:
        rules = situations(guide)
        assert len({rule.id for rule in rules}) == len(rules)
        assert {rule.severity for rule in rules} == {"error", "warning"}
        assert all(rule.id.startswith(guide) and rule.snip == 4 for rule in rules)


def test_a_missing_segment_is_named_where_it_belongs() -> None:
    (item,) = [item for item in _found(without("REF*F8")(PROFESSIONAL)) if item.snip == 4]
    assert (item.path, item.scope, item.code, item.segment_id) == ("837P/2300/REF", "segment", "I6", "REF")
    (element,) = [item for item in _found(swap("*AA:::IL", "*AA")(PROFESSIONAL)) if item.snip == 4]
    assert (element.path, element.code) == ("837P/2300/CLM11-4", "2")


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("11:B:1", "11:B:7", "837P.2300.original-claim"),
        ("DMG*D8*19800229*F~", "", "837P.2000B.subscriber-demographics"),
        ("HC:99213:25", "HC:A0428", "837P.2400.ambulance"),
        ("N4*00026063512", "N4*0002606351", "837P.2410.national-drug-code"),
        ("***1:2", "***1:3", "837P.diagnosis-pointer"),
        ("HC:99213:25", "HC:99213:2Z", "code.modifier"),
    ],
)
def test_one_broken_claim_among_many_alike_is_found(old: str, new: str, rule: str) -> None:
    """Claims that look alike may share a verdict, but never with the one that differs."""
    subscribers = (replace(CLAIMS[0].subscriber, member_id=f"MEM{number:04d}") for number in range(400))
    claims = [
        replace(CLAIMS[0], control_number=f"C{number:04d}", subscriber=subscriber)
        for number, subscriber in enumerate(subscribers)
    ]
    head, mark, tail = build_837p(claims, ENVELOPE).partition("MI*MEM0333~")
    text = recounted(head + mark + tail.replace(old, new, 1))
    findings = _found(text)
    assert rule in {item.rule for item in findings}
    segments = one(text).segments
    opened = [segment.position for segment in segments if segment.id == "HL"]
    # HL 1 is the provider's, so that the 334th subscriber has the 335th
    assert {opened[334] <= item.position < opened[335] for item in findings} == {True}


def test_rows_from_outside_are_levels_six_and_seven() -> None:
    """A payer's own row: its member ids start with MEM and its lines carry no modifier 25."""
    rows = r"""
    payer.member-id | 2010BA | NM109 | NM109~MEM\d+ | a member id of this payer
    payer.modifier? | 2400 | SV101.3-6=25 | !SV101.3-6=25 | no modifier 25
    """
    rules = rules_of(rows, "837P", snip=7)
    found = [item for item in check(one(PROFESSIONAL), rules=rules) if item.snip == 7]
    assert {(item.rule, item.severity) for item in found} == {("payer.modifier", "warning")}
    assert len(found) == 3
    broken = PROFESSIONAL.replace("MI*MEM0001", "MI*X0001", 1)
    assert "payer.member-id" in {item.rule for item in check(one(broken), rules=rules)}
    assert check(one(HOSPITAL), rules=rules) == []


@pytest.mark.parametrize(
    "row", ["a | b | c | d", "a | 2300 | CLM | not an atom! | says", "a | 2300 | clm01 | CLM01 | says"]
)
def test_a_row_that_cannot_be_read_is_an_error_at_once(row: str) -> None:
    with pytest.raises(ValueError, match="rule"):
        rules_of(row, "837P")
