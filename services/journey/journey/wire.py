"""Between the facts on the line, the ledger's own words, and the answers of the gRPC service."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from bus import Event, flow_of
from bus.flow import ANY
from google.protobuf.timestamp_pb2 import Timestamp
from rcm.journey.v1 import journey_pb2

from journey.model import MONEY, Fact, Journey, Stage

Reader = Callable[[Any], tuple[str, str, dict[str, Any]]]


def _encounter(body: Any) -> tuple[str, str, dict[str, Any]]:
    return "", "", {"encounter": body.encounter}


def _facts(body: Any) -> tuple[str, str, dict[str, Any]]:
    return "", "", {"encounter": body.facts.encounter, "source": body.facts.source}


def _charges(body: Any) -> tuple[str, str, dict[str, Any]]:
    return "", "", {"encounter": body.facts.encounter, "billed_cents": body.total_cents}


def _claim(body: Any) -> tuple[str, str, dict[str, Any]]:
    detail = {"encounter": body.encounter, "claim_id": body.claim_id, "payer_id": body.payer_id}
    return body.state, body.reason, detail | {"billed_cents": body.total_cents, "open_cents": body.total_cents}


def _acknowledged(body: Any) -> tuple[str, str, dict[str, Any]]:
    return body.state, body.reason, {"encounter": body.encounter, "claim_id": body.claim_id}


def _payment(body: Any) -> tuple[str, str, dict[str, Any]]:
    detail = {"encounter": body.encounter, "claim_id": body.claim_id, "payer_id": body.payer_id}
    outcome = "written_off" if body.outcome == "denied" and not body.open_cents else body.outcome
    return outcome, "", detail | {name: getattr(body, name) for name in MONEY}


def _denial(body: Any) -> tuple[str, str, dict[str, Any]]:
    return "", body.category, {"encounter": body.encounter, "claim_id": body.claim_id}


def _work(body: Any) -> tuple[str, str, dict[str, Any]]:
    return body.kind, getattr(body, "reason", ""), {"encounter": getattr(body, "encounter", "")}


def _coverage(body: Any) -> tuple[str, str, dict[str, Any]]:
    return "", body.verification.reason, {}


def _nothing(body: Any) -> tuple[str, str, dict[str, Any]]:
    return "", "", {}


READERS: dict[str, Reader] = {
    "encounter.started": _encounter,
    "order.placed": _encounter,
    "order.performed": _encounter,
    "encounter.finished": _facts,
    "encounter.amended": _facts,
    "encounter.cancelled": _encounter,
    "encounter.coded": _facts,
    "charges.captured": _charges,
    "claim.built": _claim,
    "claim.held": _claim,
    "claim.submitted": _claim,
    "claim.acknowledged": _acknowledged,
    "claim.rejected": _acknowledged,
    "claim.voided": _acknowledged,
    "payment.posted": _payment,
    "payment.reversed": _payment,
    "claim.denied": _denial,
    "claim.underpaid": _denial,
    "work.opened": _work,
    "work.closed": _work,
    "coverage.verified": _coverage,
    "coverage.gap_found": _coverage,
}
# A coverage gap or a denial tells why; a reason on these facts alone never stops a journey.
SILENT = frozenset({"coverage.verified", "coverage.gap_found", "claim.underpaid"})


def fact_of(event: Event) -> Fact:
    """What the ledger keeps of an event: no names, no codes lists, no dates of service."""
    qualifier, reason, detail = READERS.get(event.type, _nothing)(event.body)
    producer = flow_of(event.type).producer
    trace = event.trace.get("traceparent", "")
    return Fact(
        event_id=event.event_id,
        journey_id=event.journey_id,
        type=event.type,
        producer="" if producer == ANY else producer,
        occurred_at=event.occurred_at,
        qualifier=qualifier,
        reason="" if event.type in SILENT else reason,
        detail={name: value for name, value in detail.items() if value != ""},
        trace_id=trace.split("-")[1] if trace.count("-") == 3 else "",
    )


def _stamp(instant: datetime | None) -> Timestamp | None:
    if instant is None:
        return None
    stamp = Timestamp()
    stamp.FromDatetime(instant)
    return stamp


def stage_message(stage: Stage) -> journey_pb2.Stage:
    return journey_pb2.Stage(
        name=stage.name,
        started_at=_stamp(stage.started_at),
        ended_at=_stamp(stage.ended_at),
        elapsed_us=stage.elapsed_us,
        cause=stage.cause,
        round=stage.round,
    )


def step_message(fact: Fact) -> journey_pb2.Step:
    return journey_pb2.Step(
        event=fact.type,
        occurred_at=_stamp(fact.occurred_at),
        producer=fact.producer,
        detail=fact.qualifier or fact.reason,
        event_id=fact.event_id,
    )


def journey_message(journey: Journey, facts: Iterable[Fact] = ()) -> journey_pb2.Journey:
    """The answer of GetJourney, with the steps where facts are given."""
    known = list(facts)
    return journey_pb2.Journey(
        journey_id=journey.journey_id,
        encounter=journey.encounter,
        state=journey.state,
        outcome=journey.outcome,
        reason=journey.reason,
        started_at=_stamp(journey.started_at),
        ended_at=_stamp(journey.ended_at),
        elapsed_us=journey.elapsed_us,
        stages=[stage_message(stage) for stage in journey.stages],
        claim_id=journey.claim_id,
        payer_id=journey.payer_id,
        steps=[step_message(fact) for fact in known],
        trace_ids=list(dict.fromkeys(fact.trace_id for fact in known if fact.trace_id)),
        source=journey.source,
        **{name: journey.cents.get(name, 0) for name in MONEY},
    )
