"""Templates: which FHIR element comes from which place by which verb, checked against FHIR's own definitions."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from fhir_r4.types import Element, is_known, shape

from interface_engine.rules.marks import Mark
from interface_engine.rules.verbs import MADE_TARGETS, TARGETS, VERBS, Verb

_PLACE = re.compile(r"([A-Z][A-Z0-9]{2})-(\d{1,3})(?:\((\d{1,3})\))?(?:\.(\d{1,2}))?(?:\.(\d{1,2}))?")
_SEGMENT = re.compile(r"[A-Z][A-Z0-9]{2}")
_TESTS = ("place", "is", "is_not", "filled", "starts_with")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands: an HL7 path (PID-3(2).4.1; 0 where a number is not said), or a column of a row."""

    text: str
    segment: str = ""
    field: int = 0
    repetition: int = 0
    component: int = 0
    subcomponent: int = 0


@dataclass(frozen=True, slots=True)
class Test:
    """A condition on a place: one of these texts, none of them, any text at all, or a beginning."""

    place: Place
    among: tuple[str, ...] = ()
    not_among: tuple[str, ...] = ()
    filled: bool | None = None
    starts_with: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Expr:
    """A verb with what it is applied to: a Place or Expr, several of them, a literal, parts by name, or elements."""

    verb: str
    argument: Any
    options: Mapping[str, Any]
    line: int


@dataclass(frozen=True, slots=True)
class Rule:
    """What fills an element: `path` from the resource or group down; `many`: the last step is a list.

    `check` says whether a primitive value is one that the element may hold.
    """

    path: tuple[str, ...]
    many: bool
    values: tuple[Expr, ...]
    check: Callable[[Any], bool] | None = None


@dataclass(frozen=True, slots=True)
class Template:
    """A resource type with its rules by the text of their element, in the order of the file."""

    name: str
    type: str
    rules: Mapping[str, Rule]


@dataclass(frozen=True, slots=True)
class Terms:
    """What a channel's expressions may name: its columns (None: HL7 paths), and the tables for lookups."""

    columns: frozenset[str] | None
    tables: Collection[str]

    def place(self, mark: Mark) -> Place:
        text = mark.text()
        if self.columns is not None:
            if text not in self.columns:
                mark.fail(f"unknown column {text}: csv.columns does not name it")
            return Place(text)
        match = _PLACE.fullmatch(text)
        if match is None:
            mark.fail(f"unknown path {text}: SEG-field(repetition).component.subcomponent is needed")
        segment, *numbers = match.groups()
        if any(number is not None and int(number) == 0 for number in numbers):
            mark.fail(f"unknown path {text}: numbers begin with 1")
        return Place(text, segment, *(int(number or 0) for number in numbers))

    def value(self, mark: Mark) -> Expr | Place:
        """A place, or a verb over one."""
        return self.place(mark) if mark.is_scalar else self.expr(mark)

    def values(self, mark: Mark) -> tuple[Expr | Place, ...]:
        return tuple(self.value(item) for item in mark.items())

    def expr(self, mark: Mark) -> Expr:
        """A mapping with one verb and its options. RuleError for an unknown verb, option, place or table."""
        given = mark.mapping()
        verbs = [key for key in given if key in VERBS]
        unknown = [key for key in given if key not in VERBS and not any(key in VERBS[one].options for one in verbs)]
        if unknown:
            given[unknown[0]].fail(f"unknown verb {unknown[0]}: there are {', '.join(VERBS)}")
        if len(verbs) != 1:
            mark.fail("one verb is needed, and not several")
        name = verbs[0]
        verb = VERBS[name]
        options = {key: self._option(name, verb.options[key], child) for key, child in given.items() if key != name}
        for key in verb.needs:
            if key not in options:
                mark.fail(f"{name} needs {key}")
        return Expr(name, self._argument(name, verb, given[name], options), options, mark.line)

    def _option(self, verb: str, kind: str, mark: Mark) -> Any:
        if kind == "value":
            return self.value(mark)
        if kind == "place":
            is_segment = self.columns is None and _SEGMENT.fullmatch(mark.text())
            return Place(mark.text(), mark.text()) if verb == "group" and is_segment else self.place(mark)
        if kind == "whole":
            return mark.whole(1)
        if kind == "flag":
            return mark.flag()
        text = mark.text()
        if kind == "table" and text not in self.tables:
            mark.fail(f"unknown table {text} of {verb}")
        return text

    def _argument(self, name: str, verb: Verb, mark: Mark, options: Mapping[str, Any]) -> Any:
        if verb.takes == "literal":
            return mark.value if isinstance(mark.value, bool | int) else mark.text()
        if verb.takes == "values":
            return self.values(mark)
        if verb.takes == "test":
            return self.test(mark)
        if verb.takes == "target":
            target = mark.choice(TARGETS)
            if (target in MADE_TARGETS) != ("from" in options):
                mark.fail(f"a reference to {target} {'needs' if target in MADE_TARGETS else 'has no'} from")
            return target
        if verb.takes == "elements":
            return mark
        if verb.takes == "parts" and not mark.is_scalar and set(mark.mapping()) <= set(verb.parts):
            return {key: self.value(child) for key, child in mark.mapping(verb.parts).items()}
        if name == "period":
            mark.fail("period has start and end")
        return self.value(mark)

    def test(self, mark: Mark) -> Test:
        given = mark.mapping(_TESTS, ("place",))
        if len(given) < 2:
            mark.fail(f"a condition has one of {', '.join(_TESTS[1:])}")
        return Test(
            self.place(given["place"]),
            given["is"].texts() if "is" in given else (),
            given["is_not"].texts() if "is_not" in given else (),
            given["filled"].flag() if "filled" in given else None,
            given["starts_with"].texts() if "starts_with" in given else (),
        )

    def template(self, name: str, type_name: str, mark: Mark) -> Template:
        """Rules of a resource; RuleError for an element that FHIR R4 does not have, or that the verb does not fit."""
        if not is_known(type_name):
            mark.fail(f"unknown resource type {type_name}")
        return Template(name, type_name, self.rules(type_name, mark))

    def rules(self, type_name: str, mark: Mark) -> dict[str, Rule]:
        """Rules by element; an element whose node is null has none."""
        elements = {key: child for key, child in mark.mapping().items() if child.value is not None}
        return {key: self._rule(type_name, key, child) for key, child in elements.items()}

    def _rule(self, type_name: str, text: str, mark: Mark) -> Rule:
        path = tuple(text.split("."))
        element = self._element(type_name, path, mark)
        exprs = tuple(self._fitting(element, item) for item in mark.items())
        if len(exprs) > 1 and not element.many:
            mark.fail(f"{text} holds one value")
        return Rule(path, element.many, exprs, element.check if element.primitive else None)

    def _element(self, type_name: str, path: tuple[str, ...], mark: Mark) -> Element:
        current = type_name
        element: Element | None = None
        for place, step in enumerate(path):
            element = shape(current).elements.get(step)
            if element is None or step == "resourceType":
                mark.fail(f"unknown FHIR element {type_name}.{'.'.join(path[: place + 1])}")
            if place < len(path) - 1 and (element.primitive or element.many):
                mark.fail(f"{'.'.join(path)} goes through {step}, which is no single group: use the verb group")
            current = element.type
        if element is None:
            mark.fail("an element is needed")
        return element

    def _fitting(self, element: Element, mark: Mark) -> Expr:
        expr = self.expr(mark)
        gives = VERBS[expr.verb].gives
        if expr.verb == "group":
            return Expr("group", self._group(element, expr.argument), expr.options, expr.line)
        if "*" not in gives and element.type not in gives:
            mark.fail(f"{expr.verb} does not give a {element.type}")
        if expr.verb == "constant" and element.codes is not None and expr.argument not in element.codes:
            mark.fail(f"{expr.argument} is no code that {element.path} may hold")
        return expr

    def _group(self, element: Element, mark: Mark) -> Mapping[str, Rule]:
        if element.primitive:
            mark.fail(f"{element.path} holds a value and no elements")
        return self.rules(element.type, mark)
