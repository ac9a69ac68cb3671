"""Finished spans as JSON lines in a file: what traces are on one machine without a collector."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Any

import msgspec
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import SpanContext, format_span_id, format_trace_id

LARGEST_FILE_BYTES = 64_000_000
_WRITING = Lock()  # bursts and journeys go to one file from threads of their own
_LINES = msgspec.json.Encoder()


def _ids(context: SpanContext | None) -> dict[str, str]:
    if context is None:
        return {"trace_id": "", "span_id": ""}
    return {"trace_id": format_trace_id(context.trace_id), "span_id": format_span_id(context.span_id)}


def _event_row(event: Event) -> dict[str, Any]:
    return {"name": event.name, "at_ns": event.timestamp, "attributes": dict(event.attributes or {})}


def span_row(span: ReadableSpan) -> dict[str, Any]:
    """One span as a flat row: ids in hex, times in nanoseconds since 1970, parent "" for a root."""
    return {
        **_ids(span.context),
        "parent_id": format_span_id(span.parent.span_id) if span.parent else "",
        "name": span.name,
        "kind": span.kind.name.lower(),
        "service": span.resource.attributes.get("service.name", ""),
        "start_ns": span.start_time,
        "end_ns": span.end_time,
        "status": span.status.status_code.name.lower(),
        "attributes": dict(span.attributes or {}),
        "events": [_event_row(event) for event in span.events],
        "links": [_ids(link.context) for link in span.links],
    }


class FileExporter(SpanExporter):
    """Appends to one file per service; a file over 64 MB is moved to `<name>.1`, which it replaces."""

    def __init__(self, file: Path) -> None:
        self._file = file
        file.parent.mkdir(parents=True, exist_ok=True)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        lines = _LINES.encode_lines([span_row(span) for span in spans])
        try:
            with _WRITING:
                self._append(lines)
        except OSError:
            return SpanExportResult.FAILURE
        return SpanExportResult.SUCCESS

    def _append(self, lines: bytes) -> None:
        with self._file.open("ab") as out:
            out.write(lines)
            full = out.tell() > LARGEST_FILE_BYTES
        if full:
            self._file.replace(self._file.with_name(self._file.name + ".1"))
