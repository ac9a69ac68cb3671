"""NCCI pairs: versions in time, indicators, refusals, and the published table at full size where it is present."""

from __future__ import annotations

import gzip
import os
from datetime import date
from pathlib import Path

import pytest
from code_tables import PtpTable, load_ptp
from kernel.errors import Unreadable

HEADER = "column1,column2,effective_date,deletion_date,modifier_indicator,rationale\n"
ROOT = Path(__file__).parents[3]
CMS = Path(os.environ.get("RCM_CORPORA", ROOT.parent / "shared" / "corpora")) / "reference" / "cms-2024"
ON = date(2024, 7, 15)


def write_table(folder: Path, *rows: str, remark: str = "") -> Path:
    path = folder / "ncci_ptp.csv"
    path.write_text(remark + HEADER + "".join(f"{row}\n" for row in rows))
    return path


def read_table(folder: Path, *rows: str) -> PtpTable:
    return load_ptp(write_table(folder, *rows))


def test_a_pair_has_versions_in_time(tmp_path: Path) -> None:
    edits = read_table(tmp_path, "20610,99213,2010-01-01,2019-12-31,0,x", "20610,99213,2020-07-01,,1,x")
    days = ("2009-12-31", "2010-01-01", "2019-12-31", "2020-01-01", "2020-07-01", "2030-01-01", "2099-01-01")
    found = [edits.indicator("20610", "99213", date.fromisoformat(day)) for day in days]
    assert found == [None, "0", "0", None, "1", "1", "1"]


def test_the_order_of_the_pair_matters_and_neighbours_have_no_edit(tmp_path: Path) -> None:
    edits = read_table(tmp_path, "93000,93040,,,1,x", "93000,93042,,,0,x")
    assert edits.indicator("93000", "93040", ON) == "1"
    assert edits.indicator("93040", "93000", ON) is None
    assert edits.indicator("93000", "93041", ON) is None
    assert edits.indicator("99999", "99999", ON) is None


@pytest.mark.parametrize("code", ["", "9300", "930000", "93-00", " 9300", "93_00", "٩٣٠٠٠"])
def test_what_is_no_code_has_no_edit(tmp_path: Path, code: str) -> None:
    edits = read_table(tmp_path, "93000,93040,,,1,x")
    assert edits.indicator(code, "93040", ON) is None
    assert edits.indicator("93000", code, ON) is None


def test_a_code_in_small_letters_is_another_one(tmp_path: Path) -> None:
    edits = read_table(tmp_path, "99213,G2211,,,0,x")
    assert edits.indicator("99213", "G2211", ON) == "0"
    assert edits.indicator("99213", "g2211", ON) is None


def test_indicator_9_is_no_edit_and_hides_none(tmp_path: Path) -> None:
    edits = read_table(tmp_path, "93000,93040,,2020-01-01,9,x", "93000,93040,2019-01-01,,1,x", "80053,80048,,,9,x")
    assert edits.indicator("93000", "93040", date(2019, 6, 1)) == "1"
    assert edits.indicator("93000", "93040", date(2018, 6, 1)) is None
    assert edits.indicator("80053", "80048", ON) is None


def test_an_empty_table_has_no_edits(tmp_path: Path) -> None:
    edits = read_table(tmp_path)
    assert len(edits) == 0
    assert edits.indicator("93000", "93040", ON) is None


def test_rows_may_come_in_any_order_and_gzipped(tmp_path: Path) -> None:
    path = tmp_path / "ncci_ptp.csv.gz"
    path.write_bytes(gzip.compress(f"{HEADER}99213,G2211,,,0,x\n10060,10061,,,1,x\n0001U,0002U,,,0,x\n".encode()))
    edits = load_ptp(path)
    assert len(edits) == 3
    pairs = (("99213", "G2211"), ("10060", "10061"), ("0001U", "0002U"))
    assert [edits.indicator(*pair, ON) for pair in pairs] == ["0", "1", "0"]


@pytest.mark.parametrize(
    "row", ["93000,93040,,,5,x", "93000,93040,,2024-13-01,1,x", "93000,9304,,,1,x", "93000", "93000,93 40,,,1,x"]
)
def test_a_bad_row_refuses_the_file_with_its_line(tmp_path: Path, row: str) -> None:
    with pytest.raises(Unreadable) as refused:
        load_ptp(write_table(tmp_path, "10060,10061,,,1,x", row))
    assert refused.value.path == "ncci_ptp.csv:3"


def test_a_remark_before_the_header_counts_as_a_line_and_as_nothing_else(tmp_path: Path) -> None:
    assert len(load_ptp(write_table(tmp_path, "10060,10061,,,1,x", remark="# ours\n"))) == 1
    with pytest.raises(Unreadable) as refused:
        load_ptp(write_table(tmp_path, "10060,10061,,,1,x", "93000", remark="# ours\n"))
    assert refused.value.path == "ncci_ptp.csv:4"


@pytest.mark.parametrize("text", ["a,b,c,d,e\n", "", "# only a remark\n"])
def test_other_columns_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "ncci_ptp.csv"
    path.write_text(text)
    with pytest.raises(Unreadable, match="columns"):
        load_ptp(path)


@pytest.mark.skipif(not CMS.is_dir(), reason="the CMS tables are not here")
def test_the_published_table_loads_whole_and_holds_what_the_samples_hold() -> None:
    edits = load_ptp(CMS / "ncci_ptp_practitioner.csv.gz")
    assert len(edits) == 2_546_017
    assert edits.indicator("93000", "93040", ON) == "1"
    assert edits.indicator("80053", "80048", ON) == "0"
    assert edits.indicator("99213", "36415", ON) is None
    assert edits.indicator("36415", "99213", ON) is None
    samples = list((ROOT / "services").glob("*/*/rules/ncci_ptp.csv"))
    assert len(samples) == 2
    rows = [row.split(",") for sample in samples for row in sample.read_text().splitlines() if row[:5].isalnum()]
    pairs = [row for row in rows if row[0] != "column1"]
    assert [row for row in pairs if edits.indicator(row[0], row[1], ON) != row[4]] == []
    assert len(pairs) > 3000
