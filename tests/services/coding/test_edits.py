"""Each coding edit where it must fire and where it must stay silent, and the modifiers that follow from the record."""

from __future__ import annotations

from typing import Any

import pytest
from coding.rules import Rules

LEFT, RIGHT, BOTH = "7771000", "24028007", "51440002"
LINE = "https://throughline.example/fhir"


def errors(chart: Any, rules: Rules) -> list[tuple[str, str]]:
    return [(finding.rule_id, finding.code) for finding in chart.code(rules).errors]


def warnings(chart: Any, rules: Rules) -> set[str]:
    return {finding.rule_id for finding in chart.code(rules).findings if finding.severity == "warning"}


def modifiers(chart: Any, rules: Rules) -> dict[str, tuple[str, ...]]:
    return {line.code: line.modifiers for line in chart.code(rules).lines}


def distinct(value: str) -> list[dict[str, Any]]:
    return [{"url": f"{LINE}/StructureDefinition/distinct-service", "valueCode": value}]


def explicit(*found: str) -> list[dict[str, Any]]:
    url = f"{LINE}/StructureDefinition/procedure-modifier"
    return [{"url": url, "valueCoding": {"system": "http://www.ama-assn.org/go/cpt", "code": code}} for code in found]


def test_an_ordinary_visit_is_sure(office: Any, rules: Rules) -> None:
    coded = office.code(rules)
    assert coded.findings == ()
    (line,) = coded.lines
    assert (line.code, line.modifiers, line.pointers, line.place, line.units) == ("99213", (), (1,), "11", 1)
    assert coded.diagnoses[0].icd10cm == "I10"


def test_the_same_visit_gives_the_same_lines(office: Any, rules: Rules) -> None:
    office.procedure("20610")
    first, again = office.code(rules), office.code(rules)
    assert first == again
    assert len({line.line_id for line in first.lines}) == 2


@pytest.mark.parametrize(
    ("code", "rule_id"), [("E11", "icd-not-billable"), ("Q99.999", "icd-invalid"), ("M54.5", "icd-not-billable")]
)
def test_a_diagnosis_that_cannot_be_billed(chart: Any, rules: Rules, code: str, rule_id: str) -> None:
    chart.diagnosis(code)
    chart.visit("99213")
    assert [found for found, _ in errors(chart, rules)] == [rule_id]


def test_a_diagnosis_is_judged_on_the_date_of_service(chart: Any, rules: Rules) -> None:
    chart.diagnosis("E11.A")
    chart.visit("99213")
    assert errors(chart, rules) == []
    chart.encounter["period"] = {"start": "2023-02-10"}
    assert errors(chart, rules) == [("icd-not-effective", "E11A")]


@pytest.mark.parametrize(
    ("code", "rule_id"), [("99441", "cpt-not-effective"), ("99999", "cpt-unknown"), ("banana", "cpt-invalid")]
)
def test_a_code_that_cannot_be_billed(chart: Any, rules: Rules, code: str, rule_id: str) -> None:
    chart.diagnosis("I10")
    chart.visit(code)
    assert errors(chart, rules) == [(rule_id, code)]


def test_nothing_to_bill_holds(chart: Any, rules: Rules) -> None:
    assert errors(chart, rules) == [("no-diagnosis", ""), ("no-billable-code", "")]


def test_an_unmapped_code_is_its_own_kind_of_work(office: Any, rules: Rules) -> None:
    office.unmapped = ["Procedure/local"]
    assert errors(office, rules) == [("unmapped", "")]
    assert office.code(rules).work_kind == "unmapped-code"
    office.visit("99441")
    assert office.code(rules).work_kind == "coder-review"


def test_only_an_unmapped_code_is_still_unmapped_work(chart: Any, rules: Rules) -> None:
    chart.diagnosis("I10")
    chart.unmapped = ["Procedure/local"]
    assert [found for found, _ in errors(chart, rules)] == ["unmapped", "no-billable-code"]
    assert chart.code(rules).work_kind == "unmapped-code"


def test_a_visit_without_any_date_holds(office: Any, rules: Rules) -> None:
    office.encounter.pop("period")
    assert ("no-date", "99213") in errors(office, rules)


def test_mue_by_day_and_by_line(office: Any, rules: Rules) -> None:
    office.drug("J1885", 8, "{unit}")
    assert errors(office, rules) == []
    office.drug("J1885", 1, "{unit}")
    assert errors(office, rules) == [("mue", "J1885")]


def test_units_of_the_record_and_no_units_at_all(office: Any, rules: Rules) -> None:
    office.procedure("97110", extension=[{"url": f"{LINE}/StructureDefinition/units", "valueDecimal": 6}])
    assert errors(office, rules) == []
    office.drug("J0897", 0, "mg")
    assert errors(office, rules) == [("units-missing", "J0897")]


def test_a_dose_that_cannot_be_counted_holds(office: Any, rules: Rules) -> None:
    office.drug("J1885", 2, "mL")
    assert errors(office, rules) == [("drug-units", "J1885")]


def test_a_drug_line_carries_ndc_quantity_and_unit(office: Any, rules: Rules) -> None:
    office.drug("J0897", 60, "mg")
    line = office.code(rules).lines[1]
    assert (line.units, line.ndc, line.ndc_quantity, line.ndc_unit) == (60, "99999089701", 60, "ME")


def test_an_add_on_needs_its_primary(office: Any, rules: Rules) -> None:
    office.procedure("90472")
    assert ("addon", "90472") in errors(office, rules)
    office.procedure("90471")
    assert errors(office, rules) == []


def test_pairs_with_indicator_0_never_go_together(office: Any, rules: Rules) -> None:
    office.order("80053")
    assert errors(office, rules) == []
    office.order("80048")
    assert errors(office, rules) == [("ptp", "80048")]


def test_no_modifier_parts_a_pair_with_indicator_0(office: Any, rules: Rules) -> None:
    office.order("80053")
    office.procedure("80048", extension=distinct("unusual-nonoverlapping"))
    assert modifiers(office, rules)["80048"] == ("XU",)
    assert errors(office, rules) == [("ptp", "80048")]


def test_pairs_with_indicator_1_are_parted_by_an_ncci_modifier(office: Any, rules: Rules) -> None:
    office.procedure("93000")
    office.procedure("93040")
    assert errors(office, rules) == [("ptp", "93040")]
    office.resources[-1]["extension"] = distinct("separate-encounter")
    assert errors(office, rules) == []
    assert modifiers(office, rules)["93040"] == ("XE",)


def test_pairs_on_different_days_are_no_pair(office: Any, rules: Rules) -> None:
    office.procedure("93000", performedDateTime="2026-02-10")
    office.procedure("93040", performedDateTime="2026-02-11")
    assert errors(office, rules) == []


def test_the_same_side_does_not_part_a_pair_and_another_side_does(office: Any, rules: Rules) -> None:
    office.procedure("93000", LEFT)
    office.procedure("93040", LEFT)
    assert errors(office, rules) == [("ptp", "93040")]
    office.resources[-1]["bodySite"][0]["coding"][0]["code"] = RIGHT
    assert errors(office, rules) == []


@pytest.mark.parametrize("code", ["20610", "96372", "90471", "17110"])
def test_modifier_25_on_a_visit_beside_a_procedure(office: Any, rules: Rules, code: str) -> None:
    office.procedure(code)
    assert modifiers(office, rules)["99213"] == ("25",)
    assert errors(office, rules) == []


@pytest.mark.parametrize("code", ["36415", "71046", "97110"])
def test_no_modifier_25_beside_what_does_not_swallow_the_visit(office: Any, rules: Rules, code: str) -> None:
    office.procedure(code)
    assert modifiers(office, rules)["99213"] == ()


def test_no_modifier_25_beside_a_procedure_of_another_day(office: Any, rules: Rules) -> None:
    office.procedure("20610", performedDateTime="2026-02-12")
    assert modifiers(office, rules)["99213"] == ()


@pytest.mark.parametrize(("side", "modifier"), [(LEFT, "LT"), (RIGHT, "RT"), (BOTH, "50")])
def test_sides(office: Any, rules: Rules, side: str, modifier: str) -> None:
    office.procedure("20610", side)
    assert modifiers(office, rules)["20610"] == (modifier,)


@pytest.mark.parametrize(
    ("value", "modifier"),
    [("separate-encounter", "XE"), ("separate-structure", "XS"), ("separate-practitioner", "XP"),
     ("unusual-nonoverlapping", "XU")],
)  # fmt: skip
def test_distinct_services(office: Any, rules: Rules, value: str, modifier: str) -> None:
    office.procedure("97110", extension=distinct(value))
    assert modifiers(office, rules)["97110"] == (modifier,)


def test_telehealth_has_95_on_every_line(office: Any, rules: Rules) -> None:
    office.encounter["class"]["code"] = "VR"
    office.procedure("96127")
    assert modifiers(office, rules) == {"99213": ("95",), "96127": ("95",)}
    assert errors(office, rules) == []


def test_explicit_modifiers_are_kept_first_and_never_doubled(office: Any, rules: Rules) -> None:
    office.procedure("20610", LEFT, extension=explicit("59", "LT"))
    assert modifiers(office, rules)["20610"] == ("59", "LT")


@pytest.mark.parametrize(
    ("given", "rule_id"),
    [
        (("ZZ",), "modifier-unknown"),
        (("25",), "modifier-misplaced"),
        (("LT", "RT"), "modifier-conflict"),
        (("26", "TC"), "modifier-conflict"),
        (("22", "52", "58", "79", "GA"), "modifier-too-many"),
        (("95",), "modifier-place"),
    ],
)
def test_modifiers_that_cannot_stand(office: Any, rules: Rules, given: tuple[str, ...], rule_id: str) -> None:
    office.procedure("71046", extension=explicit(*given))
    assert errors(office, rules) == [(rule_id, "71046")]


def test_a_repeat_at_another_time_has_76_or_77(office: Any, rules: Rules) -> None:
    office.procedure("71046", performedDateTime="2026-02-10T09:00:00Z")
    office.procedure("71046", performedDateTime="2026-02-10T15:00:00Z")
    assert [line.modifiers for line in office.code(rules).lines] == [(), (), ("76",)]
    other = office.add("Practitioner", identifier=[{"system": "http://hl7.org/fhir/sid/us-npi", "value": "1000000020"}])
    office.resources[-2]["performer"] = [{"actor": {"reference": other}}]
    assert [line.modifiers for line in office.code(rules).lines] == [(), (), ("77",)]
    assert warnings(office, rules) == set()


def test_a_repeat_at_an_unknown_time_is_told(office: Any, rules: Rules) -> None:
    office.procedure("71046")
    office.procedure("71046")
    assert warnings(office, rules) == {"repeat-service"}
    assert errors(office, rules) == []


def test_over_coding_holds_and_under_coding_is_told(office: Any, rules: Rules) -> None:
    office.visit("99215")
    assert errors(office, rules) == [("em-over", "99215")]
    office.visit("99212")
    assert errors(office, rules) == []
    assert warnings(office, rules) == {"em-under"}


def test_an_undocumented_level_is_not_compared(chart: Any, rules: Rules) -> None:
    chart.diagnosis("I10")
    chart.visit("99215")
    assert chart.code(rules).findings == ()


def test_a_word_that_is_none_holds(office: Any, rules: Rules) -> None:
    office.note(problems="gigantic")
    assert errors(office, rules) == [("em-element", "")]


def test_a_documented_level_without_a_visit_is_told(office: Any, rules: Rules) -> None:
    office.encounter.pop("type")
    office.procedure("71046")
    assert warnings(office, rules) == {"em-not-selected"}


def test_pointers_follow_the_reasons(chart: Any, rules: Rules) -> None:
    chart.diagnosis("I10")
    knee = chart.diagnosis("M17.11")
    chart.visit("99213")
    chart.procedure("20610", reasonReference=[{"reference": knee}])
    assert [line.pointers for line in chart.code(rules).lines] == [(1,), (2,)]


def test_twelve_diagnoses_at_most_and_each_once(chart: Any, rules: Rules) -> None:
    found = ["I10", "E11.9", "E78.5", "E03.9", "J06.9", "K21.9", "N39.0", "M54.2", "F41.1", "R05.9", "L30.9", "D64.9"]
    for code in [*found, "I10"]:
        chart.diagnosis(code)
    chart.visit("99213")
    assert [one.sequence for one in chart.code(rules).diagnoses] == list(range(1, 13))
    assert warnings(chart, rules) == set()
    chart.diagnosis("Z79.4")
    assert warnings(chart, rules) == {"diagnosis-limit"}
