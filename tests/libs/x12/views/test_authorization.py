"""The 278 views, request and response."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from x12 import check
from x12.views.authorization import (
    AuthorizationReply,
    AuthorizationRequest,
    AuthorizationService,
    Decision,
    ServiceDecision,
    build_278_request,
    build_278_response,
    read_278_request,
    read_278_response,
)
from x12.views.parties import Rejection
from x12_examples import DECISION, ENVELOPE, REFUSAL, REQUEST, one
from x12_strategies import (
    cents,
    codes,
    contacts,
    days,
    diagnoses,
    maybe,
    members,
    modifiers,
    providers,
    spans,
    units,
    words,
)

_Span = tuple[date | None, date | None]
_spans = st.one_of(spans(), st.just((None, None)))
_services = st.builds(
    lambda span, **fields: AuthorizationService(date_from=span[0], date_to=span[1], **fields),
    span=_spans, code=codes(5, 5), modifiers=modifiers, units=units, unit=st.sampled_from(("UN", "DA")),
    charge_cents=maybe(cents, None), trace_number=maybe(codes()),
)  # fmt: skip
_identity = {
    "span": _spans, "trace_number": codes(30, 8), "reference": maybe(codes(7, 2)), "umo_id": codes(20, 2),
    "umo_name": words(), "requester_npi": codes(10, 10), "requester_name": words(), "requester_first": maybe(words()),
    "requester_is_person": st.booleans(), "umo_id_qualifier": st.sampled_from(("PI", "XV")),
    "subscriber": members(group=True), "dependent": maybe(members(group=True, related=True), None),
    "diagnoses": st.lists(diagnoses, max_size=12).map(tuple), "category": st.sampled_from(("HS", "AR")),
    "certification_type": st.sampled_from("ISR"), "service_type": maybe(codes(2)),
    "place_of_service": maybe(codes(2, 2)), "level_of_service": maybe(codes(2)), "message": maybe(words()),
    "trace_origin": codes(10, 10),
}  # fmt: skip


def _request(span: _Span, **fields: object) -> AuthorizationRequest:
    return AuthorizationRequest(event_from=span[0], event_to=span[1], **fields)  # type: ignore[arg-type]


def _reply(span: _Span, **fields: object) -> AuthorizationReply:
    return AuthorizationReply(event_from=span[0], event_to=span[1], **fields)  # type: ignore[arg-type]


_requests = st.builds(
    _request, services=st.lists(_services, max_size=3).map(tuple), rendering=maybe(providers(True, True), None),
    prior_number=maybe(codes()), attachment_control=maybe(codes(20, 2)), requester_contact=maybe(contacts, None),
    **_identity,
)  # fmt: skip
_decisions = st.builds(
    lambda span, **fields: Decision(effective_from=span[0], effective_to=span[1], **fields),
    span=st.one_of(_spans, days.map(lambda day: (None, day))), issued=maybe(days, None), number=maybe(codes()),
    action=st.sampled_from(("A1", "A2", "A3", "A4", "A6", "C", "CT", "NA")),
    reasons=st.lists(codes(3), max_size=5).map(tuple),
)  # fmt: skip
_LEVELS = ("2000A", "2010A", "2010B", "2010C", "2010D", "2000E")
_rejections = st.lists(
    st.builds(Rejection, st.sampled_from((*_LEVELS[:4], "2000E")), codes(2, 2), maybe(codes(1)), st.booleans()),
    max_size=4,
).map(lambda found: tuple(sorted(found, key=lambda item: _LEVELS.index(item.level))))
_replies = st.builds(
    _reply, decision=maybe(_decisions, None), rejections=_rejections,
    services=st.lists(
        st.builds(ServiceDecision, service=_services, decision=maybe(_decisions, None)), max_size=3
    ).map(tuple),
    payer_trace_number=codes(), payer_trace_origin=codes(10, 10), **_identity,
)  # fmt: skip


@settings(max_examples=30, suppress_health_check=list(HealthCheck), deadline=None)
@given(_requests)
def test_any_request_comes_back(request: AuthorizationRequest) -> None:
    assert read_278_request(one(build_278_request(request, ENVELOPE))) == [request]


@settings(max_examples=30, suppress_health_check=list(HealthCheck), deadline=None)
@given(_replies)
def test_any_reply_comes_back(reply: AuthorizationReply) -> None:
    assert read_278_response(one(build_278_response(reply, ENVELOPE))) == [reply]


def test_the_examples_have_no_findings() -> None:
    assert check(one(build_278_request(REQUEST, ENVELOPE))) == []
    assert check(one(build_278_response(DECISION, ENVELOPE))) == []
    assert check(one(build_278_response(REFUSAL, ENVELOPE))) == []


def test_action_and_number_are_found_where_the_reviewer_put_them() -> None:
    assert (DECISION.action, DECISION.number) == ("A1", "AUTH0001")
    by_service = replace(DECISION, decision=None)
    assert (by_service.action, by_service.number) == ("A6", "")
    assert (REFUSAL.action, REFUSAL.number) == ("", "")


def test_a_refusal_at_the_requester_has_no_event() -> None:
    refused = replace(
        REFUSAL, subscriber=None, trace_number="", trace_origin="", reference="R1",
        rejections=(Rejection("2010B", "43"),), category="", certification_type="",
    )  # fmt: skip
    transaction = one(build_278_response(refused, ENVELOPE))
    assert read_278_response(transaction) == [refused]


def test_samples_read(x12_corpus: Path) -> None:
    request, response = (
        next((x12_corpus / "278").glob(f"stupidedi--{kind}-medical*")) for kind in ("request-for", "response-to")
    )
    (asked,) = read_278_request(one(request.read_text()))
    assert [service.code for service in asked.services] == ["99212"]
    (answered,) = read_278_response(one(response.read_text()))
    assert answered.action == "A1"
    assert answered.number
