"""Checks a resource against R4's structure, required codes, reference targets and the invariants that matter."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from fhir_r4.compiled import TYPE_URL, concept_holds, flawless, rules_of
from fhir_r4.issues import Issue, Severity
from fhir_r4.primitives import json_kind_fits
from fhir_r4.references import Target, parse
from fhir_r4.scope import Scope, scope_of, target_type, unused
from fhir_r4.types import Element, Shape, is_known, shape

_MOST_ISSUES = 100
_PLAIN_NAME = re.compile(r"_?[A-Za-z][A-Za-z0-9]{0,63}")


class _EnoughFoundError(Exception):
    """Ends the walk when a resource is so wrong that more issues help nobody."""


@dataclass(slots=True)
class _Run:
    """One validation: what was found, and what the references at hand can be resolved against."""

    issues: list[Issue] = field(default_factory=list)
    errors: int = 0
    scope: Scope = field(default_factory=Scope)

    def report(self, code: str, path: str, rule_id: str, text: str, severity: Severity = "error") -> None:
        """Beyond the limit warnings are dropped, so that they never hide an error; errors end the walk."""
        issue = Issue(severity, code, path, rule_id, text)
        if severity == "error":
            self.errors += 1
            self.issues.append(issue)
        elif len(self.issues) - self.errors < _MOST_ISSUES:
            self.issues.append(issue)
        if self.errors >= _MOST_ISSUES:
            raise _EnoughFoundError


def validate(resource: Mapping[str, Any]) -> list[Issue]:
    """The issues of a resource as `read` returns it, at most 100 errors and 100 warnings; none when nothing is wrong.

    A Bundle's entries are validated too, with references by fullUrl checked for their type. Contained resources are
    part of their container. Profiles are not looked at; slicing and terminology beyond required codes neither.
    """
    run = _Run()
    with suppress(_EnoughFoundError):
        _check_resource(run, resource, "")
    return run.issues


def _check_resource(run: _Run, node: Any, path: str, inside: bool = False) -> None:
    name = node.get("resourceType") if type(node) is dict else None
    if type(name) is not str:
        run.report("structure", path, "fhir-resource", "not a resource: an object with a resourceType is needed")
        return
    if not is_known(name):
        run.report("not-supported", path, "fhir-resource-type", "a resource type that is not known here")
        return
    if not inside and flawless(node, run.scope):
        return
    path, outer = path or name, run.scope
    run.scope = scope_of(node, name, outer, inside)
    _check_complex(run, shape(name), node, path)
    if not inside and run.scope.contained:
        _check_contained_are_used(run, node, path)
    run.scope = outer


def _check_contained_are_used(run: _Run, node: Mapping[str, Any], path: str) -> None:
    for index in unused(node):
        run.report("invariant", f"{path}.contained[{index}]", "dom-3", "a contained resource that nothing refers to")


def _check_complex(run: _Run, form: Shape, node: Any, path: str) -> None:
    if type(node) is not dict:
        run.report("structure", path, "fhir-type", f"must be an object ({form.name})")
        return
    if not node.keys() - {"id"}:
        run.report("invariant", path, "ele-1", "an element must have a value or children")
        return
    before = run.errors
    elements, chosen = form.elements, None
    for key, value in node.items():
        element = elements.get(key)
        if element is None:
            _check_unlisted(run, form, key, node, path)
            continue
        if element.group is not None:
            chosen = _check_choice(run, element, chosen, path)
        if element.many:
            _check_many(run, element, value, node.get(f"_{key}"), path)
        elif element.check is None:
            _check_node(run, element, value, f"{path}.{element.path}")
        elif not element.check(value):
            _report_primitive(run, element, value, f"{path}.{element.path}")
    _check_required(run, form, node, path)
    if run.errors == before:
        _check_invariants(run, form, node, path)


def _check_choice(run: _Run, element: Element, chosen: set[str | None] | None, path: str) -> set[str | None]:
    seen = chosen or set()
    if element.group in seen:
        run.report("structure", f"{path}.{element.group}", "fhir-choice", f"{element.group}[x] has two types at once")
    return seen | {element.group}


def _check_required(run: _Run, form: Shape, node: Mapping[str, Any], path: str) -> None:
    for name, variants in form.required:
        if not any(variant in node or f"_{variant}" in node for variant in variants):
            run.report("required", f"{path}.{name}", "fhir-required", f"{form.name} needs {name}")


def _check_invariants(run: _Run, form: Shape, node: Mapping[str, Any], path: str) -> None:
    for rule in rules_of(form):
        if not rule.kept_by(node):
            place = f"{path}.{rule.at}" if rule.at else path
            severity: Severity = "warning" if run.scope.container in rule.warns_in else "error"
            run.report(rule.code, place, rule.rule_id, rule.text, severity)


def _check_many(run: _Run, element: Element, values: Any, siblings: Any, path: str) -> None:
    if type(values) is not list:
        run.report("structure", f"{path}.{element.path}", "fhir-cardinality", "must be an array")
        return
    if not values:
        run.report("structure", f"{path}.{element.path}", "fhir-cardinality", "an array must not be empty")
    for index, value in enumerate(values):
        place = f"{path}.{element.path}[{index}]"
        if element.check is None:
            _check_node(run, element, value, place)
        elif not element.check(value) and not (value is None and _stands_in(siblings, index)):
            _report_primitive(run, element, value, place)


def _stands_in(siblings: Any, index: int) -> bool:
    """Whether the extensions beside a primitive array speak for its null at that index."""
    return type(siblings) is list and index < len(siblings) and type(siblings[index]) is dict


def _report_primitive(run: _Run, element: Element, value: object, path: str) -> None:
    if type(value) is list:
        run.report("structure", path, "fhir-cardinality", "must be a single value, not an array")
    elif not json_kind_fits(element.type, value):
        run.report("structure", path, "fhir-type", f"wrong JSON type for {element.type}")
    elif element.codes is not None:
        run.report("code-invalid", path, "fhir-binding", "a code outside the required value set")
    else:
        run.report("value", path, "fhir-format", f"not a valid {element.type}")


def _check_unlisted(run: _Run, form: Shape, key: str, node: Mapping[str, Any], path: str) -> None:
    """The `_name` beside a primitive carries its id and extensions; anything else is unknown.

    The name is repeated only when it is a plain word, since a sender's slip may have put data where a name belongs.
    """
    element = form.elements.get(key[1:]) if key.startswith("_") else None
    if element is None or not element.primitive:
        named = f" {key}" if _PLAIN_NAME.fullmatch(key) else ""
        run.report("structure", path, "fhir-unknown-element", f"{form.name} has no element{named}")
        return
    value, place = node[key], f"{path}.{element.path}"
    if not element.many:
        _check_sibling(run, value, key[1:] in node, place)
    elif type(value) is not list:
        run.report("structure", place, "fhir-cardinality", "must be an array")
    else:
        for index, one in enumerate(value):
            if one is not None:
                _check_sibling(run, one, _has_value(node.get(key[1:]), index), f"{place}[{index}]")


def _has_value(values: Any, index: int) -> bool:
    return type(values) is list and index < len(values) and values[index] is not None


def _check_sibling(run: _Run, sibling: Any, has_value: bool, path: str) -> None:
    """Beside a value an id alone will do; on its own it needs an extension (ele-1)."""
    if not (has_value and type(sibling) is dict and sibling.keys() == {"id"} and type(sibling["id"]) is str):
        _check_complex(run, shape("Element"), sibling, path)


def _check_node(run: _Run, element: Element, value: Any, path: str) -> None:
    if type(value) is list:
        run.report("structure", path, "fhir-cardinality", "must be a single value, not an array")
    elif element.type == "Resource":
        _check_resource(run, value, path, inside=element.path == "contained")
    else:
        before = run.errors
        _check_complex(run, shape(element.type), value, path)
        if run.errors == before:
            _check_meaning(run, element, value, path)


def _check_meaning(run: _Run, element: Element, value: Mapping[str, Any], path: str) -> None:
    """What can only be asked of a sound element: where a reference points, whether a concept is of its value set."""
    if element.type == "Reference":
        _check_reference(run, element, value, path)
    elif element.concept is not None and not concept_holds(element.concept, value):
        run.report("code-invalid", path, "fhir-binding", "no coding of the required value set")


def _check_reference(run: _Run, element: Element, node: Mapping[str, Any], path: str) -> None:
    value = node.get("reference")
    if type(value) is not str:
        return
    target = parse(value)
    if target.kind == "contained" and target.id and target.id not in run.scope.contained:
        run.report("invariant", path, "ref-1", "no contained resource has that id")
        return
    found = target_type(run.scope, target, value)
    if found is None:
        _report_unresolved(run, target, value, path)
        return
    if element.targets is not None and found not in element.targets:
        severity: Severity = "warning" if found in element.tolerated else "error"
        run.report("structure", path, "fhir-reference-target", "must not refer to that resource type", severity)
    said = node.get("type")
    if type(said) is str and said.removeprefix(TYPE_URL) != found:
        run.report("structure", path, "fhir-reference-type", "type and reference disagree")


def _report_unresolved(run: _Run, target: Target, value: str, path: str) -> None:
    if run.scope.full_urls is None or target.kind != "urn":
        return
    severity: Severity = "error" if run.scope.urn_must_resolve else "warning"
    run.report("not-found", path, "fhir-reference-unresolved", "no entry of the Bundle has that fullUrl", severity)
