"""The gRPC door: E/M levels, edits on demand, and the coder's queue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bus import Database, linked_trace
from bus.trace import JOURNEY_ID
from chassis import call_of
from kernel.errors import Unreadable
from rcm.coding.v1 import coding_pb2 as pb
from rcm.coding.v1.coding_pb2_grpc import CodingServiceServicer

from coding.handlers import check_lines, resolve_review
from coding.rules import Rules
from coding.rules.em import Documentation, evaluate_level
from coding.store import CodingWork
from coding.wire.messages import diagnosis_message, finding_message, line_message, read_diagnoses, read_lines

MOST_REVIEWS = 500


@dataclass(frozen=True)
class CodingServicer(CodingServiceServicer):
    """LevelEvaluation and CheckEdits only compute; ResolveReview changes, ListReviews reads."""

    database: Database
    rules: Rules

    async def LevelEvaluation(self, request: pb.LevelEvaluationRequest, context: Any) -> pb.LevelEvaluationResponse:
        family = self.rules.em.family(request.setting, request.new_patient)
        if not family:
            settings = ", ".join(sorted(self.rules.em.settings()))
            raise Unreadable("em-setting", "setting", f"one of {settings}")
        note = Documentation(request.problems, request.data, request.risk, request.total_minutes)
        found = evaluate_level(family, note, request.selected)
        return pb.LevelEvaluationResponse(
            by_mdm=found.by_mdm,
            by_time=found.by_time,
            supported=found.supported,
            comparison=found.comparison,
            because=found.because,
        )

    async def CheckEdits(self, request: pb.CheckEditsRequest, context: Any) -> pb.CheckEditsResponse:
        diagnoses = read_diagnoses(request.diagnoses)
        lines = read_lines(request.lines, diagnoses=len(diagnoses))
        return pb.CheckEditsResponse(findings=map(finding_message, check_lines(diagnoses, lines, self.rules)))

    async def ResolveReview(self, request: pb.ResolveReviewRequest, context: Any) -> pb.ResolveReviewResponse:
        diagnoses = read_diagnoses(request.diagnoses)
        lines = read_lines(request.lines, diagnoses=len(diagnoses))
        async with self.database.unit(call_of(context).tenant) as unit:
            work = CodingWork(unit)
            trace, journey_id = await work.waiting_for(request.work_id)
            with linked_trace(trace, "coding resolve review", **{JOURNEY_ID: journey_id}):
                state = await resolve_review(work, self.rules, request.work_id, request.action, diagnoses, lines)
        return pb.ResolveReviewResponse(state=state)

    async def ListReviews(self, request: pb.ListReviewsRequest, context: Any) -> pb.ListReviewsResponse:
        limit = min(request.limit or MOST_REVIEWS, MOST_REVIEWS)
        async with self.database.unit(call_of(context).tenant) as unit:
            found = await CodingWork(unit).open_reviews(limit, request.work_id)
        reviews = [
            pb.Review(
                work_id=item.work_id,
                encounter=item.encounter,
                findings=map(finding_message, proposal.findings),
                state=item.state,
                diagnoses=map(diagnosis_message, proposal.diagnoses),
                lines=map(line_message, proposal.lines),
                kind=item.kind,
            )
            for item, proposal in found
        ]
        return pb.ListReviewsResponse(reviews=reviews)
