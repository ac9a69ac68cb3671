"""The last gate before a span leaves the process: only names from the allow-list pass, no text that echoes input."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import Link, SpanContext, Status
from opentelemetry.util.types import Attributes, AttributeValue

from chassis.semconv import ALLOWED_ATTRIBUTES

LONGEST_VALUE = 200
PLAIN_NAME = re.compile(r"[A-Za-z0-9_.,:/{}*$ -]{1,120}")
NAMELESS = "unnamed"


def allowed(attributes: Attributes) -> dict[str, AttributeValue]:
    """What of the attributes may leave: listed names, with numbers, truth values, or short single texts."""
    found: Mapping[str, AttributeValue] = attributes or {}
    return {name: value for name, value in found.items() if name in ALLOWED_ATTRIBUTES and _is_plain(value)}


def _is_plain(value: AttributeValue) -> bool:
    return isinstance(value, bool | int | float) or (isinstance(value, str) and len(value) <= LONGEST_VALUE)


def bare_context(context: SpanContext) -> SpanContext:
    """The same ids without what somebody has written into `tracestate`."""
    if not context.trace_state:
        return context
    return SpanContext(context.trace_id, context.span_id, context.is_remote, context.trace_flags)


def scrub(span: ReadableSpan) -> ReadableSpan:
    """The same span without attributes that are not listed, texts of exceptions, stack traces, status texts, and
    trace states."""
    return ReadableSpan(
        name=span.name if PLAIN_NAME.fullmatch(span.name) else NAMELESS,
        context=bare_context(span.context) if span.context else None,
        parent=span.parent,
        resource=span.resource,
        attributes=allowed(span.attributes),
        events=[Event(_event_name(event), allowed(event.attributes), event.timestamp) for event in span.events],
        links=[Link(bare_context(link.context), allowed(link.attributes)) for link in span.links],
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _event_name(event: Event) -> str:
    return event.name if PLAIN_NAME.fullmatch(event.name) else NAMELESS


class FilteringExporter(SpanExporter):
    """Hands scrubbed spans to another exporter. There is no way to it past the filter."""

    def __init__(self, inner: SpanExporter) -> None:
        self._inner = inner

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self._inner.export([scrub(span) for span in spans])

    def shutdown(self) -> None:
        self._inner.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._inner.force_flush(timeout_millis)
