"""The gRPC door: where is it, and how long did each step take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bus import Database
from chassis import call_of
from rcm.journey.v1 import journey_pb2 as pb
from rcm.journey.v1.journey_pb2_grpc import JourneyServiceServicer

from journey import handlers, store
from journey.wire import journey_message


@dataclass(frozen=True)
class JourneyServicer(JourneyServiceServicer):
    """Answers from the facts; lists and KPIs from what was added up."""

    database: Database

    async def GetJourney(self, request: pb.GetJourneyRequest, context: Any) -> pb.GetJourneyResponse:
        journey, facts = await handlers.get_journey(
            self.database.transaction, call_of(context).tenant, request.journey_id, request.encounter
        )
        return pb.GetJourneyResponse(journey=journey_message(journey, facts))

    async def FindJourneys(self, request: pb.FindJourneysRequest, context: Any) -> pb.FindJourneysResponse:
        found = await handlers.find_journeys(
            self.database.transaction,
            call_of(context).tenant,
            request.state,
            request.outcome,
            request.after,
            request.limit,
        )
        following = found[-1].journey_id if found else ""
        return pb.FindJourneysResponse(journeys=[journey_message(one) for one in found], next=following)

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
