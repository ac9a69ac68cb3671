"""What is indexed of a resource: one walk over it, along a tree that is compiled per type from its parameters' paths.

This runs for every resource that is written, so the walk looks only at keys that some parameter names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any, TypeVar

from fhir_r4.codec import Resource
from fhir_r4.search.leaves import LEAVES, SKIPPED, Emit, Rows, reference
from fhir_r4.search.registry import Parameter, Step, parameters, steps_of
from fhir_r4.types import Element, is_known

# Rows of one table for one resource. What is beyond is not found by search; reading it whole is not affected.
MAX_ROWS = 500

_EXISTS = "exists"
_Row = TypeVar("_Row")
Accept = Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class Indexed:
    """The rows of a resource, without doubles: (param, system, value), (param, folded), (param, low, high exclusive),
    (param, value, system, code), (param, value). A system or code that is not there is ""."""

    tokens: tuple[tuple[str, str, str], ...] = ()
    strings: tuple[tuple[str, str], ...] = ()
    dates: tuple[tuple[str, datetime, datetime], ...] = ()
    numbers: tuple[tuple[str, Decimal, str, str], ...] = ()
    uris: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class _Branch:
    """What to do with the values of one JSON name: `accept` chooses among them, `leaves` make rows, `below` go on."""

    accept: Accept | None
    leaves: list[tuple[str, Emit]] = field(default_factory=list)
    below: dict[str, list[_Branch]] = field(default_factory=dict)


_Tree = dict[str, list[_Branch]]


@dataclass(frozen=True, slots=True)
class _Plan:
    tree: _Tree
    presence: tuple[tuple[str, tuple[str, ...]], ...]


def index(resource: Resource) -> Indexed:
    """The rows that the parameters of its type make of it. Malformed elements and unknown types make none."""
    type_name = resource.get("resourceType")
    if not isinstance(type_name, str) or not is_known(type_name):
        return Indexed()
    plan, rows = _plan(type_name), Rows()
    _walk(resource, plan.tree, rows)
    for name, keys in plan.presence:
        there = any(resource.get(key) not in (None, False) for key in keys)
        rows.tokens.append((name, "", "true" if there else "false"))
    return Indexed(
        _distinct(rows.tokens),
        _distinct(rows.strings),
        _distinct(rows.dates),
        _distinct(rows.numbers),
        _distinct(rows.uris),
    )


def _distinct(rows: list[_Row]) -> tuple[_Row, ...]:
    return tuple(dict.fromkeys(rows))[:MAX_ROWS] if rows else ()


def _walk(node: Mapping[str, Any], tree: _Tree, rows: Rows) -> None:
    for key, value in node.items():
        branches = tree.get(key)
        if branches is None or value is None:
            continue
        for one in value if type(value) is list else (value,):
            for branch in branches:
                if branch.accept is None or branch.accept(one):
                    _take(branch, one, rows)


def _take(branch: _Branch, value: Any, rows: Rows) -> None:
    for name, emit in branch.leaves:
        try:
            emit(name, value, rows)
        except SKIPPED:
            continue
    if branch.below and type(value) is dict:
        _walk(value, branch.below, rows)


@cache
def _plan(type_name: str) -> _Plan:
    tree: _Tree = {}
    presence: list[tuple[str, tuple[str, ...]]] = []
    for parameter in parameters(type_name).values():
        for path in parameter.paths:
            steps = steps_of(type_name, path)
            if steps[-1].filter == _EXISTS:
                presence.append((parameter.name, tuple(key for key, _ in steps[-1].elements)))
            else:
                _grow(tree, steps, parameter)
    return _Plan(tree, tuple(presence))


def _grow(tree: _Tree, steps: tuple[Step, ...], parameter: Parameter) -> None:
    *inner, last = steps
    for step in inner:
        key, element = step.elements[0]
        tree = _branch(tree, key, element, step.filter).below
    for key, element in last.elements:
        emit = leaf(parameter, element)
        if emit:
            _branch(tree, key, element, last.filter).leaves.append((parameter.name, emit))


def leaf(parameter: Parameter, element: Element) -> Emit | None:
    """What makes rows of such an element for the parameter; None when its kind has no use for that type."""
    if parameter.kind == "reference":
        return reference(parameter.targets) if element.type == "Reference" else None
    return LEAVES[parameter.kind].get(element.type)


def _branch(tree: _Tree, key: str, element: Element, narrowing: str) -> _Branch:
    """The branch of that key, made when it is not there. Filters are few, so each has a branch of its own."""
    branches = tree.setdefault(key, [])
    if narrowing:
        branches.append(_Branch(_filter(element.type, narrowing)))
        return branches[-1]
    plain = next((one for one in branches if one.accept is None), None)
    if plain is None:
        plain = _Branch(None)
        branches.append(plain)
    return plain


def _filter(element_type: str, narrowing: str) -> Accept:
    if element_type == "Extension":
        tail = f"/{narrowing}"
        return lambda value: isinstance(value, dict) and str(value.get("url", "")).endswith(tail)
    return lambda value: isinstance(value, dict) and value.get("system") == narrowing
