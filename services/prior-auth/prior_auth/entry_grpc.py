"""The gRPC door: what a payer requires, and which authorization covers a claim's lines."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

from chassis import call_of
from rcm.priorauth.v1 import priorauth_pb2 as pb
from rcm.priorauth.v1.priorauth_pb2_grpc import PriorAuthServiceServicer

from prior_auth.entry_fhir import FhirEntry
from prior_auth.handlers import Work, find_authorizations
from prior_auth.rules import Requirements
from prior_auth.wire.facts import write_authorization, write_ruling
from prior_auth.wire.resources import read_determine, read_find, read_member_key


@dataclass(frozen=True)
class PriorAuthServicer(PriorAuthServiceServicer):
    """Answers from rows and from what is stored. Only SubmitFhir asks a payer."""

    requirements: Requirements
    work_for: Callable[[str], AbstractAsyncContextManager[Work]]
    fhir: FhirEntry

    async def DetermineRequirement(
        self, request: pb.DetermineRequirementRequest, context: Any
    ) -> pb.DetermineRequirementResponse:
        return write_ruling(self.requirements.determine(read_determine(request)))

    async def FindAuthorization(
        self, request: pb.FindAuthorizationRequest, context: Any
    ) -> pb.FindAuthorizationResponse:
        subject, questions = read_find(request)
        async with self.work_for(call_of(context).tenant) as work:
            found = await find_authorizations(work, self.requirements, subject, questions, read_member_key(request))
        return pb.FindAuthorizationResponse(authorizations=[write_authorization(each) for each in found])

    async def SubmitFhir(self, request: pb.SubmitFhirRequest, context: Any) -> pb.SubmitFhirResponse:
        call = call_of(context)
        answer = await self.fhir.submit(call.tenant, request, request.idempotency_key or call.idempotency_key)
        return pb.SubmitFhirResponse(resource=answer.content, status=answer.status)

    async def InquireFhir(self, request: pb.InquireFhirRequest, context: Any) -> pb.InquireFhirResponse:
        return await self.fhir.inquire(call_of(context).tenant, request)
