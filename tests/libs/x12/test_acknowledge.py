"""TA1 and 999 from findings."""

from __future__ import annotations

from pathlib import Path

from x12 import Interchange, acknowledge, acknowledge_interchange, check, read
from x12.views.acknowledgment import ElementError, build_999, build_ta1, read_999, read_ta1
from x12.views.claim import build_837p
from x12.views.eligibility import build_270
from x12_examples import CLAIMS, ENVELOPE, GROUP_ANSWER, INQUIRY, one

TEXT = build_837p(CLAIMS, ENVELOPE)


def _read(text: str) -> Interchange:
    (found,) = read(text)
    return found


def test_all_is_well() -> None:
    (answer,) = acknowledge(_read(TEXT))
    assert (answer.status, answer.included, answer.received, answer.accepted) == ("A", 1, 1, 1)
    assert (answer.functional_code, answer.group_control, answer.guide) == ("HC", "1", "005010X222A1")
    assert [(item.code, item.control, item.status) for item in answer.sets] == [("837", "0001", "A")]
    ta1 = acknowledge_interchange(_read(TEXT))
    assert (ta1.control_number, ta1.status, ta1.note) == ("000000042", "A", "000")


def test_an_element_at_fault_is_named_by_place_not_by_value() -> None:
    interchange = _read(TEXT.replace("11:B:1*", "11:B*", 1))
    (answer,) = acknowledge(interchange)
    (item,) = answer.sets
    assert (answer.status, item.status, item.codes) == ("R", "R", ("5",))
    (error,) = item.errors
    clm = next(segment for segment in interchange.segments() if segment.id == "CLM")
    assert (error.segment_id, error.loop, error.code) == ("CLM", "2300", "8")
    assert error.position == clm.position - 2
    assert error.elements == (ElementError(position=5, component=3, code="1", reference="1325"),)


def test_a_missing_segment_is_named() -> None:
    interchange = _read(TEXT.replace("REF*EI*123456789~", "", 1))
    (answer,) = acknowledge(interchange)
    assert ("REF", "2010", "3") in [(item.segment_id, item.loop, item.code) for item in answer.sets[0].errors]
    assert answer.sets[0].codes == ("4", "5")


def test_findings_beyond_snip_3_are_reported_and_the_set_goes_on() -> None:
    """IK501 E: accepted with errors noted; the claim itself is answered by the 277CA."""
    (answer,) = acknowledge(_read(TEXT.replace("HC:99213", "HC:9921", 1)))
    assert (answer.status, answer.accepted, answer.sets[0].status) == ("E", 1, "E")
    assert answer.sets[0].errors


def test_one_bad_set_of_two_is_a_partial_acceptance() -> None:
    start, end = TEXT.index("ST*"), TEXT.index("GE*")
    second = TEXT[start:end].replace("*0001*", "*0002*").replace("*0001~", "*0002~").replace("11:B:1*", "11:B*", 1)
    (answer,) = acknowledge(_read(TEXT[:end] + second + TEXT[end:].replace("GE*1*", "GE*2*")))
    assert (answer.status, answer.included, answer.received, answer.accepted) == ("P", 2, 2, 1)
    assert answer.rejected_sets == ("0002",)


def test_a_group_at_fault_is_rejected_whole() -> None:
    (answer,) = acknowledge(_read(TEXT.replace("GE*1*1~", "GE*1*9~")))
    assert (answer.status, answer.accepted, answer.codes) == ("R", 0, ("4",))


def test_an_interchange_at_fault_is_rejected_by_ta1() -> None:
    cases = (("IEA*1*000000042", "IEA*1*000000043", "001"), ("IEA*1*", "IEA*3*", "021"), ("*0*T*:", "*0*X*:", "020"))
    for old, new, note in cases:
        answer = acknowledge_interchange(_read(TEXT.replace(old, new)))
        assert (answer.status, answer.note) == ("R", note)
    cut = _read(TEXT[: TEXT.index("IEA*")])
    assert acknowledge_interchange(cut).note == "023"


def test_a_bad_isa_date_still_gets_an_answer() -> None:
    answer = acknowledge_interchange(_read(TEXT.replace("*260203*0405*", "*269903*0405*")))
    assert (answer.status, answer.note) == ("R", "014")


def test_a_999_is_not_answered_by_a_999() -> None:
    assert acknowledge(_read(build_999(GROUP_ANSWER, ENVELOPE))) == []


def test_the_answers_go_out_and_come_back() -> None:
    interchange = _read(TEXT.replace("11:B:1*", "11:B*", 1))
    findings = check(interchange)
    (answer,) = acknowledge(interchange, findings)
    transaction = one(build_999(answer, ENVELOPE))
    assert read_999(transaction) == answer
    assert check(transaction) == []
    ta1 = acknowledge_interchange(interchange, findings)
    assert read_ta1(_read(build_ta1(ta1, ENVELOPE))) == [ta1]


def test_a_999_holds_nothing_of_the_data() -> None:
    text = build_270(INQUIRY, ENVELOPE).replace("ORCHARD*ALMA", "ORCHARD*" + "ALMA" * 10)
    (answer,) = acknowledge(_read(text))
    assert answer.status == "R"
    assert "ALMA" not in build_999(answer, ENVELOPE)


def test_the_published_pair_of_a_line_break_in_an_element(x12_corpus: Path) -> None:
    """An 834 is no guide of ours, but its group and set are answered and the fault is the same IK3 and IK4."""
    source = (x12_corpus / "ack-pairs" / "pyx12--834_eol_in_element.source.edi").read_bytes()
    expected = read_999(one((x12_corpus / "ack-pairs" / "pyx12--834_eol_in_element.999.edi").read_text()))
    (interchange,) = read(source)
    (answer,) = acknowledge(interchange)
    assert (answer.status, answer.received, answer.accepted) == ("R", expected.received, expected.accepted)
    (wanted,) = expected.sets[0].errors
    found = next(item for item in answer.sets[0].errors if item.segment_id == "N3")
    assert found.position == wanted.position
    assert found.elements == wanted.elements
