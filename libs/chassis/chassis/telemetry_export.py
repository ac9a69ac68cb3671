"""Where spans go, and what happens when nobody takes them: the line does not notice.

Every exporter works in a thread of its own behind a bounded queue. What does not find room is dropped and counted.
A collector that does not answer is asked again only now and then: spans of bursts are dropped meanwhile, spans of
journeys wait for it.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from threading import Event

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from chassis.settings import ServiceSettings
from chassis.span_file import FileExporter
from chassis.span_filter import FilteringExporter

EXPORT_EVERY_MS = 1_000
EXPORT_TIMEOUT_S = 3.0
ASK_AGAIN_S = 15.0
MOST_ATTEMPTS = 40  # ten minutes
BATCH = 512
BURST_QUEUE, LASTING_QUEUE = 4_096, 32_768

lost_spans: Counter[str] = Counter()


class ImpatientExporter(SpanExporter):
    """For bursts: leaves an exporter that has failed alone for a while, and drops what comes meanwhile."""

    def __init__(self, inner: SpanExporter, again_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._inner = inner
        self._again_s = again_s
        self._clock = clock
        self._closed_until = float("-inf")

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = SpanExportResult.FAILURE
        if self._clock() >= self._closed_until:
            result = self._inner.export(spans)
            if result is not SpanExportResult.SUCCESS:
                self._closed_until = self._clock() + self._again_s
        if result is not SpanExportResult.SUCCESS:
            lost_spans["not taken"] += len(spans)
        return result

    def shutdown(self) -> None:
        self._inner.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._inner.force_flush(timeout_millis)


class PatientExporter(SpanExporter):
    """For journeys: offers the same spans again until they are taken, the process ends, or it has become hopeless.

    Spans that no collector ever takes must not keep the later ones waiting. The ledger can export them again.
    """

    def __init__(self, inner: SpanExporter, again_s: float, attempts: int = MOST_ATTEMPTS) -> None:
        self._inner = inner
        self._again_s = again_s
        self._attempts = attempts
        self._ending = Event()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        for _ in range(self._attempts):
            if self._inner.export(spans) is SpanExportResult.SUCCESS:
                return SpanExportResult.SUCCESS
            if self._ending.wait(self._again_s):
                break
        lost_spans["not taken"] += len(spans)
        return SpanExportResult.FAILURE

    def shutdown(self) -> None:
        self._ending.set()
        self._inner.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._inner.force_flush(timeout_millis)


class _Counted(SpanExporter):
    """Knows how many spans the queue has handed over."""

    def __init__(self, inner: SpanExporter) -> None:
        self._inner = inner
        self.taken = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.taken += len(spans)
        return self._inner.export(spans)

    def shutdown(self) -> None:
        self._inner.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._inner.force_flush(timeout_millis)


class BoundedProcessor(BatchSpanProcessor):
    """A thread and a queue before an exporter, the allow-list between them.

    The SDK's own queue throws out its oldest and says so for each span; here the newest is not taken, and counted.
    """

    def __init__(self, exporter: SpanExporter, most: int) -> None:
        self._counted = _Counted(FilteringExporter(exporter))
        self._most = most
        self._ended = 0
        super().__init__(
            self._counted, most + BATCH, schedule_delay_millis=EXPORT_EVERY_MS, max_export_batch_size=BATCH
        )

    def on_end(self, span: ReadableSpan) -> None:
        if self._ended - self._counted.taken >= self._most:
            lost_spans["queue full"] += 1
            return
        self._ended += 1
        super().on_end(span)


def _collector_of(settings: ServiceSettings) -> SpanExporter:
    endpoint = settings.otlp_endpoint.rstrip("/") + "/v1/traces"
    return OTLPSpanExporter(endpoint=endpoint, timeout=EXPORT_TIMEOUT_S)


def exporters_of(service: str, settings: ServiceSettings, *, lasting: bool = False) -> list[SpanExporter]:
    """Where finished spans go: a collector, a file, both, or nowhere."""
    exporters: list[SpanExporter] = []
    if settings.otlp_endpoint:
        attitude = PatientExporter if lasting else ImpatientExporter
        exporters.append(attitude(_collector_of(settings), ASK_AGAIN_S))
    if settings.traces_dir is not None:
        exporters.append(FileExporter(settings.traces_dir / f"{service}.jsonl"))
    return exporters
