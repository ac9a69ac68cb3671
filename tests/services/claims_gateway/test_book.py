"""The rule files: what ships is whole, a site's file takes its place, and a wrong row refuses all."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from claims_gateway.rules import RuleBook, load_book
from claims_gateway.rules.book import SHIPPED
from kernel.errors import Unreadable
from kernel.rules import check_cases, load_cases

TODAY = date(2024, 8, 1)
EDIT = '[[edit]]\nid = "x"\nrank = 1\ncarc = "1"\nseverity = "{}"\nbecause = "b"\ncheck = "{}"\nsource = "s"'
PAYER = """
[[payer]]
id = "SITE1"
name = "SITE PAYER"
filing_indicator = "CI"
timely_filing_days = 90
corrected_filing_days = 90
receiver = "SYNCLEAR"
mpfs = false
"""


def test_the_deadline_counts_from_the_first_day_of_service(book: RuleBook) -> None:
    assert book.payers["SYNPA"].deadline(date(2026, 1, 1)) == date(2026, 6, 30)
    assert book.payers["SYNPB"].deadline(date(2026, 1, 1)) == date(2027, 1, 1)


@pytest.mark.parametrize(
    ("indicator", "name"),
    [
        ("MA", "medicare"),
        ("MB", "medicare"),
        ("16", "medicare"),
        ("MC", "medicaid"),
        ("CH", "tricare"),
        ("CI", "commercial"),
        ("BL", "commercial"),
        ("HM", "commercial"),
        ("WC", "other"),
        ("VA", "other"),
        ("", "other"),
    ],
)
def test_the_class_of_a_payer_follows_its_filing_indicator(book: RuleBook, indicator: str, name: str) -> None:
    assert replace(book.payers["SYNPA"], filing_indicator=indicator).payer_class == name


def test_referral_rules_do_what_their_cases_say(book: RuleBook) -> None:
    cases = load_cases((SHIPPED / "referrals_cases.toml").read_text(), "referrals_cases.toml")
    assert check_cases(book.referrals, cases) == []


def test_a_site_replaces_single_files(tmp_path: Path) -> None:
    (tmp_path / "payers.toml").write_text(PAYER)
    book = load_book(tmp_path)
    assert set(book.payers) == {"SITE1"}
    assert book.edits == load_book().edits


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("payers.toml", PAYER.replace("timely_filing_days = 90", "")),
        ("payers.toml", PAYER.replace("timely_filing_days = 90", "timely_filing_days = 0")),
        ("payers.toml", "[[payer]"),
        ("payers.toml", ""),
        ("edits.toml", EDIT.format("fatal", "no_charge")),
        ("edits.toml", EDIT.format("error", "none")),
        ("ncci_mue.csv", "code,mue,mai\n99213,two,3\n"),
        ("modifiers.csv", "modifier,from,to,goes_with\n25,,,sometimes\n"),
        ("modifiers.csv", "modifier,from,to,goes_with\n25,2026-13-01,,any\n"),
        ("ncci_ptp.csv", "column1,column2,effective_date,deletion_date,modifier_indicator\n99213,9921,,,1\n"),
        ("pfs_rvu.csv", "hcpcs,status\n99213,A\n"),
    ],
)  # fmt: skip
def test_one_wrong_row_refuses_the_whole_and_names_the_file(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(Unreadable) as raised:
        load_book(tmp_path)
    assert raised.value.path.split(":")[0] == name


def test_the_sample_holds_the_known_pairs(book: RuleBook) -> None:
    assert book.ptp.indicator("80053", "80048", TODAY) == "0"
    assert book.ptp.indicator("99213", "36415", TODAY) is None
    assert book.mue["99213"].units == 2
