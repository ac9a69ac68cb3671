"""Exporting: the spans of journeys that are quiet, each once, and what was seen to end for the first time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from journey import store
from journey.handlers.ports import Transaction
from journey.model import Journey, Stage
from journey.spans import JourneySpan, spans_of
from journey.store import Due


@dataclass(frozen=True, slots=True)
class Exported:
    """What is to be sent of a journey. `stages` ended for the first time; `ended`: so did the journey itself."""

    journey: Journey
    spans: tuple[JourneySpan, ...]
    stages: tuple[Stage, ...]
    ended: bool


async def export_quiet(transaction: Transaction, tenant: str, heard_before: datetime, limit: int) -> list[Exported]:
    """What has not been sent yet of journeys that were told nothing since `heard_before`; marked as sent.

    The marks are committed first: a crash in between loses spans that ExportJourney gives again, and doubles none.
    """
    async with transaction(tenant) as conn:
        found = [_of(due) for due in await store.due_for_export(conn, heard_before, limit)]
        if not found:
            return []
        marks = [mark for exported, marks in found for mark in marks]
        roots = {
            one.journey.journey_id: [span.mark for span in one.spans if not span.parent_id]
            for one, _ in found
            if any(not span.parent_id for span in one.spans)
        }
        await store.mark_exported(conn, marks, roots)
    return [exported for exported, _ in found]


def _of(due: Due) -> tuple[Exported, list[tuple[str, int, str]]]:
    """What is to be sent of one journey, and the marks of its stages by position."""
    journey, known = due.journey, due.roots_sent | set(due.stages_sent.values())
    spans = spans_of(journey)
    of_stage = dict(
        zip((p for p, stage in enumerate(journey.stages) if stage.ended_at), _stage_spans(spans), strict=True)
    )
    marks = [(journey.journey_id, position, span.mark) for position, span in of_stage.items()]
    new = [
        stage for position, stage in enumerate(journey.stages) if position in of_stage.keys() - due.stages_sent.keys()
    ]
    unsent = tuple(span for span in spans if span.mark not in known)
    first_end = bool(journey.ends) and not due.roots_sent
    changed = [mark for mark in marks if due.stages_sent.get(mark[1]) != mark[2]]
    return Exported(journey, unsent, tuple(new), first_end), changed


def _stage_spans(spans: list[JourneySpan]) -> list[JourneySpan]:
    return [span for span in spans if span.parent_id]
