"""Traces and metrics of one process, and how the libraries that we call take part in them."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Thread
from typing import Any

import grpc
import httpx
from fastapi import FastAPI
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.instrumentation.asyncpg import AsyncPGInstrumentor
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.instrumentation.grpc import aio_client_interceptors, aio_server_interceptor, filters
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.metrics import Meter
from opentelemetry.propagate import set_global_textmap
from opentelemetry.propagators.textmap import Getter, default_getter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter
from opentelemetry.sdk.trace.sampling import (
    Decision,
    ParentBased,
    Sampler,
    SamplingResult,
    TraceIdRatioBased,
)
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    NoOpTracerProvider,
    SpanContext,
    SpanKind,
    TraceFlags,
    Tracer,
    TraceState,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import Attributes, AttributeValue

from chassis.metrics import OFF, Metrics, start_metrics
from chassis.metrics_grpc import MeasuredCalls
from chassis.semconv import SERVICE_NAMESPACE
from chassis.settings import ServiceSettings
from chassis.span_filter import bare_context
from chassis.telemetry_export import BURST_QUEUE, LASTING_QUEUE, BoundedProcessor, exporters_of

STOP_S = 3.0
NEW_NAMES = "http,database"  # the stable names of these conventions, instead of the older ones


def context_of_journey(journey_id: str, root_span_id: str) -> Context:
    """A context in which a measurement's exemplar leads to the journey. Both ids in hex, 32 and 16 digits."""
    root = SpanContext(int(journey_id, 16), int(root_span_id, 16), True, TraceFlags(TraceFlags.SAMPLED))
    return trace.set_span_in_context(NonRecordingSpan(root), Context())


class TraceParent(TraceContextTextMapPropagator):
    """`traceparent` alone: what a caller has written into `tracestate` would leave with every span."""

    def extract(self, carrier: Any, context: Context | None = None, getter: Getter[Any] = default_getter) -> Context:
        found = super().extract(carrier, context, getter)
        span = trace.get_current_span(found).get_span_context()
        if not span.trace_state:
            return found
        return trace.set_span_in_context(NonRecordingSpan(bare_context(span)), found)


def _only_looks(attributes: Mapping[str, AttributeValue]) -> bool:
    """A query, or a GET: the work begins with what it finds."""
    method = attributes.get("http.request.method") or attributes.get("http.method")
    return method in ("GET", "HEAD") or any(name.startswith("db.") for name in attributes)


class NoRootQueries(Sampler):
    """Of roots a share, and none that only look: polling outbox, timers, locks and mailboxes would drown the rest."""

    def __init__(self, ratio: float = 1.0) -> None:
        self._share = TraceIdRatioBased(ratio)

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        if kind is SpanKind.CLIENT and _only_looks(attributes or {}):
            return SamplingResult(Decision.DROP)
        return self._share.should_sample(parent_context, trace_id, name, kind, attributes, links)

    def get_description(self) -> str:
        return "NoRootQueries"


def resource_of(service: str) -> Resource:
    """Which service this is, and which of its processes."""
    return Resource.create(
        {
            "service.name": service,
            "service.namespace": SERVICE_NAMESPACE,
            "service.instance.id": str(uuid.uuid4()),
        }
    )


def build_provider(
    service: str, exporters: Sequence[SpanExporter], ratio: float = 1.0, resource: Resource | None = None
) -> TracerProvider:
    """A provider for bursts: of their roots the share `ratio` is kept, and all that belongs to a kept root."""
    provider = TracerProvider(
        resource=resource or resource_of(service),
        sampler=ParentBased(NoRootQueries(ratio)),
        shutdown_on_exit=False,
    )
    for exporter in exporters:
        provider.add_span_processor(BoundedProcessor(exporter, BURST_QUEUE))
    return provider


class LastingSpans:
    """Spans that were over before they were made, and must never be sampled away: they need no tracer.

    The queue is one that a long rebuild does not fill at once.
    """

    def __init__(self, exporters: Sequence[SpanExporter]) -> None:
        self._processors = [BoundedProcessor(exporter, LASTING_QUEUE) for exporter in exporters]

    def send(self, spans: Iterable[ReadableSpan]) -> None:
        """Queue them for export. Their contexts must be sampled ones."""
        for span in spans:
            for processor in self._processors:
                processor.on_end(span)

    def shutdown(self) -> None:
        """Send what is queued."""
        for processor in self._processors:
            processor.shutdown()  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True)
class Telemetry:
    """Traces and metrics of this process. Without a provider every span is a no-op; `OFF` metrics are no-ops too."""

    provider: TracerProvider | None
    lasting: LastingSpans = field(default_factory=lambda: LastingSpans([]))
    metrics: Metrics = OFF

    def tracer(self, name: str) -> Tracer:
        """A tracer for our own spans in bursts."""
        return trace.get_tracer(name, tracer_provider=self.provider)

    def meter(self, name: str) -> Meter:
        """For instruments of our own."""
        return self.metrics.meter(name)

    def server_interceptors(self) -> list[grpc.aio.ServerInterceptor]:
        """For grpc.aio.server: a span and a duration for each call, none for health checks."""
        spans: list[grpc.aio.ServerInterceptor] = []
        if self.provider is not None:
            make: Any = aio_server_interceptor
            spans.append(make(self.provider, filter_=filters.negate(filters.health_check())))
        return spans if self.metrics is OFF else [*spans, MeasuredCalls(self.meter("throughline.grpc"))]

    def client_interceptors(self) -> list[grpc.aio.ClientInterceptor]:
        """For channels: one span for each call, and its `traceparent` in the metadata."""
        make: Any = aio_client_interceptors
        return [] if self.provider is None else list(make(self.provider))

    def instrument_app(self, app: FastAPI) -> None:
        """One span and a duration for each HTTP request, named by its route."""
        if self.provider is not None or self.metrics is not OFF:
            _speak_new_names()
            FastAPIInstrumentor.instrument_app(
                app,
                tracer_provider=self.provider or NoOpTracerProvider(),
                meter_provider=self.metrics.provider,
                excluded_urls="healthz",
                exclude_spans=["receive", "send"],
            )

    def instrument_client(self, client: httpx.AsyncClient) -> None:
        """One span and a duration for each outgoing HTTP request."""
        if self.provider is not None or self.metrics is not OFF:
            _speak_new_names()
            HTTPXClientInstrumentor.instrument_client(
                client,
                tracer_provider=self.provider or NoOpTracerProvider(),
                meter_provider=self.metrics.provider,
            )

    def shutdown(self, within_s: float = STOP_S) -> None:
        """Send what is finished and has not been sent, each kind by itself.

        A collector that does not answer keeps us for `within_s` seconds and no longer; what it has not taken is lost.
        """
        enders = [provider.shutdown for provider in (self.provider, self.lasting, self.metrics) if provider is not None]
        threads = [Thread(target=end, name="telemetry-end", daemon=True) for end in enders]
        until = time.monotonic() + within_s
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))


def _speak_new_names() -> None:
    """The instrumented libraries read this once, when the first of them is instrumented."""
    os.environ.setdefault("OTEL_SEMCONV_STABILITY_OPT_IN", NEW_NAMES)


def start_telemetry(service: str, settings: ServiceSettings) -> Telemetry:
    """Set up traces and metrics for this process, once. Spans that are off or go nowhere are not made at all."""
    set_global_textmap(TraceParent())  # no baggage: nobody checks what is in it
    _speak_new_names()
    resource = resource_of(service)
    metrics = start_metrics(resource, settings)
    exporters = exporters_of(service, settings) if settings.tracing == "on" else []
    if not exporters:
        return Telemetry(None, metrics=metrics)
    provider = build_provider(service, exporters, settings.trace_ratio, resource)
    trace.set_tracer_provider(provider)
    if settings.sql_spans == "statement":
        queries: Any = AsyncPGInstrumentor
        queries().instrument(tracer_provider=provider)
    return Telemetry(provider, LastingSpans(exporters_of(service, settings, lasting=True)), metrics)
