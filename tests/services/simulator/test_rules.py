"""The payers' rows: what ships agrees with the world's shared facts, and a wrong row is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from kernel.rules import RuleError
from simulator.codes import drugs, is_evaluation, prices, separate_from_evaluation, vaccines
from simulator.rules.load import EFFECTS, SHIPPED, load_payers

TEXT = (SHIPPED / "payers.toml").read_text(encoding="utf-8")


def test_the_two_payers_that_ship() -> None:
    rules = load_payers()
    a, b = rules.payers["SYNPA"], rules.payers["SYNPB"]
    assert (a.filing_indicator, a.allowed_percent, a.timely_filing_days) == ("CI", 60, 180)
    assert (b.filing_indicator, b.allowed_percent, b.timely_filing_days) == ("MB", 50, 365)
    assert b.authorization_codes < a.authorization_codes
    assert set(rules.behaviours.values()) == EFFECTS
    assert [rules.behaviour(f"X{digit}") for digit in "01257"] == [""] * 5 and rules.behaviour("") == ""


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("allowed_percent = 60", "allowed_percent = 160"),
        ("coinsurance_percent = 20", "coinsurance_percent = -1"),
        ('effect = "claim-denied"', 'effect = "claim-lost"'),
        ('digit = "9"', 'digit = "99"'),
    ],
)
def test_a_wrong_row_is_refused(tmp_path: Path, good: str, bad: str) -> None:
    assert good in TEXT
    (tmp_path / "payers.toml").write_text(TEXT.replace(good, bad, 1), encoding="utf-8")
    with pytest.raises(RuleError, match=r"payers\.toml, row (payer|behaviour) \d"):
        load_payers(tmp_path)


def test_drugs_and_vaccines_have_a_price_and_an_eleven_digit_ndc() -> None:
    assert drugs().keys() | vaccines().keys() <= prices().keys()
    assert all(len(drug.ndc) == 11 and drug.ndc.startswith("99999") for drug in drugs().values())


def test_which_services_part_an_evaluation() -> None:
    assert separate_from_evaluation("99213", ["80053", "96372"])
    assert separate_from_evaluation("99283", ["12001"])
    assert not separate_from_evaluation("99213", ["80053", "36415", "G0008"])
    assert separate_from_evaluation("99211", ["G0008"])
    assert not separate_from_evaluation("96372", ["20610"])
    assert not separate_from_evaluation("99213", [])
    assert is_evaluation("99285") and not is_evaluation("G0439") and not is_evaluation("none")
