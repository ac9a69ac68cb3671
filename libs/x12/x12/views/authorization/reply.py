"""The 278 response, both ways."""

from __future__ import annotations

from dataclasses import replace

from x12.tables.guides import GUIDE_278_RESPONSE
from x12.tree import Loop, TransactionSet
from x12.views.authorization.levels import (
    EMPTY,
    Event,
    events,
    identity,
    member_levels,
    parties,
    read_service,
    service_rows,
    um_row,
)
from x12.views.authorization.model import AuthorizationReply, Decision, ServiceDecision
from x12.views.compose import Row, compose, day, span
from x12.views.envelope import Envelope
from x12.views.extract import day as read_day
from x12.views.extract import listed, opened, period
from x12.views.parties import Rejection
from x12.views.party_rows import diagnosis_row, read_diagnoses, read_rejections, rejection_row


def build_278_response(reply: AuthorizationReply, envelope: Envelope) -> str:
    """One interchange with one decision. ViewError when a value cannot be carried.

    A reply without a subscriber stops at the requester: that is where its rejections stand.
    """
    at = envelope.created
    refusals = {level: _rejected(reply, level) for level in ("2000A", "2010A", "2010B", "2010C", "2010D", "2000E")}
    reviewer, requester = parties(reply)
    rows: list[Row] = [
        ("BHT", "0007", "11", reply.reference or reply.trace_number, day(at), f"{at:%H%M}"),
        reviewer[0],
        *refusals["2000A"],
        *reviewer[1:],
        *refusals["2010A"],
        *requester,
        *refusals["2010B"],
    ]
    if reply.subscriber is not None:
        people, parent = member_levels(reply.subscriber, reply.dependent, refusals)
        event = parent + 1
        rows += [*people, ("HL", str(event), str(parent), "EV", "1" if reply.services else "0")]
        rows += _event_rows(reply, refusals["2000E"])
        for number, service in enumerate(reply.services, event + 1):
            rows.append(("HL", str(number), str(event), "SS", "0"))
            rows += service_rows(service.service, "2", reply.trace_origin, _decision_rows(service.decision))
    return compose(GUIDE_278_RESPONSE, rows, envelope)


def _rejected(reply: AuthorizationReply, level: str) -> list[Row]:
    return [rejection_row(item) for item in reply.rejections if item.level == level]


def _event_rows(reply: AuthorizationReply, refusals: list[Row]) -> list[Row]:
    rows: list[Row] = [("TRN", "2", reply.trace_number, reply.trace_origin)]
    if reply.payer_trace_number:
        rows.append(("TRN", "1", reply.payer_trace_number, reply.payer_trace_origin))
    rows += [*refusals, um_row(reply)]
    decided = _decision_rows(reply.decision)
    rows += decided[:1]
    rows += [("DTP", "AAH", *span(reply.event_from, reply.event_to))] if reply.event_from else []
    rows += decided[1:]
    rows += diagnosis_row(reply.diagnoses)
    return rows + ([("MSG", reply.message)] if reply.message else [])


def _decision_rows(decision: Decision | None) -> list[Row]:
    if decision is None:
        return []
    rows: list[Row] = [("HCR", decision.action, decision.number, list(decision.reasons))]
    rows += [("DTP", "102", "D8", day(decision.issued))] if decision.issued else []
    if decision.effective_from:
        rows.append(("DTP", "007", *span(decision.effective_from, decision.effective_to)))
    elif decision.effective_to:
        rows.append(("DTP", "036", "D8", day(decision.effective_to)))
    return rows


def read_278_response(transaction: TransactionSet) -> list[AuthorizationReply]:
    """The decisions of a set; one without a subscriber when the request was refused higher up."""
    root = opened(transaction, "278-response")
    marks = transaction.delimiters
    reference = root.value("BHT", 3)
    replies = [_reply(event, marks.component, marks.repetition) for event in events(root)] or _refused(root)
    return [item if item.trace_number == reference else replace(item, reference=reference) for item in replies]


def _refused(root: Loop) -> list[AuthorizationReply]:
    """A response without an event: rejections of reviewer, requester, subscriber or dependent."""
    found: list[AuthorizationReply] = []
    for reviewer in root.loops("2000A"):
        requester = next(iter(reviewer.loops("2000B")), EMPTY)
        subscriber = next(iter(requester.loops("2000C")), EMPTY)
        dependent = subscriber.loop("2000D")
        event = Event(reviewer, requester, subscriber, dependent, EMPTY)
        fields = identity(event, "")
        if subscriber is EMPTY:
            fields["subscriber"] = None
        found.append(AuthorizationReply(**fields, trace_number="", trace_origin="", rejections=_rejections(event)))
    return found


def _reply(event: Event, component: str, repetition: str) -> AuthorizationReply:
    loop = event.event
    start, end = period(loop.first("DTP", "AAH"), "278/2000E/DTP*AAH")
    return AuthorizationReply(
        **identity(event, component),
        trace_number=loop.value("TRN", 2, "2"),
        trace_origin=loop.value("TRN", 3, "2"),
        payer_trace_number=loop.value("TRN", 2, "1"),
        payer_trace_origin=loop.value("TRN", 3, "1"),
        decision=_decision(loop, repetition),
        services=tuple(
            ServiceDecision(service=read_service(item, component, "2"), decision=_decision(item, repetition))
            for item in loop.loops("2000F")
        ),
        rejections=_rejections(event),
        diagnoses=read_diagnoses(loop.first("HI"), component),
        event_from=start,
        event_to=end,
        message=loop.value("MSG", 1),
    )


def _decision(loop: Loop, repetition: str) -> Decision | None:
    hcr = loop.first("HCR")
    if hcr is None:
        return None
    start, end = period(loop.first("DTP", "007"), "278/DTP*007")
    return Decision(
        action=hcr.get(1),
        number=hcr.get(2),
        reasons=listed(hcr.get(3), repetition),
        effective_from=start,
        effective_to=end or read_day(loop.value("DTP", 3, "036")[:8], "278/DTP*036"),
        issued=read_day(loop.value("DTP", 3, "102")[:8], "278/DTP*102"),
    )


def _rejections(event: Event) -> tuple[Rejection, ...]:
    found: list[Rejection] = []
    for level in (event.reviewer, event.requester, event.subscriber, event.dependent, event.event):
        if level is None:
            continue
        found += read_rejections(level)
        for inner in level.loops("2010A", "2010B", "2010C", "2010D", "2010EA", "2000F"):
            found += read_rejections(inner)
    return tuple(found)
