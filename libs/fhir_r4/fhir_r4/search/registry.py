"""Which parameters each resource type is searched by: the rows in tables/ joined with the definitions of the types."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Literal, cast, get_args

from fhir_r4.search.tables import (
    table_administrative,
    table_clinical,
    table_financial,
    table_foundation,
    table_orders,
)
from fhir_r4.types import Element, is_known, known_types, shape

Kind = Literal["token", "string", "date", "reference", "number", "quantity", "uri"]

_KINDS = frozenset(get_args(Kind))
_SOURCES = (table_administrative, table_clinical, table_orders, table_financial, table_foundation)
_PATIENT = "Patient"

# What "@address" and "@telecom" in a row stand for: parameter, kind, and the path from the element.
_ADDRESS = (
    ("address", "string", ""),
    ("address-city", "string", ".city"),
    ("address-country", "string", ".country"),
    ("address-postalcode", "string", ".postalCode"),
    ("address-state", "string", ".state"),
    ("address-use", "token", ".use"),
)
_TELECOM = (("telecom", "token", ""), ("email", "token", ":email"), ("phone", "token", ":phone"))
_FAMILIES = {"@address": ("address", _ADDRESS), "@telecom": ("telecom", _TELECOM)}

# Element, kind and type of what is searchable wherever the resource has it.
_PLAIN = (
    ("identifier", "token", "Identifier"),
    ("status", "token", "code"),
    ("encounter", "reference", "Reference"),
    ("subject", "reference", "Reference"),
    ("patient", "reference", "Reference"),
)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One search parameter of a resource type.

    `paths` are JSON names joined by dots, without indexes; a choice goes by its stem ("effective") for every kind but
    reference, where it is the JSON name ("medicationReference"). A step may carry a filter ("telecom:email").
    `targets` are the types that a reference may point to; () is any type.
    """

    name: str
    kind: Kind
    paths: tuple[str, ...]
    targets: tuple[str, ...] = ()

    def allows(self, target: str) -> bool:
        """Whether a reference to that type is one of this parameter's."""
        return self.kind == "reference" and (not self.targets or target in self.targets)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a path: the elements that the name stands for (several for a choice), and the step's filter or ""."""

    name: str
    filter: str
    elements: tuple[tuple[str, Element], ...]


@cache
def parameters(type_name: str) -> Mapping[str, Parameter]:
    """The search parameters of a resource type by name; KeyError for a type that is not known."""
    if not is_known(type_name):
        raise KeyError(type_name)
    lines = [*_lines(table_foundation.COMMON), *_blocks().get(type_name, ())]
    listed = [made for line in lines for made in _read(type_name, line)]
    named = {one.name: one for one in (*_plain(type_name), *listed)}
    return MappingProxyType(dict(sorted(named.items())))


@cache
def includes(type_name: str) -> tuple[str, ...]:
    """The values that `_include` takes in a search of this type, the wildcard excepted: "Encounter:patient"."""
    return tuple(f"{type_name}:{name}" for name, one in parameters(type_name).items() if one.kind == "reference")


@cache
def revincludes(type_name: str) -> tuple[str, ...]:
    """The values that `_revinclude` takes in a search of this type, wildcards excepted: "Claim:patient"."""
    sources = sorted(known_types())
    return tuple(f"{source}:{one.name}" for source in sources for one in pointing(source, type_name))


def pointing(source: str, target: str | None = None) -> tuple[Parameter, ...]:
    """The reference parameters of a type, only those that may point to `target` when it is given."""
    named = parameters(source).values()
    return tuple(one for one in named if one.kind == "reference" and (target is None or one.allows(target)))


def steps_of(type_name: str, path: str) -> tuple[Step, ...]:
    """The steps of a parameter's path with the elements of the type's definition; KeyError when it has no such."""
    steps: list[Step] = []
    owner = type_name
    for text in path.split("."):
        name, _, narrowing = text.partition(":")
        found = _elements(owner, name)
        steps.append(Step(name, narrowing, found))
        owner = found[0][1].type
    return tuple(steps)


def _elements(owner: str, name: str) -> tuple[tuple[str, Element], ...]:
    """The element of that JSON name, or all variants of the choice of that stem."""
    known = shape(owner).elements
    if name in known:
        return ((name, known[name]),)
    variants = tuple((key, element) for key, element in known.items() if element.group == name)
    if not variants:
        raise KeyError(f"{owner}.{name}")
    return variants


def _read(type_name: str, line: str) -> Iterator[Parameter]:
    row, _, targets = line.partition(" > ")
    name, *rest = row.split()
    if name in _FAMILIES:
        yield from _family(name, rest)
        return
    kind, paths = rest[0], tuple(rest[1:]) or (_camel(name),)
    yield _made(type_name, name, kind, paths, tuple(targets.split()))


def _family(name: str, rest: list[str]) -> Iterator[Parameter]:
    default, members = _FAMILIES[name]
    path = rest[0] if rest else default
    yield from (Parameter(each, cast(Kind, kind), (path + tail,)) for each, kind, tail in members)


def _made(type_name: str, name: str, kind: str, paths: tuple[str, ...], narrowed: tuple[str, ...]) -> Parameter:
    if kind not in _KINDS:
        raise ValueError(f"{type_name} {name}: no such kind")
    targets = narrowed or (_targets(type_name, paths) if kind == "reference" else ())
    return Parameter(name, cast(Kind, kind), paths, targets)


def _targets(type_name: str, paths: Iterable[str]) -> tuple[str, ...]:
    """All that the elements at the paths may point to; () as soon as one of them may point to anything."""
    found: set[str] = set()
    for path in paths:
        allowed = steps_of(type_name, path)[-1].elements[0][1].targets
        if allowed is None:
            return ()
        found |= allowed
    return tuple(sorted(found))


def _plain(type_name: str) -> Iterator[Parameter]:
    known = shape(type_name).elements
    for name, kind, element_type in _PLAIN:
        if name in known and known[name].type == element_type:
            yield _made(type_name, name, kind, (name,), ())
    subject = known.get("subject")
    if "patient" not in known and subject and (subject.targets is None or _PATIENT in subject.targets):
        yield Parameter("patient", "reference", ("subject",), (_PATIENT,))


def _camel(name: str) -> str:
    head, *tail = name.split("-")
    return head + "".join(word.capitalize() for word in tail)


@cache
def _blocks() -> Mapping[str, tuple[str, ...]]:
    blocks: dict[str, tuple[str, ...]] = {}
    for source in _SOURCES:
        for text in source.ROWS.strip("\n").split("\n\n"):
            head, *lines = text.split("\n")
            blocks[head] = tuple(line.strip() for line in lines)
    return blocks


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.strip("\n").split("\n"))
