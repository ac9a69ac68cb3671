"""What of a span leaves the process, and spans with ids that were chosen."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from chassis import ask, open_channel
from chassis.grpc_server import GrpcServer
from chassis.http import HttpServer
from chassis.settings import ServiceSettings
from chassis.span_file import FileExporter
from chassis.telemetry import Telemetry, build_provider, exporters_of
from fastapi import FastAPI
from kernel.errors import Refused
from opentelemetry.context import Context
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags

SECRET = "DOE^JANE"
JOURNEY = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def provider(exporter: InMemorySpanExporter) -> Iterator[TracerProvider]:
    built = build_provider("probe", [exporter])
    yield built
    built.shutdown()


def _finished(provider: TracerProvider, exporter: InMemorySpanExporter) -> list[Any]:
    provider.force_flush()
    return list(exporter.get_finished_spans())


def test_listed_attributes_pass_and_others_do_not(provider: TracerProvider, exporter: InMemorySpanExporter) -> None:
    attributes = {
        "rcm.stage": "coding",
        "http.route": "/fhir/{type}",
        "rpc.grpc.status_code": 0,
        "url.full": f"http://x/Patient?name={SECRET}",
        "url.query": SECRET,
        "http.target": SECRET,
        "http.url": SECRET,
        "db.statement": SECRET,
        "db.query.text": SECRET,
        "rcm.patient": SECRET,
        "rcm.reason": SECRET * 100,
        "rcm.carc": [SECRET],
    }
    with provider.get_tracer("t").start_as_current_span("work", attributes=attributes):
        pass
    (span,) = _finished(provider, exporter)
    assert dict(span.attributes) == {"rcm.stage": "coding", "http.route": "/fhir/{type}", "rpc.grpc.status_code": 0}
    assert SECRET not in span.to_json()


def test_errors_leave_their_type_only(provider: TracerProvider, exporter: InMemorySpanExporter) -> None:
    with pytest.raises(ValueError, match="DOE"), provider.get_tracer("t").start_as_current_span("work") as span:
        span.add_event("read", {"raw": SECRET, "rcm.count": 2})
        span.set_status(Status(StatusCode.ERROR, SECRET))
        raise ValueError(SECRET)
    (finished,) = _finished(provider, exporter)
    assert finished.status.status_code is StatusCode.ERROR
    assert finished.status.description is None
    read, failed = finished.events
    assert dict(read.attributes) == {"rcm.count": 2}
    assert failed.attributes["exception.type"] == "ValueError"
    assert SECRET not in finished.to_json()


def test_names_and_links_are_looked_at_too(provider: TracerProvider, exporter: InMemorySpanExporter) -> None:
    other = SpanContext(1, 2, is_remote=True, trace_flags=TraceFlags(1))
    with provider.get_tracer("t").start_as_current_span(f"GET {SECRET}", links=[Link(other, {"name": SECRET})]):
        pass
    (span,) = _finished(provider, exporter)
    assert span.name == "unnamed"
    assert span.links[0].context.trace_id == 1
    assert not span.links[0].attributes
    assert SECRET not in span.to_json()


def test_queries_of_nobody_are_left_out(provider: TracerProvider, exporter: InMemorySpanExporter) -> None:
    tracer = provider.get_tracer("t")
    query = {"db.system": "postgresql"}
    with tracer.start_as_current_span("select", context=Context(), kind=SpanKind.CLIENT, attributes=query):
        pass
    with tracer.start_as_current_span("call"), tracer.start_as_current_span("select", attributes=query):
        pass
    assert [span.name for span in _finished(provider, exporter)] == ["select", "call"]


async def test_looking_whether_there_is_anything_is_no_burst(
    provider: TracerProvider, exporter: InMemorySpanExporter
) -> None:
    telemetry, app = Telemetry(provider), FastAPI()

    @app.api_route("/mailbox", methods=["GET", "POST"])
    async def mailbox() -> str:
        return "empty"

    telemetry.instrument_app(app)
    server = HttpServer(app)
    port = await server.start("127.0.0.1", 0)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        telemetry.instrument_client(client)
        await client.get("/mailbox")
        await client.post("/mailbox")
    await httpx.AsyncClient().get(f"http://127.0.0.1:{port}/mailbox")  # somebody else's is one
    await server.stop()
    found = sorted((span.kind.name, span.name) for span in _finished(provider, exporter))
    assert found == [("CLIENT", "POST"), ("SERVER", "GET /mailbox"), ("SERVER", "POST /mailbox")]


def test_spans_go_to_a_file_as_lines(tmp_path: Path) -> None:
    provider = build_provider("probe", [FileExporter(tmp_path / "traces" / "probe.jsonl")])
    tracer = provider.get_tracer("t")
    with tracer.start_as_current_span("outer"), tracer.start_as_current_span("inner", attributes={"rcm.count": 1}):
        pass
    provider.shutdown()
    rows = [json.loads(line) for line in (tmp_path / "traces" / "probe.jsonl").read_text().splitlines()]
    inner, outer = rows
    assert (inner["parent_id"], inner["trace_id"]) == (outer["span_id"], outer["trace_id"])
    assert (inner["service"], inner["attributes"]) == ("probe", {"rcm.count": 1})
    assert outer["parent_id"] == ""


async def test_http_spans_are_named_by_route(provider: TracerProvider, exporter: InMemorySpanExporter) -> None:
    telemetry = Telemetry(provider)
    app = FastAPI()

    @app.get("/people/{who}")
    async def read_person(who: str) -> str:
        return "here"

    telemetry.instrument_app(app)
    server = HttpServer(app)
    port = await server.start("127.0.0.1", 0)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        telemetry.instrument_client(client)
        with telemetry.tracer("t").start_as_current_span("burst"):
            answer = await client.get(f"/people/{SECRET}", params={"name": SECRET}, headers={"x-name": SECRET})
            await client.get(f"/nowhere/{SECRET}")
    await server.stop()
    assert answer.json() == "here"
    spans = _finished(provider, exporter)
    names = sorted((span.kind.name, span.name) for span in spans if span.kind is not SpanKind.INTERNAL)
    assert names == [("CLIENT", "GET"), ("CLIENT", "GET"), ("SERVER", "GET"), ("SERVER", "GET /people/{who}")]
    (served,) = (span for span in spans if span.name == "GET /people/{who}")
    assert served.attributes["http.route"] == "/people/{who}"
    assert served.parent.span_id in {span.context.span_id for span in spans if span.kind is SpanKind.CLIENT}
    assert not any("DOE" in span.to_json() for span in spans)


async def test_grpc_calls_stay_in_one_trace(provider: TracerProvider, exporter: InMemorySpanExporter) -> None:
    telemetry = Telemetry(provider)

    async def refuse(_request: bytes, _context: Any) -> bytes:
        raise Refused("no", "no such thing")

    def add(_servicer: None, server: grpc.aio.Server) -> None:
        methods = {"Say": grpc.unary_unary_rpc_method_handler(refuse)}
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("probe.v1.Probe", methods),))

    server = GrpcServer(((add, None),), ("probe.v1.Probe",), telemetry.server_interceptors())
    port = await server.start("127.0.0.1", 0)
    channel = open_channel(f"127.0.0.1:{port}", telemetry.client_interceptors())
    with pytest.raises(Refused, match="no such thing"), provider.get_tracer("t").start_as_current_span("outer"):
        await ask(channel.unary_unary("/probe.v1.Probe/Say"), b"", tenant="demo")
    await channel.close()
    await server.stop(1)
    spans = _finished(provider, exporter)
    assert {span.kind for span in spans} == {SpanKind.SERVER, SpanKind.CLIENT, SpanKind.INTERNAL}
    assert len({span.context.trace_id for span in spans}) == 1
    assert {span.attributes.get("rpc.grpc.status_code") for span in spans} >= {9}


def test_where_spans_go_is_a_setting(tmp_path: Path) -> None:
    base = {"postgres_url": "postgresql://x", "nats_url": "nats://x"}
    assert exporters_of("probe", ServiceSettings(**base)) == []
    assert len(exporters_of("probe", ServiceSettings(**base, traces_dir=tmp_path, otlp_endpoint="http://c:4318"))) == 2


def test_without_a_provider_nothing_is_instrumented() -> None:
    off = Telemetry(None)
    assert (off.client_interceptors(), off.server_interceptors()) == ([], [])
    assert not off.tracer("t").start_span("work").is_recording()
    off.shutdown()
