"""Trace context across what the broker and the database keep: headers in, headers out, links over long waits.

A burst is one trace for as long as the line runs by itself. What waits keeps its `traceparent`; waking up after a
wait for the outside starts a new trace that links to the old one (see the journey page of the docs).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, TraceFlags
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_PROPAGATOR = TraceContextTextMapPropagator()
TRACEPARENT = "traceparent"
JOURNEY_ID = "rcm.journey.id"
_JOURNEY_ID = re.compile(r"[0-9a-f]{32}")

_TRACER = trace.get_tracer("throughline.bus")  # asks the provider that is set later, once


def tracer() -> trace.Tracer:
    """The bus's tracer. A no-op where no provider is set."""
    return _TRACER


def current_trace() -> str:
    """The current `traceparent`, empty where nothing is being traced."""
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier)
    return carrier.get(TRACEPARENT, "")


def context_of(traceparent: str) -> Context:
    """The remote context that a stored `traceparent` names; an empty one for an empty string."""
    return _PROPAGATOR.extract({TRACEPARENT: traceparent} if traceparent else {}, context=Context())


def context_from(headers: Mapping[str, str]) -> Context:
    """The remote context in message headers."""
    return context_of(headers.get(TRACEPARENT, ""))


def link_to(traceparent: str) -> list[Link]:
    """A link to a stored context, or nothing when there is none."""
    span_context = trace.get_current_span(context_of(traceparent)).get_span_context()
    return [Link(span_context)] if span_context.is_valid else []


@contextmanager
def continue_trace(traceparent: str, name: str, **attributes: str | int) -> Iterator[Span]:
    """A span in the trace that was stored: the wait was short and our own."""
    with tracer().start_as_current_span(name, context=context_of(traceparent), attributes=attributes) as span:
        yield span


def root_span_id(journey_id: str) -> str:
    """The span id of a journey's first root, in 16 hex digits: derived, so that it can be named before it exists."""
    digest = hashlib.sha256(f"{journey_id}/root".encode()).hexdigest()[:16]
    return digest if int(digest, 16) else "1".zfill(16)


def is_journey_id(text: str) -> bool:
    """Whether it can be one of ours. Anything else that stands in its place may be somebody's number."""
    return bool(_JOURNEY_ID.fullmatch(text)) and int(text, 16) != 0


def link_to_journey(journey_id: str) -> list[Link]:
    """A link to the root of a journey's own trace, or nothing for an id that is none."""
    if not is_journey_id(journey_id):
        return []
    root = SpanContext(int(journey_id, 16), int(root_span_id(journey_id), 16), True, TraceFlags(TraceFlags.SAMPLED))
    return [Link(root)]


def span_within(
    name: str, attributes: Mapping[str, str], context: Context | None = None
) -> AbstractContextManager[Span | None]:
    """A client span in the trace of `context` or the current one; none where there is no trace, as when we poll."""
    if not trace.get_current_span(context).get_span_context().is_valid:
        return nullcontext()
    return tracer().start_as_current_span(name, context=context, kind=SpanKind.CLIENT, attributes=attributes)


@contextmanager
def linked_trace(traceparent: str, name: str, **attributes: str | int) -> Iterator[Span]:
    """A new trace that links to the stored one: the wait was for a payer, a bank, a person or a schedule.

    With the attribute `rcm.journey.id` it links to the journey, too.
    """
    links = [*link_to(traceparent), *link_to_journey(str(attributes.get(JOURNEY_ID, "")))]
    with tracer().start_as_current_span(
        name, context=Context(), kind=SpanKind.INTERNAL, links=links, attributes=attributes
    ) as span:
        yield span


def message_attributes(operation: str, destination: str, kind: str = "") -> dict[str, str]:
    """Attributes of a messaging span. The destination is a template: no partition, no id.

    `kind` is the conventions' type of the operation ("send", "process", "settle") where our name for it is another.
    """
    return {
        "messaging.system": "nats",
        "messaging.operation.name": operation,
        "messaging.operation.type": kind or operation,
        "messaging.destination.template": destination,
    }
