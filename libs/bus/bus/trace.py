"""Trace context across what the broker and the database keep: headers in, headers out, links over long waits.

A burst is one trace for as long as the line runs by itself. What waits keeps its `traceparent`; waking up after a
wait for the outside starts a new trace that links to the old one (see the journey page of the docs).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_PROPAGATOR = TraceContextTextMapPropagator()
TRACEPARENT = "traceparent"


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


@contextmanager
def linked_trace(traceparent: str, name: str, **attributes: str | int) -> Iterator[Span]:
    """A new trace that links to the stored one: the wait was for a payer, a bank, a person or a schedule."""
    with tracer().start_as_current_span(
        name, context=Context(), kind=SpanKind.INTERNAL, links=link_to(traceparent), attributes=attributes
    ) as span:
        yield span


def message_attributes(operation: str, destination: str) -> dict[str, str]:
    """Attributes of a messaging span. The destination is a template: no partition, no id."""
    return {
        "messaging.system": "nats",
        "messaging.operation.name": operation,
        "messaging.operation.type": operation,
        "messaging.destination.template": destination,
    }
