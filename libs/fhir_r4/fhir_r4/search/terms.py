"""Conditions of a query: names with modifiers, chains and `_has`, and their values.

https://hl7.org/fhir/R4/search.html. Refusals are Unreadable with the name of the parameter, never the value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import cast

from kernel.errors import Unreadable

from fhir_r4.search.asked import Modifier, Term
from fhir_r4.search.leaves import WITHOUT_SYSTEM
from fhir_r4.search.registry import Parameter, parameters, steps_of
from fhir_r4.search.values import READERS, TokenValue, Value, missing, refused, split, token
from fhir_r4.types import is_known, known_types

_Ends = tuple[tuple[str, Parameter], ...]

_HAS = "_has"
_HAS_PARTS = 4
_MODIFIERS: Mapping[str, frozenset[str]] = {
    "token": frozenset(("missing", "not")),
    "string": frozenset(("missing", "exact", "contains")),
    "reference": frozenset(("missing", "identifier")),
}
_MISSING_ONLY = frozenset(("missing",))
_SHOWN = re.compile(r"[A-Za-z_][A-Za-z0-9_.:\-]{0,63}", re.ASCII)


def shown(name: str) -> str:
    """A name that came in, as far as it may be said back: "" when it does not look like one."""
    return name if _SHOWN.fullmatch(name) else ""


def term_of(type_name: str, name: str, text: str) -> Term:
    """One condition of a search of that type. Unreadable: search_parameter, search_modifier, search_value,
    search_not_supported."""
    if name.startswith(f"{_HAS}:"):
        return _reverse(type_name, name, text)
    head, dot, rest = name.partition(".")
    if dot:
        return _chained(type_name, head, rest, name, text)
    base, _, modifier = name.partition(":")
    parameter = _named(type_name, base, name)
    if parameter.kind == "reference" and modifier and is_known(modifier):
        return _typed(parameter, modifier, name, text)
    alternatives = _alternatives(((type_name, parameter),), modifier, name, text)
    return Term(parameter, cast(Modifier, modifier), alternatives)


def _typed(parameter: Parameter, target: str, name: str, text: str) -> Term:
    """`subject:Patient=1`: as if the parameter pointed to that type only."""
    if not parameter.allows(target):
        raise Unreadable("search_modifier", shown(name), "this parameter does not point to that type")
    narrowed = Parameter(parameter.name, parameter.kind, parameter.paths, (target,))
    return Term(narrowed, "", _values(narrowed, "", name, text))


def _chained(type_name: str, head: str, rest: str, name: str, text: str) -> Term:
    base, _, narrowed = head.partition(":")
    parameter = _reference(type_name, base, name)
    if "." in rest or rest.startswith(f"{_HAS}:"):
        raise Unreadable("search_not_supported", shown(name), "a chain goes over one reference, not over two")
    if narrowed and not (is_known(narrowed) and parameter.allows(narrowed)):
        raise Unreadable("search_modifier", shown(name), "this parameter does not point to that type")
    last, _, modifier = rest.partition(":")
    chain = _ends(parameter, narrowed, last, name)
    alternatives = _alternatives(chain, modifier, name, text)
    return Term(parameter, cast(Modifier, modifier), alternatives, chain)


def _ends(parameter: Parameter, narrowed: str, last: str, name: str) -> _Ends:
    """The types that the reference may lead to and that have the last parameter, all of one kind."""
    targets = (narrowed,) if narrowed else parameter.targets or tuple(sorted(known_types()))
    chain = tuple((target, parameters(target)[last]) for target in targets if _has(target, last))
    if not chain:
        raise Unreadable("search_parameter", shown(name), "no type at the end of this chain has such a parameter")
    if len({end.kind for _, end in chain}) > 1:
        raise Unreadable(
            "search_modifier", shown(name), "the chain may end at several types: name one (subject:Patient)"
        )
    return chain


def _has(type_name: str, parameter: str) -> bool:
    return is_known(type_name) and parameter in parameters(type_name)


def _reverse(type_name: str, name: str, text: str) -> Term:
    """`_has:Claim:patient:status`: resources that some Claim points to as its patient, of that status."""
    parts = name.split(":", _HAS_PARTS)
    if len(parts) < _HAS_PARTS or not is_known(parts[1]):
        raise Unreadable("search_parameter", shown(name), "_has is _has:Type:reference:parameter")
    source, base, last = parts[1:_HAS_PARTS]
    if last == _HAS or "." in last:
        raise Unreadable("search_not_supported", shown(name), "_has goes over one reference, not over two")
    parameter = _reference(source, base, name)
    if not parameter.allows(type_name):
        raise Unreadable("search_parameter", shown(name), "that reference does not point to the type that is searched")
    modifier = ":".join(parts[_HAS_PARTS:])
    chain = ((source, _named(source, last, name)),)
    alternatives = _alternatives(chain, modifier, name, text)
    return Term(parameter, cast(Modifier, modifier), alternatives, chain, reverse=True)


def _reference(type_name: str, base: str, name: str) -> Parameter:
    parameter = _named(type_name, base, name)
    if parameter.kind != "reference":
        raise Unreadable("search_parameter", shown(name), "only a reference leads to another resource")
    return parameter


def _named(type_name: str, base: str, name: str) -> Parameter:
    parameter = parameters(type_name).get(base)
    if parameter is None:
        raise Unreadable("search_parameter", shown(name), f"{type_name} is not searched by this parameter")
    return parameter


def _alternatives(ends: _Ends, modifier: str, name: str, text: str) -> tuple[Value, ...]:
    """The values as the parameters of these types read them; all are of one kind."""
    parameter = _joined(ends)
    if modifier and modifier not in _MODIFIERS.get(parameter.kind, _MISSING_ONLY):
        raise Unreadable("search_modifier", shown(name), "this parameter has no such modifier here")
    values = _values(parameter, modifier, name, text)
    if parameter.kind == "token" and not any(_has_system(*end) for end in ends):
        return tuple(_without_system(value) for value in values)
    return values


def _joined(ends: _Ends) -> Parameter:
    """One parameter that points to whatever any of these may point to."""
    first, targets = ends[0][1], [end.targets for _, end in ends]
    union = {one for some in targets for one in some} if all(targets) else ()
    return Parameter(first.name, first.kind, first.paths, tuple(sorted(union)))


def _values(parameter: Parameter, modifier: str, name: str, text: str) -> tuple[Value, ...]:
    if modifier == "missing":
        return (missing(parameter.name, text),)
    parts = split(text, ",")
    if not all(parts):
        raise refused(shown(name), "there is no value, or none before or after a comma")
    if modifier == "identifier":
        return tuple(token(parameter.name, part) for part in parts)
    return tuple(READERS[parameter.kind](parameter, part) for part in parts)


def _has_system(type_name: str, parameter: Parameter) -> bool:
    ends = (steps_of(type_name, path)[-1].elements for path in parameter.paths)
    return any(element.type not in WITHOUT_SYSTEM for elements in ends for _, element in elements)


def _without_system(value: Value) -> Value:
    """A code alone: its element says the system, so that of the query adds nothing."""
    return TokenValue(None, value.value) if isinstance(value, TokenValue) and value.value is not None else value
