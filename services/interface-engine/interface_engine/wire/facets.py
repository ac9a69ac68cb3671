"""What the repository indexes of a resource: references, identifiers, status."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from fhir_r4.references import parse, references

from interface_engine.model import Facets, Link, Resource

_INDEX = re.compile(r"\[\d+\]")
# Their references are read within them, or by whoever they are meant for.
_OPAQUE = frozenset({"Bundle", "Parameters", "OperationOutcome"})


def facets_of(resource: Resource) -> Facets:
    """References to resources of this server, business identifiers, and the status."""
    links, unresolved = _links(resource)
    status = resource.get("status")
    return Facets(
        links=tuple(links),
        identifiers=tuple(_identifiers(resource.get("identifier"))),
        status=status if isinstance(status, str) else "",
        unresolved=tuple(unresolved),
    )


def plain(path: str) -> str:
    """A path without list indexes, as the reference index keeps it."""
    return _INDEX.sub("", path)


def _links(resource: Resource) -> tuple[list[Link], list[str]]:
    links: list[Link] = []
    unresolved: list[str] = []
    if resource.get("resourceType") in _OPAQUE:
        return links, unresolved
    for found in references(resource):
        target = parse(found.value)
        if target.kind == "relative":
            links.append(Link(found.path, f"{target.type}/{target.id}"))
        elif target.kind == "conditional" or found.value.startswith("urn:uuid:"):
            unresolved.append(found.path)
    return links, unresolved


def _identifiers(value: Any) -> Iterator[tuple[str, str]]:
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, dict) and isinstance(one.get("value"), str):
            yield str(one.get("system", "")), one["value"]
