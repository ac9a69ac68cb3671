"""What the capacity benchmark makes of its readings."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import psutil
import pytest

BENCH = Path(__file__).parents[1] / "bench"


@pytest.fixture
def capacity(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(BENCH))
    return import_module("capacity")


def test_rows_are_medians_for_one_encounter_dearest_first(capacity: Any) -> None:
    turns = [{"coding": 2.0, "postgres": 9.0}, {"coding": 1.0, "postgres": 10.0}, {"coding": 30.0, "postgres": 8.0}]
    rows = {row.name: row for row in capacity.rows_of(turns, 100)}
    assert list(rows) == ["postgres", "coding", "the line"]
    assert rows["coding"].seconds == pytest.approx(0.02)
    assert rows["coding"].per_processor == pytest.approx(50.0)
    assert rows["the line"].seconds == pytest.approx(0.11)
    assert rows["the line"].per_processor == pytest.approx(1 / 0.11)


def test_simulator_is_shown_and_is_no_part_of_the_line(capacity: Any) -> None:
    rows = {row.name: row.seconds for row in capacity.rows_of([{"coding": 1.0, "simulator": 5.0}], 10)}
    assert rows == pytest.approx({"simulator": 0.5, "coding": 0.1, "the line": 0.1})


def test_part_that_did_nothing_in_a_turn_counts_as_nothing(capacity: Any) -> None:
    rows = {row.name: row.seconds for row in capacity.rows_of([{"coding": 3.0}, {}, {}], 10)}
    assert rows["coding"] == 0.0


@pytest.mark.parametrize(("turns", "encounters"), [([], 10), ([{"coding": 1.0}], 0)])
def test_nothing_to_divide_is_refused(capacity: Any, turns: list[dict[str, float]], encounters: int) -> None:
    with pytest.raises(ValueError, match="no turn"):
        capacity.rows_of(turns, encounters)


def test_table_is_markdown(capacity: Any) -> None:
    lines = capacity.table(capacity.rows_of([{"nats-server": 1.0}], 100)).splitlines()
    assert lines[2] == "| NATS | 10.0 ms | 100.0 |"
    assert lines[-1] == "| the line | 10.0 ms | 100.0 |"
    assert {line.count("|") for line in lines} == {4}


def test_processor_time_of_children_that_ended_is_kept(capacity: Any) -> None:
    before = capacity.used_by(psutil.Process())
    subprocess.run([sys.executable, "-c", "sum(range(20_000_000))"], check=True, timeout=60)
    assert capacity.used_by(psutil.Process()) > before + 0.05
    assert capacity.used_by(psutil.Process()) >= sum(os.times()[:2])
