"""The smaller tables: units, add-on codes, the fee schedule, and whose file is read."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from code_tables import AddOn, UnitLimit, find_table, load_add_ons, load_fee_schedule, load_mue, read_day, read_rows
from kernel.errors import Unreadable

ROOT = Path(__file__).parents[3]
CMS = Path(os.environ.get("RCM_CORPORA", ROOT.parent / "shared" / "corpora")) / "reference" / "cms-2024"
SERVICES = ("claims-gateway/claims_gateway", "coding/coding")
FEES = "hcpcs,modifier,status,pctc,global_days,bilat_surg,asst_surg,co_surg,team_surg\n"


def write(folder: Path, text: str) -> Path:
    path = folder / "t.csv"
    path.write_text(text)
    return path


def test_units_are_by_line_or_by_day(tmp_path: Path) -> None:
    found = load_mue(write(tmp_path, "code,mue,mai\n99213,2,3\n10060,1,2\n20610,3,1\n"))
    assert found == {
        "99213": UnitLimit(2, per_line=False, absolute=False),
        "10060": UnitLimit(1, per_line=False, absolute=True),
        "20610": UnitLimit(3, per_line=True, absolute=False),
    }


def test_an_add_on_needs_one_of_its_primaries() -> None:
    add_on = AddOn(frozenset({"99205", "99215"}), payer_decides=False)
    assert add_on.supported_by({"99215", "36415"})
    assert not add_on.supported_by({"36415"})
    assert not add_on.supported_by(set())


def test_an_add_on_that_the_payer_decides_needs_any_other_code(tmp_path: Path) -> None:
    add_on = load_add_ons(write(tmp_path, "addon,primary,type\n0054T,CCCCC,2\n"))["0054T"]
    assert add_on.primaries == frozenset()
    assert add_on.supported_by({"36415"})
    assert not add_on.supported_by(set())


def test_the_rows_of_an_add_on_are_one(tmp_path: Path) -> None:
    found = load_add_ons(write(tmp_path, "addon,primary,type\n99417,99205,1\n99417,99215,1\n"))
    assert found == {"99417": AddOn(frozenset({"99205", "99215"}), payer_decides=False)}


@pytest.mark.parametrize(("days", "period"), [("000", 0), ("010", 10), ("090", 90), ("XXX", None), ("ZZZ", None)])
def test_the_global_period_in_days(tmp_path: Path, days: str, period: int | None) -> None:
    fee = load_fee_schedule(write(tmp_path, f"{FEES}20610,,A,0,{days},1,0,0,0\n"))["20610"]
    assert fee.global_period == period


def test_a_row_of_a_component_does_not_stand_for_the_code(tmp_path: Path) -> None:
    found = load_fee_schedule(write(tmp_path, f"{FEES}70450,,A,1,XXX,0,0,0,0\n70450,26,B,2,010,0,0,0,0\n"))
    assert (found["70450"].status, found["70450"].pctc, len(found)) == ("A", "1", 1)


@pytest.mark.parametrize(
    ("load", "text", "place"),
    [
        (load_mue, "code,mue,mai\n99213,2,3\n99214,two,3\n", "t.csv:3"),
        (load_mue, "code,mue,mai\n99213,2,4\n", "t.csv:2"),
        (load_mue, "code,mue\n99213,2\n", "t.csv:1"),
        (load_mue, "# ours\n# 2024\ncode,mue,mai\n99213,2\n", "t.csv:4"),
        (load_mue, "", "t.csv:1"),
        (load_add_ons, "addon,primary,type\n99417,99205\n", "t.csv:2"),
        (load_fee_schedule, "hcpcs,status\n99213,A\n", "t.csv:1"),
    ],
)
def test_one_bad_row_refuses_the_file_with_its_line(
    tmp_path: Path, load: Callable[[Path], object], text: str, place: str
) -> None:
    with pytest.raises(Unreadable) as refused:
        load(write(tmp_path, text))
    assert refused.value.path == place


def test_columns_come_in_any_order_and_remarks_stand_before_them(tmp_path: Path) -> None:
    path = write(tmp_path, "# ours\nb,more,a\n 2 ,x, 1 \n")
    assert list(read_rows(path, ["a", "b"])) == [("t.csv:3", {"a": "1", "b": "2", "more": "x"})]


def test_a_day_may_be_open_but_not_wrong() -> None:
    assert read_day("") is None
    with pytest.raises(ValueError, match="month"):
        read_day("2026-13-01")


def test_the_first_folder_that_has_a_table_wins(tmp_path: Path) -> None:
    site, shipped = tmp_path / "site", tmp_path / "shipped"
    for folder in (site, shipped):
        folder.mkdir()
    (shipped / "a.csv").write_text("")
    assert find_table("a.csv", [site, shipped]) == shipped / "a.csv"
    (site / "a.csv.gz").write_bytes(gzip.compress(b""))
    assert find_table("a.csv", [site, shipped]) == site / "a.csv.gz"
    with pytest.raises(Unreadable) as refused:
        find_table("b.csv", [site, shipped])
    assert refused.value.code == "table_missing"


@pytest.mark.skipif(not CMS.is_dir(), reason="the CMS tables are not here")
@pytest.mark.parametrize("service", SERVICES)
def test_the_samples_agree_with_the_published_tables(service: str) -> None:
    shipped = ROOT / "services" / service / "rules"
    mue, limits = load_mue(CMS / "ncci_mue_practitioner.csv"), load_mue(shipped / "ncci_mue.csv")
    assert mue["99213"].units == 2
    assert {code for code in limits.keys() & mue.keys() if mue[code] != limits[code]} == set()
    add_ons = load_add_ons(CMS / "ncci_addon.csv")
    assert add_ons["99417"].primaries == {"99205", "99215"}
    for code, add_on in load_add_ons(shipped / "ncci_addon.csv").items():
        assert add_on.primaries <= add_ons[code].primaries, code
    published, fees = load_fee_schedule(CMS / "pfs_rvu.csv"), load_fee_schedule(shipped / "pfs_rvu.csv")
    assert len(fees.keys() & published.keys()) > 250
    assert {code for code in fees.keys() & published.keys() if fees[code] != published[code]} == set()
