"""The rows of facts as shapes that the validator walks: what each type may hold, under which JSON name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import chain

from fhir_r4.primitives import FORMATS, Check
from fhir_r4.tables import administrative, bindings, clinical, datatypes, financial, foundation, orders

_SOURCES = (datatypes, foundation, administrative, clinical, orders, financial)
_ROW = re.compile(r"  (\w+)(\[x\])? ([01])\.\.([1*])(?: (.*))?")
_REFERENCE = re.compile(r"Reference\((.*)\)")
_ANY_TARGET = "Any"

# The open type of extensions, parameters and task inputs. https://hl7.org/fhir/R4/datatypes.html#open
_OPEN_ROW = """
Address Age Annotation Attachment CodeableConcept Coding ContactPoint Count Distance Duration HumanName
Identifier Money Period Quantity Range Ratio Reference(Any) SampledData Signature Timing
ContactDetail Contributor DataRequirement Expression ParameterDefinition RelatedArtifact
TriggerDefinition UsageContext Dosage Meta
"""
_OPEN_TYPES = (*(name for name in FORMATS if name != "xhtml"), *_OPEN_ROW.split())


@dataclass(frozen=True, slots=True)
class Concept:
    """A required value set of a CodeableConcept: the system and its codes."""

    system: str
    codes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Element:
    """One JSON property: `path` is its FHIRPath step, `group` the name that the variants of a choice share.

    `check` says whether a primitive value is good, required codes included; complex types have none.
    """

    path: str
    type: str
    many: bool
    group: str | None = None
    codes: frozenset[str] | None = None
    concept: Concept | None = None
    targets: frozenset[str] | None = None
    tolerated: frozenset[str] = frozenset()
    check: Check | None = None

    @property
    def primitive(self) -> bool:
        return self.type in FORMATS


@dataclass(frozen=True, slots=True)
class Shape:
    """A type: its properties by JSON name, and for each required element the names of which one must be there."""

    name: str
    elements: Mapping[str, Element]
    required: tuple[tuple[str, tuple[str, ...]], ...]
    ancestors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Row:
    name: str
    choice: bool
    required: bool
    many: bool
    types: tuple[str, ...]
    binding: str | None


@dataclass(slots=True)
class _Block:
    base: str | None
    lines: list[str] = field(default_factory=list)


def known_types() -> frozenset[str]:
    """The resource types that can be validated."""
    return frozenset(name for name in _blocks() if "Resource" in _lineage(name)[1:] and name != "DomainResource")


def is_known(resource_type: str) -> bool:
    return resource_type in _known()


def element_type(type_name: str, json_name: str) -> str | None:
    """The type of a property, "Reference" for references; None when the type has no such property."""
    if type_name not in _blocks():
        return None
    element = shape(type_name).elements.get(json_name)
    return element.type if element else None


@cache
def shape(type_name: str) -> Shape:
    """The compiled shape of a resource, data type or backbone element; KeyError for an unknown one."""
    lineage = _lineage(type_name)
    elements: dict[str, Element] = {}
    required: list[tuple[str, tuple[str, ...]]] = []
    for ancestor in reversed(lineage):
        for row in _rows(_blocks()[ancestor]):
            made = dict(_elements(row))
            elements.update(made)
            if row.required:
                required.append((row.name, tuple(made)))
    if "Resource" in lineage:
        elements["resourceType"] = Element("resourceType", "code", many=False, check=FORMATS["code"])
    return Shape(type_name, elements, tuple(required), tuple(lineage))


@cache
def _known() -> frozenset[str]:
    return known_types()


@cache
def _blocks() -> Mapping[str, _Block]:
    blocks: dict[str, _Block] = {}
    for source in _SOURCES:
        for text in source.ROWS.strip("\n").split("\n\n"):
            head, *lines = text.split("\n")
            name, _, base = head.partition(" : ")
            blocks[name] = _Block(base or None, lines)
    return blocks


def _lineage(name: str) -> list[str]:
    lineage = [name]
    while base := _blocks()[lineage[-1]].base:
        lineage.append(base)
    return lineage


def _rows(block: _Block) -> Iterator[_Row]:
    joined: list[str] = []
    for line in block.lines:
        if line.startswith("    "):
            joined[-1] += _continuation(joined[-1], line.strip())
        else:
            joined.append(line)
    return map(_row, joined)


def _continuation(before: str, text: str) -> str:
    """Targets of one Reference go on without a space, all else with one."""
    return text if before.endswith("|") and before.count("(") > before.count(")") else f" {text}"


def _row(line: str) -> _Row:
    match = _ROW.fullmatch(line)
    if match is None:
        raise ValueError(f"not a row: {line}")
    name, choice, least, most, rest = match.groups()
    types, _, binding = rest.partition(" = ")
    return _Row(name, choice is not None, least == "1", most == "*", tuple(types.split(" | ")), binding or None)


def _elements(row: _Row) -> Iterator[tuple[str, Element]]:
    if not row.choice:
        yield row.name, _element(row, row.name, row.types[0], None)
        return
    for type_text in _OPEN_TYPES if row.types == ("*",) else row.types:
        type_name = type_text.partition("(")[0]
        path = f"{row.name}.ofType({type_name})"
        yield row.name + type_name[0].upper() + type_name[1:], _element(row, path, type_text, row.name)


def _element(row: _Row, path: str, type_text: str, group: str | None) -> Element:
    reference = _REFERENCE.fullmatch(type_text)
    targets = reference.group(1).split("|") if reference else [_ANY_TARGET]
    codes = _codes().get(row.binding) if row.binding else None
    return Element(
        path=path,
        type="Reference" if reference else type_text,
        many=row.many,
        group=group,
        codes=codes,
        concept=_concepts().get(row.binding) if row.binding else None,
        targets=None if targets == [_ANY_TARGET] else frozenset(name for name in targets if name[0] != "~"),
        tolerated=frozenset(name[1:] for name in targets if name[0] == "~"),
        check=_among(codes) if codes else FORMATS.get(type_text),
    )


def _among(codes: frozenset[str]) -> Check:
    return lambda value: type(value) is str and value in codes


@cache
def _codes() -> Mapping[str, frozenset[str]]:
    rows = bindings.CODES.strip("\n").replace("\n  ", " ").split("\n")
    found = {name: frozenset(codes.split()) for name, _, codes in (row.partition(":") for row in rows)}
    return {
        name: frozenset(chain.from_iterable(_included(found, code) for code in codes)) for name, codes in found.items()
    }


def _included(sets: Mapping[str, frozenset[str]], code: str) -> Iterable[str]:
    """The code, or the codes of the set that "@name" stands for."""
    return sets[code[1:]] if code.startswith("@") else (code,)


@cache
def _concepts() -> Mapping[str, Concept]:
    rows = (row.split() for row in bindings.CONCEPTS.strip("\n").replace("\n  ", " ").split("\n"))
    return {name: Concept(system, frozenset(codes)) for name, system, *codes in rows}
