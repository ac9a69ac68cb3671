"""Every metric that leaves a process, one row each: its kind, unit, labels and buckets.

What has no row does not leave, and of a row's measurements only the listed labels do. A label's value is a word from a
closed set (a stage, a class, a route template, a code of ours), never anything that could identify a person.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["counter", "gauge", "histogram"]

HOUR, DAY = 3_600.0, 86_400.0
# From the machine's own milliseconds to a payer's year, in seconds.
LASTING_BUCKETS = (
    *(0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0),
    *(HOUR, 4 * HOUR, 12 * HOUR),
    *(days * DAY for days in (1, 2, 3, 5, 7, 10, 14, 21, 30, 45, 60, 90, 120, 180, 365)),
)
# Of one request or one fact, in seconds. 5, 15 and 20 are limits that others have set: CRD, PAS and the 271.
QUICK_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0, 20.0, 30.0)


@dataclass(frozen=True, slots=True)
class MetricRow:
    """One metric. `name` is the OpenTelemetry name, `unit` a UCUM one ("s", "By"; "" for plain numbers)."""

    name: str
    kind: Kind
    labels: tuple[str, ...]
    description: str
    unit: str = ""
    buckets: tuple[float, ...] = ()


STAGE, PAYER, FEED, OUTCOME = "rcm.stage", "rcm.payer.class", "rcm.feed", "rcm.outcome"
EVENT, WORK, OWNER = "rcm.event.type", "rcm.work.kind", "rcm.work.owner"


def _lasting(name: str, labels: tuple[str, ...], description: str) -> MetricRow:
    return MetricRow(name, "histogram", labels, description, "s", LASTING_BUCKETS)


def _quick(name: str, labels: tuple[str, ...], description: str) -> MetricRow:
    return MetricRow(name, "histogram", labels, description, "s", QUICK_BUCKETS)


def _gauge(name: str, labels: tuple[str, ...], description: str, unit: str = "") -> MetricRow:
    return MetricRow(name, "gauge", labels, description, unit)


def _counter(name: str, labels: tuple[str, ...], description: str, unit: str = "") -> MetricRow:
    return MetricRow(name, "counter", labels, description, unit)


JOURNEY: tuple[MetricRow, ...] = (
    _lasting(
        "rcm.encounter_to_payment.duration",
        (STAGE, PAYER, FEED, OUTCOME),
        "From the first move of an encounter to its first end",
    ),
    _lasting(
        "rcm.stage.duration",
        (STAGE, PAYER, FEED, "rcm.rework"),
        "How long an encounter stood in a stage that it has left",
    ),
    _gauge("rcm.unfinished.count", (STAGE, PAYER), "Encounters that stand in a stage"),
    _gauge("rcm.unfinished.cents", (STAGE, PAYER), "Cents at stake in a stage"),
    _gauge("rcm.unfinished.oldest_age", (STAGE, PAYER), "How long the oldest encounter has stood in a stage", "s"),
    _gauge("rcm.journey.unbegun", (), "Encounters of which facts are known, but no beginning"),
    _counter("rcm.journey.ended", (OUTCOME, PAYER, FEED), "Encounters that came to an end"),
    _counter("rcm.journey.cents", (OUTCOME, PAYER, FEED), "Cents of encounters that came to an end"),
    _counter("rcm.journey.notices", ("rcm.notice",), "What was odd about the facts: late, out of order, clocks"),
    _counter("rcm.journey.facts", (EVENT,), "Facts in the ledger"),
    _lasting("rcm.claim.out.duration", (PAYER, FEED), "From the encounter's close to its claim handed over"),
    _lasting("rcm.machine.duration", (PAYER, FEED), "What of the way from close to claim was the line's own work"),
    _lasting("rcm.claim.first_answer", (PAYER, OUTCOME), "From a claim handed over to the first answer about it"),
    _lasting("rcm.remittance.posting.duration", (PAYER,), "From an 835 taken in to its money posted"),
    _lasting("rcm.settlement.duration", (), "From a remittance to its deposit at the bank"),
    _lasting("rcm.denial.first_touch", (PAYER,), "From a denial to the first person who worked on it"),
    _gauge("rcm.claim.filing_at_risk", (PAYER,), "Claims not sent in the last tenth of their filing window"),
    _counter("rcm.slo.count", ("rcm.slo", OUTCOME), "What met or missed an objective"),
    _counter("rcm.slo.cents", ("rcm.slo", OUTCOME), "Cents of what met or missed an objective"),
    _gauge("rcm.work.open", (WORK, OWNER), "Work items that wait for a person"),
    _gauge("rcm.work.cents", (WORK, OWNER), "Cents that wait for a person"),
    _gauge("rcm.work.oldest_age", (WORK, OWNER), "How long the oldest work item has waited", "s"),
    _gauge("rcm.kpi.value", ("rcm.kpi",), "A key figure as its published formula gives it"),
    _gauge("rcm.kpi.disagreements", ("rcm.kpi",), "Rows on which the two computations of a key figure differ"),
)

BUS: tuple[MetricRow, ...] = (
    _counter("rcm.bus.handled", (EVENT, OUTCOME), "Facts taken in: handled, duplicate, retry or dead-letter"),
    _quick("rcm.bus.handle.duration", (EVENT,), "How long the handler of a fact took, in its transaction"),
    _quick("rcm.bus.prepare.duration", (EVENT,), "How long asking others took, before the handler of a fact"),
    _counter("rcm.bus.redeliveries", (EVENT,), "Deliveries of a fact after its first"),
    _counter("rcm.bus.dead_letters", (EVENT,), "Facts given up and kept as dead letters"),
    _counter("rcm.bus.published", (EVENT,), "Facts that the stream has acknowledged"),
    _gauge("rcm.bus.consumer.lag", ("rcm.partition",), "Facts in the stream that were not delivered yet"),
    _gauge("rcm.bus.consumer.unacknowledged", ("rcm.partition",), "Facts delivered and not acknowledged yet"),
    _gauge("rcm.bus.partitions.held", (), "Partitions that this replica works on"),
    _gauge("rcm.bus.outbox.pending", (), "Facts in the outbox that were not published yet"),
    _gauge("rcm.bus.outbox.age", (), "Age of the oldest fact in the outbox that was not published yet", "s"),
    _gauge("rcm.bus.blocked", (), "Facts that failed and hold up later ones of their key"),
    _gauge("rcm.timer.overdue", ("rcm.timer.kind",), "Timers that should have fired more than a minute ago"),
    _gauge("rcm.db.pool.used", ("rcm.pool",), "Database connections in use"),
    _gauge("rcm.db.pool.size", ("rcm.pool",), "Database connections open"),
)

REQUESTS: tuple[MetricRow, ...] = (
    _quick(
        "rpc.server.duration",
        ("rpc.system.name", "rpc.service", "rpc.method", "rpc.response.status_code"),
        "How long a gRPC call took to be answered",
    ),
    _quick(
        "http.server.request.duration",
        ("http.route", "http.request.method", "http.response.status_code", "error.type"),
        "How long an HTTP request took to be answered",
    ),
    _quick(
        "http.client.request.duration",
        ("server.address", "http.request.method", "http.response.status_code", "error.type"),
        "How long another's answer over HTTP took",
    ),
)

PROCESS: tuple[MetricRow, ...] = (
    _counter("process.cpu.time", ("cpu.mode",), "Processor time of this process", "s"),
    _gauge("process.memory.usage", (), "Memory of this process that lies in RAM", "By"),
    _gauge("rcm.certificate.remaining", ("rcm.certificate",), "How long a certificate of ours remains valid", "s"),
    _counter("rcm.telemetry.dropped", ("rcm.signal",), "What was kept from leaving: label, metric, attribute, span"),
)

METRICS: tuple[MetricRow, ...] = (*JOURNEY, *BUS, *REQUESTS, *PROCESS)
BY_NAME: dict[str, MetricRow] = {row.name: row for row in METRICS}

# What the instrumented libraries measure besides, and nobody looks at.
NOT_MEASURED = ("http.server.active_requests", "http.server.*.body.size", "http.client.*.body.size")
