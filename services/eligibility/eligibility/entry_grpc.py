"""The gRPC door: coverage questions of other services."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from chassis import call_of
from rcm.eligibility.v1 import eligibility_pb2 as pb
from rcm.eligibility.v1.eligibility_pb2_grpc import EligibilityServiceServicer

from eligibility.handlers import CoverageDesk
from eligibility.wire.facts import write_verification
from eligibility.wire.resources import read_request


@dataclass(frozen=True)
class EligibilityServicer(EligibilityServiceServicer):
    """CheckCoverage asks now; GetCoverageOn answers from what is known while it holds."""

    desk: CoverageDesk

    async def CheckCoverage(self, request: pb.CheckCoverageRequest, context: Any) -> pb.CheckCoverageResponse:
        call = call_of(context)
        question = read_request(request, self.desk.rulebook.tables.payers)
        found = await self.desk.check_coverage(call.tenant, question, call.idempotency_key)
        return pb.CheckCoverageResponse(verification=write_verification(question, found))

    async def GetCoverageOn(self, request: pb.GetCoverageOnRequest, context: Any) -> pb.GetCoverageOnResponse:
        question = read_request(request, self.desk.rulebook.tables.payers)
        found, asked_now = await self.desk.coverage_on(call_of(context).tenant, question)
        return pb.GetCoverageOnResponse(verification=write_verification(question, found), asked_now=asked_now)
