"""What was done at a visit, read from each kind of resource that bills."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from fhir_r4.elements import code_in, day_of, extension_values, identity, moment_of, reference_of, references_of, when
from fhir_r4.references import Index
from kernel import codes

from coding.model import Service
from coding.wire.elements import Resource, billing_code, first_npi, modifiers_of, performer_npi, target, units_of

# SNOMED CT lateralities, as the contract with the sources names them.
_LATERALITY: Mapping[str, str] = {"7771000": "left", "24028007": "right", "51440002": "bilateral"}
_NO_ORDER_INTENTS = ("proposal", "plan", "option")


def read_services(
    encounter: Resource, resources: list[Resource], index: Index, unmapped: frozenset[str]
) -> tuple[list[Service], list[str]]:
    """The billable services, and the sources that were done but carry no billing code at all."""
    services = list(_visit_services(encounter))
    without_code: list[str] = []
    for resource in resources:
        if identity(resource) in unmapped or not _was_done(resource):
            continue
        service = _READERS[resource["resourceType"]](resource, index)
        if service.code:
            services.append(service)
        elif resource["resourceType"] in _EXPECTS_CODE:
            without_code.append(service.source)
    services += _orders_done(resources, services, index, unmapped)
    services += _charges(resources, services, index, unmapped)
    return services, without_code


def _visit_services(encounter: Resource) -> Iterator[Service]:
    """The visit itself: E/M and other codes that stand on the Encounter's type."""
    start, _ = _period_of(encounter)
    found = dict.fromkeys(filter(None, (billing_code(concept) for concept in encounter.get("type", ()))))
    for number, code in enumerate(found):
        source = identity(encounter) if number == 0 else f"{identity(encounter)}#{number + 1}"
        yield Service(source, code, day_of(start), None, modifiers=modifiers_of(encounter))


def _period_of(resource: Resource) -> tuple[str, str]:
    period = resource.get("period") or {}
    return str(period.get("start") or ""), str(period.get("end") or "")


def _was_done(resource: Resource) -> bool:
    return resource["resourceType"] in _READERS and resource.get("status") == "completed"


def _procedure(resource: Resource, index: Index) -> Service:
    start, end = when(resource, "performed")
    sites = {code_in(site, (codes.SNOMED,)) for site in resource.get("bodySite", ())}
    orders = references_of(resource, "basedOn")
    return Service(
        source=identity(resource),
        code=billing_code(resource.get("code")),
        service_from=day_of(start),
        service_to=day_of(end),
        performed=moment_of(start),
        modifiers=modifiers_of(resource),
        laterality=_laterality(sites),
        distinct=str(next(extension_values(resource, "distinct-service"), "")),
        reasons=references_of(resource, "reasonReference"),
        reason_codes=_reason_codes(resource, "reasonCode"),
        units=units_of(resource),
        rendering_npi=performer_npi(index, resource),
        ordering_npi=_orderer(index, orders),
        order=_local(index, orders),
    )


def _laterality(sites: set[str]) -> str:
    """One side, or both: a left and a right site on one procedure are both sides."""
    found = {_LATERALITY[site] for site in sites if site in _LATERALITY}
    return "bilateral" if len(found) > 1 else next(iter(found), "")


def _reason_codes(resource: Resource, element: str) -> tuple[str, ...]:
    return tuple(filter(None, (code_in(concept, (codes.ICD10CM,)) for concept in resource.get(element, ()))))


def _orderer(index: Index, orders: tuple[str, ...]) -> str:
    requests = filter(None, (target(index, order) for order in orders))
    return first_npi(index, [reference_of(one.get("requester")) for one in requests])


def _local(index: Index, orders: tuple[str, ...]) -> str:
    """The order as "Type/id", also when the snapshot holds it under another address."""
    found = [target(index, order) for order in orders]
    return next((identity(one) for one in found if one is not None), next(iter(orders), ""))


def _administration(resource: Resource, index: Index) -> Service:
    start, end = when(resource, "effective")
    concept = resource.get("medicationCodeableConcept") or _medication(resource, index)
    dose = (resource.get("dosage") or {}).get("dose") or {}
    orders = references_of(resource, "request")
    return Service(
        source=identity(resource),
        code=billing_code(concept),
        service_from=day_of(start),
        service_to=day_of(end),
        modifiers=modifiers_of(resource),
        reasons=references_of(resource, "reasonReference"),
        reason_codes=_reason_codes(resource, "reasonCode"),
        dose=Decimal(dose.get("value", 0)),
        dose_unit=str(dose.get("code") or dose.get("unit") or ""),
        ndc=codes.ndc11(code_in(concept, (codes.NDC,))) or "",
        rendering_npi=performer_npi(index, resource),
        ordering_npi=_orderer(index, orders),
        order=_local(index, orders),
    )


def _medication(resource: Resource, index: Index) -> Resource | None:
    medication = target(index, reference_of(resource.get("medicationReference")))
    return (medication or {}).get("code")


def _immunization(resource: Resource, index: Index) -> Service:
    start, _ = when(resource, "occurrence")
    concept = resource.get("vaccineCode")
    return Service(
        source=identity(resource),
        code=billing_code(concept),
        service_from=day_of(start),
        service_to=None,
        modifiers=modifiers_of(resource),
        reasons=references_of(resource, "reasonReference"),
        reason_codes=_reason_codes(resource, "reasonCode"),
        dose=Decimal(1),  # a vaccine code is one dose, whatever its volume
        ndc=codes.ndc11(code_in(concept, (codes.NDC,))) or "",
        rendering_npi=performer_npi(index, resource),
    )


_READERS = {"Procedure": _procedure, "MedicationAdministration": _administration, "Immunization": _immunization}
_EXPECTS_CODE = ("Procedure", "MedicationAdministration")


def _orders_done(
    resources: list[Resource], services: list[Service], index: Index, unmapped: frozenset[str]
) -> Iterator[Service]:
    """Performed orders with a code of their own, unless what was done names the order: then that is the line."""
    taken = {service.order for service in services if service.order}
    taken |= {_local(index, _orders_of(resource)) for resource in resources if identity(resource) in unmapped}
    for resource in resources:
        source, code = identity(resource), billing_code(resource.get("code"))
        is_order = resource["resourceType"] == "ServiceRequest" and resource.get("status") == "completed"
        if not (is_order and code) or source in taken or source in unmapped or _only_planned(resource):
            continue
        start, end = when(resource, "occurrence")
        yield Service(
            source=source,
            code=code,
            service_from=day_of(start),
            service_to=day_of(end),
            performed=moment_of(start),
            modifiers=modifiers_of(resource),
            reasons=references_of(resource, "reasonReference"),
            reason_codes=_reason_codes(resource, "reasonCode"),
            units=units_of(resource),
            rendering_npi=first_npi(index, references_of(resource, "performer")),
            ordering_npi=first_npi(index, references_of(resource, "requester")),
            order=source,
        )


def _only_planned(resource: Resource) -> bool:
    return resource.get("intent") in _NO_ORDER_INTENTS


def _orders_of(resource: Resource) -> tuple[str, ...]:
    return references_of(resource, "basedOn") + references_of(resource, "request")


def _charges(
    resources: list[Resource], services: list[Service], index: Index, unmapped: frozenset[str]
) -> Iterator[Service]:
    """ChargeItems that the source posted itself, unless the service that they charge is a line already."""
    lines = {service.source for service in services}
    for resource in resources:
        code = billing_code(resource.get("code"))
        is_charge = resource["resourceType"] == "ChargeItem" and resource.get("status") in ("billable", "billed")
        if not (is_charge and code) or identity(resource) in unmapped or _charged(resource, index) & lines:
            continue
        start, end = when(resource, "occurrence")
        units = Decimal((resource.get("quantity") or {}).get("value", 1))
        ndc = codes.ndc11(code_in(resource.get("productCodeableConcept"), (codes.NDC,))) or ""
        yield Service(
            source=identity(resource),
            code=code,
            service_from=day_of(start),
            service_to=day_of(end),
            modifiers=modifiers_of(resource),
            reason_codes=_reason_codes(resource, "reason"),
            units=units,
            dose=units if ndc else None,  # a drug is charged in billing units, which the NDC's amount is made of
            ndc=ndc,
            rendering_npi=performer_npi(index, resource),
        )


def _charged(resource: Resource, index: Index) -> set[str]:
    found = (target(index, reference) for reference in references_of(resource, "service"))
    return {identity(one) for one in found if one is not None}
