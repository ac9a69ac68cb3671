"""X12, HL7 and JSON as rows for people."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from journey.console.desks.forms import Entered, proposed_text, read_diagnoses, read_lines
from journey.console.desks.lines import lines_of
from journey.console.desks.patients import compare_patients
from journey.console.desks.readable import json_text, message_rows, readable_text, x12_rows
from kernel.errors import Unreadable
from rcm.billing.v1 import billing_pb2
from x12 import describe_lines

ISA = "ISA*00*          *00*          *ZZ*OURS           *ZZ*THEIRS         *260301*1200*^*00501*000000001*0*T*:~"
SET = f"{ISA}GS*HP*A*B*20260301*1200*1*X*005010X221A1~ST*835*0001~BPR*I*88*C*ACH*CCP***********20260301~"
PAID = (
    f"{SET}TRN*1*T1*1~LX*1~CLP*C1*22*-225*-88~CAS*CO*45*-90~SVC*HC:99214:25*-225*-88~SE*8*0001~GE*1*1~IEA*1*000000001~"
)


def parts(rows: list, id: str) -> dict[str, tuple[str, str, str]]:
    (row,) = [one for one in rows if one.id == id]
    return {part.place: (part.name, part.value, part.meaning) for part in row.parts}


def test_segments_of_an_835_say_what_they_mean() -> None:
    rows = x12_rows(describe_lines(PAID, mask_phi=False), "835")
    assert parts(rows, "CLP")["CLP02"] == ("status", "22", "takes an earlier payment back")
    assert parts(rows, "CAS")["CAS01"] == ("who owes it", "CO", "contract: provider owes it")
    assert parts(rows, "BPR")["BPR16"] == ("paid on", "2026-03-01", "")
    assert "ISA02" not in parts(rows, "ISA")
    loops = [(row.id, row.name) for row in rows if not row.position]
    assert ("2100", "claim payment") in loops
    depths = {row.id: row.depth for row in rows}
    assert depths["ISA"] == 0 < depths["ST"] < depths["CLP"] < depths["SVC"]


def test_masked_values_stay_masked() -> None:
    rows = x12_rows(describe_lines(PAID), "835")
    assert parts(rows, "CLP")["CLP01"][1] == "<2>"


def test_lines_that_are_no_segments_are_kept_as_they_are() -> None:
    rows = x12_rows(["what is this", "", "  (cut off)"], "837")
    assert [(row.id, row.name) for row in rows] == [("", "what is this"), ("", "(cut off)")]


@given(st.lists(st.text(max_size=60), max_size=8))
def test_no_line_breaks_the_reader(lines: list[str]) -> None:
    x12_rows(lines, "837")


@given(st.binary(max_size=300))
def test_no_bytes_break_the_readers(raw: bytes) -> None:
    message_rows(raw)
    readable_text(raw)
    message_rows(b"MSH|^~\\&|" + raw)


def test_fields_of_a_message_are_named_and_unescaped() -> None:
    raw = b"MSH|^~\\&|A|B|||20260301||DFT^P03|C1|P|2.5\rPID|1||1^^^M~2^^^N||O\\T\\K\rFT1|1\rFT1|2||||||9\rZAB|x\r"
    rows = message_rows(raw)
    assert [row.id for row in rows] == ["MSH", "PID", "FT1", "FT1", "ZAB"]
    fields = {part.place: (part.name, part.value) for row in rows for part in row.parts}
    assert fields["MSH-2"] == ("delimiters", "^~\\&")
    assert fields["PID-3"] == ("patient numbers", "1 ·  ·  · M\n2 ·  ·  · N")
    assert fields["PID-5"] == ("name", "O&K")
    assert fields["FT1(2)-7"] == ("transaction code", "9")
    assert fields["ZAB-1"] == ("", "x")
    assert message_rows(b'{"resourceType": "Patient"}') == []


def test_json_keeps_the_digits_that_it_came_with() -> None:
    assert json_text('{"value": 1.50, "other": 100}') == '{\n  "value": 1.50,\n  "other": 100\n}'
    assert json_text(b"{not json") == "{not json"
    assert json_text("[" * 100_000) == "[" * 100_000


def test_lines_of_a_claim_point_to_their_diagnoses() -> None:
    (line,) = lines_of(
        b'{"diagnosis": [{"sequence": 2, "diagnosisCodeableConcept": {"coding": [{"code": "I10"}]}}], "item": [{'
        b'"sequence": 1, "productOrService": {"coding": [{"code": "99214"}]}, "diagnosisSequence": [2, 3],'
        b'"servicedPeriod": {"start": "2026-03-01", "end": "2026-03-02"}, "net": {"value": 0.10}}]}'
    )
    assert (line.code, line.diagnoses, line.day, line.cents) == ("99214", "I10", "2026-03-01 to 2026-03-02", 10)
    assert lines_of(b"") == [] and lines_of(b"{}") == []


def test_patients_are_compared_without_case_and_blanks() -> None:
    first = b'{"name": [{"given": ["Ann"], "family": "Quill"}], "birthDate": "1970-01-02"}'
    second = b'{"name": [{"given": ["ANN"], "family": "quill"}], "birthDate": "1970-02-01", "gender": "female"}'
    same = {line.label: line.same for line in compare_patients(first, second)}
    assert (same["Name"], same["Birth date"], same["Sex"]) == (True, False, None)


def line_form(**given: str) -> Entered:
    told = {"code": "99213", "modifiers": "", "pointers": "1, 2", "day": "2026-03-02", "units": "1", "place": "11"}
    told |= {"proposed": ""} | given
    return Entered({f"line-0-{name}": [value] for name, value in told.items()})


def test_a_line_keeps_what_has_no_box() -> None:
    proposed = billing_pb2.ServiceLine(
        line_id="l1", ndc="00093721410", service_from="2026-03-01", service_to="2026-03-04"
    )
    (line,) = read_lines(line_form(proposed=proposed_text(proposed), modifiers="25 rt"))
    assert (line.line_id, line.ndc, list(line.modifiers)) == ("l1", "00093721410", ["25", "RT"])
    assert (line.service_from, line.service_to, list(line.pointers)) == ("2026-03-02", "2026-03-02", [1, 2])
    (same,) = read_lines(line_form(proposed=proposed_text(proposed), day="2026-03-01"))
    assert same.service_to == "2026-03-04"
    assert read_lines(line_form(code="")) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"day": ""},
        {"day": "yesterday"},
        {"pointers": "first"},
        {"pointers": "-1"},
        {"proposed": "zz"},
        {"proposed": "ff"},
    ],
)
def test_a_line_that_cannot_be_read_names_its_box(wrong: dict[str, str]) -> None:
    with pytest.raises(Unreadable) as told:
        read_lines(line_form(**wrong))
    assert all(value not in told.value.reason for value in wrong.values() if value)


def test_diagnoses_keep_their_order_and_leave_no_gap() -> None:
    found = read_diagnoses(Entered({"diagnosis": ["i10", "", "e11.9"]}))
    assert [(one.sequence, one.icd10cm) for one in found] == [(1, "I10"), (2, "E11.9")]


@pytest.mark.parametrize(("text", "cents"), [("", 0), ("5", 500), ("5.1", 510), ("$1,234.56", 123_456), ("0.05", 5)])
def test_dollars_become_exact_cents(text: str, cents: int) -> None:
    assert Entered({"paid": [text]}).cents("paid") == cents


@pytest.mark.parametrize("text", ["1e3", "5.123", "-1", "٣", "NaN", "1 2"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(Unreadable):
        Entered({"paid": [text]}).cents("paid")
