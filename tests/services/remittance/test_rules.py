"""Every rule row has a case; unknown codes stay open; a site's file replaces ours and is refused when wrong."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from kernel.rules import RuleError, check_cases, load_cases, load_rules
from remittance.rules import load_rulebook
from remittance.rules.load import SHIPPED

ON = date(2026, 2, 1)


@pytest.mark.parametrize("name", ["carc", "contracts", "deadlines"])
def test_every_row_is_proven_by_a_case(name: str) -> None:
    rules = load_rules((SHIPPED / f"{name}.toml").read_text(), name)
    cases = load_cases((SHIPPED / f"{name}.cases.toml").read_text(), name)
    assert check_cases(rules, cases) == []


def test_a_code_that_no_row_knows_is_a_denial_and_not_a_write_off() -> None:
    judgment = load_rulebook().judge("SYNPA", "CO", "999", (), ON)
    assert (judgment.kind, judgment.category) == ("denial", "unclassified")


def test_forty_five_is_contractual_only_under_co() -> None:
    book = load_rulebook()
    assert book.judge("SYNPA", "CO", "45", (), ON).kind == "contractual"
    assert book.judge("SYNPA", "PI", "45", (), ON).kind == "denial"
    assert book.judge("SYNPA", "PR", "45", (), ON).kind == "patient"


@pytest.mark.parametrize(("charge", "allowed"), [(10000, 6000), (1, 1), (2, 1), (101, 61), (0, 0)])
def test_the_contract_rounds_half_up(charge: int, allowed: int) -> None:
    assert load_rulebook().allowed_cents("SYNPA", charge, ON) == allowed


def test_a_payer_without_a_contract_is_not_audited() -> None:
    assert load_rulebook().allowed_cents("OTHER", 10000, ON) is None


def test_deadlines_differ_by_payer_and_remark() -> None:
    book = load_rulebook()
    assert book.appeal_by("SYNPA", "authorization", (), ON) == date(2026, 7, 31)
    assert book.appeal_by("SYNPB", "coding", (), ON) == date(2026, 6, 6)
    assert book.appeal_by("SYNPB", "missing-data", ("MA130",), ON) == date(2026, 3, 3)
    assert book.appeal_by("OTHER", "coding", (), ON) == date(2026, 5, 2)


def test_business_days_skip_weekends_and_bank_holidays() -> None:
    book = load_rulebook()
    assert book.business_days_after(date(2026, 3, 5), 3) == date(2026, 3, 10)
    assert book.business_days_after(date(2026, 11, 24), 3) == date(2026, 11, 30)
    assert book.business_days_after(date(2027, 7, 2), 1) == date(2027, 7, 6)


@pytest.mark.parametrize("friday", [date(2026, 7, 3), date(2027, 6, 18), date(2027, 12, 24)])
def test_the_banks_are_open_on_the_friday_before_a_saturday_holiday(friday: date) -> None:
    assert load_rulebook().business_days_after(friday - timedelta(days=1), 1) == friday


def test_a_sites_file_replaces_the_shipped_one(tmp_path: Path) -> None:
    own = (SHIPPED / "carc.toml").read_text()
    row = (
        '[[rule]]\nid = "own-bundling"\npayer = "SYNPA"\neffective_from = 2020-01-01\n'
        'applies = [{field = "group", op = "eq", value = "CO"}, {field = "carc", op = "eq", value = "97"}]\n'
        'outcome = {kind = "contractual"}\nbecause = "Agreed."\nsource = "site"\n\n'
    )
    (tmp_path / "carc.toml").write_text(row + own)
    book = load_rulebook(tmp_path)
    assert book.judge("SYNPA", "CO", "97", (), ON).kind == "contractual"
    assert book.judge("SYNPB", "CO", "97", (), ON).kind == "denial"


def row(outcome: str) -> str:
    head = '[[rule]]\nid = "x"\npayer = "*"\neffective_from = 2020-01-01\napplies = []\n'
    return f'{head}outcome = {{{outcome}}}\nbecause = "b"\nsource = "s"\n'


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("carc.toml", row('kind = "gift"')),
        ("deadlines.toml", row("days = -1")),
        ("contracts.toml", row("tolerance_cents = 1")),
        ("bank_holidays.toml", 'holidays = ["2026-01-01"]'),
        ("bank_holidays.toml", "holidays = ["),
    ],
)
def test_a_wrong_file_of_a_site_is_refused(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(RuleError):
        load_rulebook(tmp_path)
