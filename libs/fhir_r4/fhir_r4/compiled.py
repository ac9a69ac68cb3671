"""The definitions compiled into one closure per type, which answer whether a resource is flawless and nothing else.

Almost every resource is. Saying what is wrong needs paths, texts and an order of findings; saying that nothing is
needs none of it, so each property is looked up once and most primitives are checked without a Python call. A closure
is made when a resource first needs it. Loops are plain ones, since a generator would cost more than what it runs.

Yes is certain; No means that `validation` has to look, and it may still find nothing: rare forms, such as a null in a
primitive array, are not compiled.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from fhir_r4.invariants import INVARIANTS, Invariant
from fhir_r4.primitives import QUICK, Check, Quick
from fhir_r4.references import parse
from fhir_r4.scope import Scope, scope_of, target_type, unused
from fhir_r4.types import Concept, Element, Shape, is_known, shape

Accept = Callable[[Any, Scope], bool]

TYPE_URL = "http://hl7.org/fhir/StructureDefinition/"
_RELATIVE = re.compile(r"([A-Z][A-Za-z]+)/[A-Za-z0-9.\-]{1,64}").fullmatch


def flawless(resource: Any, scope: Scope) -> bool:
    """Whether a resource certainly has no issue at all. A value of the wrong JSON kind may end a check early."""
    try:
        return _accept_resource(resource, scope)
    except TypeError:
        return False


def _accept_resource(node: Any, outer: Scope, inside: bool = False) -> bool:
    name = node["resourceType"] if type(node) is dict and "resourceType" in node else None
    if type(name) is not str or not is_known(name):
        return False
    scope = scope_of(node, name, outer, inside)
    return _acceptor(name)(node, scope) and (inside or not scope.contained or not any(True for _ in unused(node)))


def _accept_contained(node: Any, outer: Scope) -> bool:
    return _accept_resource(node, outer, inside=True)


class _Parts(dict[str, Accept]):
    """How each property that is no single primitive is accepted; a row is made when the property first comes."""

    def __init__(self, form: Shape) -> None:
        super().__init__()
        self._elements = form.elements

    def __missing__(self, key: str) -> Accept:
        """Unknown names are not kept, since there is no end to them."""
        element = self._elements.get(key)
        if element is not None:
            made = _part(element)
        elif key[:1] == "_" and (beside := self._elements.get(key[1:])) is not None and beside.primitive:
            made = _siblings if beside.many else _acceptor("Element")
        else:
            return _refuse
        self[key] = made
        return made


def _refuse(_: Any, __: Scope) -> bool:
    return False


@cache
def _acceptor(type_name: str) -> Accept:
    """The closure of a type: every property good, then what is asked of the node as a whole."""
    form = shape(type_name)
    exact, quick = _plain(form)
    parts = _Parts(form)
    whole = _whole(form)

    def accept(node: Any, scope: Scope) -> bool:
        if type(node) is not dict or (len(node) < 2 and (not node or "id" in node)):
            return False
        for key, value in node.items():
            check = quick.get(key)
            if check is None:
                if not parts[key](value, scope):
                    return False
            elif not check(value) and not exact[key](value):
                return False
        return whole is None or whole(node)

    return accept


def _whole(form: Shape) -> Callable[[Mapping[str, Any]], bool] | None:
    """The required properties there, no choice made twice, the rules kept; None for a type that asks for nothing."""
    required, choices = _demands(form)
    rules = tuple((rule.when, rule.holds) for rule in rules_of(form))
    if not required and not choices and not rules:
        return None

    def accept(node: Mapping[str, Any]) -> bool:
        if not node.keys() >= required:
            return False
        for variants, least in choices:
            if not least <= len(node.keys() & variants) <= 1:
                return False
        for when, holds in rules:
            if (not when or when in node) and not holds(node):
                break
        else:
            return True
        return False

    return accept


def _plain(form: Shape) -> tuple[dict[str, Check], dict[str, Quick]]:
    """The single primitives of a type by name: their exact checks, and the quick ones that are tried first."""
    single = {key: one for key, one in form.elements.items() if one.check is not None and not one.many}
    exact = {key: one.check for key, one in single.items() if one.check is not None}
    return exact, {key: _quick(one, exact[key]) for key, one in single.items()}


def _quick(element: Element, exact: Check) -> Quick:
    return element.codes.__contains__ if element.codes is not None else QUICK.get(element.type, exact)


def _demands(form: Shape) -> tuple[frozenset[str], tuple[tuple[frozenset[str], int], ...]]:
    """The names that must be there, and the choices: their variants with how many of them must be there."""
    needed = {variants for _, variants in form.required}
    groups: dict[str, list[str]] = {}
    for key, element in form.elements.items():
        if element.group is not None:
            groups.setdefault(element.group, []).append(key)
    choices = tuple((frozenset(keys), int(tuple(keys) in needed)) for keys in groups.values())
    return frozenset(keys[0] for keys in needed if form.elements[keys[0]].group is None), choices


def rules_of(form: Shape) -> tuple[Invariant, ...]:
    """The invariants of a type and of all that it inherits from."""
    return tuple(rule for ancestor in form.ancestors for rule in INVARIANTS.get(ancestor, ()))


def _part(element: Element) -> Accept:
    if element.check is not None:
        return _each_plain(_quick(element, element.check), element.check)
    one = _single(element)
    return _each(one) if element.many else one


def _single(element: Element) -> Accept:
    if element.type == "Resource":
        return _accept_contained if element.path == "contained" else _accept_resource
    if element.type == "Reference":
        return _reference(element.targets)
    return _acceptor(element.type) if element.concept is None else _coded(element.concept)


def _each(one: Accept) -> Accept:
    def accept(values: Any, scope: Scope) -> bool:
        if type(values) is not list or not values:
            return False
        for value in values:
            if not one(value, scope):
                break
        else:
            return True
        return False

    return accept


def _each_plain(quick: Quick, exact: Check) -> Accept:
    def accept(values: Any, _: Scope) -> bool:
        if type(values) is not list or not values:
            return False
        for value in values:
            if not quick(value) and not exact(value):
                break
        else:
            return True
        return False

    return accept


def _siblings(values: Any, scope: Scope) -> bool:
    """The extensions beside a primitive array."""
    accept = _acceptor("Element")
    return type(values) is list and all(value is None or accept(value, scope) for value in values)


def concept_holds(concept: Concept, value: Mapping[str, Any]) -> bool:
    """A required binding asks for one coding of the value set, and for no wrong code of its system."""
    ours = [one for one in value.get("coding", ()) if one.get("system") == concept.system]
    return bool(ours) and all(one.get("code") in concept.codes for one in ours)


def _coded(concept: Concept) -> Accept:
    accept = _acceptor("CodeableConcept")
    return lambda node, scope: accept(node, scope) and concept_holds(concept, node)


def _reference(targets: frozenset[str] | None) -> Accept:
    generic = _acceptor("Reference")

    def accept(node: Any, scope: Scope) -> bool:
        text = node.get("reference") if type(node) is dict else None
        if type(text) is not str:
            return generic(node, scope)
        match = _RELATIVE(text)
        if match is not None and len(node) == 1:
            return targets is None or match[1] in targets
        found = match[1] if match is not None else _found(text, scope)
        if found is None or not generic(node, scope):
            return False
        if not found:
            return True
        return (targets is None or found in targets) and node.get("type", found).removeprefix(TYPE_URL) == found

    return accept


def _found(text: str, scope: Scope) -> str | None:
    """The type behind a reference, "" when it cannot be known and need not be, None when something is to be said."""
    if scope.full_urls is not None and text.startswith("urn:"):
        return scope.full_urls.get(text)
    target = parse(text)
    if target.kind == "contained" and target.id and target.id not in scope.contained:
        return None
    return target_type(scope, target, text) or ""
