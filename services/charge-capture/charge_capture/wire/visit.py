"""The coded visit and the orders that its snapshot shows performed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

import fhir_r4
from fhir_r4.bundle import resources_of
from fhir_r4.elements import day_of, identity, reference_of, references_of
from fhir_r4.references import Index
from kernel.codes import is_modifier, is_procedure_code
from kernel.errors import Unreadable
from rcm.billing.v1 import billing_pb2
from rcm.coding.v1 import coding_pb2
from rcm.engine.v1 import engine_pb2

from charge_capture.model import Line, Order, Visit, WorkItem, added_line_id

Resource = dict[str, Any]

_ORDER_TYPES = ("ServiceRequest", "DeviceRequest")
# What was done, and the element that names the order behind it.
_ORDER_OF = {"Procedure": "basedOn", "MedicationAdministration": "request"}
_NO_ORDER_INTENTS = ("proposal", "plan", "option")


def read_visit(body: coding_pb2.EncounterCoded) -> Visit:
    """Lines and performed orders. Unreadable when the snapshot is no Bundle or a line has no date or units."""
    bundle = fhir_r4.read(body.facts.snapshot)
    index = Index(bundle)
    resources = resources_of(bundle)
    encounter = index.resolve(body.facts.encounter) or {}
    orders_behind = {identity(one): tuple(_orders_behind(one, index)) for one in resources if _was_done(one)}
    return Visit(
        encounter_key=body.facts.encounter_key,
        encounter=body.facts.encounter,
        patient=reference_of(encounter.get("subject")),
        lines=tuple(
            _line(line, orders_behind.get(line.source, ()), f"lines[{position}]")
            for position, line in enumerate(body.lines)
        ),
        orders=tuple(_performed(resources, index)),
        closed=body.reviewed and not body.lines,
        coded=body.SerializeToString(),
    )


def read_order(body: engine_pb2.OrderPlaced) -> tuple[str, list[Order]]:
    """The encounter ("" when none is named) and the orders that an order.performed tells of."""
    resource = fhir_r4.read(body.order_json)
    encounter = body.encounter or reference_of(resource.get("encounter") or resource.get("context"))
    kind = resource["resourceType"]
    if kind in _ORDER_TYPES:
        return encounter, [Order(body.order, _code(resource), _day(resource))]
    named = references_of(resource, _ORDER_OF.get(kind, ""))
    return encounter, [Order(reference, _code(resource), _day(resource)) for reference in named]


def read_added_line(message: billing_pb2.ServiceLine, item: WorkItem, visit: Visit) -> Line:
    """The line that a person gives for a missing order; what they leave out comes from the visit's first line.

    Unreadable, with the path, when it could not stand on a claim.
    """
    like = billing_pb2.ServiceLine.FromString(visit.lines[0].original) if visit.lines else billing_pb2.ServiceLine()
    full = billing_pb2.ServiceLine()
    full.CopyFrom(message)
    full.line_id = added_line_id(visit.encounter_key, item.subject)
    full.source = message.source or item.order_ref
    full.order = item.order_ref
    full.service_from = message.service_from or like.service_from
    full.service_to = message.service_to or full.service_from
    full.units = message.units or "1"
    full.unit = message.unit or "UN"
    full.place_of_service = message.place_of_service or like.place_of_service
    full.rendering_npi = message.rendering_npi or like.rendering_npi
    if not full.pointers:
        full.pointers.append(1)
    if not is_procedure_code(full.code) or not all(map(is_modifier, full.modifiers)):
        raise Unreadable("line-code", "line.code", "not the shape of a CPT or HCPCS code with its modifiers")
    return _line(full, (item.order_ref,), "line")


def read_line(message: billing_pb2.ServiceLine, path: str) -> Line:
    """A line as it was sent. Unreadable, with the path, when it has no date or units above zero."""
    return _line(message, (), path)


def _line(message: billing_pb2.ServiceLine, orders: tuple[str, ...], path: str) -> Line:
    try:
        units, day = Decimal(message.units), date.fromisoformat(message.service_from)
    except (InvalidOperation, ValueError) as error:
        raise Unreadable("line-values", path, "a line needs decimal units and a date YYYY-MM-DD") from error
    if not units.is_finite() or units <= 0:
        raise Unreadable("line-values", path, "units are above zero")
    named = (message.order, *orders) if message.order else orders
    return Line(
        line_id=message.line_id,
        code=message.code,
        modifiers=tuple(message.modifiers),
        units=units,
        service_from=day,
        source=message.source,
        orders=tuple(dict.fromkeys(named)),
        original=message.SerializeToString(),
    )


def _performed(resources: list[Resource], index: Index) -> Iterator[Order]:
    """Completed orders, and the orders behind what was done."""
    for resource in resources:
        if not _was_done(resource):
            continue
        if resource["resourceType"] in _ORDER_TYPES and resource.get("intent") not in _NO_ORDER_INTENTS:
            yield Order(identity(resource), _code(resource), _day(resource))
        for reference in _orders_behind(resource, index):
            yield Order(reference, _code(resource), _day(resource))


def _was_done(resource: Resource) -> bool:
    return resource.get("status") == "completed"


def _orders_behind(resource: Resource, index: Index) -> Iterator[str]:
    """As "Type/id", also when the snapshot holds the order under another address."""
    for reference in references_of(resource, _ORDER_OF.get(resource["resourceType"], "")):
        order = index.resolve(reference)
        yield reference if order is None else identity(order)


def _code(resource: Resource) -> str:
    """A code that can be billed where the concept has one, else its first."""
    concept: Resource = resource.get("code") or resource.get("medicationCodeableConcept") or {}
    found = [str(coding["code"]) for coding in concept.get("coding", ()) if coding.get("code")]
    return next((code for code in found if is_procedure_code(code)), next(iter(found), ""))


def _day(resource: Resource) -> date | None:
    elements = ("occurrenceDateTime", "performedDateTime", "effectiveDateTime", "authoredOn")
    return next(filter(None, (day_of(str(resource.get(element) or "")) for element in elements)), None)
