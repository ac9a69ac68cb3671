"""The levels that a 278 request and its response share: reviewer, requester, people, service."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from x12.tree import Loop
from x12.views.authorization.model import AuthorizationReply, AuthorizationRequest, AuthorizationService
from x12.views.compose import Row, money, span
from x12.views.extract import optional_cents, period, split
from x12.views.parties import Member, Payer
from x12.views.party_rows import address_rows, demographic_rows, member_row, payer_row, provider_row, read_member

EMPTY = Loop("", ())
Refusals = Mapping[str, list[Row]]


class Event(NamedTuple):
    """A patient event with the levels above it."""

    reviewer: Loop
    requester: Loop
    subscriber: Loop
    dependent: Loop | None
    event: Loop


def parties(view: AuthorizationRequest | AuthorizationReply) -> tuple[list[Row], list[Row]]:
    """Levels 20 and 21: who reviews, who asks."""
    reviewer: list[Row] = [
        ("HL", "1", "", "20", "1"),
        payer_row("X3", Payer(view.umo_id, view.umo_name, view.umo_id_qualifier)),
    ]
    requester: list[Row] = [
        ("HL", "2", "1", "21", "1"),
        provider_row("1P", view.requester_npi, view.requester_name, view.requester_first, view.requester_is_person),
    ]
    return reviewer, requester


def member_levels(subscriber: Member, dependent: Member | None, refusals: Refusals) -> tuple[list[Row], int]:
    """Levels 22 and 23, and the HL id of the last."""
    rows: list[Row] = [("HL", "3", "2", "22", "1"), *_person("IL", subscriber, refusals.get("2010C", []))]
    if dependent is None:
        return rows, 3
    return [*rows, ("HL", "4", "3", "23", "1"), *_person("QC", dependent, refusals.get("2010D", []))], 4


def _person(entity: str, person: Member, refusals: list[Row]) -> list[Row]:
    rows: list[Row] = [member_row(entity, person)]
    rows += [("REF", "6P", person.group_number)] if person.group_number else []
    rows += address_rows(person.address)
    rows += refusals
    rows += demographic_rows(person.birth_date, person.gender)
    if person.relationship:
        rows.append(("INS", "Y" if entity == "IL" else "N", person.relationship))
    return rows


def um_row(view: AuthorizationRequest | AuthorizationReply) -> Row:
    """UM of the event."""
    place = (view.place_of_service, "B") if view.place_of_service else ""
    return ("UM", view.category, view.certification_type, view.service_type, place, "", view.level_of_service)


def service_rows(
    service: AuthorizationService, trace_type: str, origin: str, between: list[Row] | None = None
) -> list[Row]:
    """What stands in a 2000F; `between` are the segments of a response between TRN and the dates."""
    rows: list[Row] = [("TRN", trace_type, service.trace_number, origin)] if service.trace_number else []
    rows += between or []
    rows += [("DTP", "472", *span(service.date_from, service.date_to))] if service.date_from else []
    procedure = (service.qualifier, service.code, *service.modifiers)
    rows.append(("SV1", procedure, money(service.charge_cents), service.unit, service.units))
    return rows


def read_service(loop: Loop, mark: str, trace_type: str) -> AuthorizationService:
    """The service of a 2000F; SV2 carries institutional services with the same procedure composite."""
    sv1, sv2 = loop.first("SV1"), loop.first("SV2")
    composite, at = (sv1.get(1), 2) if sv1 else (sv2.get(2) if sv2 else "", 3)
    segment = sv1 or sv2
    qualifier, code, *rest = split(composite, mark, 7)
    start, end = period(loop.first("DTP", "472"), "278/2000F/DTP*472")
    return AuthorizationService(
        qualifier=qualifier,
        code=code,
        modifiers=tuple(modifier for modifier in rest[:4] if modifier),
        charge_cents=optional_cents(segment.get(at), "278/2000F/SV102") if segment else None,
        unit=segment.get(at + 1) if segment else "",
        units=segment.get(at + 2) if segment else "",
        date_from=start,
        date_to=end,
        trace_number=loop.value("TRN", 2, trace_type),
    )


def events(root: Loop) -> Iterator[Event]:
    """Every patient event, below subscribers and dependents alike."""
    for reviewer in root.loops("2000A"):
        for requester in reviewer.loops("2000B"):
            for subscriber in requester.loops("2000C"):
                for event in subscriber.loops("2000E"):
                    yield Event(reviewer, requester, subscriber, None, event)
                for dependent in subscriber.loops("2000D"):
                    for event in dependent.loops("2000E"):
                        yield Event(reviewer, requester, subscriber, dependent, event)


def identity(event: Event, mark: str) -> dict[str, Any]:
    """The fields that request and reply have in common."""
    umo, requester = event.reviewer.loop("2010A") or EMPTY, event.requester.loop("2010B") or EMPTY
    dependent = event.dependent.loop("2010D") if event.dependent else None
    return {
        "umo_id": umo.value("NM1", 9),
        "umo_id_qualifier": umo.value("NM1", 8) or "PI",
        "umo_name": umo.value("NM1", 3),
        "requester_npi": requester.value("NM1", 9),
        "requester_name": requester.value("NM1", 3),
        "requester_first": requester.value("NM1", 4),
        "requester_is_person": requester.value("NM1", 2) == "1",
        "subscriber": _member(event.subscriber.loop("2010C") or EMPTY, "IL"),
        "dependent": _member(dependent, "QC") if dependent else None,
        "category": event.event.value("UM", 1),
        "certification_type": event.event.value("UM", 2),
        "service_type": event.event.value("UM", 3),
        "place_of_service": split(event.event.value("UM", 4), mark, 2)[0],
        "level_of_service": event.event.value("UM", 6),
    }


def _member(loop: Loop, entity: str) -> Member:
    return read_member(loop, entity, loop.value("INS", 2), ("6P", "1L"))
