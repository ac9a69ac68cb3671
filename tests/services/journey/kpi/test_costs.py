"""The site's own cost by month: read as it stands, refused whole with file and reason when a row is wrong."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from chassis.settings import SettingsError
from journey.kpi.costs import cost_at, load_costs
from journey.kpi.model import Cost


def told(folder: Path, text: str) -> tuple[Cost, ...]:
    (folder / "costs.toml").write_text(text)
    return load_costs(folder)


def month(name: str, cents: object) -> str:
    return f'[[month]]\nmonth = "{name}"\ncost_cents = {cents}\n'


def test_without_a_folder_or_file_nothing_is_known(tmp_path: Path) -> None:
    assert load_costs(None) == () == load_costs(tmp_path)


def test_months_are_in_order_whatever_their_order_in_the_file(tmp_path: Path) -> None:
    costs = told(tmp_path, month("2026-12", 5) + month("2026-03", 7))
    assert costs == (Cost(date(2026, 3, 1), date(2026, 4, 1), 7), Cost(date(2026, 12, 1), date(2027, 1, 1), 5))


def test_the_last_month_that_is_over_counts() -> None:
    costs = (Cost(date(2026, 3, 1), date(2026, 4, 1), 7), Cost(date(2026, 4, 1), date(2026, 5, 1), 9))
    assert cost_at(costs, datetime(2026, 4, 30, 23, tzinfo=UTC)) == costs[0]
    assert cost_at(costs, datetime(2026, 5, 1, tzinfo=UTC)) == costs[1]
    assert cost_at(costs, datetime(2026, 3, 31, tzinfo=UTC)) is None
    assert cost_at((), datetime(2026, 3, 31, tzinfo=UTC)) is None


@pytest.mark.parametrize(
    "text",
    [
        "month = 3",
        "[[month",
        "[[months]]",
        month("2026-13", 1),
        month("March", 1),
        month("2026-03", -1),
        month("2026-03", 1.5),
        month("2026-03", "true"),
        '[[month]]\nmonth = "2026-03"',
        month("2026-03", 1) + "people = 3",
        month("2026-03", 1) + month("2026-03", 2),
    ],
)
def test_a_wrong_file_is_refused_by_its_name(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingsError, match=r"^costs\.toml"):
        told(tmp_path, text)
