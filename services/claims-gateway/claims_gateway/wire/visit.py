"""The record of an encounter (a FHIR R4 collection Bundle) -> who and where. What the record lacks stays empty."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from fhir_r4 import read, write
from kernel.codes import IDENTIFIER_TYPE, NAIC, NPI, TAX_ID, TAXONOMY

from claims_gateway.model import Address, Insurance, Organization, Person, Practitioner, Sources, Visit

Resource = Mapping[str, Any]
_GENDERS = {"female": "F", "male": "M"}
_RELATIONSHIPS = {"self", "spouse", "child"}
_MEMBER_NUMBER = "MB"
_NO_ORDER = 1_000


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
        value = str(reference.get("reference", "")) if isinstance(reference, Mapping) else ""
        return self._by_reference.get("/".join(value.split("/")[-2:]), {})

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
        patient=_person(patient),
        subscriber=_subscriber(record, primary, patient),
        insurance=_insurance(record, primary, 1) if primary else None,
        other_insurance=tuple(_insurance(record, found, place) for place, found in enumerate(coverages[1:], 2)),
        billing=_organization(billing),
        practitioners=tuple(_practitioner(record, found) for found in record.all("Practitioner")),
        started_on=_day(record.encounter.get("period", {}).get("start")),
        ended_on=_day(record.encounter.get("period", {}).get("end")),
    )
    return visit, Sources(*(_bytes(found) for found in (patient, primary, _payor(record, primary), billing)))


def _bytes(resource: Resource) -> bytes:
    return write(dict(resource)) if resource else b""


def _reference(resource: Resource) -> str:
    return f"{resource['resourceType']}/{resource.get('id', '')}" if resource else ""


def _order(coverage: Resource) -> int:
    """Coverages that do not say their order stand behind those that do, as the record has them: primary first."""
    order = coverage.get("order")
    return order if isinstance(order, int) else _NO_ORDER


def _payor(record: Record, coverage: Resource) -> Resource:
    return next((found for found in map(record.at, coverage.get("payor", ())) if found), {})


def _insurance(record: Record, coverage: Resource, place: int) -> Insurance:
    payor = _payor(record, coverage)
    relation = _first_code(coverage.get("relationship", {})) or "self"
    return Insurance(
        reference=_reference(coverage),
        member_id=coverage.get("subscriberId") or _identifier(coverage, type_code=_MEMBER_NUMBER),
        payer_id=_identifier(payor, NAIC),
        payer_name=payor.get("name", ""),
        payer_reference=_reference(payor) or next(iter(_references(coverage.get("payor", ()))), ""),
        relationship=relation if relation in _RELATIONSHIPS else "other",
        group_number=_group(coverage),
        order=_order(coverage) if "order" in coverage else place,
    )


def _references(references: Iterable[Any]) -> Iterator[str]:
    return (found["reference"] for found in references if isinstance(found, Mapping) and "reference" in found)


def _group(coverage: Resource) -> str:
    classes = coverage.get("class", ())
    return next((str(row.get("value", "")) for row in classes if _first_code(row.get("type", {})) == "group"), "")


def _subscriber(record: Record, coverage: Resource, patient: Resource) -> Person | None:
    """The policyholder, when it is somebody else."""
    subscriber = record.at(coverage.get("subscriber"))
    return _person(subscriber) if subscriber and _reference(subscriber) != _reference(patient) else None


def _person(resource: Resource) -> Person:
    name = _name(resource)
    given = list(name.get("given", ()))
    return Person(
        reference=_reference(resource),
        last=name.get("family", ""),
        first=given[0] if given else "",
        middle=given[1] if len(given) > 1 else "",
        birth_date=_day(resource.get("birthDate")),
        gender=_GENDERS.get(resource.get("gender", ""), "U"),
        address=_address(resource),
    )


def _name(resource: Resource) -> Mapping[str, Any]:
    """The official name before the usual one before any other."""
    names = [name for name in resource.get("name", ()) if isinstance(name, Mapping)]
    rank = {"official": 0, "usual": 1}
    return min(names, key=lambda name: rank.get(name.get("use", ""), 2), default={})


def _address(resource: Resource) -> Address:
    addresses = [address for address in resource.get("address", ()) if address.get("use") != "old"]
    chosen = addresses[0] if addresses else {}
    lines = [*chosen.get("line", ()), "", ""]
    postal_code = "".join(filter(str.isdigit, chosen.get("postalCode", "")))
    return Address(lines[0], lines[1], chosen.get("city", ""), chosen.get("state", ""), postal_code)


def _organization(resource: Resource) -> Organization:
    tax_id = "".join(filter(str.isdigit, _identifier(resource, TAX_ID)))
    return Organization(
        reference=_reference(resource),
        name=resource.get("name", ""),
        npi=_identifier(resource, NPI),
        tax_id=tax_id,
        taxonomy=_coded(resource.get("type", ()), TAXONOMY),
        phone=_phone(resource),
        address=_address(resource),
    )


def _practitioner(record: Record, resource: Resource) -> Practitioner:
    name = _name(resource)
    roles = (role for role in record.all("PractitionerRole") if record.at(role.get("practitioner")) is resource)
    return Practitioner(
        reference=_reference(resource),
        npi=_identifier(resource, NPI),
        last=name.get("family", ""),
        first=next(iter(name.get("given", ())), ""),
        taxonomy=next((code for role in roles if (code := _coded(role.get("specialty", ()), TAXONOMY))), ""),
    )


def _phone(resource: Resource) -> str:
    numbers = (row.get("value", "") for row in resource.get("telecom", ()) if row.get("system") == "phone")
    digits = "".join(filter(str.isdigit, next(numbers, "")))
    return digits[-10:] if len(digits) >= 10 else ""


def _identifier(resource: Resource, system: str = "", type_code: str = "") -> str:
    for identifier in resource.get("identifier", ()):
        by_system = bool(system) and identifier.get("system") == system
        if by_system or (type_code and _coded([identifier.get("type", {})], IDENTIFIER_TYPE) == type_code):
            return str(identifier.get("value", ""))
    return ""


def _coded(concepts: Iterable[Mapping[str, Any]], system: str) -> str:
    codings = (coding for concept in concepts for coding in concept.get("coding", ()))
    return next((str(coding.get("code", "")) for coding in codings if coding.get("system") == system), "")


def _first_code(concept: Mapping[str, Any]) -> str:
    return next((str(coding.get("code", "")) for coding in concept.get("coding", ())), "")


def _day(text: Any) -> date | None:
    """The day of a FHIR date or dateTime; None when it is missing or only a month or year."""
    try:
        return date.fromisoformat(str(text)[:10]) if text else None
    except ValueError:
        return None
