"""The last gate before a metric leaves the process: listed metrics, listed labels, plain words as values."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from opentelemetry.sdk.metrics.export import (
    Metric,
    MetricExporter,
    MetricExportResult,
    MetricsData,
    ScopeMetrics,
)
from opentelemetry.util.types import Attributes

from chassis.metrics_table import BY_NAME, MetricRow

PLAIN_VALUE = re.compile(r"[A-Za-z0-9_.,:/{}*$ -]{0,120}")

kept_back: Counter[str] = Counter()


def _is_plain(value: Any) -> bool:
    return isinstance(value, bool | int | float) or (
        isinstance(value, str) and PLAIN_VALUE.fullmatch(value) is not None
    )


def _may_leave(attributes: Attributes, row: MetricRow) -> bool:
    return all(name in row.labels and _is_plain(value) for name, value in (attributes or {}).items())


def gated_points(metric: Metric) -> list[Any]:
    """The metric's points that may leave, their exemplars without labels; none of a metric without a row."""
    row = BY_NAME.get(metric.name)
    if row is None:
        kept_back[f"metric {metric.name}"] += 1
        return []
    listed = [point for point in metric.data.data_points if _may_leave(point.attributes, row)]
    if len(listed) < len(metric.data.data_points):
        kept_back[f"point {metric.name}"] += 1
    return [_bare(point) for point in listed]


def _bare(point: Any) -> Any:
    if not any(exemplar.filtered_attributes for exemplar in point.exemplars):
        return point
    return replace(point, exemplars=[replace(exemplar, filtered_attributes=None) for exemplar in point.exemplars])


def gated_metrics(data: MetricsData | None) -> Iterator[tuple[ScopeMetrics, Metric]]:
    """Every metric that may leave with the points that may leave, and the scope that it is of."""
    for resource in data.resource_metrics if data is not None else ():
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                if points := gated_points(metric):
                    data_now: Any = metric.data
                    yield scope, replace(metric, data=replace(data_now, data_points=points))


def gated(data: MetricsData) -> MetricsData:
    """The same data with what may leave."""
    by_scope: dict[int, tuple[ScopeMetrics, list[Metric]]] = {}
    for scope, metric in gated_metrics(data):
        by_scope.setdefault(id(scope), (scope, []))[1].append(metric)
    scopes = [replace(scope, metrics=metrics) for scope, metrics in by_scope.values()]
    return MetricsData([replace(data.resource_metrics[0], scope_metrics=scopes)] if scopes else [])


class GatedMetricExporter(MetricExporter):
    """Hands what may leave to another exporter. There is no way to it past the gate."""

    def __init__(self, inner: MetricExporter) -> None:
        super().__init__(inner._preferred_temporality, inner._preferred_aggregation)
        self._inner = inner

    def export(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **kwargs: Any) -> MetricExportResult:
        return self._inner.export(gated(metrics_data), timeout_millis, **kwargs)

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        return self._inner.force_flush(timeout_millis)

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: Any) -> None:
        self._inner.shutdown(timeout_millis, **kwargs)
