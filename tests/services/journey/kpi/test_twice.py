"""Both computations of every KPI over random histories: equal, whatever was told, in which order and how often."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from datetime import date
from typing import Any
from uuid import uuid4

import kpi_stories as stories
import pytest
from bus import Database
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from journey.kpi.check import check
from journey.kpi.model import AGREES, DIFFERS, Basis, CheckResult, Cost
from journey.kpi.recount import books as recount
from journey.kpi.table_formulas import FORMULAS
from journey.model import Fact
from kernel.clock import SystemClock

BASIS = Basis(stories.AS_OF, Cost(date(2026, 6, 1), date(2026, 7, 1), 5000))
Run = Callable[[Coroutine[Any, Any, Any]], Any]
SLOW = settings(deadline=None, max_examples=120, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def line(platform) -> Iterator[tuple[Run, Database]]:  # type: ignore[no-untyped-def]
    """A database that outlives the examples, with the loop that it belongs to."""
    loop = asyncio.new_event_loop()
    database = Database(platform.url_for("journey"), "journey", SystemClock())
    loop.run_until_complete(database.open())
    yield loop.run_until_complete, database
    loop.run_until_complete(database.close())
    loop.close()


async def compare(database: Database, told: list[Fact]) -> CheckResult:
    tenant = f"t{uuid4().hex[:12]}"
    half = len(told) // 2
    for part in (told[:half], told[half:]):
        await stories.record(database, tenant, part)
        await stories.add_up(database, tenant)
    async with database.transaction(tenant) as conn:
        return await check(conn, BASIS)


def differing(result: CheckResult) -> dict[str, Any]:
    return {one.name: (one.first, one.second, one.rows) for one in result.compared if one.agreement != AGREES}


@SLOW
@given(told=stories.histories(), seed=st.integers(0, 99))
def test_two_computations_agree(line: tuple[Run, Database], told: list[Fact], seed: int) -> None:
    run, database = line
    result = run(compare(database, stories.shuffled(told, seed)))
    assert result.moving == 0 and {one.name for one in result.compared} == {one.name for one in FORMULAS}
    assert not differing(result)


@settings(deadline=None, max_examples=25, suppress_health_check=list(HealthCheck))
@given(told=stories.histories(), seeds=st.tuples(st.integers(0, 99), st.integers(0, 99)))
def test_the_order_of_hearing_changes_nothing(
    line: tuple[Run, Database], told: list[Fact], seeds: tuple[int, int]
) -> None:
    run, database = line
    one, other = (run(compare(database, stories.shuffled(told, seed))) for seed in seeds)
    assert [kpi.first for kpi in one.compared] == [kpi.first for kpi in other.compared]


def test_a_bug_on_one_side_is_caught_and_its_rows_are_named(
    line: tuple[Run, Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    run, database = line
    told = stories.good_journey(1, stories.ago(60))
    late = stories.good_journey(2, stories.ago(50))
    late.facts[2] = stories.replace(late.facts[2], occurred_at=stories.ago(40))
    assert not differing(run(compare(database, told.facts + late.facts)))
    monkeypatch.setattr(recount.VisitBook, "is_late", lambda self, charge: False)
    found = differing(run(compare(database, told.facts + late.facts)))
    assert list(found) == ["late-charges"]
    assert found["late-charges"][2] == (f"{late.facts[2].event_id}: 10000/10000, counted again 0/10000",)


def test_a_bug_on_the_other_side_is_caught(line: tuple[Run, Database], monkeypatch: pytest.MonkeyPatch) -> None:
    run, database = line
    monkeypatch.setattr("journey.kpi.derive.by_payer", lambda fact: True)
    told = stories.good_journey(3, stories.ago(60))
    told.tell("payment.posted", stories.ago(20), "paid", by_person=True, **stories.balance(10_000, 6000, 3000, 1000))
    result = run(compare(database, told.facts))
    assert result.state == DIFFERS and "primary-denial-rate" in differing(result)
