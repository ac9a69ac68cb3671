"""Exemplars name the trace that they come from and nothing else.

The SDK's own would carry the labels that a view has left out, and so lead them past the allow-list.
"""

from __future__ import annotations

from typing import Any

from opentelemetry.context import Context
from opentelemetry.sdk.metrics import (
    AlignedHistogramBucketExemplarReservoir,
    ExemplarReservoir,
    SimpleFixedSizeExemplarReservoir,
)
from opentelemetry.util.types import Attributes


class BareBuckets(AlignedHistogramBucketExemplarReservoir):
    """The last sampled measurement of each bucket, without its labels."""

    def offer(self, value: float, time_unix_nano: int, attributes: Attributes, context: Context) -> None:
        super().offer(value, time_unix_nano, None, context)


class BareLatest(SimpleFixedSizeExemplarReservoir):
    """One sampled measurement, without its labels."""

    def offer(self, value: float, time_unix_nano: int, attributes: Attributes, context: Context) -> None:
        super().offer(value, time_unix_nano, None, context)


def bare_reservoirs(_aggregation: type[Any]) -> Any:
    """What a view makes its reservoirs with: by bucket where there are buckets."""

    def make(**parameters: Any) -> ExemplarReservoir:
        return BareBuckets(**parameters) if "boundaries" in parameters else BareLatest(**parameters)

    return make
