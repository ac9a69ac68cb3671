"""Fills the elements of a resource from its rules, and notes where each came from and what its sender deleted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from interface_engine.wire.hl7.scope import Scope


@dataclass(frozen=True, slots=True)
class Filler:
    """One rule: the element's path, whether it is a list, its readers, and what a primitive value has to be."""

    path: tuple[str, ...]
    many: bool
    readers: tuple[Callable[[Scope], list[Any]], ...]
    check: Callable[[Any], bool] | None = None


@dataclass(slots=True)
class Filled:
    """Elements, the paths that HL7 null deletes, and pairs of element and source."""

    resource: dict[str, Any] = field(default_factory=dict)
    cleared: list[str] = field(default_factory=list)
    origins: list[tuple[str, str]] = field(default_factory=list)


def fill(fillers: tuple[Filler, ...], scope: Scope) -> Filled:
    """All elements that have a value."""
    made = Filled()
    for one in fillers:
        scope.null = False
        scope.origins.clear()
        values: list[Any] = []
        for read in one.readers:
            values.extend(read(scope))
        if one.check is not None and values:
            values = _good(one.check, values, scope)
        if values:
            _set(made.resource, one.path, values if one.many else values[0])
            element = ".".join(one.path)
            made.origins.extend((element, source) for source in dict.fromkeys(scope.origins))
        elif scope.null:
            made.cleared.append(".".join(one.path))
    scope.null = False
    scope.origins.clear()
    return made


def _good(check: Callable[[Any], bool], values: list[Any], scope: Scope) -> list[Any]:
    """The values that the element may hold: a day is no instant, and a text with blanks no code."""
    good = [value for value in values if check(value)]
    if len(good) < len(values):
        scope.flaw(scope.origins[-1] if scope.origins else "", "value-unfit")
    return good


def _set(resource: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for step in path[:-1]:
        resource = resource.setdefault(step, {})
    resource[path[-1]] = value
