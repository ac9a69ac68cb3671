"""Readers of the small elements that every FHIR R4 resource shares: codings, identifiers, references, days."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Any

from kernel.codes import LINE, canonical_system
from kernel.errors import Unreadable

Element = Mapping[str, Any]

_DAY_LENGTH = len("2026-01-31")


def identity(resource: Element) -> str:
    """ "Procedure/<id>"; "" for a resource without a type or an id."""
    kind, id = resource.get("resourceType"), resource.get("id")
    return f"{kind}/{id}" if kind and id else ""


def reference_of(reference: Element | None) -> str:
    """The literal text of a Reference; "" when there is none."""
    return str((reference or {}).get("reference", ""))


def references_of(resource: Element, element: str) -> tuple[str, ...]:
    """The literal references of an element, whether it repeats or not."""
    found: Any = resource.get(element) or []
    items = found if isinstance(found, list) else [found]
    return tuple(item["reference"] for item in items if item.get("reference"))


def codes_in(concepts: Iterable[Element | None], systems: Collection[str]) -> Iterator[str]:
    """The codes of the concepts in any of the systems, however the sender writes their addresses, in order."""
    for concept in concepts:
        for coding in (concept or {}).get("coding", ()):
            if canonical_system(str(coding.get("system", ""))) in systems and coding.get("code"):
                yield str(coding["code"])


def code_in(concept: Element | None, systems: Collection[str]) -> str:
    """The first code of the concept in one of the systems; "" when none."""
    return next(codes_in((concept,), systems), "")


def has_code(concept: Element | None, wanted: Collection[str]) -> bool:
    """Whether any coding of the concept has one of the codes."""
    return any(coding.get("code") in wanted for coding in (concept or {}).get("coding", ()))


def identifier_of(resource: Element | None, system: str) -> str:
    """The first identifier of a system (NPI, NAIC, tax id), however the sender writes its address; "" when none."""
    items = (resource or {}).get("identifier", ())
    return next((str(item["value"]) for item in items if item.get("value") and _is_of(item, system)), "")


def typed_identifier(resource: Element, type_code: str) -> str:
    """The first identifier whose type has the code (HL7 v2-0203: MB, MR); "" when none."""
    items = (item for item in resource.get("identifier", ()) if has_code(item.get("type"), (type_code,)))
    return next((str(item.get("value", "")) for item in items), "")


def _is_of(identifier: Element, system: str) -> bool:
    return canonical_system(str(identifier.get("system", ""))) == system


def extension_values(resource: Element, name: str) -> Iterator[Any]:
    """The values of our own extension `name`, in order."""
    for extension in resource.get("extension", ()):
        if extension.get("url") == f"{LINE}/StructureDefinition/{name}":
            yield from (value for key, value in extension.items() if key.startswith("value"))


def when(resource: Element, element: str) -> tuple[str, str]:
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


def read_day(text: str, path: str) -> date:
    """YYYY-MM-DD. Unreadable("date-format", path) for anything else."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Unreadable("date-format", path, "a day is YYYY-MM-DD") from error
