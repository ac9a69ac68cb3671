"""Keyed rows: a good file row by row, a bad one refused whole with the row at fault; and whose file is in force."""

from datetime import date

import pytest
from kernel.rules import PAYERS, RuleError, Table, load_tables, rule_file

GOOD = "[[payer]]\nid='P'\nname='N'\neffective_from=2026-01-01\n"
REMEDIES = Table("code", {"code": str, "retry": bool}, frozenset({"retry"}))


def test_rows_come_by_their_key_in_order():
    text = GOOD + "[[payer]]\nid='A'\nname='M'\neffective_from=2026-01-01\neffective_to=2026-01-01\n"
    rows = load_tables(text, "payers.toml", {"payer": PAYERS})["payer"]
    assert [*rows] == ["P", "A"]
    assert rows["P"] == {"id": "P", "name": "N", "effective_from": date(2026, 1, 1)}


def test_several_tables_may_share_a_file():
    loaded = load_tables(GOOD + "[[remedy]]\ncode='71'\n", "f.toml", {"payer": PAYERS, "remedy": REMEDIES})
    assert loaded["remedy"] == {"71": {"code": "71"}}


@pytest.mark.parametrize(
    ("text", "row", "reason"),
    [
        ("not toml", "-", "not TOML"),
        ("", "-", "needs [[payer]] rows"),
        ("payer=[]", "-", "needs [[payer]] rows"),
        ("payer=[1]", "payer number 1", "not a row"),
        (GOOD + "[[payee]]\nid='P9'", "-", "unknown payee"),
        (GOOD + "[[payer]]\nid='Q'\nname='N'", "payer number 2", "missing effective_from"),
        (GOOD + "colour='red'", "payer number 1", "unknown colour"),
        (GOOD.replace("2026-01-01", "'2026-01-01'"), "payer number 1", "wrong type of effective_from"),
        (GOOD + "effective_to=2025-12-31", "payer number 1", "effective_to lies before effective_from"),
        (GOOD + GOOD, "payer number 2", "id comes twice"),
    ],
)
def test_a_bad_file_is_refused_whole(text, row, reason):
    with pytest.raises(RuleError) as refused:
        load_tables(text, "payers.toml", {"payer": PAYERS})
    assert (refused.value.file, refused.value.row) == ("payers.toml", row)
    assert reason in str(refused.value)


def test_a_truth_value_is_no_number():
    with pytest.raises(RuleError, match="wrong type of retry"):
        load_tables("[[r]]\ncode='71'\nretry=1", "f.toml", {"r": REMEDIES})


def test_the_sites_file_stands_before_the_shipped_one(tmp_path):
    shipped, site = tmp_path / "shipped", tmp_path / "site"
    site.mkdir()
    assert rule_file("payers.toml", None, shipped) == shipped / "payers.toml"
    assert rule_file("payers.toml", site, shipped) == shipped / "payers.toml"
    (site / "payers.toml").write_text(GOOD)
    assert rule_file("payers.toml", site, shipped) == site / "payers.toml"
    assert rule_file("other.toml", site, shipped) == shipped / "other.toml"
