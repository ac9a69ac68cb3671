"""The charge master: prices on a day, by modifier, refused whole when one row is wrong."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from charge_capture.rules import ChargeMaster, load_charge_master, load_site_charges
from kernel.errors import Unreadable

HEADER = "code,modifier,cents,effective_from,effective_to\n"
ON = date(2026, 2, 10)


def written(folder: Path, *rows: str) -> Path:
    path = folder / "charge_master.csv"
    path.write_text(HEADER + "".join(f"{row}\n" for row in rows))
    return path


def test_prices_follow_the_date_of_service(tmp_path: Path) -> None:
    master = load_charge_master(written(tmp_path, "99213,,15000,2020-01-01,2025-12-31", "99213,,15500,2026-01-01,"))
    prices = [master.unit_cents("99213", (), date(*day)) for day in ((2019, 12, 31), (2025, 12, 31), (2026, 1, 1))]
    assert prices == [None, 15000, 15500]


def test_a_modifier_may_have_its_own_price(tmp_path: Path) -> None:
    master = load_charge_master(written(tmp_path, "71046,,12000,,", "71046,26,3000,,"))
    assert master.unit_cents("71046", ("LT", "26"), ON) == 3000
    assert master.unit_cents("71046", ("LT",), ON) == 12000
    assert master.unit_cents("71045", ("26",), ON) is None


@pytest.mark.parametrize(
    "row",
    ["99213,,15.00,,", "99213,,-1,,", "99213,,,,", "9921,,1,,", "99213,XXX,1,,", "99213,,1,soon,", "99213,,1,",
     "99213,,1,2026-02-01,2026-01-01", "99214,,1,2021-01-01,"],
)  # fmt: skip
def test_one_bad_row_refuses_the_file_with_its_line(tmp_path: Path, row: str) -> None:
    with pytest.raises(Unreadable) as refused:
        load_charge_master(written(tmp_path, "99214,,22500,2020-01-01,", row))
    assert refused.value.path == "charge_master.csv:3"


def test_the_sites_charge_master_stands_before_ours(tmp_path: Path, master: ChargeMaster) -> None:
    assert master.unit_cents("99213", (), ON) == 15500
    own = tmp_path / "charge-capture"
    own.mkdir()
    written(own, "99213,,1,,")
    assert load_site_charges(tmp_path).unit_cents("99213", (), ON) == 1
    assert load_site_charges(tmp_path / "elsewhere").unit_cents("99213", (), ON) == 15500
