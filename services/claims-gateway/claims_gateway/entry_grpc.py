"""ClaimsService: claims that are submitted as FHIR, reading claims, and a person's word on a hold."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from bus import Database, Unit, current_trace
from bus.once import Answer, Ticket
from chassis import call_of
from fhir_r4 import write
from kernel.errors import Refused, Unavailable
from rcm.claims.v1 import claims_pb2
from rcm.claims.v1.claims_pb2_grpc import ClaimsServiceServicer
from x12.describe import describe_lines

from claims_gateway import handlers, page
from claims_gateway.entry_events import Questions, link_sleeper, publish
from claims_gateway.entry_fhir import FhirEntry
from claims_gateway.model import Answers, Claim, Shown
from claims_gateway.rules import RuleBook
from claims_gateway.store import Claims
from claims_gateway.wire.facts import step_message, summary
from claims_gateway.wire.professional import Sender, claim_file
from claims_gateway.wire.resources import claim_resource

_RESUBMIT = "ResubmitClaim"
_DONE = "done"


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
            found = await _found(unit, request.claim_id)
            sent = await Claims(unit.conn).sent_in(request.claim_id)
            steps = await page.history(unit.conn, request.claim_id)
        claim = found.claim
        x12 = claim_file(claim, self.book.payers, self.senders[tenant], *sent) if sent else ""
        resource = write(claim_resource(claim, unit.now)) if claim.draft.lines else b""
        return claims_pb2.GetClaimResponse(
            claim=summary(found, tenant),
            claim_json=b"" if request.masked else resource,
            x12="" if request.masked else x12,
            readable=describe_lines(x12, request.masked) if x12 else (),
            history=map(step_message, steps),
        )

    async def ListClaims(self, request: claims_pb2.ListClaimsRequest, context: Any) -> claims_pb2.ListClaimsResponse:
        tenant = call_of(context).tenant
        filters = {name: getattr(request, name) for name in ("journey_id", "state", "payer_id", "text")}
        async with self.database.unit(tenant) as unit:
            found, following = await page.read_page(unit.conn, filters, request.limit, request.after)
        return claims_pb2.ListClaimsResponse(claims=[summary(item, tenant) for item in found], next=following)

    async def ReleaseHold(self, request: claims_pb2.ReleaseHoldRequest, context: Any) -> claims_pb2.ReleaseHoldResponse:
        """Idempotent: a claim that has gone on comes back as it is."""
        tenant = call_of(context).tenant
        word = await self._word(tenant, request)
        async with self.database.unit(tenant) as unit:
            _, facts = await handlers.release_hold(
                Claims(unit.conn),
                self.book,
                request.claim_id,
                word.waive,
                word.authorization,
                word.answers,
                unit.now,
                word.trace,
            )
            await publish(unit, facts)
            released = await _found(unit, request.claim_id)
        return claims_pb2.ReleaseHoldResponse(claim=summary(released, tenant))

    async def ResubmitClaim(
        self, request: claims_pb2.ResubmitClaimRequest, context: Any
    ) -> claims_pb2.ResubmitClaimResponse:
        """Once under its key, also when the claim has been rejected again since; without one the state decides."""
        call = call_of(context)
        key = request.idempotency_key or call.idempotency_key
        if not key:
            return claims_pb2.ResubmitClaimResponse(claim=await self._resubmit(call.tenant, request, None))

        async def act(ticket: Ticket) -> Answer:
            return Answer((await self._resubmit(call.tenant, request, ticket)).SerializeToString(), _DONE)

        answer = await self.fhir.once.answer(call.tenant, Ticket.of(_RESUBMIT, key, _digest(request)), act)
        return claims_pb2.ResubmitClaimResponse(claim=claims_pb2.ClaimSummary.FromString(answer.content))

    async def _resubmit(
        self, tenant: str, request: claims_pb2.ResubmitClaimRequest, ticket: Ticket | None
    ) -> claims_pb2.ClaimSummary:
        word = replace(await self._word(tenant, request), member_id=request.member_id)
        async with self.database.unit(tenant) as unit:
            _, facts = await handlers.resubmit_claim(Claims(unit.conn), self.book, request.claim_id, word, unit.now)
            await publish(unit, facts)
            answer = summary(await _found(unit, request.claim_id), tenant)
            if ticket is not None:
                await ticket.keep(unit, Answer(answer.SerializeToString(), _DONE))
        return answer

    async def SubmitFhir(self, request: claims_pb2.SubmitFhirRequest, context: Any) -> claims_pb2.SubmitFhirResponse:
        call = call_of(context)
        answer = await self.fhir.submit(call.tenant, request, request.idempotency_key or call.idempotency_key)
        return claims_pb2.SubmitFhirResponse(resource=answer.content, status=answer.status)

    async def _word(
        self, tenant: str, request: claims_pb2.ReleaseHoldRequest | claims_pb2.ResubmitClaimRequest
    ) -> handlers.Word:
        """What the person says, beside what the others know now."""
        async with self.database.unit(tenant) as unit:
            claim = (await _found(unit, request.claim_id)).claim
        link_sleeper(claim)
        answers = await self._answers(tenant, claim)
        return handlers.Word(answers, tuple(request.waive), request.authorization_number, current_trace())

    async def _answers(self, tenant: str, claim: Claim) -> Answers:
        """Fresh ones when they can be had: a person who overrules an edit need not wait for a service that is away."""
        try:
            return await self.others.answers(tenant, claim.draft)
        except Unavailable:
            return claim.answers


async def _found(unit: Unit, claim_id: str) -> Shown:
    found = await page.shown(unit.conn, claim_id)
    if found is None:
        raise Refused("claim-not-found", "no such claim", kind="not_found")
    return found


def _digest(request: claims_pb2.ResubmitClaimRequest) -> str:
    """What was asked for, whatever key it came under."""
    asked = [request.claim_id, request.authorization_number, request.member_id, *sorted(request.waive)]
    return hashlib.sha256("\n".join(asked).encode()).hexdigest()
