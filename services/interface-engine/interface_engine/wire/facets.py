"""What the repository indexes of a resource: references, identifiers, status, and what it is searched by."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from fhir_r4.references import parse, references
from fhir_r4.search import index

from interface_engine.model import Facets, Link, Resource

_INDEX = re.compile(r"\[\d+\]")
# Their references are read within them, or by whoever they are meant for.
_OPAQUE = frozenset({"Bundle", "Parameters", "OperationOutcome"})
# What we know better than the sender.
_OURS = ("_id", "_lastUpdated")
_EXPONENTS = 5000
_NINES = str.maketrans("0123456789", "9876543210")


def facets_of(resource: Resource) -> Facets:
    """References to resources of this server, business identifiers, the status, and the rows of the search."""
    links, unresolved = _links(resource)
    status = resource.get("status")
    rows, of = index(resource), f"{resource.get('resourceType')}."
    return Facets(
        links=tuple(links),
        identifiers=tuple(_identifiers(resource.get("identifier"))),
        status=status if isinstance(status, str) else "",
        unresolved=tuple(unresolved),
        tokens=tuple((of + name, system, code) for name, system, code in rows.tokens if name not in _OURS),
        strings=tuple((of + name, folded) for name, folded in rows.strings),
        days=tuple((of + name, low, high) for name, low, high in rows.dates if name not in _OURS),
        numbers=tuple((of + name, sortable(number), system, code) for name, number, system, code in rows.numbers),
        uris=tuple((of + name, value) for name, value in rows.uris),
    )


def sortable(number: Decimal) -> str:
    """A text that stands before another, byte by byte, when the number is less; equal numbers make equal texts.

    Below row security an index on numeric is of no use: its comparisons are not leakproof, those of texts are.
    """
    if not number:
        return "1"
    digits = "".join(map(str, number.as_tuple().digits)).strip("0")
    size = f"{min(max(number.adjusted(), -_EXPONENTS), _EXPONENTS - 1) + _EXPONENTS:04}"
    return f"0{(size + digits).translate(_NINES)}~" if number < 0 else f"2{size}{digits}"


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
