"""A collector that is away, silent or angry: the process does not wait, does not fill its log, and comes to its end."""

from __future__ import annotations

import io
import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from chassis import telemetry_export
from chassis.log import Repeats, start_logging
from chassis.metrics import build_metrics
from chassis.metrics_page import Page
from chassis.settings import ServiceSettings
from chassis.span_file import FileExporter
from chassis.telemetry import LastingSpans, Telemetry, build_provider, resource_of
from chassis.telemetry_export import (
    BATCH,
    BoundedProcessor,
    ImpatientExporter,
    PatientExporter,
    exporters_of,
    lost_spans,
)
from opentelemetry.context import Context
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanContext, TraceFlags

JOURNEY = "0af7651916cd43dd8448eb211c80319c"
PROBE = resource_of("probe")
SOON_S = 29.0  # the SDK's own end waits thirty seconds and more for a collector that does not answer


@contextmanager
def silent_socket() -> Iterator[str]:
    """Takes connections and never answers."""
    listener = socket.create_server(("127.0.0.1", 0))
    taken: list[socket.socket] = []

    def take() -> None:
        with suppress(OSError):
            while True:
                taken.append(listener.accept()[0])

    threading.Thread(target=take, daemon=True).start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    for connection in (listener, *taken):
        connection.close()


@contextmanager
def closed_port() -> Iterator[str]:
    """Nobody is there."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    yield f"http://127.0.0.1:{port}"


@contextmanager
def answering(status: Callable[[], int], bodies: list[tuple[str, bytes]]) -> Iterator[str]:
    """Answers with a status and keeps what it was given."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            code = status()
            if code == 200:
                bodies.append((self.path, body))
            self.send_response(code)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@contextmanager
def always_500() -> Iterator[str]:
    with answering(lambda: 500, []) as url:
        yield url


def _settings(url: str, **more: Any) -> ServiceSettings:
    return ServiceSettings(postgres_url="postgresql://x", nats_url="nats://x", otlp_endpoint=url, **more)


def _telemetry(url: str) -> Telemetry:
    settings, resource = _settings(url), resource_of("probe")
    return Telemetry(
        build_provider("probe", exporters_of("probe", settings), resource=resource),
        LastingSpans(exporters_of("probe", settings, lasting=True)),
    )


@pytest.mark.parametrize("collector", [silent_socket, closed_port, always_500])
def test_a_collector_that_takes_nothing_costs_nothing(collector: Any) -> None:
    out, before = io.StringIO(), lost_spans.total()
    start_logging("probe", out=out)
    with collector() as url:
        telemetry = _telemetry(url)
        began = time.monotonic()
        for _ in range(40_000):
            telemetry.tracer("t").start_span("work", Context()).end()
        telemetry.lasting.send(journey_span() for _ in range(40_000))
        telemetry.shutdown(within_s=2)
        assert time.monotonic() - began < SOON_S
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    logging.getLogger().handlers.clear()
    assert len(lines) <= 6, lines
    assert lost_spans.total() - before >= 40_000 - telemetry_export.BURST_QUEUE
    assert url.rpartition(":")[2] not in out.getvalue()


def journey_span(attributes: Mapping[str, str] | None = None) -> ReadableSpan:
    """One that was over before it was made."""
    context = SpanContext(int(JOURNEY, 16), 7, False, TraceFlags(TraceFlags.SAMPLED))
    return ReadableSpan("journey", context, resource=PROBE, attributes=attributes, start_time=1, end_time=2)


class Recorder(SpanExporter):
    """Fails as often as it is told to."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.asked = 0
        self.names: list[str] = []

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.asked += 1
        if self.asked <= self.failures:
            return SpanExportResult.FAILURE
        self.names += [span.name for span in spans]
        return SpanExportResult.SUCCESS


def _spans(count: int) -> list[ReadableSpan]:
    return [ReadableSpan(name=f"span {number}") for number in range(count)]


def test_a_failed_collector_is_left_alone_for_a_while() -> None:
    now, inner, before = 0.0, Recorder(failures=1), lost_spans["not taken"]
    exporter = ImpatientExporter(inner, 15.0, lambda: now)
    assert exporter.export(_spans(3)) is SpanExportResult.FAILURE
    now = 14.9
    assert exporter.export(_spans(2)) is SpanExportResult.FAILURE
    assert (inner.asked, lost_spans["not taken"] - before) == (1, 5)
    now = 15.0
    assert exporter.export(_spans(1)) is SpanExportResult.SUCCESS
    assert (inner.asked, inner.names) == (2, ["span 0"])


def test_spans_of_journeys_wait_for_the_collector() -> None:
    bodies: list[tuple[str, bytes]] = []
    statuses = iter([500, 429, 500])
    with answering(lambda: next(statuses, 200), bodies) as url:
        (inner,) = (exporter._inner for exporter in exporters_of("probe", _settings(url), lasting=True))  # type: ignore[attr-defined]
        lasting = LastingSpans([PatientExporter(inner, 0.01)])
        lasting.send([journey_span({"rcm.stage": "payer", "name": "DOE^JANE"})])
        lasting.shutdown()
    ((path, body),) = bodies
    assert path == "/v1/traces"
    (span,) = ExportTraceServiceRequest.FromString(body).resource_spans[0].scope_spans[0].spans
    assert (span.trace_id.hex(), [attribute.key for attribute in span.attributes]) == (JOURNEY, ["rcm.stage"])
    assert b"DOE" not in body


def test_a_patient_exporter_gives_up_when_the_process_ends() -> None:
    inner, before = Recorder(failures=10**9), lost_spans["not taken"]
    exporter = PatientExporter(inner, 60.0)
    waiting = threading.Thread(target=exporter.export, args=(_spans(4),))
    waiting.start()
    exporter.shutdown()
    waiting.join(10)
    assert not waiting.is_alive()
    assert lost_spans["not taken"] - before == 4


def test_what_nobody_ever_takes_does_not_keep_the_rest_waiting() -> None:
    inner, before = Recorder(failures=5), lost_spans["not taken"]
    exporter = PatientExporter(inner, 0.001, attempts=5)
    assert exporter.export(_spans(2)) is SpanExportResult.FAILURE
    assert exporter.export(_spans(1)) is SpanExportResult.SUCCESS
    assert (inner.asked, lost_spans["not taken"] - before) == (6, 2)


class Stuck(SpanExporter):
    """Takes a batch and does not come back."""

    def __init__(self) -> None:
        self.free = threading.Event()
        self.entered = threading.Event()
        self.taken = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.entered.set()
        self.free.wait(30)
        self.taken += len(spans)
        return SpanExportResult.SUCCESS


def test_the_queue_has_an_end_and_what_does_not_fit_is_counted() -> None:
    stuck, before = Stuck(), lost_spans["queue full"]
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(BoundedProcessor(stuck, 1_000))
    tracer = provider.get_tracer("t")
    for _ in range(BATCH):
        tracer.start_span("work").end()
    assert stuck.entered.wait(10)
    for _ in range(3_000):
        tracer.start_span("work").end()
    lost = lost_spans["queue full"] - before
    assert 2_000 <= lost <= 3_000
    stuck.free.set()
    provider.shutdown()
    assert stuck.taken + lost == BATCH + 3_000
    metrics = build_metrics(resource_of("probe"))
    assert metrics.page is not None
    text = Page(metrics.page).text("")[0].decode()
    (line,) = (line for line in text.splitlines() if line.startswith('rcm_telemetry_dropped_total{rcm_signal="span"}'))
    assert float(line.split()[-1]) >= lost


def test_a_share_of_bursts_is_kept_and_every_journey() -> None:
    bursts, journeys = InMemorySpanExporter(), InMemorySpanExporter()
    sampled = build_provider("probe", [bursts], ratio=0.25)
    telemetry = Telemetry(sampled, LastingSpans([journeys]))
    for _ in range(2_000):
        with telemetry.tracer("t").start_as_current_span("outer", Context()):
            telemetry.tracer("t").start_span("inner").end()
        telemetry.lasting.send([journey_span()])
    telemetry.shutdown()
    kept = [span.name for span in bursts.get_finished_spans()]
    assert 300 < kept.count("outer") < 700
    assert kept.count("inner") == kept.count("outer")
    assert len(journeys.get_finished_spans()) == 2_000


def test_a_ratio_of_nothing_keeps_nothing_but_journeys() -> None:
    bursts, journeys = InMemorySpanExporter(), InMemorySpanExporter()
    telemetry = Telemetry(build_provider("probe", [bursts], ratio=0.0), LastingSpans([journeys]))
    with telemetry.tracer("t").start_as_current_span("burst"):
        telemetry.lasting.send([journey_span()])  # even inside of what is not kept
    telemetry.shutdown()
    assert not bursts.get_finished_spans()
    assert len(journeys.get_finished_spans()) == 1


def test_bursts_and_journeys_share_a_file(tmp_path: Path) -> None:
    exporters = [FileExporter(tmp_path / "probe.jsonl") for _ in range(2)]
    telemetry = Telemetry(build_provider("p", [exporters[0]]), LastingSpans([exporters[1]]))
    for _ in range(1_500):
        telemetry.tracer("t").start_span("burst", Context()).end()
        telemetry.lasting.send([journey_span()])
    telemetry.shutdown()
    names = [json.loads(line)["name"] for line in (tmp_path / "probe.jsonl").read_text().splitlines()]
    assert (names.count("burst"), names.count("journey")) == (1_500, 1_500)


def test_a_repeated_message_is_let_through_once_in_a_while() -> None:
    now, key = 0.0, ("exporter", "failed", "NoneType")
    repeats = Repeats(60.0, lambda: now)
    assert [repeats.count(key) for _ in range(5)] == [1, 0, 0, 0, 0]
    assert repeats.count(("exporter", "another", "NoneType")) == 1
    now = 60.0
    assert [repeats.count(key), repeats.count(key)] == [5, 0]
