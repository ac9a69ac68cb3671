"""Every name that may appear in telemetry, in one place.

Messaging conventions are still in development and have no entry for NATS, and the gRPC instrumentation still speaks the
older RPC names: when they move, they move here. A name that is not listed does not leave the process.
"""

from __future__ import annotations

# What our own spans and logs say about the line. No value of these may identify a person.
RCM_ATTRIBUTES = frozenset(
    {
        "rcm.tenant",
        "rcm.journey.id",
        "rcm.service",
        "rcm.event.type",
        "rcm.event.id",
        "rcm.stage",
        "rcm.stage.round",
        "rcm.stage.loop",
        "rcm.episode",
        "rcm.state",
        "rcm.outcome",
        "rcm.reason",
        "rcm.cause",
        "rcm.rework",
        "rcm.transaction",
        "rcm.payer.class",
        "rcm.feed",
        "rcm.carc",
        "rcm.denial.category",
        "rcm.edit.id",
        "rcm.rule.id",
        "rcm.amount.bucket",
        "rcm.attempt",
        "rcm.count",
        "rcm.timer.kind",
        "rcm.work.kind",
        "rcm.work.owner",
        "rcm.kpi",
        "rcm.notice",
    }
)

# Templates, names and numbers of the OpenTelemetry conventions. Absent on purpose: everything that holds an instance
# (url.*, http.target, db.statement, db.query.text, messaging.destination.name, message ids, addresses of clients).
CONVENTIONAL_ATTRIBUTES = frozenset(
    {
        "messaging.system",
        "messaging.operation.name",
        "messaging.operation.type",
        "messaging.destination.template",
        "messaging.batch.message_count",
        "messaging.consumer.group.name",
        "rpc.system",
        "rpc.system.name",
        "rpc.service",
        "rpc.method",
        "rpc.grpc.status_code",
        "rpc.response.status_code",
        "http.request.method",
        "http.response.status_code",
        "http.method",
        "http.status_code",
        "http.route",
        "network.protocol.name",
        "network.protocol.version",
        "server.address",
        "server.port",
        "db.system",
        "db.system.name",
        "db.namespace",
        "db.operation.name",
        "error.type",
        "exception.type",
        "exception.escaped",
    }
)

ALLOWED_ATTRIBUTES = RCM_ATTRIBUTES | CONVENTIONAL_ATTRIBUTES

MESSAGING_SYSTEM = "nats"
SERVICE_NAMESPACE = "throughline"
