"""The gRPC door: what a payer requires, and which authorization covers a claim's lines."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

from chassis import call_of
from rcm.priorauth.v1 import priorauth_pb2 as pb
from rcm.priorauth.v1.priorauth_pb2_grpc import PriorAuthServiceServicer

from prior_auth.handlers import Work, find_authorizations
from prior_auth.rules import Requirements
from prior_auth.wire.facts import write_authorization, write_ruling
from prior_auth.wire.resources import read_determine, read_find


@dataclass(frozen=True)
class PriorAuthServicer(PriorAuthServiceServicer):
    """Answers from rows and from what is stored; never asks a payer."""

    requirements: Requirements
    work_for: Callable[[str], AbstractAsyncContextManager[Work]]

    async def DetermineRequirement(
        self, request: pb.DetermineRequirementRequest, context: Any
    ) -> pb.DetermineRequirementResponse:
        return write_ruling(self.requirements.determine(read_determine(request)))

    async def FindAuthorization(
        self, request: pb.FindAuthorizationRequest, context: Any
    ) -> pb.FindAuthorizationResponse:
        subject, questions = read_find(request)
        async with self.work_for(call_of(context).tenant) as work:
            found = await find_authorizations(work, self.requirements, subject, questions)
        return pb.FindAuthorizationResponse(authorizations=[write_authorization(each) for each in found])
