"""The two services that the gateway asks before a claim goes out."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import grpc
from chassis import ask
from kernel.errors import Refused, Unreadable
from rcm.eligibility.v1.eligibility_pb2_grpc import EligibilityServiceStub
from rcm.priorauth.v1.priorauth_pb2_grpc import PriorAuthServiceStub

from claims_gateway.model import Answers, AuthorizationAnswer, CoverageAnswer, Draft
from claims_gateway.wire.answers import (
    authorization_question,
    coverage_question,
    read_authorizations,
    read_coverage,
)


@dataclass(frozen=True, slots=True)
class Others:
    """Asks eligibility and prior-auth. Unavailable goes up, so that the question is asked again later."""

    eligibility: grpc.aio.Channel
    prior_auth: grpc.aio.Channel
    coverage_deadline_s: float
    authorization_deadline_s: float

    async def answers(self, tenant: str, draft: Draft) -> Answers:
        """Both at once. What cannot be asked for want of data is left to the edits to find."""
        coverage, authorizations = await asyncio.gather(
            self.coverage(tenant, draft), self.authorizations(tenant, draft)
        )
        return Answers(coverage, authorizations)

    async def coverage(self, tenant: str, draft: Draft) -> CoverageAnswer | None:
        """A question that eligibility refuses has no answer: unknown, with its code."""
        if draft.visit.insurance is None or draft.service_date is None:
            return None
        method = EligibilityServiceStub(self.eligibility).GetCoverageOn  # type: ignore[no-untyped-call]
        try:
            found = await ask(
                method,
                coverage_question(draft),
                tenant=tenant,
                deadline_s=self.coverage_deadline_s,
                idempotency_key=f"coverage|{draft.encounter_key}",
            )
        except (Refused, Unreadable) as error:
            return CoverageAnswer(status="unknown", on=draft.service_date, reason=error.code)
        return read_coverage(found.verification)

    async def authorizations(self, tenant: str, draft: Draft) -> tuple[AuthorizationAnswer, ...]:
        if not (draft.payer_id and draft.codes and draft.service_date):
            return ()
        method = PriorAuthServiceStub(self.prior_auth).FindAuthorization  # type: ignore[no-untyped-call]
        try:
            found = await ask(
                method, authorization_question(draft), tenant=tenant, deadline_s=self.authorization_deadline_s
            )
        except (Refused, Unreadable):  # whether one is needed is not known: then one is, until somebody says otherwise
            return tuple(AuthorizationAnswer(code=code, required=True, decision="unknown") for code in draft.codes)
        return read_authorizations(found)
