"""Reads the spans that the services of a stack have written, and who called or fed whom in them."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

HEARS = ("process ", "prepare ")  # how a span of a consumer begins; the name of the fact follows


@dataclass(frozen=True, slots=True)
class Span:
    """A finished span as its service wrote it."""

    service: str
    name: str
    kind: str
    trace_id: str
    span_id: str
    parent_id: str
    start_ns: int
    end_ns: int
    attributes: dict[str, object]
    links: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Edge:
    """`caller` led to `callee` by `what`: the name of a fact, a gRPC method or an HTTP route."""

    caller: str
    callee: str
    what: str


def read_spans(folder: Path) -> dict[str, list[Span]]:
    """All spans by trace id."""
    traces: dict[str, list[Span]] = defaultdict(list)
    for file in sorted(folder.glob("*.jsonl")):
        for line in file.read_text().splitlines():
            row = json.loads(line)
            links = tuple(str(link["trace_id"]) for link in row["links"])
            span = Span(
                row["service"],
                row["name"],
                row["kind"],
                row["trace_id"],
                row["span_id"],
                row["parent_id"] or "",
                row["start_ns"],
                row["end_ns"],
                row["attributes"],
                links,
            )
            traces[span.trace_id].append(span)
    return traces


def quiet_spans(folder: Path, still_s: float = 3.0, within_s: float = 60.0) -> dict[str, list[Span]]:
    """All spans, when the services have written none for a while (their exporters write every second)."""
    deadline, size, since = time.monotonic() + within_s, -1, time.monotonic()
    while time.monotonic() < deadline and time.monotonic() - since < still_s:
        now = sum(file.stat().st_size for file in folder.glob("*.jsonl"))
        if now != size:
            size, since = now, time.monotonic()
        time.sleep(0.25)
    return read_spans(folder)


def edges_of(trace: list[Span]) -> set[Edge]:
    """Every step from one service to another within a trace, and a service's own facts to itself."""
    by_id = {span.span_id: span for span in trace}
    found = set()
    for span in trace:
        parent = by_id.get(span.parent_id)
        if parent is None or span.kind not in ("consumer", "server"):
            continue
        if span.name.startswith(HEARS):
            found.add(Edge(parent.service, span.service, span.name.partition(" ")[2]))
        elif parent.service != span.service:
            found.add(Edge(parent.service, span.service, span.name))
    return found
