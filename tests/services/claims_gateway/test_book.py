"""The rule files: what ships is whole, a site's file takes its place, and a wrong row refuses all."""

from __future__ import annotations

import csv
import gzip
import os
from datetime import date
from pathlib import Path

import pytest
from claims_gateway.rules import RuleBook, load_book
from claims_gateway.rules.book import SHIPPED
from claims_gateway.rules.ncci import read_pairs
from kernel.rules import RuleError, check_cases, load_cases

TODAY = date(2024, 8, 1)
ROOT = Path(__file__).parents[3]
CMS = Path(os.environ.get("RCM_CORPORA", ROOT.parent / "shared" / "corpora")) / "reference" / "cms-2024"
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


def pair(column1: str, column2: str, start: str = "", end: str = "", indicator: str = "1") -> dict[str, str]:
    return {
        "column1": column1,
        "column2": column2,
        "effective_date": start,
        "deletion_date": end,
        "modifier_indicator": indicator,
    }


def test_the_deadline_counts_from_the_first_day_of_service(book: RuleBook) -> None:
    assert book.payers["SYNPA"].deadline(date(2026, 1, 1)) == date(2026, 6, 30)
    assert book.payers["SYNPB"].deadline(date(2026, 1, 1)) == date(2027, 1, 1)


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
        ("mue_sample.csv", "code,mue,mai\n99213,two,3\n"),
        ("modifiers.csv", "modifier,from,to,goes_with\n25,,,sometimes\n"),
        ("modifiers.csv", "modifier,from,to,goes_with\n25,2026-13-01,,any\n"),
        ("ptp_sample.csv", "column1,column2,effective_date,deletion_date,modifier_indicator\n99213,9921,,,1\n"),
        ("pfs_sample.csv", "hcpcs,status\n99213,A\n"),
    ],
)  # fmt: skip
def test_one_wrong_row_refuses_the_whole_and_names_the_file(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(RuleError) as raised:
        load_book(tmp_path)
    assert raised.value.file == name


def test_a_pair_holds_between_its_days() -> None:
    pairs = read_pairs([pair("11111", "22222", "2020-01-01", "2022-06-30", "0"), pair("11111", "22222", "2023-01-01")])
    days = ["2019-12-31", "2020-01-01", "2022-06-30", "2022-07-01", "2023-01-01", "2099-01-01"]
    found = [pairs.indicator("11111", "22222", date.fromisoformat(day)) for day in days]
    assert found == [None, "0", "0", None, "1", "1"]


def test_a_pair_has_a_direction_and_neighbours_are_not_it() -> None:
    pairs = read_pairs([pair("11111", "22222"), pair("11111", "22224"), pair("33333", "44444")])
    assert pairs.indicator("22222", "11111", TODAY) is None
    assert pairs.indicator("11111", "22223", TODAY) is None
    assert pairs.indicator("99999", "99999", TODAY) is None
    assert pairs.indicator("33333", "44444", TODAY) == "1"


def test_no_pairs_at_all_answers_nothing() -> None:
    assert read_pairs([]).indicator("11111", "22222", TODAY) is None


def test_the_sample_holds_the_known_pairs(book: RuleBook) -> None:
    assert book.pairs.indicator("80053", "80048", TODAY) == "0"
    assert book.pairs.indicator("99213", "36415", TODAY) is None
    assert book.unit_limits["99213"].units == 2


@pytest.mark.skipif(not CMS.is_dir(), reason="the reference tables are not here")
def test_the_full_table_loads_compact_and_answers_the_known_pairs() -> None:
    with gzip.open(CMS / "ncci_ptp_practitioner.csv.gz", "rt") as file:
        pairs = read_pairs(csv.DictReader(file))
    assert len(pairs) == 2_546_017
    assert len(pairs.rows) < 50_000_000
    assert pairs.indicator("93000", "93040", TODAY) == "1"
    assert pairs.indicator("80053", "80048", TODAY) == "0"
    assert pairs.indicator("99213", "36415", TODAY) is None
