"""The gRPC door of the KPIs: the figures, the rows behind them, and both computations compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from chassis import call_of
from rcm.journey.v1 import kpi_pb2 as pb
from rcm.journey.v1.kpi_pb2_grpc import KpiServiceServicer

from journey.kpi import read
from journey.kpi.jobs import Jobs
from journey.kpi.model import CheckResult, Compared, KpiRow, KpiValue
from journey.wire import stamp_of


@dataclass(frozen=True)
class KpiServicer(KpiServiceServicer):
    """Reads the snapshot; CheckKpis alone computes."""

    jobs: Jobs

    async def ListKpis(self, request: pb.ListKpisRequest, context: Any) -> pb.ListKpisResponse:
        async with self.jobs.database.transaction(call_of(context).tenant) as conn:
            values = (await read.kpi(conn, request.name),) if request.name else await read.overview(conn)
        return pb.ListKpisResponse(kpis=map(kpi_message, values))

    async def ListKpiRows(self, request: pb.ListKpiRowsRequest, context: Any) -> pb.ListKpiRowsResponse:
        async with self.jobs.database.transaction(call_of(context).tenant) as conn:
            page = await read.kpi_rows(conn, request.name, request.part or "all", request.after, request.limit)
        return pb.ListKpiRowsResponse(rows=map(row_message, page.rows), next=page.next)

    async def CheckKpis(self, request: pb.CheckKpisRequest, context: Any) -> pb.CheckKpisResponse:
        return check_message(await self.jobs.check(call_of(context).tenant))


def kpi_message(value: KpiValue) -> pb.Kpi:
    return pb.Kpi(
        name=value.name,
        version=value.version,
        title=value.title,
        unit=value.unit,
        formula=value.formula,
        note=value.note,
        state=value.state,
        because=value.because,
        numerator=value.numerator,
        denominator=value.denominator,
        p50_us=value.p50 or 0,
        p90_us=value.p90 or 0,
        shown=value.shown,
        integrated=value.integrated.text if value.integrated else "",
        standalone=value.standalone.text if value.standalone else "",
        standing=value.standing,
        as_of=stamp_of(value.as_of),
        agreement=value.agreement,
    )


def row_message(row: KpiRow) -> pb.KpiRow:
    return pb.KpiRow(
        key=row.key,
        journey_id=row.journey_id,
        claim_id=row.claim_id,
        at=stamp_of(row.at),
        numerator=row.numerator,
        denominator=row.denominator,
    )


def check_message(result: CheckResult) -> pb.CheckKpisResponse:
    return pb.CheckKpisResponse(
        state=result.state,
        as_of=stamp_of(result.as_of),
        facts=result.facts,
        moving=result.moving,
        unbegun=result.unbegun,
        compared=map(_compared_message, result.compared),
    )


def _compared_message(one: Compared) -> pb.ComparedKpi:
    return pb.ComparedKpi(
        name=one.name,
        agreement=one.agreement,
        first_numerator=one.first.numerator,
        first_denominator=one.first.denominator,
        second_numerator=one.second.numerator,
        second_denominator=one.second.denominator,
        rows=one.rows,
    )
