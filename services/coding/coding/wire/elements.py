"""Small readers of FHIR elements that every resource shares: codings, extensions, dates, references, NPIs."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from fhir_r4.references import Index
from kernel import codes

Resource = dict[str, Any]

LINE = "https://throughline.example/fhir"
_BILLING_SYSTEMS = (codes.CPT, codes.HCPCS)
_DAY_LENGTH = len("2026-01-31")


def identity(resource: Resource) -> str:
    """ "Procedure/<id>"."""
    return f"{resource['resourceType']}/{resource.get('id', '')}"


def code_in(concept: Resource | None, systems: Collection[str]) -> str:
    """The first code of the concept in one of the systems, however the sender writes their addresses; "" when none."""
    for coding in (concept or {}).get("coding", ()):
        if codes.canonical_system(coding.get("system", "")) in systems and coding.get("code"):
            return str(coding["code"])
    return ""


def billing_code(concept: Resource | None) -> str:
    """CPT or HCPCS level II."""
    return code_in(concept, _BILLING_SYSTEMS)


def has_code(concept: Resource | None, wanted: Collection[str]) -> bool:
    """Whether any coding of the concept has one of the codes."""
    return any(coding.get("code") in wanted for coding in (concept or {}).get("coding", ()))


def extension_values(resource: Resource, name: str) -> Iterator[Any]:
    """The values of our own extension `name`, in order."""
    for extension in resource.get("extension", ()):
        if extension.get("url") == f"{LINE}/StructureDefinition/{name}":
            yield from (value for key, value in extension.items() if key.startswith("value"))


def modifiers_of(resource: Resource) -> tuple[str, ...]:
    """Modifiers that the record names itself; never dropped, in the record's order."""
    found = (str(value["code"]) for value in extension_values(resource, "procedure-modifier") if value.get("code"))
    return tuple(dict.fromkeys(found))


def units_of(resource: Resource) -> Decimal:
    """The count of our units extension (a decimal or a Quantity); 1 when there is none."""
    value = next(extension_values(resource, "units"), 1)
    return Decimal(value["value"] if isinstance(value, dict) else value)


def when(resource: Resource, element: str) -> tuple[str, str]:
    """Begin and end of a choice of dateTime and Period ("performed", "effective", "occurrence") as text."""
    moment = resource.get(f"{element}DateTime")
    period = resource.get(f"{element}Period") or {}
    start = moment or period.get("start") or ""
    return str(start), str(period.get("end") or start)


def day_of(text: str) -> date | None:
    """The calendar day as the sender wrote it; None for a year or a month alone."""
    return date.fromisoformat(text[:_DAY_LENGTH]) if len(text) >= _DAY_LENGTH else None


def moment_of(text: str) -> datetime | None:
    """The moment, when the text has a time of day."""
    return datetime.fromisoformat(text) if len(text) > _DAY_LENGTH else None


def references_of(resource: Resource, element: str) -> tuple[str, ...]:
    """The literal references of a repeating element."""
    found: Any = resource.get(element) or []
    items = found if isinstance(found, list) else [found]
    return tuple(item["reference"] for item in items if item.get("reference"))


def target(index: Index, reference: str) -> Resource | None:
    """The snapshot's resource that the reference names."""
    return index.resolve(reference) if reference else None


def same(index: Index, reference: str, resource: Resource) -> bool:
    return target(index, reference) is resource


def npi_of(index: Index, reference: str) -> str:
    """The NPI behind a reference to a Practitioner, PractitionerRole or Organization; "" when it has none."""
    actor = target(index, reference)
    if actor is not None and actor["resourceType"] == "PractitionerRole":
        actor = target(index, str((actor.get("practitioner") or {}).get("reference", "")))
    identifiers = (actor or {}).get("identifier", ())
    found = (one.get("value", "") for one in identifiers if codes.canonical_system(one.get("system", "")) == codes.NPI)
    return str(next(found, ""))


def first_npi(index: Index, references: Collection[str]) -> str:
    return next(filter(None, (npi_of(index, reference) for reference in references)), "")
