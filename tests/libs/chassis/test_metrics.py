"""What of a measurement leaves the process: on the page that is scraped, and in what is pushed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import grpc
import httpx
import pytest
from chassis import ask, open_channel
from chassis.grpc_server import GrpcServer
from chassis.http import HttpServer
from chassis.metrics import OFF, Metrics, build_metrics, dropped_labels, start_metrics
from chassis.metrics_gate import kept_back
from chassis.metrics_page import Page, family_name
from chassis.metrics_server import metrics_app
from chassis.metrics_table import BY_NAME, LASTING_BUCKETS, METRICS
from chassis.settings import ServiceSettings
from chassis.telemetry import Telemetry, build_provider, context_of_journey, resource_of
from fastapi import FastAPI
from grpc_health.v1 import health_pb2, health_pb2_grpc
from kernel.errors import Refused
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.util.types import AnyValue
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as older_text
from prometheus_client.samples import Sample

SECRET = "DOE^JANE"
JOURNEY, ROOT = "0af7651916cd43dd8448eb211c80319c", "00f067aa0ba902b7"
OPEN = "application/openmetrics-text"


@pytest.fixture
def metrics() -> Iterator[Metrics]:
    built = build_metrics(resource_of("probe"))
    yield built
    built.shutdown()


def _page(metrics: Metrics, accept: str = OPEN) -> str:
    assert metrics.page is not None
    return Page(metrics.page).text(accept)[0].decode()


def _samples(text: str, name: str) -> list[Sample]:
    families = open_metrics(text)  # type: ignore[no-untyped-call]
    return [sample for family in families for sample in family.samples if sample.name == name]


def test_listed_labels_leave_and_others_are_dropped_and_counted(metrics: Metrics) -> None:
    before = dropped_labels["rcm.patient"]
    ended = metrics.meter("t").create_counter("rcm.journey.ended")
    for secret in (SECRET, f"{SECRET}^M"):
        ended.add(1, {"rcm.outcome": "paid", "rcm.patient": secret, "url.full": f"http://x?name={secret}"})
    text = _page(metrics)
    (sample,) = _samples(text, "rcm_journey_ended_total")
    assert (sample.labels, sample.value) == ({"rcm_outcome": "paid"}, 2)
    assert dropped_labels["rcm.patient"] == before + 2
    assert any(
        sample.labels["rcm_signal"] == "label" and sample.value >= 4
        for sample in _samples(text, "rcm_telemetry_dropped_total")
    )
    assert "DOE" not in text
    assert "patient" not in text
    assert "url" not in text


def test_a_label_of_one_metric_is_no_label_of_another(metrics: Metrics) -> None:
    metrics.meter("t").create_counter("rcm.journey.ended").add(1, {"rcm.outcome": "paid", "rpc.method": "Get"})
    (sample,) = _samples(_page(metrics), "rcm_journey_ended_total")
    assert sample.labels == {"rcm_outcome": "paid"}


def test_a_metric_without_a_row_does_not_leave(metrics: Metrics) -> None:
    meter = metrics.meter("t")
    meter.create_counter("rcm.patients").add(1, {"rcm.outcome": "paid"})
    meter.create_histogram("http.server.request.body.size").record(5, {"http.route": "/x"})
    text = _page(metrics)
    assert "rcm_patients" not in text
    assert "body_size" not in text
    assert kept_back["metric rcm.patients"] > 0


@pytest.mark.parametrize("value", [SECRET, "a\nb", "x" * 200, "name=Jane&born=1970", ("Jane",)])
def test_a_value_that_is_no_plain_word_keeps_its_point_back(metrics: Metrics, value: Any) -> None:
    counter = metrics.meter("t").create_counter("rcm.journey.ended")
    counter.add(1, {"rcm.outcome": value})
    counter.add(1, {"rcm.outcome": "paid"})
    samples = _samples(_page(metrics), "rcm_journey_ended_total")
    assert [sample.labels for sample in samples] == [{"rcm_outcome": "paid"}]


def test_a_duration_has_its_buckets_and_leads_to_its_journey(metrics: Metrics) -> None:
    duration = metrics.meter("t").create_histogram("rcm.stage.duration", "s")
    days_3 = 3 * 86_400.0
    labels: dict[str, AnyValue] = {"rcm.stage": "payer", "rcm.rework": True, "rcm.patient": SECRET}
    duration.record(days_3, labels, context_of_journey(JOURNEY, ROOT))
    duration.record(0.2, labels)
    assert metrics.page is not None
    page = Page(metrics.page)
    for _ in range(2):  # a second scrape sees the same exemplar
        text = page.text(OPEN)[0].decode()
        buckets = _samples(text, "rcm_stage_duration_seconds_bucket")
        assert [float(bucket.labels["le"]) for bucket in buckets] == [*LASTING_BUCKETS, float("inf")]
        assert {bucket.labels["rcm_rework"] for bucket in buckets} == {"true"}
        (led,) = ((bucket.labels["le"], bucket.exemplar) for bucket in buckets if bucket.exemplar is not None)
        assert (float(led[0]), led[1].value) == (days_3, days_3)
        assert led[1].labels == {"trace_id": JOURNEY, "span_id": ROOT}
        assert (buckets[-1].value, _samples(text, "rcm_stage_duration_seconds_sum")[0].value) == (2, days_3 + 0.2)
    assert "DOE" not in text


def test_exemplars_are_kept_without_labels_from_the_start(metrics: Metrics) -> None:
    meter, context = metrics.meter("t"), context_of_journey(JOURNEY, ROOT)
    meter.create_histogram("rcm.stage.duration", "s").record(1.0, {"rcm.patient": SECRET}, context)
    meter.create_counter("rcm.journey.ended").add(1, {"rcm.patient": SECRET}, context)
    assert metrics.page is not None
    data = metrics.page.get_metrics_data()
    assert data is not None
    read = [metric for scope in data.resource_metrics[0].scope_metrics for metric in scope.metrics]
    kept = [one for metric in read for point in metric.data.data_points for one in point.exemplars]
    assert len(kept) == 2
    assert not any(one.filtered_attributes for one in kept)


def test_a_newer_exemplar_takes_the_place_of_the_older(metrics: Metrics) -> None:
    assert metrics.page is not None
    page, counter = Page(metrics.page), metrics.meter("t").create_counter("rcm.journey.ended")
    seen = []
    for journey in (JOURNEY, JOURNEY[::-1]):
        counter.add(1, {"rcm.outcome": "paid"}, context_of_journey(journey, ROOT))
        (sample,) = _samples(page.text(OPEN)[0].decode(), "rcm_journey_ended_total")
        assert sample.exemplar is not None
        seen.append(sample.exemplar.labels["trace_id"])
    assert seen == [JOURNEY, JOURNEY[::-1]]


def test_what_is_not_sampled_leaves_no_exemplar(metrics: Metrics) -> None:
    provider = build_provider("probe", [InMemorySpanExporter()], ratio=0.0)
    counter = metrics.meter("t").create_counter("rcm.journey.ended")
    with provider.get_tracer("t").start_as_current_span("burst"):
        counter.add(1, {"rcm.outcome": "paid"})
    provider.shutdown()
    (sample,) = _samples(_page(metrics), "rcm_journey_ended_total")
    assert sample.exemplar is None


def test_the_older_text_is_there_for_who_asks_for_it(metrics: Metrics) -> None:
    meter = metrics.meter("t")
    meter.create_counter("rcm.journey.ended").add(2, {"rcm.outcome": "paid"}, context_of_journey(JOURNEY, ROOT))

    def oldest(_options: CallbackOptions) -> list[Observation]:
        return [Observation(60.5, {"rcm.stage": "payer", "member": SECRET})]

    meter.create_observable_gauge("rcm.unfinished.oldest_age", [oldest], "s")
    text = _page(metrics, "text/plain")
    found = {sample.name: sample for family in older_text(text) for sample in family.samples}
    assert found["rcm_journey_ended_total"].value == 2
    assert found["rcm_unfinished_oldest_age_seconds"].labels == {"rcm_stage": "payer"}
    assert found["target_info"].labels["service_name"] == "probe"
    assert found["process_memory_usage_bytes"].value > 1_000_000
    assert JOURNEY not in text
    assert "DOE" not in text


def test_rows_have_one_name_each_on_the_page() -> None:
    assert len(BY_NAME) == len(METRICS)
    assert len({family_name(row) for row in METRICS}) == len(METRICS)
    assert all(bool(row.buckets) == (row.kind == "histogram") for row in METRICS)
    assert all(list(row.buckets) == sorted(set(row.buckets)) for row in METRICS)


class Collector:
    """Takes what is pushed, over a real socket."""

    def __init__(self) -> None:
        self.bodies: list[tuple[str, bytes]] = []
        self.came = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def _handler(outer) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                outer.bodies.append((self.path, self.rfile.read(int(self.headers["content-length"]))))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()
                outer.came.set()

            def log_message(self, *_: Any) -> None:
                """Quiet."""

        return Handler

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def collector() -> Iterator[Collector]:
    started = Collector()
    yield started
    started.close()


def test_what_is_pushed_has_gone_through_the_same_gate(collector: Collector) -> None:
    settings = ServiceSettings(postgres_url="postgresql://x", nats_url="nats://x", otlp_endpoint=collector.url)
    metrics = start_metrics(resource_of("probe"), settings)
    meter = metrics.meter("t")
    labels = {"rcm.stage": "payer", "rcm.patient": SECRET}
    meter.create_histogram("rcm.stage.duration", "s").record(5.0, labels, context_of_journey(JOURNEY, ROOT))
    meter.create_counter("rcm.patients").add(1, {"name": SECRET})
    meter.create_counter("rcm.journey.ended").add(1, {"rcm.outcome": SECRET})
    metrics.shutdown()
    assert collector.came.wait(10)
    path, body = collector.bodies[-1]
    assert path == "/v1/metrics"
    assert b"DOE" not in body
    assert b"patient" not in body
    request = ExportMetricsServiceRequest.FromString(body)
    sent = {metric.name: metric for scope in request.resource_metrics[0].scope_metrics for metric in scope.metrics}
    assert "rcm.journey.ended" not in sent  # its only point had a value that may not leave
    (point,) = sent["rcm.stage.duration"].histogram.data_points
    assert {attribute.key for attribute in point.attributes} == {"rcm.stage"}
    (exemplar,) = point.exemplars
    assert (exemplar.trace_id.hex(), exemplar.span_id.hex()) == (JOURNEY, ROOT)
    assert not exemplar.filtered_attributes


def test_metrics_that_are_off_are_nothing() -> None:
    settings = ServiceSettings(
        postgres_url="postgresql://x", nats_url="nats://x", metrics="off", otlp_endpoint="http://127.0.0.1:1"
    )
    metrics = start_metrics(resource_of("probe"), settings)
    metrics.meter("t").create_counter("rcm.journey.ended").add(1)
    metrics.shutdown()
    assert metrics is OFF
    assert metrics.page is None


async def test_the_page_has_a_door_of_its_own(metrics: Metrics) -> None:
    metrics.meter("t").create_counter("rcm.journey.ended").add(1, {"rcm.outcome": "paid"})
    assert metrics.page is not None
    server = HttpServer(metrics_app(Page(metrics.page)))
    port = await server.start("127.0.0.1", 0)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        page = await client.get("/metrics", headers={"accept": f"{OPEN}; version=1.0.0"})
        plain = await client.get("/metrics")
        alive, nothing, posted = await client.get("/healthz"), await client.get("/"), await client.post("/metrics")
    await server.stop()
    assert page.headers["content-type"].startswith(OPEN)
    assert page.text.endswith("# EOF\n")
    assert plain.headers["content-type"].startswith("text/plain")
    assert "rcm_journey_ended_total" in plain.text
    assert alive.json() == {"status": "serving"}
    assert (nothing.status_code, posted.status_code) == (404, 405)


async def test_http_durations_are_by_route_and_status(metrics: Metrics) -> None:
    telemetry, app = Telemetry(None, None, metrics), FastAPI()

    @app.get("/people/{who}")
    async def read_person(who: str) -> str:
        return who

    telemetry.instrument_app(app)
    server = HttpServer(app)
    port = await server.start("127.0.0.1", 0)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        telemetry.instrument_client(client)
        await client.get(f"/people/{SECRET}", params={"name": SECRET}, headers={"x-name": SECRET})
        await client.get("/people/DOEJANE", headers={"host": "doejane.example", "user-agent": "DOEJANE"})
        await client.get("/nowhere/DOEJANE")
        await client.request("PROPFIND", "/people/x")
        with pytest.raises(httpx.HTTPError):
            await client.request("DOEJANE", "http://127.0.0.1:1/people/x")
    await server.stop()
    text = _page(metrics)
    counts = [
        (sample.labels.get("http_route"), sample.labels["http_response_status_code"], sample.value)
        for sample in _samples(text, "http_server_request_duration_seconds_count")
    ]
    assert ("/people/{who}", "200", 2.0) in counts
    assert sum(count for _, _, count in counts) == 4
    assert "PROPFIND" not in text
    asked = _samples(text, "http_client_request_duration_seconds_count")
    assert {sample.labels["server_address"] for sample in asked} == {"127.0.0.1"}
    assert "doe" not in text.lower()


async def test_grpc_durations_are_by_method_and_status(metrics: Metrics) -> None:
    telemetry = Telemetry(None, None, metrics)

    async def answer(request: bytes, _context: Any) -> bytes:
        if request:
            raise Refused("no", "no such thing")
        return b""

    async def stream(_request: bytes, _context: Any) -> Any:
        yield b"1"
        raise Refused("no", "no more")

    def add(_servicer: None, server: grpc.aio.Server) -> None:
        methods = {
            "Say": grpc.unary_unary_rpc_method_handler(answer),
            "Tell": grpc.unary_stream_rpc_method_handler(stream),
        }
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("probe.v1.Probe", methods),))

    server = GrpcServer(((add, None),), ("probe.v1.Probe",), telemetry.server_interceptors())
    port = await server.start("127.0.0.1", 0)
    channel = open_channel(f"127.0.0.1:{port}")
    await ask(channel.unary_unary("/probe.v1.Probe/Say"), b"", tenant="demo")
    with pytest.raises(Refused, match="no such thing"):
        await ask(channel.unary_unary("/probe.v1.Probe/Say"), b"x", tenant="demo")
    with pytest.raises(grpc.aio.AioRpcError):
        await channel.unary_unary("/probe.v1.Probe/DOEJANE")(b"", timeout=5)
    with pytest.raises(grpc.aio.AioRpcError):
        _ = [one async for one in channel.unary_stream("/probe.v1.Probe/Tell")(b"", timeout=5)]
    await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=5)
    await channel.close()
    await server.stop(1)
    text = _page(metrics)
    counts = {
        (sample.labels["rpc_method"], sample.labels["rpc_response_status_code"]): sample.value
        for sample in _samples(text, "rpc_server_duration_seconds_count")
    }
    assert counts == {("Say", "OK"): 1, ("Say", "FAILED_PRECONDITION"): 1, ("Tell", "INVALID_ARGUMENT"): 1}
    assert "DOEJANE" not in text
