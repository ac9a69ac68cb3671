"""Claim/$submit for use = claim: the same edits, states and way out as for claims from charges.

A claim that comes this way begins a journey of its own with claim.built. Sent again it is the same claim: its content
decides, whatever key it comes under. While it is held, its sender may correct it: sent again after its patient or
coverage was mended, or with other content under the same identifier, it is looked at again. Any other claim for the
same encounter, or under the same identifier, is refused.
"""

from __future__ import annotations

from dataclasses import dataclass

from bus import Database, Unit, current_trace
from bus.once import Answer, Once, Ticket, answers_about
from fhir_r4 import write
from fhir_r4.submission import Submission, read_submission
from kernel.identifiers import journey_id
from rcm.claims.v1.claims_pb2 import SubmitFhirRequest

from claims_gateway import handlers
from claims_gateway.entry_events import Questions, look_soon, publish
from claims_gateway.model import HELD, Answers, Claim, Draft, Fact
from claims_gateway.rules import RuleBook
from claims_gateway.store import Claims
from claims_gateway.wire.claim_response import claim_exists, outcome_of, write_claim_response
from claims_gateway.wire.submitted import REQUEST, Submitted, read_submitted


@dataclass(frozen=True, slots=True)
class FhirEntry:
    database: Database
    once: Once
    others: Questions
    book: RuleBook
    first_look_s: float

    async def submit(self, tenant: str, request: SubmitFhirRequest, idempotency_key: str) -> Answer:
        """The ClaimResponse and its outcome. Refused: claim-exists (already_exists), or as `read_submitted`."""
        submission = _read(request)
        submitted = read_submitted(submission, tenant, journey_id(), current_trace())

        async def act(ticket: Ticket) -> Answer:
            answers = await self.others.answers(tenant, submitted.draft)
            async with self.database.unit(tenant) as unit:
                claim, facts, known = await self._take(unit, submission, submitted, answers)
                await publish(unit, facts)
                await look_soon(unit, facts, self.first_look_s)
                answer = known
                if answer is None or (same_lines(submitted.draft, claim) and answer.status != outcome_of(claim)):
                    response = write_claim_response(submission, submitted, claim, unit.now)
                    answer = Answer(write(response), outcome_of(claim))
                await ticket.keep(unit, answer, claim.claim_id)
            return answer

        ticket = Ticket.of(request.client_id, idempotency_key, submission.digest, submission.context_digest)
        return await self.once.answer(tenant, ticket, act)

    async def _take(
        self, unit: Unit, submission: Submission, submitted: Submitted, answers: Answers
    ) -> tuple[Claim, list[Fact], Answer | None]:
        """The claim, what follows, and what its sender was told before, when it is the same claim again."""
        claims, draft = Claims(unit.conn), submitted.draft
        number = submitted.authorization
        taken = await handlers.take_submitted(claims, self.book, unit.tenant, draft, number, answers, unit.now)
        if taken is not None:
            return *taken, None
        standing = await handlers.standing_claim(claims, draft)
        known = (await answers_about(unit, standing.claim_id)).get(submission.digest) if standing else None
        if standing is None or (known is None and not corrects(draft, standing)):
            raise claim_exists(standing)
        if known is not None and not same_lines(draft, standing):  # an earlier version, which its sender has corrected
            return standing, [], known
        again = await handlers.take_submitted_again(claims, self.book, standing, draft, number, answers, unit.now)
        return *again, known if standing.state != HELD else None


def _read(request: SubmitFhirRequest) -> Submission:
    return read_submission(request.resource, request.context, REQUEST, request.client_id, bundles=False)


def corrects(draft: Draft, standing: Claim) -> bool:
    """The same sender's claim under the same identifier, which has not gone out."""
    own = draft.submitter != "" and draft.submitter == standing.draft.submitter
    return own and standing.state == HELD


def same_lines(draft: Draft, standing: Claim) -> bool:
    """Whether the claim stands as this very content made it: the ids of its lines are derived from that."""
    return [line.line_id for line in draft.lines] == [line.line_id for line in standing.draft.lines]
