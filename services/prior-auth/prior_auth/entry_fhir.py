"""Claim/$submit for use = preauthorization, and Claim/$inquire (Da Vinci PAS).

Each item is one 278, asked at the same time as the others; a payer that has not answered in time leaves its item
pended, and the timers that repeat every pended request repeat these too. An inquiry answers from where the requests
stand: it asks nobody, because the timers do. When a pended item is decided, authorization.determined carries the answer
as it then is. Such requests belong to no visit of ours and begin no journey.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bus import Database, Unit
from bus.once import Answer, Once, Ticket
from fhir_r4 import write
from fhir_r4.submission import Submission, read_submission
from rcm.priorauth.v1.priorauth_pb2 import InquireFhirRequest, InquireFhirResponse, SubmitFhirRequest

from prior_auth.handlers import Payer, Prepared, ask_submitted, determine_submitted, standing_of
from prior_auth.model import Order, Policy, SubmittedRequest
from prior_auth.rules import Requirements
from prior_auth.store import UnitOfWork
from prior_auth.wire.claim_response import (
    Standing,
    status_of,
    write_bundle,
    write_claim_response,
    write_no_match,
    write_parameters,
)
from prior_auth.wire.submitted import REQUEST, Inquiry, Submitted, kept, read_inquiry, read_submitted

Json = dict[str, Any]
_INQUIRIES = uuid.UUID("d5a6f6c3-90f4-5f0f-9f57-4c0b0f6f2b1e")


@dataclass(frozen=True, slots=True)
class _Match:
    """A request that an inquiry has found, with where it stands."""

    submission: Submission
    response: Json
    status: str


@dataclass(frozen=True, slots=True)
class FhirEntry:
    """`payer` gives up in time to answer within the 15 seconds of PAS. `repeat_s`: how long an answer is repeated."""

    database: Database
    once: Once
    payer: Payer
    requirements: Requirements
    policy: Policy
    window_days: int
    repeat_s: float
    open_work: Callable[[Unit], UnitOfWork]

    async def submit(self, tenant: str, request: SubmitFhirRequest, idempotency_key: str) -> Answer:
        """The ClaimResponse, or a Bundle for a Bundle, and its status. The same content is asked about once."""
        submission = read_submission(request.resource, request.context, REQUEST, request.client_id)
        submitted = self._read(submission, tenant)

        async def act(ticket: Ticket) -> Answer:
            prepared = await self._ask(tenant, submitted)
            async with self.database.unit(tenant) as unit:
                work = self.open_work(unit)
                found = [await determine_submitted(work, self.policy, each) for each in prepared]
                standings = [Standing(item.sequence, one) for item, one in zip(submitted.items, found, strict=True)]
                await work.keep_request(kept(submission, submitted, request.resource, request.context))
                response = write_claim_response(submission, submitted.request_id, standings, unit.now)
                answer = Answer(write(self._whole(submission, response, unit.now)), status_of(standings))
                await ticket.keep(unit, answer, submitted.request_id)
            return answer

        async def act_under_key(ticket: Ticket) -> Answer:
            answer = await self.once.answer(tenant, content, act)
            async with self.database.unit(tenant) as unit:
                await ticket.keep(unit, answer, submitted.request_id)
            return answer

        content = Ticket.of(request.client_id, "", submission.digest, submission.context_digest, self.repeat_s)
        if not idempotency_key:
            return await self.once.answer(tenant, content, act)
        return await self.once.answer(
            tenant, Ticket.of(request.client_id, idempotency_key, submission.digest), act_under_key
        )

    def _read(self, submission: Submission, tenant: str) -> Submitted:
        return read_submitted(submission, tenant, self.requirements.payers, self.window_days)

    async def _ask(self, tenant: str, submitted: Submitted) -> list[Prepared]:
        async with self.database.unit(tenant) as unit:
            work = self.open_work(unit)
            standing = [await work.authorization(item.order.authorization_id) for item in submitted.items]
        questions = (
            ask_submitted(self.payer, self.requirements, item.order, before)
            for item, before in zip(submitted.items, standing, strict=True)
        )
        return list(await asyncio.gather(*questions))

    async def inquire(self, tenant: str, request: InquireFhirRequest) -> InquireFhirResponse:
        """Both answers: Parameters with a Bundle for each match (PAS 2.2.1), and one Bundle with all (PAS 2.0.1)."""
        submission = read_submission(request.resource, request.context, REQUEST, request.client_id)
        inquiry = read_inquiry(submission, self.requirements.payers)
        id = str(uuid.uuid5(_INQUIRIES, f"{tenant}|{request.client_id}|{submission.digest}"))
        async with self.database.unit(tenant) as unit:
            matches = await self._matches(self.open_work(unit), inquiry)
            now = unit.now
        pairs = [(match.submission, match.response) for match in matches]
        bundles = [write_bundle([pair], str(pair[1]["id"]), now) for pair in pairs]
        one = write_bundle(pairs or [(submission, write_no_match(submission, id, now))], id, now)
        pended = any(match.status == "queued" for match in matches)
        return InquireFhirResponse(
            resource=write(write_parameters(bundles)),
            single=write(one),
            status="queued" if pended else "complete" if matches else "none",
            matches=len(matches),
        )

    async def _matches(self, work: UnitOfWork, inquiry: Inquiry) -> list[_Match]:
        found = []
        for request in await work.requests_of(inquiry.subject_key, inquiry.member_key):
            submission, standings = await self._standings(work, request)
            if inquiry.matches(request, {one.authorization.number for one in standings}):
                response = write_claim_response(submission, request.request_id, standings, work.now)
                found.append(_Match(submission, response, status_of(standings)))
        return found

    async def _standings(self, work: UnitOfWork, request: SubmittedRequest) -> tuple[Submission, list[Standing]]:
        """A kept request, read again, and where its items stand now."""
        submission = read_submission(request.resource, request.context, REQUEST, request.client_id)
        items = self._read(submission, work.tenant).items
        found = await work.standings([item.order.authorization_id for item in items])
        standings = [
            Standing(item.sequence, standing_of(item.order, found.get(item.order.authorization_id), work.now))
            for item in items
        ]
        return submission, standings

    async def answer_for(self, work: UnitOfWork, order: Order) -> bytes:
        """The answer to the request that an order is an item of, as it stands now; b"" when none is kept."""
        request = await work.request(order.request_id)
        if request is None:
            return b""
        submission, standings = await self._standings(work, request)
        response = write_claim_response(submission, request.request_id, standings, work.now)
        return write(self._whole(submission, response, work.now))

    def _whole(self, submission: Submission, response: Json, now: datetime) -> Json:
        """In the form in which it was asked: a ClaimResponse for a Claim, a Bundle for a Bundle."""
        return write_bundle([(submission, response)], response["id"], now) if submission.bundle else response
