"""NCCI pairs: versions in time, indicators, refusals, and the published table at full size where it is present."""

from __future__ import annotations

import gzip
import os
from datetime import date
from pathlib import Path

import pytest
from coding.rules import SHIPPED
from coding.rules.ptp import load_ptp
from coding.rules.units import load_add_ons, load_mue
from kernel.errors import Unreadable

HEADER = "column1,column2,effective_date,deletion_date,modifier_indicator,rationale\n"
CORPUS = (
    Path(os.environ.get("RCM_CORPORA", Path(__file__).parents[4] / "shared" / "corpora")) / "reference" / "cms-2024"
)
needs_corpus = pytest.mark.skipif(not CORPUS.is_dir(), reason="the CMS tables are not here")
ON = date(2024, 7, 15)


def table(folder: Path, *rows: str) -> Path:
    path = folder / "ncci_ptp.csv"
    path.write_text(HEADER + "".join(f"{row}\n" for row in rows))
    return path


def test_a_pair_has_versions_in_time(tmp_path: Path) -> None:
    edits = load_ptp(table(tmp_path, "20610,99213,2010-01-01,2019-12-31,0,x", "20610,99213,2020-07-01,,1,x"))
    found = {
        day: edits.find("20610", "99213", date.fromisoformat(day))
        for day in ("2009-12-31", "2010-01-01", "2019-12-31", "2020-01-01", "2020-07-01", "2030-01-01")
    }
    assert {day: edit.indicator for day, edit in found.items() if edit} == {
        "2010-01-01": "0",
        "2019-12-31": "0",
        "2020-07-01": "1",
        "2030-01-01": "1",
    }


def test_the_order_of_the_pair_matters_and_strangers_have_no_edit(tmp_path: Path) -> None:
    edits = load_ptp(table(tmp_path, "93000,93040,,,1,x"))
    assert edits.find("93000", "93040", ON) is not None
    assert edits.find("93040", "93000", ON) is None
    assert edits.find("93000", "93041", ON) is None
    assert edits.find("9300", "93040", ON) is None


def test_indicator_9_is_no_edit(tmp_path: Path) -> None:
    assert load_ptp(table(tmp_path, "93000,93040,,,9,x")).find("93000", "93040", ON) is None


def test_rows_may_come_in_any_order_and_gzipped(tmp_path: Path) -> None:
    path = tmp_path / "ncci_ptp.csv.gz"
    path.write_bytes(gzip.compress(f"{HEADER}99213,G2211,,,0,x\n10060,10061,,,1,x\n0001U,0002U,,,0,x\n".encode()))
    edits = load_ptp(path)
    assert len(edits) == 3
    assert [edits.find(*pair, ON) is not None for pair in (("99213", "G2211"), ("10060", "10061"), ("0001U", "0002U"))]


@pytest.mark.parametrize(
    "row", ["93000,93040,,,5,x", "93000,93040,,2024-13-01,1,x", "93000,9304,,,1,x", "93000", "93000,93 40,,,1,x"]
)
def test_a_bad_row_refuses_the_file_with_its_line(tmp_path: Path, row: str) -> None:
    with pytest.raises(Unreadable) as refused:
        load_ptp(table(tmp_path, "10060,10061,,,1,x", row))
    assert refused.value.path == "ncci_ptp.csv:3"


def test_other_columns_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "ncci_ptp.csv"
    path.write_text("a,b,c,d,e\n")
    with pytest.raises(Unreadable, match="columns"):
        load_ptp(path)


@needs_corpus
def test_the_published_table_loads_whole_and_knows_the_known_pairs() -> None:
    edits = load_ptp(CORPUS / "ncci_ptp_practitioner.csv.gz")
    assert len(edits) == 2_546_017
    assert edits.find("93000", "93040", ON).indicator == "1"
    assert edits.find("80053", "80048", ON).indicator == "0"
    assert edits.find("99213", "36415", ON) is None
    assert edits.find("36415", "99213", ON) is None
    sample = (SHIPPED / "ncci_ptp.csv").read_text().splitlines()[1:]
    for row in sample:
        column1, column2, _, _, indicator = row.split(",")
        assert edits.find(column1, column2, ON).indicator == indicator, row


@needs_corpus
def test_the_samples_of_units_agree_with_the_published_tables() -> None:
    published, sample = load_mue(CORPUS / "ncci_mue_practitioner.csv"), load_mue(SHIPPED / "ncci_mue.csv")
    assert published["99213"].units == 2
    assert {code for code in sample if code in published and published[code] != sample[code]} == set()
    add_ons = load_add_ons(CORPUS / "ncci_addon.csv")
    assert add_ons["99417"].primaries == {"99205", "99215"}
    for code, add_on in load_add_ons(SHIPPED / "ncci_addon.csv").items():
        assert add_on.primaries <= add_ons[code].primaries, code
