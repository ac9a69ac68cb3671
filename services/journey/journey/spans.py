"""The journey's own trace: one completed span for each stage under a root, with ids derived from the journey.

Trace id = journey id. Span ids are derived, so the same journey exports to the same spans again at any later time.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

from chassis.telemetry import chosen_ids
from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, Tracer, set_span_in_context

from journey.model import Journey, Stage

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def span_id(journey_id: str, part: str) -> str:
    """16 hex digits, never zero, the same for the same part of the same journey."""
    digest = hashlib.sha256(f"{journey_id}/{part}".encode()).hexdigest()[:16]
    return digest if int(digest, 16) else "1".zfill(16)


def _ns(instant: datetime) -> int:
    return (instant - EPOCH) // timedelta(microseconds=1) * 1000


def export_journey(tracer: Tracer, journey: Journey) -> None:
    """Starts and ends the root and a span per closed stage, backdated. An open journey exports nothing."""
    if journey.ended_at is None:
        return
    root = span_id(journey.journey_id, "root")
    attributes = {"rcm.journey.id": journey.journey_id, "rcm.outcome": journey.outcome}
    with chosen_ids(journey.journey_id, root):
        span = tracer.start_span("journey", Context(), attributes=attributes, start_time=_ns(journey.started_at))
    span.end(_ns(journey.ended_at))
    parent = SpanContext(int(journey.journey_id, 16), int(root, 16), False, TraceFlags(TraceFlags.SAMPLED))
    for stage in journey.stages:
        _export_stage(tracer, journey.journey_id, parent, stage)


def _export_stage(tracer: Tracer, journey_id: str, parent: SpanContext, stage: Stage) -> None:
    if stage.ended_at is None:
        return
    context = set_span_in_context(NonRecordingSpan(parent), Context())
    with chosen_ids("", span_id(journey_id, f"{stage.name}/{stage.round}")):
        span = tracer.start_span(
            f"stage {stage.name}",
            context,
            attributes={"rcm.journey.id": journey_id, "rcm.stage": stage.name, "rcm.stage.round": stage.round},
            start_time=_ns(stage.started_at),
        )
    span.end(_ns(stage.ended_at))
