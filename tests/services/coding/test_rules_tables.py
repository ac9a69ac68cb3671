"""Code tables: what is billable on which day, fee schedule facts, drug units, and a site's tables before ours."""

from __future__ import annotations

import random
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from coding.rules import SHIPPED, Rules, load_rules_from, load_site_rules
from coding.rules.drugs import load_drug_units
from coding.rules.procedures import load_procedure_codes
from kernel.errors import Unreadable
from kernel.rules import check_cases, load_cases

TODAY, LONG_AGO = date(2026, 2, 10), date(2020, 2, 10)


@pytest.mark.parametrize(
    ("code", "today", "long_ago"),
    [
        ("I10", "billable", "billable"),
        ("E11.9", "billable", "billable"),
        ("E119", "billable", "billable"),
        ("E11", "header", "header"),
        ("S52.501", "header", "header"),
        ("S52.501A", "billable", "billable"),
        ("M54.5", "header", "billable"),
        ("M54.50", "billable", "not-effective"),
        ("E11.A", "billable", "not-effective"),
        ("Q99.999", "unknown", "unknown"),
        ("A00-A09", "unknown", "unknown"),
        ("i10", "unknown", "unknown"),
        ("", "unknown", "unknown"),
    ],
)
def test_icd10cm_on_the_date_of_service(rules: Rules, code: str, today: str, long_ago: str) -> None:
    assert rules.icd10cm.standing(code, TODAY) == today
    assert rules.icd10cm.standing(code, LONG_AGO) == long_ago


def test_billable_agrees_with_the_tabular_list(rules: Rules) -> None:
    """The package's own tree, which is slow to build, says the same as our list of codes."""
    import simple_icd_10_cm as tabular

    sample = random.Random(7).sample(list(rules.icd10cm.codes), 3000)
    dated = rules.icd10cm.dated.keys()
    for code in sample:
        expected = "billable" if tabular.is_leaf(code) else "header"
        assert code in dated or rules.icd10cm.standing(code, TODAY) == expected, code


@pytest.mark.parametrize(
    ("code", "today", "long_ago"),
    [
        ("99213", "valid", "valid"),
        ("99201", "not-effective", "valid"),
        ("G2211", "valid", "not-effective"),
        ("00000", "unknown", "unknown"),
        ("banana", "malformed", "malformed"),
        ("99213-25", "malformed", "malformed"),
    ],
)
def test_procedure_codes_on_the_date_of_service(rules: Rules, code: str, today: str, long_ago: str) -> None:
    assert rules.procedures.standing(code, TODAY) == today
    assert rules.procedures.standing(code, LONG_AGO) == long_ago


def test_which_procedures_swallow_the_visit_of_their_day(rules: Rules) -> None:
    assert rules.fees["20610"].global_period == 0
    assert rules.fees["99213"].global_period is None
    assert rules.fees["80053"].global_period is None


@pytest.mark.parametrize(
    ("code", "dose", "unit", "units", "quantity", "measure"),
    [
        ("J0897", "60", "mg", "60", "60", "ME"),
        ("J1885", "30", "mg", "2", "30", "ME"),
        ("J1885", "31", "mg", "3", "31", "ME"),
        ("J3420", "1", "mg", "1", "1", "ME"),
        ("J0696", "0.5", "g", "2", "0.5", "GR"),
        ("J1885", "2", "{unit}", "2", "30", "ME"),
        ("J9999", "3", "", "3", "3", "UN"),
    ],
)
def test_a_dose_in_billing_units(
    rules: Rules, code: str, dose: str, unit: str, units: str, quantity: str, measure: str
) -> None:
    amount = rules.drugs.measure(code, Decimal(dose), unit)
    assert amount is not None
    assert (amount.units, amount.ndc_quantity, amount.ndc_unit) == (Decimal(units), Decimal(quantity), measure)


@pytest.mark.parametrize(("code", "unit"), [("J1885", "mL"), ("J9999", "mg"), ("J1885", "[drp]")])
def test_a_dose_that_does_not_compare_has_no_units(rules: Rules, code: str, unit: str) -> None:
    assert rules.drugs.measure(code, Decimal(1), unit) is None


def test_every_derived_modifier_has_its_cases(rules: Rules) -> None:
    cases = load_cases((SHIPPED / "modifiers_cases.toml").read_text(), "modifiers_cases.toml")
    assert check_cases(rules.derived_modifiers, cases) == []


def test_a_sites_table_stands_before_the_shipped_one(tmp_path: Path) -> None:
    own = tmp_path / "coding"
    own.mkdir()
    (own / "ncci_mue.csv").write_text("code,mue,mai\n99213,1,2\n")
    site = load_site_rules(tmp_path)
    assert set(site.mue) == {"99213"}
    assert site.mue["99213"].absolute
    assert site.procedures == load_site_rules(None).procedures


@pytest.mark.parametrize(
    ("load", "text", "place"),
    [
        (load_procedure_codes, "code,effective_from,effective_to\n99213,yesterday,\n", "t.csv:2"),
        (load_procedure_codes, "code,effective_from,effective_to\n99213,2026-01-02,2026-01-01\n", "t.csv:2"),
        (load_procedure_codes, "code,effective_from,effective_to\n9921,,\n", "t.csv:2"),
        (load_procedure_codes, "code,effective_from,effective_to\n99213,\n", "t.csv:2"),
        (load_drug_units, "code,amount,unit\nJ1885,none,mg\n", "t.csv:2"),
        (load_drug_units, "code,amount,unit\nJ1885,0,mg\n", "t.csv:2"),
    ],
)
def test_one_bad_row_refuses_the_file_with_its_line(tmp_path: Path, load: object, text: str, place: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(text)
    with pytest.raises(Unreadable) as refused:
        load(path)  # type: ignore[operator]
    assert refused.value.path == place


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(Unreadable) as refused:
        load_rules_from([tmp_path])
    assert refused.value.code == "table_missing"
