"""ClaimsService: claims that are submitted as FHIR, reading claims, and a person's word on a hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bus import Database
from chassis import call_of
from fhir_r4 import write
from kernel.errors import Refused, Unavailable
from rcm.claims.v1 import claims_pb2
from rcm.claims.v1.claims_pb2_grpc import ClaimsServiceServicer

from claims_gateway import handlers
from claims_gateway.entry_events import Questions, publish
from claims_gateway.entry_fhir import FhirEntry
from claims_gateway.model import Answers, Claim
from claims_gateway.rules import RuleBook
from claims_gateway.store import Claims
from claims_gateway.wire.facts import summary
from claims_gateway.wire.professional import Sender, claim_file
from claims_gateway.wire.resources import claim_resource

_MOST = 500


@dataclass(frozen=True, slots=True)
class ClaimsServicer(ClaimsServiceServicer):
    database: Database
    others: Questions
    book: RuleBook
    senders: Mapping[str, Sender]
    fhir: FhirEntry

    async def GetClaim(self, request: claims_pb2.GetClaimRequest, context: Any) -> claims_pb2.GetClaimResponse:
        tenant = call_of(context).tenant
        async with self.database.unit(tenant) as unit:
            claims = Claims(unit.conn)
            claim = await _existing(claims, request.claim_id)
            sent = await claims.sent_in(claim.claim_id)
        x12 = claim_file(claim, self.book.payers, self.senders[tenant], *sent) if sent else ""
        resource = write(claim_resource(claim, unit.now)) if claim.draft.lines else b""
        return claims_pb2.GetClaimResponse(claim=summary(claim), claim_json=resource, x12=x12)

    async def ListClaims(self, request: claims_pb2.ListClaimsRequest, context: Any) -> claims_pb2.ListClaimsResponse:
        async with self.database.unit(call_of(context).tenant) as unit:
            limit = min(request.limit or _MOST, _MOST)
            found = await Claims(unit.conn).page(request.journey_id, request.state, limit)
        return claims_pb2.ListClaimsResponse(claims=[summary(claim) for claim in found])

    async def ReleaseHold(self, request: claims_pb2.ReleaseHoldRequest, context: Any) -> claims_pb2.ReleaseHoldResponse:
        """Idempotent: a claim that has gone on comes back as it is."""
        tenant = call_of(context).tenant
        async with self.database.unit(tenant) as unit:
            claim = await _existing(Claims(unit.conn), request.claim_id)
        answers = await self._answers(tenant, claim)
        async with self.database.unit(tenant) as unit:
            released, facts = await handlers.release_hold(
                Claims(unit.conn),
                self.book,
                request.claim_id,
                tuple(request.waive),
                request.authorization_number,
                answers,
                unit.now,
            )
            await publish(unit, facts)
        return claims_pb2.ReleaseHoldResponse(claim=summary(released))

    async def SubmitFhir(self, request: claims_pb2.SubmitFhirRequest, context: Any) -> claims_pb2.SubmitFhirResponse:
        call = call_of(context)
        answer = await self.fhir.submit(call.tenant, request, request.idempotency_key or call.idempotency_key)
        return claims_pb2.SubmitFhirResponse(resource=answer.content, status=answer.status)

    async def _answers(self, tenant: str, claim: Claim) -> Answers:
        """Fresh ones when they can be had: a person who overrules an edit need not wait for a service that is away."""
        try:
            return await self.others.answers(tenant, claim.draft)
        except Unavailable:
            return claim.answers


async def _existing(claims: Claims, claim_id: str) -> Claim:
    claim = await claims.get(claim_id)
    if claim is None:
        raise Refused("claim-not-found", "no such claim", kind="not_found")
    return claim
