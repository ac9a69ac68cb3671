"""What the references of a resource can be resolved against: its own contained resources and the Bundle around it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from fhir_r4.references import Target
from fhir_r4.types import is_known


@dataclass(frozen=True, slots=True)
class Scope:
    """`container` is the type of the resource, `contained` and `full_urls` give the type behind an id or a fullUrl.

    `full_urls` is None outside a Bundle; in a transaction a urn that no entry has is an error.
    """

    container: str = ""
    contained: Mapping[str, str] = field(default_factory=dict)
    full_urls: Mapping[str, str] | None = None
    urn_must_resolve: bool = False


def scope_of(node: Mapping[str, Any], name: str, outer: Scope, inside: bool) -> Scope:
    """The scope of a resource; a contained one (`inside`) shares that of its container, a Bundle opens a new one."""
    container, contained = outer.container, outer.contained
    if not inside:
        container, contained = name, _contained_types(node) if "contained" in node else {}
    if name == "Bundle":
        return Scope(container, contained, _full_urls(node), node.get("type") == "transaction")
    return Scope(container, contained, outer.full_urls, outer.urn_must_resolve)


def _contained_types(node: Mapping[str, Any]) -> dict[str, str]:
    inner = node.get("contained")
    if not isinstance(inner, list):
        return {}
    return {
        one["id"]: str(one.get("resourceType"))
        for one in inner
        if isinstance(one, dict) and isinstance(one.get("id"), str)
    }


def _full_urls(bundle: Mapping[str, Any]) -> dict[str, str]:
    entries = bundle.get("entry")
    urls: dict[str, str] = {}
    for entry in entries if isinstance(entries, list) else ():
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(resource, dict) and isinstance(entry.get("fullUrl"), str):
            urls[entry["fullUrl"]] = str(resource.get("resourceType"))
    return urls


def target_type(scope: Scope, target: Target, value: str) -> str | None:
    """The resource type that a reference points to, when it can be known from here; KeyError for an unknown "#id"."""
    if target.kind == "contained":
        return scope.contained[target.id] if target.id else scope.container
    if target.kind == "relative":
        return target.type
    if scope.full_urls is not None and value in scope.full_urls:
        return scope.full_urls[value]
    return target.type if target.type is not None and is_known(target.type) else None


def unused(node: Mapping[str, Any]) -> Iterator[int]:
    """dom-3: the contained resources that nothing refers to and that do not refer to their container with "#"."""
    used = {text for text in _texts(node) if text.startswith("#")}
    for index, inner in enumerate(node["contained"]):
        if isinstance(inner, dict) and f"#{inner.get('id')}" not in used and "#" not in set(_texts(inner)):
            yield index


def _texts(node: object) -> Iterator[str]:
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)
        elif isinstance(one, str):
            yield one
