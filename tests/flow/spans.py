"""Reads the spans that the services of a stack have written, and who called or fed whom in them."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path


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


def edges_of(trace: list[Span]) -> set[Edge]:
    """Every step from one service to another within a trace, and a service's own facts to itself."""
    by_id = {span.span_id: span for span in trace}
    found = set()
    for span in trace:
        parent = by_id.get(span.parent_id)
        if parent is None or span.kind not in ("consumer", "server"):
            continue
        if span.name.startswith("process "):
            found.add(Edge(parent.service, span.service, span.name.removeprefix("process ")))
        elif parent.service != span.service:
            found.add(Edge(parent.service, span.service, span.name))
    return found
