"""What a process says of itself: processor time, memory, and what telemetry has kept from leaving."""

from __future__ import annotations

import os
import resource
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from opentelemetry.metrics import CallbackOptions, Meter, Observation

from chassis.log import dropped_keys
from chassis.metrics_gate import kept_back

_STATM = Path("/proc/self/statm")
_PAGE = os.sysconf("SC_PAGE_SIZE")


def _cpu_time(_options: CallbackOptions) -> Iterable[Observation]:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return [Observation(used.ru_utime, {"cpu.mode": "user"}), Observation(used.ru_stime, {"cpu.mode": "system"})]


def _memory(_options: CallbackOptions) -> Iterable[Observation]:
    try:
        return [Observation(int(_STATM.read_text().split()[1]) * _PAGE)]
    except OSError:
        return []


def watch_process(meter: Meter, **dropped: Counter[str]) -> None:
    """Observe this process for as long as its meter lives. `dropped` counts by the kind of what was dropped."""

    def _dropped(_options: CallbackOptions) -> Iterable[Observation]:
        all_counts = {"log": dropped_keys, "metric": kept_back, **dropped}
        return [Observation(counts.total(), {"rcm.signal": kind}) for kind, counts in all_counts.items()]

    meter.create_observable_counter("process.cpu.time", [_cpu_time], "s")
    meter.create_observable_gauge("process.memory.usage", [_memory], "By")
    meter.create_observable_counter("rcm.telemetry.dropped", [_dropped])
