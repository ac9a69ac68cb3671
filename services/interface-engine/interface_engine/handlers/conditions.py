"""Conditions of a request: which stored resources they mean, and what references that name no id lead to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol
from urllib.parse import parse_qsl

from fhir_r4.bundle import Assigned, Step
from fhir_r4.references import Index, parse, references
from fhir_r4.search import Query, parse_query
from kernel.errors import Unreadable

from interface_engine.handlers.checking import rejected
from interface_engine.model import Resource


class Finder(Protocol):
    """Locks and searches, in one open transaction."""

    async def lock_all(self, texts: Iterable[str]) -> None: ...
    async def find_all(self, queries: Sequence[Query], limit: int) -> list[list[str]]: ...


class Asking(Protocol):
    """A step of a request and the FHIRPath by which issues name it."""

    @property
    def step(self) -> Step: ...
    @property
    def root(self) -> str: ...
    @property
    def text(self) -> bytes: ...


async def match_conditions(finder: Finder, arrivals: Sequence[Asking]) -> dict[int, str]:
    """Existing ids by step. A condition is locked first: of two creates that ask the same, one comes first.

    Rejected 412 when more than one matches, 404 when a patch has nothing to change.
    """
    conditional = [(one, _condition(one.step)) for one in arrivals if _condition(one.step)]
    queries = [condition_query(str(one.step.type), query, one.root) for one, query in conditional]
    await finder.lock_all(f"{one.step.type}?{query}" for one, query in conditional)
    matched: dict[int, str] = {}
    for (one, _), ids in zip(conditional, await finder.find_all(queries, 2), strict=True):
        if len(ids) > 1:
            raise rejected(412, "multiple-matches", one.root, "fhir-condition", "more than one resource matches")
        if ids:
            matched[one.step.index] = ids[0]
        elif one.step.method == "PATCH":
            raise rejected(404, "not-found", one.root, "fhir-condition", "nothing matches that could be patched")
    return _without_deleted(arrivals, matched)


def condition_query(type_name: str, text: str, path: str) -> Query:
    """A condition as a query: search parameters alone, at least one of them."""
    query = parse_query(type_name, parse_qsl(text.lstrip("?"), keep_blank_values=True))
    if not query.terms:
        raise Unreadable("search_parameter", path, "a condition needs a search parameter")
    return query


def _condition(step: Step) -> str:
    if step.method == "POST":
        return step.if_none_exist or ""
    return (step.query or "") if step.id is None else ""


def _without_deleted(arrivals: Sequence[Asking], matched: dict[int, str]) -> dict[int, str]:
    """Deletions come first: what they take away, no create finds."""
    gone = {
        f"{one.step.type}/{one.step.id or matched.get(one.step.index)}"
        for one in arrivals
        if one.step.method == "DELETE"
    }
    creates = {one.step.index: one.step.type for one in arrivals if one.step.method == "POST"}
    return {
        index: found
        for index, found in matched.items()
        if index not in creates or f"{creates[index]}/{found}" not in gone
    }


async def resolve_references(
    finder: Finder, arrivals: Sequence[Asking], assigned: Assigned, bundle: Resource | None
) -> dict[str, str]:
    """What further texts of references become: relative ones to entries that get a new id, and conditional ones."""
    mapping: dict[str, str] = {}
    for full_url, reference in assigned.mapping.items():
        target = parse(full_url)
        if target.kind == "absolute" and f"{target.type}/{target.id}" != reference:
            mapping[f"{target.type}/{target.id}"] = reference
    index = Index(bundle) if bundle is not None else None
    owners = {
        id(one.step.resource): f"{one.step.type}/{assigned.ids[one.step.index]}"
        for one in arrivals
        if one.step.index in assigned.ids
    }
    outside: dict[str, Query] = {}
    for value, path in sorted(_conditional_references(arrivals).items()):
        within = index.resolve(value) if index is not None else None
        if within is not None and id(within) in owners:
            mapping[value] = owners[id(within)]
        else:
            outside[value] = _query_of(value, path)
    for value, ids in zip(outside, await finder.find_all(list(outside.values()), 2), strict=True):
        if len(ids) == 1:
            mapping[value] = f"{parse(value).type}/{ids[0]}"
    return mapping


def _conditional_references(arrivals: Sequence[Asking]) -> Mapping[str, str]:
    """Each text once, with the path where it stands."""
    return {
        found.value: one.root + found.path.removeprefix(str(one.step.type))
        for one in arrivals
        if b"?" in one.text
        for found in references(one.step.resource or {})
        if parse(found.value).kind == "conditional"
    }


def _query_of(value: str, path: str) -> Query:
    target = parse(value)
    return condition_query(str(target.type), target.query or "", path)
