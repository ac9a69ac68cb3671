"""The gRPC door: where is it, how long did each step take, and is the ledger what its facts say."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from typing import Any

import msgspec
from bus import Database
from chassis import call_of
from kernel.clock import Clock
from rcm.journey.v1 import journey_pb2 as pb
from rcm.journey.v1.journey_pb2_grpc import JourneyServiceServicer

from journey import handlers, store
from journey.search import cursor_of
from journey.spans import otlp_request, span_rows, spans_of
from journey.wire import journey_message, search_of


@dataclass(frozen=True)
class JourneyServicer(JourneyServiceServicer):
    """Answers about one journey from its facts; lists and sums from what was added up."""

    database: Database
    projection: handlers.Projection
    clock: Clock

    async def GetJourney(self, request: pb.GetJourneyRequest, context: Any) -> pb.GetJourneyResponse:
        journey, facts = await handlers.get_journey(
            self.database.transaction, call_of(context).tenant, request.journey_id, request.encounter
        )
        return pb.GetJourneyResponse(journey=journey_message(journey, facts))

    async def FindJourneys(self, request: pb.FindJourneysRequest, context: Any) -> pb.FindJourneysResponse:
        search = search_of(request)
        found = await handlers.find_journeys(self.database.transaction, call_of(context).tenant, search)
        following = cursor_of(found[-1]) if len(found) == search.page_size else ""
        return pb.FindJourneysResponse(journeys=map(journey_message, found), next=following)

    async def GetKpis(self, request: pb.GetKpisRequest, context: Any) -> pb.GetKpisResponse:
        async with self.database.transaction(call_of(context).tenant) as conn:
            counts, cents = await store.totals(conn)
            stages = await store.stage_percentiles(conn)
        return pb.GetKpisResponse(
            counts=counts,
            cents={name.removesuffix("_cents"): value for name, value in cents.items()},
            stage_p50_us={name: p50 for name, (p50, _) in stages.items()},
            stage_p99_us={name: p99 for name, (_, p99) in stages.items()},
        )

    async def ExportJourney(self, request: pb.ExportJourneyRequest, context: Any) -> pb.ExportJourneyResponse:
        journey, _ = await handlers.get_journey(
            self.database.transaction, call_of(context).tenant, request.journey_id, request.encounter
        )
        spans = spans_of(journey)
        rows = [msgspec.json.encode(row).decode() for row in span_rows(spans)]
        return pb.ExportJourneyResponse(span_json=rows, otlp=otlp_request(spans))

    async def RebuildLedger(self, request: pb.RebuildLedgerRequest, context: Any) -> AsyncIterator[pb.RebuildProgress]:
        tenant = call_of(context).tenant
        rebuilding = handlers.rebuild_ledger(
            self.database.transaction, tenant, self.projection, request.check, self.clock.now()
        )
        async for progress in rebuilding:
            yield pb.RebuildProgress(**asdict(progress))
