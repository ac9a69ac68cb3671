"""References between resources: finding them, reading them, resolving them within a Bundle, and rewriting them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from fhir_r4.types import element_type, is_known

Resource = dict[str, Any]
Kind = Literal["relative", "absolute", "contained", "urn", "conditional", "other"]

_LITERAL = re.compile(
    r"(?:(https?://\S+)/)?([A-Z][A-Za-z]+)/([A-Za-z0-9.\-]{1,64})(?:/_history/([A-Za-z0-9.\-]{1,64}))?"
)
_CONDITIONAL = re.compile(r"([A-Z][A-Za-z]+)\?(\S+)")
_LINK = re.compile(r"""\b(href|src)=(["'])([^"']*)\2""")
_ADDRESS_TYPES = frozenset(("uri", "url", "oid", "uuid", "canonical"))


@dataclass(frozen=True, slots=True)
class Found:
    """A literal reference: the FHIRPath of the Reference, its text, and the Reference itself."""

    path: str
    value: str
    node: Resource


@dataclass(frozen=True, slots=True)
class Target:
    """What a reference's text says it points to; parts that the text does not carry are None."""

    kind: Kind
    type: str | None = None
    id: str | None = None
    version: str | None = None
    query: str | None = None
    base: str | None = None


def parse(value: str) -> Target:
    """The forms of https://hl7.org/fhir/R4/references.html#literal; "other" for a URL of no FHIR server."""
    if value.startswith("#"):
        return Target("contained", id=value[1:])
    if value.startswith("urn:"):
        return Target("urn")
    if match := _CONDITIONAL.fullmatch(value):
        return Target("conditional", type=match.group(1), query=match.group(2))
    if match := _LITERAL.fullmatch(value):
        base, type_name, identity, version = match.groups()
        return Target("absolute" if base else "relative", type_name, identity, version, base=base)
    return Target("other")


def reference_id(reference: Mapping[str, Any] | None, type_name: str) -> str | None:
    """The id in a Reference that literally points to that type, relative or absolute; else None."""
    value = (reference or {}).get("reference")
    if not isinstance(value, str):
        return None
    target = parse(value)
    return target.id if target.type == type_name and target.kind in ("relative", "absolute") else None


def references(resource: Resource) -> Iterator[Found]:
    """Every literal reference in a resource, Bundle entries and contained resources included, in document order."""
    return _found(resource, str(resource.get("resourceType", "")))


def _found(node: object, path: str) -> Iterator[Found]:
    if isinstance(node, list):
        for index, item in enumerate(node):
            yield from _found(item, f"{path}[{index}]")
    elif isinstance(node, dict):
        value = node.get("reference")
        if isinstance(value, str):
            yield Found(path, value, node)
        for key, item in node.items():
            if isinstance(item, (dict, list)):
                yield from _found(item, f"{path}.{key}")


def contained(resource: Resource, value: str) -> Resource | None:
    """The contained resource that "#id" names."""
    inner = (item for item in resource.get("contained", ()) if isinstance(item, dict))
    return next((item for item in inner if f"#{item.get('id')}" == value), None)


class Index:
    """The entries of a Bundle by every name that a reference may use for them."""

    def __init__(self, bundle: Resource) -> None:
        self._by_url: dict[str, Resource] = {}
        self._by_identity: dict[tuple[str, str], Resource] = {}
        self._resources: list[Resource] = []
        for entry in bundle.get("entry", ()):
            self._add(entry.get("fullUrl"), entry.get("resource"))

    def _add(self, full_url: str | None, resource: Resource | None) -> None:
        if resource is None:
            return
        self._resources.append(resource)
        if full_url:
            self._by_url.setdefault(full_url, resource)
        if identity := resource.get("id"):
            self._by_identity.setdefault((resource["resourceType"], identity), resource)

    def resolve(self, value: str, from_full_url: str | None = None) -> Resource | None:
        """The entry's resource, or None. `from_full_url` is the entry that holds the reference: a relative one is
        read against its server first, as https://hl7.org/fhir/R4/bundle.html#references says."""
        target = parse(value)
        if target.kind == "conditional":
            return self._matching(target)
        if target.kind not in ("relative", "absolute"):
            return self._by_url.get(value)
        unversioned = value.partition("/_history/")[0]
        if target.kind == "absolute":
            return self._versioned(self._by_url.get(unversioned), target)
        base = parse(from_full_url).base if from_full_url else None
        found = self._by_url.get(f"{base}/{unversioned}") if base else None
        by_identity = self._by_identity.get((target.type or "", target.id or ""))
        return self._versioned(found or by_identity, target)

    def _versioned(self, resource: Resource | None, target: Target) -> Resource | None:
        if resource is None or target.version is None:
            return resource
        return resource if resource.get("meta", {}).get("versionId") == target.version else None

    def _matching(self, target: Target) -> Resource | None:
        """The one resource with that identifier; two matches are no match."""
        name, _, token = (target.query or "").partition("=")
        if name != "identifier" or not token:
            return None
        matches = [one for one in self._resources if one["resourceType"] == target.type and _identified(one, token)]
        return matches[0] if len(matches) == 1 else None


def _identified(resource: Resource, token: str) -> bool:
    system, bar, value = token.rpartition("|")
    identifiers = resource.get("identifier", [])
    for one in identifiers if isinstance(identifiers, list) else [identifiers]:
        if one.get("value") == value and (not bar or one.get("system", "") == system):
            return True
    return False


def rewrite(resource: Resource, mapping: Mapping[str, str]) -> Resource:
    """A new resource in which references, addresses and links of the narrative equal to a key have become its value.

    This is the replacement that a transaction asks for (https://hl7.org/fhir/R4/http.html#trules); an identifier's
    value and any other text stay as they are.
    """
    return _rewritten(resource, str(resource.get("resourceType", "")), mapping)


def _rewritten(node: Resource, type_name: str, mapping: Mapping[str, str]) -> Resource:
    return {key: _rewritten_value(item, type_name, key, mapping) for key, item in node.items()}


def _rewritten_value(item: Any, owner: str, key: str, mapping: Mapping[str, str]) -> Any:
    if isinstance(item, list):
        return [_rewritten_value(one, owner, key, mapping) for one in item]
    if isinstance(item, dict):
        own_type = item.get("resourceType")
        inner = own_type if isinstance(own_type, str) and is_known(own_type) else element_type(owner, key)
        return _rewritten(item, inner or "", mapping)
    if isinstance(item, str):
        return _rewritten_text(item, owner, key, mapping)
    return item


def _rewritten_text(text: str, owner: str, key: str, mapping: Mapping[str, str]) -> str:
    if owner == "Reference" and key == "reference":
        return mapping.get(text, text)
    kind = element_type(owner, key)
    if kind == "xhtml":
        return _LINK.sub(lambda link: f"{link[1]}={link[2]}{mapping.get(link[3], link[3])}{link[2]}", text)
    if kind in _ADDRESS_TYPES and owner not in ("Identifier", "Coding", "BundleEntry"):
        return mapping.get(text, text)
    return text
