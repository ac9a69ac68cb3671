"""Traces of one process: where they go, what may be in them, and how the libraries that we call take part."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import grpc
import httpx
from fastapi import FastAPI
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.asyncpg import AsyncPGInstrumentor
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.instrumentation.grpc import aio_client_interceptors, aio_server_interceptor, filters
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.propagate import set_global_textmap
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, Decision, ParentBased, Sampler, SamplingResult
from opentelemetry.trace import Link, SpanKind, Tracer, TraceState
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import Attributes

from chassis.semconv import SERVICE_NAMESPACE
from chassis.settings import ServiceSettings
from chassis.span_file import FileExporter
from chassis.span_filter import FilteringExporter

EXPORT_EVERY_MS = 1_000
NEW_NAMES = "http,database"  # the stable names of these conventions, instead of the older ones

_trace_id: ContextVar[int] = ContextVar("trace_id", default=0)
_span_id: ContextVar[int] = ContextVar("span_id", default=0)


class ChosenIds(IdGenerator):
    """Random ids, except inside `chosen_ids`. The SDK has no other way to start a root in a given trace."""

    def __init__(self) -> None:
        self._random = RandomIdGenerator()

    def generate_span_id(self) -> int:
        return _span_id.get() or self._random.generate_span_id()

    def generate_trace_id(self) -> int:
        return _trace_id.get() or self._random.generate_trace_id()

    def is_trace_id_random(self) -> bool:
        return True  # a chosen one is a journey id, which is random too


@contextmanager
def chosen_ids(trace_id: str = "", span_id: str = "") -> Iterator[None]:
    """Give the next started span these ids (32 and 16 hex digits; "" leaves it to chance).

    The trace id holds for a root only: start it with `context=opentelemetry.context.Context()`. Start one span inside
    the block and no more, or two spans share an id. ValueError when it is not hex.
    """
    trace_token = _trace_id.set(int(trace_id or "0", 16))
    span_token = _span_id.set(int(span_id or "0", 16))
    try:
        yield
    finally:
        _span_id.reset(span_token)
        _trace_id.reset(trace_token)


class NoRootQueries(Sampler):
    """Leaves out database spans that belong to nothing: polling outbox, timers and locks would drown the rest."""

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
        if kind is SpanKind.CLIENT and any(key.startswith("db.") for key in attributes or {}):
            return SamplingResult(Decision.DROP)
        return ALWAYS_ON.should_sample(parent_context, trace_id, name, kind, attributes, links)

    def get_description(self) -> str:
        return "NoRootQueries"


def exporters_of(service: str, settings: ServiceSettings) -> list[SpanExporter]:
    """Where finished spans go: a collector, a file, both, or nowhere."""
    exporters: list[SpanExporter] = []
    if settings.otlp_endpoint:
        exporters.append(OTLPSpanExporter(endpoint=settings.otlp_endpoint.rstrip("/") + "/v1/traces", timeout=5))
    if settings.traces_dir is not None:
        exporters.append(FileExporter(settings.traces_dir / f"{service}.jsonl"))
    return exporters


def build_provider(service: str, exporters: Sequence[SpanExporter]) -> TracerProvider:
    """A provider whose spans reach the exporters through the allow-list only."""
    resource = Resource.create(
        {
            "service.name": service,
            "service.namespace": SERVICE_NAMESPACE,
            "service.instance.id": str(uuid.uuid4()),
        }
    )
    provider = TracerProvider(
        resource=resource,
        sampler=ParentBased(NoRootQueries()),
        id_generator=ChosenIds(),
        shutdown_on_exit=False,
    )
    for exporter in exporters:
        filtering = FilteringExporter(exporter)
        provider.add_span_processor(BatchSpanProcessor(filtering, schedule_delay_millis=EXPORT_EVERY_MS))
    return provider


@dataclass(frozen=True, slots=True)
class Telemetry:
    """Tracing of this process. Without a provider every span is a no-op and nothing is instrumented."""

    provider: TracerProvider | None

    def tracer(self, name: str) -> Tracer:
        """A tracer for our own spans."""
        return trace.get_tracer(name, tracer_provider=self.provider)

    def server_interceptors(self) -> list[grpc.aio.ServerInterceptor]:
        """For grpc.aio.server: one span for each call, none for health checks."""
        if self.provider is None:
            return []
        make: Any = aio_server_interceptor
        return [make(self.provider, filter_=filters.negate(filters.health_check()))]

    def client_interceptors(self) -> list[grpc.aio.ClientInterceptor]:
        """For channels: one span for each call, and its `traceparent` in the metadata."""
        make: Any = aio_client_interceptors
        return [] if self.provider is None else list(make(self.provider))

    def instrument_app(self, app: FastAPI) -> None:
        """One span for each HTTP request, named by its route."""
        if self.provider is not None:
            FastAPIInstrumentor.instrument_app(
                app, tracer_provider=self.provider, excluded_urls="healthz", exclude_spans=["receive", "send"]
            )

    def instrument_client(self, client: httpx.AsyncClient) -> None:
        """One span for each outgoing HTTP request."""
        if self.provider is not None:
            HTTPXClientInstrumentor.instrument_client(client, tracer_provider=self.provider)

    def shutdown(self) -> None:
        """Send what is finished and has not been sent. Blocks up to a few seconds."""
        if self.provider is not None:
            self.provider.shutdown()


def start_telemetry(service: str, settings: ServiceSettings) -> Telemetry:
    """Set up tracing for this process, once. Off, or with nowhere to send spans, nothing is set up."""
    set_global_textmap(TraceContextTextMapPropagator())  # no baggage: nobody checks what is in it
    exporters = exporters_of(service, settings) if settings.tracing == "on" else []
    if not exporters:
        return Telemetry(None)
    os.environ.setdefault("OTEL_SEMCONV_STABILITY_OPT_IN", NEW_NAMES)
    provider = build_provider(service, exporters)
    trace.set_tracer_provider(provider)
    if settings.sql_spans == "statement":
        queries: Any = AsyncPGInstrumentor
        queries().instrument(tracer_provider=provider)
    return Telemetry(provider)
