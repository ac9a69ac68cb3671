"""Metrics of one process: what is measured, the allow-list in front of it, and where it goes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.metrics import Meter, MeterProvider, NoOpMeterProvider
from opentelemetry.sdk import metrics as sdk
from opentelemetry.sdk.metrics import TraceBasedExemplarFilter
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, MetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import DropAggregation, ExplicitBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource

from chassis.metrics_gate import GatedMetricExporter
from chassis.metrics_process import watch_process
from chassis.metrics_reservoir import bare_reservoirs
from chassis.metrics_table import METRICS, NOT_MEASURED, MetricRow
from chassis.settings import ServiceSettings
from chassis.telemetry_export import lost_spans

PUSH_EVERY_MS = 15_000
PUSH_TIMEOUT_S = 5
STOP_MS = 2_000

dropped_labels: Counter[str] = Counter()


class ListedLabels(frozenset[str]):
    """The labels of one metric. The SDK asks for each label of a measurement; what is not listed is counted."""

    def __contains__(self, label: object) -> bool:
        if super().__contains__(label):
            return True
        dropped_labels[str(label)] += 1
        return False


def view_of(row: MetricRow) -> View:
    """Only the row's labels, its buckets, and exemplars that carry a trace and nothing else."""
    return View(
        instrument_name=row.name,
        attribute_keys=ListedLabels(row.labels),  # type: ignore[arg-type]  # the SDK only asks it `in`
        aggregation=ExplicitBucketHistogramAggregation(row.buckets, record_min_max=False) if row.buckets else None,
        exemplar_reservoir_factory=bare_reservoirs,
    )


def all_views() -> list[View]:
    """One for each row of the table, and the ones that switch off what nobody looks at."""
    unwanted = [View(instrument_name=name, aggregation=DropAggregation()) for name in NOT_MEASURED]
    return [*(view_of(row) for row in METRICS), *unwanted]


@dataclass(frozen=True, slots=True)
class Metrics:
    """Metrics of this process. `page` is what a scrape reads; None where metrics are off."""

    provider: MeterProvider
    page: InMemoryMetricReader | None = None

    def meter(self, name: str) -> Meter:
        """For instruments of our own. Only names of the table leave the process."""
        return self.provider.get_meter(name)

    def shutdown(self) -> None:
        """Push a last time. Blocks up to a few seconds."""
        if isinstance(self.provider, sdk.MeterProvider):
            self.provider.shutdown(STOP_MS)


OFF = Metrics(NoOpMeterProvider())


def build_metrics(resource: Resource, more: Sequence[MetricReader] = ()) -> Metrics:
    """Metrics with a page to scrape, and further readers that push."""
    page = InMemoryMetricReader()
    provider = sdk.MeterProvider(
        [page, *more],
        resource,
        exemplar_filter=TraceBasedExemplarFilter(),
        shutdown_on_exit=False,
        views=all_views(),
    )
    watch_process(provider.get_meter("throughline.process"), label=dropped_labels, span=lost_spans)
    return Metrics(provider, page)


def start_metrics(resource: Resource, settings: ServiceSettings) -> Metrics:
    """Set up metrics as the settings say."""
    if settings.metrics == "off":
        return OFF
    readers: list[MetricReader] = []
    if settings.otlp_endpoint:
        exporter = OTLPMetricExporter(
            endpoint=settings.otlp_endpoint.rstrip("/") + "/v1/metrics", timeout=PUSH_TIMEOUT_S
        )
        readers.append(
            PeriodicExportingMetricReader(GatedMetricExporter(exporter), PUSH_EVERY_MS, PUSH_TIMEOUT_S * 1000)
        )
    return build_metrics(resource, readers)
