"""The journey's own trace: one completed span for each finished stage under a root, with ids derived from the journey.

Trace id = journey id. Nothing in a span depends on when it is made, so the same journey gives the same spans again at
any later time. An end closes an episode with its root; what follows is a new episode whose root links to the old.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise

from bus.trace import root_span_id
from chassis.span_file import span_row
from chassis.span_filter import scrub
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import Link, SpanContext, TraceFlags

from journey.model import Journey, Stage
from journey.model.facts import microseconds

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
RESOURCE = Resource({"service.name": "journey", "service.namespace": "throughline"})
Value = str | int | bool


@dataclass(frozen=True, slots=True)
class JourneySpan:
    """One span in words: ids in hex, times in nanoseconds since 1970. `parent_id` is "" for a root, `link_id` the span
    id of the root before it or ""."""

    trace_id: str
    span_id: str
    parent_id: str
    name: str
    start_ns: int
    end_ns: int
    attributes: Mapping[str, Value] = field(default_factory=dict)
    link_id: str = ""

    @property
    def mark(self) -> str:
        """Tells this span from the one that it would be if a late fact had moved its end."""
        return self.span_id if self.parent_id else f"{self.span_id}:{self.end_ns}"


def span_id(journey_id: str, part: str) -> str:
    """16 hex digits, never zero, the same for the same part of the same journey."""
    digest = hashlib.sha256(f"{journey_id}/{part}".encode()).hexdigest()[:16]
    return digest if int(digest, 16) else "1".zfill(16)


def root_id(journey_id: str, episode: int) -> str:
    """Span id of an episode's root: known before the episode ends, so that its stages can name it."""
    return span_id(journey_id, f"root/{episode}") if episode else str(root_span_id(journey_id))


def spans_of(journey: Journey) -> list[JourneySpan]:
    """The roots of the episodes that have ended, and every finished stage, in the order of time."""
    return [*_roots(journey), *(stage_span(journey, stage) for stage in journey.stages if stage.ended_at)]


def _roots(journey: Journey) -> Iterator[JourneySpan]:
    begins = [journey.started_at, *(end.at for end in journey.ends)]
    about = {"rcm.payer.class": journey.payer_class, "rcm.feed": journey.source}
    for episode, (begin, end) in enumerate(pairwise(begins)):
        yield JourneySpan(
            trace_id=journey.journey_id,
            span_id=root_id(journey.journey_id, episode),
            parent_id="",
            name="journey",
            start_ns=_ns(begin),
            end_ns=_ns(end),
            attributes=_known(journey, {"rcm.outcome": journey.ends[episode].outcome, **about}),
            link_id=root_id(journey.journey_id, episode - 1) if episode else "",
        )


def stage_span(journey: Journey, stage: Stage) -> JourneySpan:
    """The span of a finished stage. It says what was certain when the stage ended: no outcome, no payer."""
    start, end = _ns(stage.started_at), _ns(stage.ended_at or stage.started_at)
    told = {"rcm.stage.loop": stage.loop, "rcm.reason": stage.because, "rcm.cause": stage.cause}
    counted = {"rcm.stage.round": stage.round, "rcm.episode": stage.episode, "rcm.rework": bool(stage.loop)}
    return JourneySpan(
        trace_id=journey.journey_id,
        span_id=span_id(journey.journey_id, f"{stage.episode}/{stage.name}/{stage.round}/{start}/{end}"),
        parent_id=root_id(journey.journey_id, stage.episode),
        name=f"stage {stage.name}",
        start_ns=start,
        end_ns=end,
        attributes=_known(journey, {"rcm.stage": stage.name, **told}) | counted,
    )


def _known(journey: Journey, attributes: Mapping[str, str]) -> dict[str, Value]:
    return {"rcm.journey.id": journey.journey_id, **{name: value for name, value in attributes.items() if value}}


def _ns(instant: datetime) -> int:
    return microseconds(instant - EPOCH) * 1000


def context_of(trace_id: str, span: str) -> SpanContext:
    """The context of a span of the journey's trace, sampled."""
    return SpanContext(int(trace_id, 16), int(span, 16), False, TraceFlags(TraceFlags.SAMPLED))


def _links(span: JourneySpan) -> list[Link]:
    return [Link(context_of(span.trace_id, span.link_id))] if span.link_id else []


def readable(span: JourneySpan) -> ReadableSpan:
    """The span as exporters take it. It is over, and its ids are known: no tracer has to start it."""
    return ReadableSpan(
        name=span.name,
        context=context_of(span.trace_id, span.span_id),
        parent=context_of(span.trace_id, span.parent_id) if span.parent_id else None,
        resource=RESOURCE,
        attributes=span.attributes,
        links=_links(span),
        start_time=span.start_ns,
        end_time=span.end_ns,
    )


def span_rows(spans: Iterable[JourneySpan]) -> list[dict[str, object]]:
    """The rows that the span file has of these spans."""
    return [span_row(scrub(readable(span))) for span in spans]


def otlp_request(spans: Iterable[JourneySpan]) -> bytes:
    """The body of an OTLP export of these spans over HTTP."""
    return bytes(encode_spans([scrub(readable(span)) for span in spans]).SerializeToString())
