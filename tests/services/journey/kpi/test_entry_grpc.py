"""The gRPC door and the command that asks it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from bus import Database
from chassis.call import TENANT
from cli import kpi as command
from cli.kpi import kpi_app
from journey import kpi
from journey.kpi.entry_grpc import KpiServicer
from journey.kpi.jobs import Jobs
from kernel.clock import FixedClock
from kernel.errors import Refused
from kpi_stories import AS_OF, ago, good_journey, tell
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from rcm.journey.v1 import kpi_pb2 as pb
from typer.testing import CliRunner


def context(tenant: str) -> Any:
    return SimpleNamespace(invocation_metadata=lambda: [(TENANT, tenant)])


async def servicer(database: Database, tenant: str) -> KpiServicer:
    await tell(database, tenant, good_journey(1, ago(60)))
    jobs = Jobs(database, FixedClock(AS_OF))
    await jobs.refresh(tenant)
    return KpiServicer(jobs)


async def test_figures_rows_and_a_check(database: Database, tenant: str) -> None:
    door = await servicer(database, tenant)
    everything = (await door.ListKpis(pb.ListKpisRequest(), context(tenant))).kpis
    (one,) = (await door.ListKpis(pb.ListKpisRequest(name="gross-collection-rate"), context(tenant))).kpis
    assert one in everything and (one.shown, one.numerator, one.denominator) == ("60.0 %", 6000, 10_000)
    assert one.as_of.ToDatetime() == AS_OF.replace(tzinfo=None) and one.version == 1
    page = await door.ListKpiRows(pb.ListKpiRowsRequest(name=one.name, part="numerator"), context(tenant))
    assert [(row.numerator, row.claim_id) for row in page.rows] == [(6000, f"claim-{1:032x}")] and not page.next
    checked = await door.CheckKpis(pb.CheckKpisRequest(), context(tenant))
    assert (checked.state, checked.facts, checked.moving) == ("agrees", 7, 0)
    assert len(checked.compared) == len(everything) - 1  # the cost is not told
    with pytest.raises(Refused):
        await door.ListKpiRows(pb.ListKpiRowsRequest(name="none"), context(tenant))


async def test_what_the_service_wires_in(database: Database, tenant: str, tmp_path: Path) -> None:
    reader = InMemoryMetricReader()
    settings = SimpleNamespace(site_folder=lambda name: tmp_path / name, kpi_every_s=30.0, kpi_check_every_s=900.0)
    meter = MeterProvider([reader]).get_meter("test")
    runtime: Any = SimpleNamespace(settings=settings, database=database, clock=FixedClock(AS_OF), meter=meter)
    parts = kpi.parts(runtime)
    assert parts.grpc_names == ("rcm.journey.v1.KpiService",) and len(parts.background) == 1
    assert list(parts.alone) == ["checking"]  # whichever replica
    story = good_journey(1, ago(60))
    story.tell("work.opened", ago(1), "denial", "carc-197", work_id="w", dollars_cents=500, owner="biller")
    await tell(database, tenant, story)
    jobs: Jobs = parts.grpc[0][1].jobs
    await jobs.refresh(tenant)
    measured = gauges(reader)
    assert measured["rcm.work.open"] == {("denial", "biller"): 1}
    assert measured["rcm.work.cents"] == {("denial", "biller"): 500}
    assert measured["rcm.work.oldest_age"] == {("denial", "biller"): 86_400}
    assert measured["rcm.kpi.value"][("payer-lag",)] == 15 * 86_400
    assert measured["rcm.kpi.value"][("gross-collection-rate",)] == 0.6
    assert measured["rcm.kpi.disagreements"] == {("all",): 0}


def gauges(reader: InMemoryMetricReader) -> dict[str, dict[tuple[Any, ...], float]]:
    data = reader.get_metrics_data()
    assert data is not None
    metrics = [one for part in data.resource_metrics for scope in part.scope_metrics for one in scope.metrics]
    return {
        metric.name: {tuple((point.attributes or {}).values()): point.value for point in metric.data.data_points}  # type: ignore[union-attr]
        for metric in metrics
    }


def test_a_refresh_in_the_background_goes_on_until_it_is_cancelled() -> None:
    seen: list[str] = []
    enough = asyncio.Event()

    class Watched(Jobs):
        async def refresh(self, tenant: str) -> int:
            seen.append(tenant)
            if len(seen) == 4:
                enough.set()
            return 0

    async def tenants(relay: Any) -> list[str]:
        return ["a", "b"]

    async def run(patch: pytest.MonkeyPatch) -> None:
        patch.setattr("journey.kpi.jobs.tenants_heard", tenants)
        database: Any = SimpleNamespace(relay=None)
        task = asyncio.create_task(Watched(database, FixedClock(AS_OF), every_s=0.0).keep_fresh())
        await enough.wait()
        task.cancel()

    with pytest.MonkeyPatch.context() as patch:
        asyncio.run(run(patch))
    assert seen[:4] == ["a", "b", "a", "b"]


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Answers the command with what the test says, and keeps what it asked."""

    def answering(answer: Any, asked: list[Any]) -> None:
        class Line:
            async def kpi_service(self, call: str, request: Any) -> Any:
                asked.append((call, request))
                return answer

        line: Any = Line()
        monkeypatch.setattr(command, "ask_line", lambda folder, question: asyncio.run(question(line)))

    return answering


def test_the_command_shows_figures_and_rows(ask: Callable[..., Any]) -> None:
    asked: list[Any] = []
    figure = pb.Kpi(name="days-in-ar", title="Days in A/R", state="ok", shown="31.2 d", formula="A ÷ B.", version=1)
    ask(pb.ListKpisResponse(kpis=[figure]), asked)
    shown = CliRunner().invoke(kpi_app, ["show", "days-in-ar"])
    assert shown.exit_code == 0 and "31.2 d" in shown.output and "A ÷ B. (version 1)" in shown.output
    ask(pb.ListKpiRowsResponse(rows=[pb.KpiRow(key="claim-1", numerator=7)], next="token"), asked)
    listed = CliRunner().invoke(kpi_app, ["rows", "days-in-ar", "--part", "numerator", "--limit", "9"])
    assert listed.exit_code == 0 and "claim-1" in listed.output and "--after token" in listed.output
    assert asked[1] == ("ListKpiRows", pb.ListKpiRowsRequest(name="days-in-ar", part="numerator", limit=9))


def test_the_command_fails_when_the_computations_differ(ask: Callable[..., Any]) -> None:
    one = pb.ComparedKpi(
        name="late-charges", agreement="differs", first_numerator=1, rows=["row-1: 1/2, counted again 0/2"]
    )
    ask(pb.CheckKpisResponse(state="differs", facts=9, compared=[one]), [])
    found = CliRunner().invoke(kpi_app, ["check"])
    assert found.exit_code == 1 and "row-1: 1/2" in found.output and "0 of 1 figures agree" in found.output
    one.agreement = "agrees"
    ask(pb.CheckKpisResponse(state="agrees", facts=9, compared=[one]), [])
    assert CliRunner().invoke(kpi_app, ["check"]).exit_code == 0
