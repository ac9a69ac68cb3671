"""CoverageEligibilityRequest/$submit: the check that the line makes, asked for by a FHIR client.

A request of this kind belongs to no visit, so it has no journey. Its outcome is a fact of the line all the same when it
changes what is known of the coverage on that day: coverage.verified wakes claims that wait for it, and what a person
must mend (coverage.gap_found) is one work item for each coverage and day, whoever asked. While the payer is away the
answer is `queued` and the question is repeated by the same timer as every other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bus import Database, Unit
from bus.once import Answer, Once, Ticket
from fhir_r4 import write
from fhir_r4.submission import read_submission
from kernel.clock import Clock
from rcm.eligibility.v1.eligibility_pb2 import SubmitFhirRequest

from eligibility.handlers import Payer, Rulebook, Work, ask_payer, record_check
from eligibility.model import Occasion
from eligibility.wire.submitted import REQUEST, read_submitted, write_answer


@dataclass(frozen=True, slots=True)
class FhirEntry:
    """Reads, asks once for all who send the same, and answers. `repeat_s` is how long an answer is repeated."""

    database: Database
    once: Once
    payer: Payer
    rulebook: Rulebook
    open_work: Callable[[Unit], Work]
    new_id: Callable[[], str]
    clock: Clock
    repeat_s: float

    async def submit(self, tenant: str, request: SubmitFhirRequest, idempotency_key: str) -> Answer:
        """The CoverageEligibilityResponse and its outcome."""
        submission = read_submission(request.resource, request.context, REQUEST, request.client_id)
        question = read_submitted(submission, self.rulebook.tables.payers, self.clock.now().date())

        async def act(ticket: Ticket) -> Answer:
            exchange = await ask_payer(self.payer, question, self.new_id)
            async with self.database.unit(tenant) as unit:
                work = self.open_work(unit)
                found = await record_check(work, self.rulebook, question, exchange, Occasion.CLAIM)
                response = write_answer(submission, question, found)
                answer = Answer(write(response), response["outcome"])
                await ticket.keep(unit, answer, found.verification_id)
            return answer

        around = f"{submission.context_digest}|{question.on}"
        ticket = Ticket.of(request.client_id, idempotency_key, submission.digest, around, self.repeat_s)
        return await self.once.answer(tenant, ticket, act)
