"""The 278 request, both ways."""

from __future__ import annotations

from dataclasses import replace

from x12.tables.guides import GUIDE_278_REQUEST
from x12.tree import TransactionSet
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
from x12.views.authorization.model import AuthorizationRequest
from x12.views.compose import Row, compose, day, span
from x12.views.envelope import Envelope
from x12.views.extract import opened, period
from x12.views.party_rows import (
    contact_rows,
    diagnosis_row,
    provider_rows,
    read_contact,
    read_diagnoses,
    read_provider,
)


def build_278_request(request: AuthorizationRequest, envelope: Envelope) -> str:
    """One interchange with one patient event. ViewError when a value cannot be carried."""
    at = envelope.created
    source, requester = parties(request)
    rows: list[Row] = [
        ("BHT", "0007", "13", request.reference or request.trace_number, day(at), f"{at:%H%M}"),
        *source,
        *requester,
        *contact_rows("IC", request.requester_contact),
    ]
    people, parent = member_levels(request.subscriber, request.dependent, {})
    event = parent + 1
    rows += people
    rows += [("HL", str(event), str(parent), "EV", "1" if request.services else "0"), *_event_rows(request)]
    for number, service in enumerate(request.services, event + 1):
        rows += [("HL", str(number), str(event), "SS", "0"), *service_rows(service, "1", request.trace_origin)]
    return compose(GUIDE_278_REQUEST, rows, envelope)


def _event_rows(request: AuthorizationRequest) -> list[Row]:
    rows: list[Row] = [("TRN", "1", request.trace_number, request.trace_origin), um_row(request)]
    rows += [("REF", "BB", request.prior_number)] if request.prior_number else []
    rows += [("DTP", "AAH", *span(request.event_from, request.event_to))] if request.event_from else []
    rows += diagnosis_row(request.diagnoses)
    if request.attachment_control:
        rows.append(("PWK", "77", "EL", "", "", "AC", request.attachment_control))
    rows += [("MSG", request.message)] if request.message else []
    return rows + provider_rows("SJ", request.rendering, "PE", addressed=True)


def read_278_request(transaction: TransactionSet) -> list[AuthorizationRequest]:
    """The patient events of a set, each with its services."""
    root = opened(transaction, "278-request")
    mark = transaction.delimiters.component
    reference = root.value("BHT", 3)
    requests = [_request(event, mark) for event in events(root)]
    return [item if item.trace_number == reference else replace(item, reference=reference) for item in requests]


def _request(event: Event, mark: str) -> AuthorizationRequest:
    loop = event.event
    start, end = period(loop.first("DTP", "AAH"), "278/2000E/DTP*AAH")
    provider = next((item for item in loop.loops("2010EA") if item.value("NM1", 1) == "SJ"), None)
    return AuthorizationRequest(
        **identity(event, mark),
        requester_contact=read_contact((event.requester.loop("2010B") or EMPTY).first("PER")),
        trace_number=loop.value("TRN", 2, "1"),
        trace_origin=loop.value("TRN", 3, "1"),
        services=tuple(read_service(item, mark, "1") for item in loop.loops("2000F")),
        diagnoses=read_diagnoses(loop.first("HI"), mark),
        event_from=start,
        event_to=end,
        rendering=read_provider(provider),
        prior_number=loop.value("REF", 2, "BB"),
        attachment_control=loop.value("PWK", 6),
        message=loop.value("MSG", 1),
    )
