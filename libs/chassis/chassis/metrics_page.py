"""Metrics as text for a scrape: OpenMetrics with exemplars, or the older Prometheus text for who asks for that.

The exporter of the OpenTelemetry project leaves exemplars out, and they are what leads from a bar to a journey.
"""

from __future__ import annotations

from collections.abc import Iterator
from threading import Lock
from typing import Any

from opentelemetry.sdk.metrics.export import InMemoryMetricReader, Metric, MetricsData
from opentelemetry.trace import format_span_id, format_trace_id
from prometheus_client.core import Exemplar
from prometheus_client.core import Metric as Family
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from chassis.metrics_gate import gated_metrics
from chassis.metrics_table import BY_NAME, MetricRow

UNIT_WORDS = {"s": "seconds", "By": "bytes"}
TARGET_LABELS = ("service.name", "service.namespace", "service.instance.id")


def word_of(name: str) -> str:
    """rcm.stage -> rcm_stage."""
    return name.replace(".", "_")


def family_name(row: MetricRow) -> str:
    """The name on the page: dots as underscores, the unit behind. Counters get `_total` behind that."""
    unit = UNIT_WORDS.get(row.unit, "")
    name = word_of(row.name)
    return name if not unit or name.endswith(unit) else f"{name}_{unit}"


def _labels(point: Any) -> dict[str, str]:
    return {
        word_of(name): str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in sorted((point.attributes or {}).items())
    }


class Page(Collector):
    """What a scrape sees. An exemplar stays until a newer one takes its place, however many scrapes there are."""

    def __init__(self, reader: InMemoryMetricReader) -> None:
        self._reader = reader
        self._exemplars: dict[tuple[Any, ...], Exemplar] = {}
        self._lock = Lock()

    def text(self, accept: str) -> tuple[bytes, str]:
        """The page and its content type, as the Accept header asks for it."""
        encode, content_type = choose_encoder(accept)
        return encode(self), content_type

    def collect(self) -> Iterator[Family]:
        """All families, read now."""
        with self._lock:
            data = self._reader.get_metrics_data()
            yield from _target(data)
            families: dict[str, Family] = {}
            for _, metric in gated_metrics(data):
                self._add(families, metric)
        yield from families.values()

    def _add(self, families: dict[str, Family], metric: Metric) -> None:
        row = BY_NAME[metric.name]
        name = family_name(row)
        family = families.get(name)
        if family is None:
            family = families[name] = Family(name, row.description, row.kind, UNIT_WORDS.get(row.unit, ""))
        for point in metric.data.data_points:
            if row.kind == "histogram":
                self._add_histogram(family, point)
            else:
                self._add_number(family, point)

    def _add_number(self, family: Family, point: Any) -> None:
        if family.type == "counter":
            exemplar = self._latest((family.name, *_labels(point).items()), point.exemplars)
            family.add_sample(f"{family.name}_total", _labels(point), point.value, exemplar=exemplar)
        else:
            family.add_sample(family.name, _labels(point), point.value)

    def _add_histogram(self, family: Family, point: Any) -> None:
        labels, below, so_far = _labels(point), float("-inf"), 0
        for bound, count in zip((*point.explicit_bounds, float("inf")), point.bucket_counts, strict=True):
            so_far += count
            found = [exemplar for exemplar in point.exemplars if below < exemplar.value <= bound]
            place = (family.name, *labels.items(), bound)
            bucket = {**labels, "le": str(floatToGoString(bound))}  # type: ignore[no-untyped-call]
            family.add_sample(f"{family.name}_bucket", bucket, so_far, exemplar=self._latest(place, found))
            below = bound
        family.add_sample(f"{family.name}_count", labels, point.count)
        family.add_sample(f"{family.name}_sum", labels, point.sum)

    def _latest(self, place: tuple[Any, ...], found: Any) -> Exemplar | None:
        traced = [exemplar for exemplar in found if exemplar.trace_id]
        if traced:
            newest = max(traced, key=lambda exemplar: exemplar.time_unix_nano)
            self._exemplars[place] = _exemplar(newest)
        return self._exemplars.get(place)


def _exemplar(found: Any) -> Exemplar:
    ids = {"trace_id": format_trace_id(found.trace_id), "span_id": format_span_id(found.span_id or 0)}
    return Exemplar(ids, found.value, round(found.time_unix_nano / 1e9, 3))


def _target(data: MetricsData | None) -> Iterator[Family]:
    for resource in data.resource_metrics if data is not None else ():
        attributes = resource.resource.attributes
        labels = {word_of(name): str(attributes[name]) for name in TARGET_LABELS if name in attributes}
        family = Family("target", "What is measured here", "info")
        family.add_sample("target_info", labels, 1)
        yield family
