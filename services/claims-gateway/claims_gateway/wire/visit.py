"""The record of an encounter (a FHIR R4 collection Bundle) -> who and where. What the record lacks stays empty."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any, Protocol

from fhir_r4 import read, write
from fhir_r4.elements import (
    codes_in,
    has_code,
    identifier_of,
    identity,
    reference_of,
    references_of,
    typed_identifier,
)
from fhir_r4.parties import best_name, relationship_of
from kernel.codes import NAIC, NPI, TAX_ID, TAXONOMY

from claims_gateway.model import Address, Insurance, Organization, Person, Practitioner, Sources, Visit

Resource = Mapping[str, Any]
_GENDERS = {"female": "F", "male": "M"}
_RELATIONSHIPS = {"self", "spouse", "child"}
_MEMBER_NUMBER = "MB"
_NO_ORDER = 1_000


class Lookup(Protocol):
    """Where references lead: the record of an encounter, or what came along with a claim."""

    def at(self, reference: Any) -> Resource: ...
    def all(self, kind: str) -> Iterator[Resource]: ...


class Record:
    """The resources of the Bundle by their `Type/id`."""

    def __init__(self, snapshot: bytes, encounter: str) -> None:
        resources = [entry["resource"] for entry in read(snapshot).get("entry", ()) if "resource" in entry]
        self._by_reference: dict[str, Resource] = {
            f"{found['resourceType']}/{found.get('id', '')}": found for found in resources
        }
        self.encounter = self.at({"reference": encounter})

    def at(self, reference: Any) -> Resource:
        """The resource that a Reference names; an empty one when it is not in the record."""
        return self._by_reference.get("/".join(reference_of(reference).split("/")[-2:]), {})

    def all(self, kind: str) -> Iterator[Resource]:
        return (found for found in self._by_reference.values() if found["resourceType"] == kind)


def read_visit(snapshot: bytes, encounter: str) -> tuple[Visit, Sources]:
    """Unreadable when the snapshot is not JSON."""
    record = Record(snapshot, encounter)
    patient = record.at(record.encounter.get("subject"))
    coverages = sorted(record.all("Coverage"), key=_order)
    primary = coverages[0] if coverages else {}
    billing = record.at(record.encounter.get("serviceProvider"))
    visit = Visit(
        patient=read_person(patient),
        subscriber=read_subscriber(record, primary, patient),
        insurance=read_insurance(record, primary, 1) if primary else None,
        other_insurance=tuple(read_insurance(record, found, place) for place, found in enumerate(coverages[1:], 2)),
        billing=read_organization(billing),
        practitioners=tuple(read_practitioner(record, found) for found in record.all("Practitioner")),
        started_on=_day(record.encounter.get("period", {}).get("start")),
        ended_on=_day(record.encounter.get("period", {}).get("end")),
    )
    return visit, Sources(*(_bytes(found) for found in (patient, primary, payor_of(record, primary), billing)))


def _bytes(resource: Resource) -> bytes:
    return write(dict(resource)) if resource else b""


def _order(coverage: Resource) -> int:
    """Coverages that do not say their order stand behind those that do, as the record has them: primary first."""
    order = coverage.get("order")
    return order if isinstance(order, int) else _NO_ORDER


def payor_of(record: Lookup, coverage: Resource) -> Resource:
    return next((found for found in map(record.at, coverage.get("payor", ())) if found), {})


def read_insurance(record: Lookup, coverage: Resource, place: int) -> Insurance:
    payor = payor_of(record, coverage)
    relation = relationship_of(coverage) or "self"
    return Insurance(
        reference=identity(coverage),
        member_id=coverage.get("subscriberId") or typed_identifier(coverage, _MEMBER_NUMBER),
        payer_id=identifier_of(payor, NAIC),
        payer_name=payor.get("name", ""),
        payer_reference=identity(payor) or next(iter(references_of(coverage, "payor")), ""),
        relationship=relation if relation in _RELATIONSHIPS else "other",
        group_number=_group(coverage),
        order=_order(coverage) if "order" in coverage else place,
    )


def _group(coverage: Resource) -> str:
    classes = coverage.get("class", ())
    return next((str(row.get("value", "")) for row in classes if has_code(row.get("type"), ("group",))), "")


def read_subscriber(record: Lookup, coverage: Resource, patient: Resource) -> Person | None:
    """The policyholder, when it is somebody else."""
    subscriber = record.at(coverage.get("subscriber"))
    return read_person(subscriber) if subscriber and subscriber != patient else None


def read_person(resource: Resource) -> Person:
    name = best_name(resource)
    given = list(name.get("given", ()))
    return Person(
        reference=identity(resource),
        last=name.get("family", ""),
        first=given[0] if given else "",
        middle=given[1] if len(given) > 1 else "",
        birth_date=_day(resource.get("birthDate")),
        gender=_GENDERS.get(resource.get("gender", ""), "U"),
        address=_address(resource),
    )


def _address(resource: Resource) -> Address:
    addresses = [address for address in resource.get("address", ()) if address.get("use") != "old"]
    chosen = addresses[0] if addresses else {}
    lines = [*chosen.get("line", ()), "", ""]
    postal_code = "".join(filter(str.isdigit, chosen.get("postalCode", "")))
    return Address(lines[0], lines[1], chosen.get("city", ""), chosen.get("state", ""), postal_code)


def read_organization(resource: Resource) -> Organization:
    tax_id = "".join(filter(str.isdigit, identifier_of(resource, TAX_ID)))
    return Organization(
        reference=identity(resource),
        name=resource.get("name", ""),
        npi=identifier_of(resource, NPI),
        tax_id=tax_id,
        taxonomy=_taxonomy(resource.get("type", ())),
        phone=_phone(resource),
        address=_address(resource),
    )


def read_practitioner(record: Lookup, resource: Resource) -> Practitioner:
    name = best_name(resource)
    roles = (role for role in record.all("PractitionerRole") if record.at(role.get("practitioner")) is resource)
    return Practitioner(
        reference=identity(resource),
        npi=identifier_of(resource, NPI),
        last=name.get("family", ""),
        first=next(iter(name.get("given", ())), ""),
        taxonomy=_taxonomy(specialty for role in roles for specialty in role.get("specialty", ())),
    )


def _phone(resource: Resource) -> str:
    numbers = (row.get("value", "") for row in resource.get("telecom", ()) if row.get("system") == "phone")
    digits = "".join(filter(str.isdigit, next(numbers, "")))
    return digits[-10:] if len(digits) >= 10 else ""


def _taxonomy(concepts: Iterable[Resource]) -> str:
    return next(codes_in(concepts, (TAXONOMY,)), "")


def _day(text: Any) -> date | None:
    """The day of a FHIR date or dateTime; None when it is missing or only a month or year."""
    try:
        return date.fromisoformat(str(text)[:10]) if text else None
    except ValueError:
        return None
