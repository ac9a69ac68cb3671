"""What another reader of R4 thinks of a resource: fhir.resources, asked for its findings and for nothing else.

It reads a copy, which is thrown away: it would turn 100.00 into 100.0. It knows R4B, which is R4 for every type of
ours, takes no notice of required codes and reference targets, and is slow, so it is for `$validate` and not for the
line. It is loaded when it is first asked.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from fhir_r4.codec import Resource, write
from fhir_r4.issues import Issue, Severity
from fhir_r4.types import Element, is_known, shape
from fhir_r4.validation import validate

RULE_ID = "second-opinion"
_MODELS = "fhir.resources.R4B"
_MOST_ISSUES = 100
# Pydantic's kinds of error as issue type and sentence: its own messages may repeat values.
_MISSING = ("required", "a required element is missing")
_KINDS = {
    "missing": _MISSING,
    "model_field_validation.missing": _MISSING,
    "extra_forbidden": ("structure", "an element that is not known there"),
    "list_type": ("structure", "must be an array"),
    "model_type": ("structure", "must be an object"),
    "value_error": ("value", "not as the definition has it"),
}
_OTHER_KIND = ("value", "a value of the wrong type or form")


def second_opinion(resource: Resource) -> list[Issue]:
    """Its findings in our form, at most 100; none when it has nothing to say or the type is not known here.

    "warning" where `validate` has no error at that place, so that the two differ; "information" where both object,
    and where only ours does. Never "error": ours decides. Texts and paths repeat no value of the resource.
    """
    name = resource.get("resourceType")
    if type(name) is not str or not is_known(name):
        return []
    own = {issue.fhirpath for issue in validate(resource) if issue.severity == "error"}
    found = [_issue(resource, error, own) for error in _errors(resource, name)[:_MOST_ISSUES]]
    if own and not found:
        return [_said("information", "informational", name, "no objection to what is refused here")]
    return list(dict.fromkeys(found))


def _errors(resource: Resource, name: str) -> Sequence[Mapping[str, Any]]:
    """Pydantic's list; what else the models raise on damaged input counts as one error about the whole resource."""
    model = getattr(importlib.import_module(f"{_MODELS}.{name.lower()}"), name)
    try:
        model.model_validate(json.loads(write(resource)))
    except Exception as error:
        listed = getattr(error, "errors", None)
        return listed(include_url=False, include_input=False) if listed else [{"type": "value_error", "loc": ()}]
    return ()


def _issue(resource: Resource, error: Mapping[str, Any], own: set[str]) -> Issue:
    path = fhirpath_of(resource, error["loc"])
    code, text = _KINDS.get(error["type"], _OTHER_KIND)
    agreed = any(_near(path, place) for place in own) or (own and not error["loc"])
    return _said("information" if agreed else "warning", code, path, text)


def _said(severity: Severity, code: str, path: str, text: str) -> Issue:
    return Issue(severity, code, path, RULE_ID, f"fhir.resources: {text}")


def _near(one: str, other: str) -> bool:
    """The same place or one step apart: a missing choice is told of the element by one reader, of its parent by the
    other."""
    return one == other or one == _parent(other) or _parent(one) == other


def _parent(path: str) -> str:
    return path.rpartition(".")[0]


def fhirpath_of(resource: Resource, steps: Sequence[str | int]) -> str:
    """The FHIRPath of a place given by JSON names and indexes, as far as they lead to elements of R4."""
    node: Any = resource
    path = owner = str(resource["resourceType"])
    for step in steps:
        if isinstance(step, int):
            path += f"[{step}]"
            node = node[step] if isinstance(node, list) and step < len(node) else None
            continue
        element = _element(_type_of(node, owner), step)
        if element is None:
            break
        path += f".{element.path}"
        owner = "Element" if element.primitive else element.type
        node = node.get(step) if isinstance(node, dict) else None
    return path


def _type_of(node: object, owner: str) -> str:
    """The type of a node: a resource says it itself."""
    if owner != "Resource":
        return owner
    said = node.get("resourceType") if isinstance(node, dict) else None
    return said if isinstance(said, str) and is_known(said) else owner


def _element(type_name: str, name: str) -> Element | None:
    elements = shape(type_name).elements
    return elements.get(name) or elements.get(name.removeprefix("_"))
