"""What the ledger keeps of an event: ids, codes, cents and dates; no names, no members' or claims' numbers, no text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from bus import Event, flow_of
from bus.flow import ANY
from google.protobuf.timestamp_pb2 import Timestamp
from rcm.priorauth.v1 import priorauth_pb2

from journey.model import MONEY, Fact

Detail = dict[str, Any]
Reader = Callable[[Any], tuple[str, str, Detail]]  # qualifier, reason, detail

_DECISIONS = {
    priorauth_pb2.DECISION_APPROVED: "approved",
    priorauth_pb2.DECISION_PARTIAL: "partial",
    priorauth_pb2.DECISION_DENIED: "denied",
    priorauth_pb2.DECISION_PENDED: "pended",
    priorauth_pb2.DECISION_UNKNOWN: "unknown",
}
_REQUIREMENTS = {
    priorauth_pb2.REQUIREMENT_REQUIRED: "required",
    priorauth_pb2.REQUIREMENT_NOT_REQUIRED: "not-required",
}


def _stamped(message: Any, name: str) -> str:
    """An instant of a message as ISO text in UTC, "" when it is not set."""
    if not message.HasField(name):
        return ""
    stamp: Timestamp = getattr(message, name)
    return f"{stamp.ToDatetime().isoformat()}+00:00"


def _serviced(lines: Iterable[Any]) -> Detail:
    """The first service date and the rendering provider of lines, as far as they say."""
    known = list(lines)
    dates = sorted(line.service_from for line in known if line.service_from)
    provider = next((line.rendering_npi for line in known if line.rendering_npi), "")
    return {"service_on": dates[0] if dates else "", "provider": provider}


def _encounter(body: Any) -> tuple[str, str, Detail]:
    return "", "", {"encounter": body.encounter}


def _order(body: Any) -> tuple[str, str, Detail]:
    return "", "", {"encounter": body.encounter, "order": body.order}


def _finished(body: Any) -> tuple[str, str, Detail]:
    facts = body.facts
    return "", "", {"encounter": facts.encounter, "source": facts.source, "late": bool(body.changed)}


def _coded(body: Any) -> tuple[str, str, Detail]:
    detail = {"encounter": body.facts.encounter, "source": body.facts.source, "reviewed": body.reviewed}
    return "", "", detail | _serviced(body.lines) | {"service_count": len(body.lines)}


def _charges(body: Any) -> tuple[str, str, Detail]:
    detail = {"encounter": body.facts.encounter, "source": body.facts.source} | _serviced(body.lines)
    return "", "", detail | {"billed_cents": body.total_cents, "gross_cents": body.total_cents}


def _claim_facts(body: Any) -> Detail:
    served = _serviced(body.lines)
    return {
        "encounter": body.encounter,
        "claim_id": body.claim_id,
        "payer_id": body.payer_id,
        "payer_class": body.payer_class,
        "provider": body.rendering_npi or served["provider"],
        "service_on": served["service_on"],
        "responsibility": body.responsibility or None,
        "frequency": body.frequency,
        "filing_due": body.filing_deadline,
        "touched": body.touched,
        "edits": [finding.edit_id for finding in body.findings if finding.severity == "error"],
    }


def _claim(body: Any) -> tuple[str, str, Detail]:
    amounts = {"billed_cents": body.total_cents, "open_cents": body.total_cents}
    return body.state, body.reason, _claim_facts(body) | amounts


def _answered(body: Any) -> tuple[str, str, Detail]:
    """What came back about a claim moves no money."""
    return body.state, body.reason, _claim_facts(body)


def _payment(body: Any) -> tuple[str, str, Detail]:
    outcome = "written_off" if body.outcome == "denied" and not body.open_cents else body.outcome
    detail = {name: getattr(body, name) for name in (*MONEY, "contractual_cents", "patient_open_cents")}
    named = ("encounter", "claim_id", "payer_id", "payer_class", "remittance_id", "settlement", "by_person", "next")
    detail |= {name: getattr(body, name) for name in named}
    reasons = list(dict.fromkeys(adjustment.reason for adjustment in body.adjustments))
    return outcome, "", detail | {"received_at": _stamped(body, "received_at"), "carc": reasons}


def _denial(body: Any) -> tuple[str, str, Detail]:
    named = ("encounter", "claim_id", "payer_id", "payer_class", "category", "work_id", "dollars_cents")
    detail = {name: getattr(body, name) for name in named}
    lists = {name: list(getattr(body, name)) for name in ("carc", "rarc", "codes")}
    return "", body.category, detail | lists | {"denied_cents": body.dollars_cents, "due_on": body.deadline}


def _patient_paid(body: Any) -> tuple[str, str, Detail]:
    named = ("encounter", "claim_id", "payment_id", "paid_cents", "patient_open_cents", "point_of_service", "method")
    about = {"payer_id": body.payer_id, "payer_class": body.payer_class}
    return "", "", {name: getattr(body, name) for name in named} | about


def _remittance(body: Any) -> tuple[str, str, Detail]:
    named = ("remittance_id", "payer_id", "paid_cents", "claims", "unmatched", "zero_paid", "settlement")
    detail = {name: getattr(body, name) for name in named}
    return "", body.reason, detail | {"received_at": _stamped(body, "received_at")}


def _deposit(body: Any) -> tuple[str, str, Detail]:
    named = ("deposit_id", "remittance_id", "amount_cents")
    return "", body.reason, {name: getattr(body, name) for name in named}


def _opened(body: Any) -> tuple[str, str, Detail]:
    named = ("work_id", "kind", "owner", "dollars_cents", "due_on", "encounter")
    return body.kind, body.reason, {name: getattr(body, name) for name in named}


def _closed(body: Any) -> tuple[str, str, Detail]:
    return body.kind, "", {name: getattr(body, name) for name in ("work_id", "kind", "outcome")}


def _coverage(body: Any) -> tuple[str, str, Detail]:
    return "", body.verification.reason, {"payer_id": body.verification.payer_id}


def _authorization(body: Any) -> tuple[str, str, Detail]:
    found = body.authorization
    decision = _DECISIONS.get(found.decision, "")
    detail = {name: getattr(found, name) for name in ("authorization_id", "payer_id", "order")}
    told = {"decision": decision, "requirement": _REQUIREMENTS.get(found.requirement, "")}
    return decision, found.reason, detail | told | {"encounter": body.encounter}


def _nothing(body: Any) -> tuple[str, str, Detail]:
    return "", "", {}


READERS: dict[str, Reader] = {
    "encounter.started": _encounter,
    "order.placed": _order,
    "order.performed": _order,
    "encounter.finished": _finished,
    "encounter.amended": _finished,
    "encounter.cancelled": _encounter,
    "encounter.coded": _coded,
    "charges.captured": _charges,
    "charges.amended": _charges,
    "claim.built": _claim,
    "claim.held": _claim,
    "claim.submitted": _claim,
    "claim.replaced": _answered,
    "claim.acknowledged": _answered,
    "claim.rejected": _answered,
    "claim.voided": _answered,
    "remittance.received": _remittance,
    "remittance.quarantined": _remittance,
    "payment.posted": _payment,
    "payment.reversed": _payment,
    "claim.denied": _denial,
    "claim.underpaid": _denial,
    "claim.appealed": _denial,
    "patient.paid": _patient_paid,
    "deposit.matched": _deposit,
    "deposit.unmatched": _deposit,
    "work.opened": _opened,
    "work.closed": _closed,
    "coverage.verified": _coverage,
    "coverage.gap_found": _coverage,
    "authorization.determined": _authorization,
    "authorization.expiring": _authorization,
}
# A coverage gap, an authorization or an underpayment tells why; a reason on these facts alone never stops a journey.
SILENT = frozenset({"coverage.verified", "coverage.gap_found", "claim.underpaid", "authorization.determined"})


def fact_of(event: Event, heard_at: datetime | None = None) -> Fact:
    """What the ledger keeps of an event that it hears now."""
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
        detail=_told(detail),
        trace_id=trace.split("-")[1] if trace.count("-") == 3 else "",
        causation_id=event.causation_id,
        heard_at=heard_at,
    )


def _told(detail: Mapping[str, Any]) -> Detail:
    """Without what was not told: empty texts and lists, and what is not so. Zero is an amount."""
    return {
        name: value
        for name, value in detail.items()
        if value is not None and value is not False and value not in ("", [])
    }
