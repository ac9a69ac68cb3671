"""Code sets by day: shipped lists, lists from outside, and the day of each line."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from x12 import Finding, check
from x12.code_sets import SHIPPED, CodeSet
from x12.views.claim import build_837i, build_837p
from x12.views.remittance import build_835
from x12.views.status import build_277
from x12_examples import CLAIM, CLAIMS, DAY, ENVELOPE, REMITTANCE, one
from x12_more_examples import INPATIENT, STATUS_INFO
from x12_mutations import swap

PROFESSIONAL, REMIT = build_837p(CLAIMS, ENVELOPE), build_835(REMITTANCE, ENVELOPE)
HOSPITAL = build_837i([INPATIENT], ENVELOPE)


def _rules(text: str, **given: object) -> list[tuple[str, str, str]]:
    findings: list[Finding] = check(one(text), **given)  # type: ignore[arg-type]
    return [(item.rule, item.path, item.severity) for item in findings if item.snip == 5]


@pytest.mark.parametrize(
    ("name", "code", "day", "good"),
    [
        ("carc", "45", date(2026, 1, 5), True),
        ("carc", "999", date(2026, 1, 5), False),
        ("carc", "17", date(2009, 6, 30), True),
        ("carc", "17", date(2009, 7, 1), False),
        ("carc", "1", date(1994, 12, 31), False),
        ("rarc", "N14", date(2026, 1, 5), True),
        ("rarc", "N9999", date(2026, 1, 5), False),
        ("places", "10", date(2021, 12, 31), False),
        ("places", "10", date(2022, 1, 1), True),
        ("places", "00", date(2026, 1, 5), False),
        ("modifiers", "93", date(2021, 12, 31), False),
        ("modifiers", "93", date(2022, 1, 1), True),
        ("states", "IL", date(2026, 1, 5), True),
        ("states", "ZZ", date(2026, 1, 5), False),
        ("status_categories", "F1", date(2026, 1, 5), True),
        ("status_categories", "Z9", date(2026, 1, 5), False),
        ("status_codes", "104", date(2026, 1, 5), True),
    ],
)
def test_shipped_lists(name: str, code: str, day: date, good: bool) -> None:
    assert getattr(SHIPPED, name).active(code, day) is good


def test_reasons_and_remarks_agree_with_the_published_list(x12_corpus: Path) -> None:
    """The reference table of the corpora, code by code and day by day."""
    path = x12_corpus.parent / "reference" / "cms-2024" / "adj_codes.csv"
    for row in csv.DictReader(path.read_text().splitlines()):
        if row["code_type"] not in ("CARC", "RARC"):
            continue
        listed = SHIPPED.carc if row["code_type"] == "CARC" else SHIPPED.rarc
        start = date.fromisoformat(row["start_date"])
        assert listed.active(row["code"], start), row
        assert not listed.active(row["code"], date(start.year - 1, 1, 1)), row
        if row["stop_date"]:
            assert not listed.active(row["code"], date.fromisoformat(row["stop_date"])), row


def test_spans_and_gaps() -> None:
    given = CodeSet.of(
        "x", [("A", date(2020, 1, 1), date(2021, 1, 1)), ("A", date(2022, 1, 1), None), ("B", None, None)]
    )
    assert [given.active("A", date(year, 6, 1)) for year in (2019, 2020, 2021, 2022)] == [False, True, False, True]
    assert given.active("B", date(1900, 1, 1))
    assert "A" in given
    assert "C" not in given
    assert given.between("20210201", "20220101") == {"A", "B"}
    assert given.between("20210201", "20211231") == {"B"}


_ROWS = [(f"A{number}", date(1995 + number % 30, 1, 1), date(2000 + number % 30, 1, 1)) for number in range(6_000)]
_LONG, _SHORT = CodeSet.of("long", _ROWS), CodeSet.of("short", _ROWS[:60])


@given(st.dates(date(1990, 1, 1), date(2030, 1, 1)))
def test_long_lists_answer_as_short_ones(day: date) -> None:
    for code, _, _ in _ROWS[:60]:
        assert _LONG.active(code, day) is _SHORT.active(code, day)


def test_each_line_is_asked_by_its_own_day() -> None:
    """Modifier 93 began on the first of January 2022: good on one line, not on the other."""
    early, late = (
        replace(CLAIM.lines[0], modifiers=("93",), date_from=day, line_control=str(day)) for day in
        (date(2021, 12, 31), date(2022, 1, 1))
    )  # fmt: skip
    for lines, position in (((early, late), 0), ((late, early), 1)):
        text = build_837p([replace(CLAIM, total_cents=20_000, lines=lines)], ENVELOPE)
        (item,) = [item for item in check(one(text)) if item.rule == "code.modifier"]
        services = [segment.position for segment in one(text).segments if segment.id == "SV1"]
        assert item.position == services[position]
        assert (item.severity, item.path, item.component) == ("error", "837P/SV101-3", 3)


def test_an_unknown_modifier_is_a_warning() -> None:
    assert _rules(swap("99213:25*", "99213:7Z*")(PROFESSIONAL)) == [("code.modifier", "837P/SV101-3", "warning")]


def test_a_place_of_service_by_day() -> None:
    old = replace(CLAIM, place_of_service="10", total_cents=10_000,
                  lines=(replace(CLAIM.lines[0], date_from=date(2021, 12, 31)),))  # fmt: skip
    assert ("code.place-of-service", "837P/CLM05-1", "error") in _rules(build_837p([old], ENVELOPE))
    new = replace(old, lines=(replace(old.lines[0], date_from=date(2022, 1, 1)),))
    assert _rules(build_837p([new], ENVELOPE)) == []


def test_procedures_and_diagnoses_from_outside() -> None:
    """Presence by day of service; without a list only the form is looked at."""
    assert _rules(PROFESSIONAL) == []
    procedures = CodeSet.of("procedures", [("99213", date(1995, 1, 1), None), ("J1550", date(1995, 1, 1), DAY)])
    found = _rules(PROFESSIONAL, codes=replace(SHIPPED, procedures=procedures))
    assert set(found) == {("code.procedure", "837P/SV101-2", "error")}
    assert len(found) == 2
    diagnoses = CodeSet.of("diagnoses", [("E119", date(2015, 10, 1), None)])
    found = _rules(PROFESSIONAL, codes=replace(SHIPPED, diagnoses=diagnoses))
    assert found == [("code.diagnosis", "837P/HI02-2", "error")] * 3


def test_institutional_lists_from_outside() -> None:
    revenue = CodeSet.of("revenue", [("0120", None, None)])
    pcs = CodeSet.of("pcs", [("027034Z", None, None)])
    found = _rules(HOSPITAL, codes=replace(SHIPPED, revenue=revenue, inpatient_procedures=pcs))
    assert found == [("code.inpatient-procedure", "837I/HI01-2", "error"), ("code.revenue", "837I/SV201", "error")]


def test_icd_versions_by_day() -> None:
    """ICD-9 after September 2015 is an error, ICD-10 before October 2015 a warning."""
    assert ("code.icd-version", "837P/HI01-1", "error") in _rules(swap("ABK:E119", "BK:25000")(PROFESSIONAL))
    old = PROFESSIONAL.replace("472*D8*20260105", "472*D8*20140105")
    assert ("code.icd-version", "837P/HI01-1", "warning") in _rules(old)


@pytest.mark.parametrize(
    ("text", "rule", "path"),
    [
        (swap("CAS*PR*1*", "CAS*PR*17*")(REMIT), "code.carc", "835/CAS02"),
        (swap("LQ*HE*N14", "LQ*HE*N100X")(REMIT), "code.rarc", "835/LQ02"),
        (swap("MOA***MA01", "MOA***MA999")(REMIT), "code.rarc", "835/MOA03"),
        (swap("11:A:1", "19:A:1")(HOSPITAL), "code.bill-type", "837I/CLM05-1"),
        (swap("BBR:027034Z", "BBR:027034O")(HOSPITAL), "code.inpatient-procedure", "837I/HI01-2"),
        (swap("ABJ:R079", "ABJ:079R")(HOSPITAL), "code.diagnosis", "837I/HI01-2"),
        (swap("STC*F1:65", "STC*Z9:65")(build_277(STATUS_INFO, ENVELOPE)), "code.status-category", "277/STC01-1"),
        (swap("STC*F1:65", "STC*F1:9999")(build_277(STATUS_INFO, ENVELOPE)), "code.status", "277/STC01-2"),
    ],
)
def test_codes_that_are_none(text: str, rule: str, path: str) -> None:
    assert (rule, path) in {(found[0], found[1]) for found in _rules(text)}


def test_a_remark_past_the_end_of_the_list_is_a_warning() -> None:
    assert _rules(swap("LQ*HE*N14", "LQ*HE*N896")(REMIT)) == [("code.rarc", "835/LQ02", "warning")]


def test_a_reason_that_stopped_may_answer_an_old_service() -> None:
    """CARC 17 stopped in July 2009: good when the service was before, also in a later answer."""
    old = swap("CAS*PR*1*", "CAS*PR*17*")(REMIT).replace("DTM*472*20260105", "DTM*472*20080105")
    assert _rules(old) == []
