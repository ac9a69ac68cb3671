"""The gRPC door: coverage questions of other services."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from chassis import call_of
from rcm.eligibility.v1 import eligibility_pb2 as pb
from rcm.eligibility.v1.eligibility_pb2_grpc import EligibilityServiceServicer

from eligibility.entry_fhir import FhirEntry
from eligibility.handlers import CoverageDesk
from eligibility.wire.facts import write_verification
from eligibility.wire.resources import read_request


@dataclass(frozen=True)
class EligibilityServicer(EligibilityServiceServicer):
    """CheckCoverage and SubmitFhir ask now; GetCoverageOn answers from what is known while it holds."""

    desk: CoverageDesk
    fhir: FhirEntry

    async def CheckCoverage(self, request: pb.CheckCoverageRequest, context: Any) -> pb.CheckCoverageResponse:
        call = call_of(context)
        question = read_request(request, self.desk.rulebook.tables.payers)
        found = await self.desk.check_coverage(call.tenant, question, call.idempotency_key)
        return pb.CheckCoverageResponse(verification=write_verification(question, found))

    async def GetCoverageOn(self, request: pb.GetCoverageOnRequest, context: Any) -> pb.GetCoverageOnResponse:
        question = read_request(request, self.desk.rulebook.tables.payers)
        found, asked_now = await self.desk.coverage_on(call_of(context).tenant, question)
        return pb.GetCoverageOnResponse(verification=write_verification(question, found), asked_now=asked_now)

    async def SubmitFhir(self, request: pb.SubmitFhirRequest, context: Any) -> pb.SubmitFhirResponse:
        call = call_of(context)
        answer = await self.fhir.submit(call.tenant, request, request.idempotency_key or call.idempotency_key)
        return pb.SubmitFhirResponse(resource=answer.content, status=answer.status)
