"""Keeps the resources of one request, all or none: conditions, identities, references, versions, and then the facts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from fhir_r4 import Issue, outcome
from fhir_r4.bundle import Assigned, Step, assign_ids
from fhir_r4.references import Index, parse, references

from interface_engine.model import Client, Current, Draft, Kept, Rejected, Resource
from interface_engine.search import Search, read_search
from interface_engine.wire.facets import facets_of
from interface_engine.wire.text import digest, stored_text


class Shelf(Protocol):
    """The repository, in one open transaction."""

    async def lock(self, text: str) -> None: ...
    async def find_ids(self, search: Search, limit: int) -> list[str]: ...
    async def current(self, references: Iterable[str]) -> dict[str, Current]: ...
    async def put(self, drafts: Sequence[Draft], client: Client, told_at: datetime | None = None) -> dict[str, int]: ...


@dataclass(frozen=True, slots=True)
class Arrival:
    """One resource of a request: what to do with it, its text, and the FHIRPath by which issues name it."""

    step: Step
    text: bytes
    root: str


async def keep_arrivals(
    shelf: Shelf, client: Client, arrivals: Sequence[Arrival], new_id: Callable[[], str], bundle: Resource | None = None
) -> list[Kept]:
    """Stores what is new or changed and says what became of each, in the order given.

    `bundle` is the transaction that they came in. Rejected 412 when a condition fails, 422 when a reference leads
    nowhere; an update that changes nothing makes no version.
    """
    matched = await _match_conditions(shelf, arrivals)
    assigned = assign_ids([arrival.step for arrival in arrivals], new_id, matched)
    mapping = dict(assigned.mapping) | await _resolve(shelf, arrivals, assigned, bundle)
    writing = [one for one in arrivals if not (one.step.method == "POST" and one.step.index in matched)]
    drafts = {one.step.index: _draft(one, assigned.ids[one.step.index], mapping) for one in writing}
    linked = {link.to for draft in drafts.values() for link in draft.facets.links}
    found = [f"{one.step.type}/{assigned.ids[one.step.index]}" for one in arrivals]
    current = await shelf.current(linked.union(found))
    _check_versions(writing, drafts, current)
    _check_links(writing, drafts, current)
    changed = {index: _following(draft, current) for index, draft in drafts.items() if _differs(draft, current)}
    await shelf.put(list(changed.values()), client)
    return [_kept(one.step, assigned, drafts, changed, current) for one in arrivals]


async def _match_conditions(shelf: Shelf, arrivals: Sequence[Arrival]) -> dict[int, str]:
    """Existing ids by step. A condition is locked first: of two creates that ask the same, one comes first."""
    conditional = [(one, _condition(one.step)) for one in arrivals if _condition(one.step)]
    for text in sorted({f"{one.step.type}?{query}" for one, query in conditional}):
        await shelf.lock(text)
    matched: dict[int, str] = {}
    for one, query in conditional:
        ids = await shelf.find_ids(read_search(str(one.step.type), query), 2)
        if len(ids) > 1:
            raise rejected(412, "multiple-matches", one.root, "fhir-condition", "more than one resource matches")
        if ids:
            matched[one.step.index] = ids[0]
    return matched


def _condition(step: Step) -> str:
    if step.method == "POST":
        return step.if_none_exist or ""
    return (step.query or "") if step.id is None else ""


async def _resolve(
    shelf: Shelf, arrivals: Sequence[Arrival], assigned: Assigned, bundle: Resource | None
) -> dict[str, str]:
    """What further texts of references become: relative ones to entries that get a new id, and conditional ones."""
    mapping: dict[str, str] = {}
    for full_url, reference in assigned.mapping.items():
        target = parse(full_url)
        if target.kind == "absolute" and f"{target.type}/{target.id}" != reference:
            mapping[f"{target.type}/{target.id}"] = reference
    index = Index(bundle) if bundle is not None else None
    owners = {id(one.step.resource): f"{one.step.type}/{assigned.ids[one.step.index]}" for one in arrivals}
    for value in sorted(_conditional_references(arrivals)):
        within = index.resolve(value) if index is not None else None
        if within is not None and id(within) in owners:
            mapping[value] = owners[id(within)]
        elif len(ids := await shelf.find_ids(_search_of(value), 2)) == 1:
            mapping[value] = f"{parse(value).type}/{ids[0]}"
    return mapping


def _conditional_references(arrivals: Sequence[Arrival]) -> set[str]:
    texts = (one for one in arrivals if b"?" in one.text)
    return {
        found.value
        for one in texts
        for found in references(one.step.resource or {})
        if parse(found.value).kind == "conditional"
    }


def _search_of(value: str) -> Search:
    target = parse(value)
    return read_search(str(target.type), target.query or "")


def _draft(arrival: Arrival, identity: str, mapping: Mapping[str, str]) -> Draft:
    step = arrival.step
    content, resource = stored_text(arrival.text, step.resource or {}, identity, mapping)
    return Draft(str(step.type), identity, content, digest(content), resource, facets_of(resource))


def _check_versions(writing: Sequence[Arrival], drafts: Mapping[int, Draft], current: Mapping[str, Current]) -> None:
    for one in writing:
        wanted = one.step.if_match
        if wanted is None:
            continue
        there = current.get(drafts[one.step.index].reference)
        if there is None or f'W/"{there.version}"' != wanted:
            raise rejected(412, "conflict", one.root, "fhir-if-match", "another version is the newest")


def _check_links(writing: Sequence[Arrival], drafts: Mapping[int, Draft], current: Mapping[str, Current]) -> None:
    known = current.keys() | {draft.reference for draft in drafts.values()}
    issues = [issue for one in writing for issue in _loose_ends(one, drafts[one.step.index], known)]
    if issues:
        raise Rejected(422, outcome(issues[:100]))


def _loose_ends(arrival: Arrival, draft: Draft, known: set[str]) -> Iterator[Issue]:
    paths = [link.path for link in draft.facets.links if link.to not in known]
    for path in (*paths, *draft.facets.unresolved):
        place = arrival.root + path.removeprefix(draft.type)
        text = "a reference to a resource that is not here"
        yield Issue("error", "not-found", place, "fhir-reference-unresolved", text)


def _differs(draft: Draft, current: Mapping[str, Current]) -> bool:
    there = current.get(draft.reference)
    return there is None or there.sha256 != draft.sha256


def _following(draft: Draft, current: Mapping[str, Current]) -> Draft:
    there = current.get(draft.reference)
    return draft if there is None else replace(draft, expected=there.version, previous_status=there.status)


def _kept(
    step: Step,
    assigned: Assigned,
    drafts: Mapping[int, Draft],
    changed: Mapping[int, Draft],
    current: Mapping[str, Current],
) -> Kept:
    index, identity = step.index, assigned.ids[step.index]
    if index in changed:
        draft = changed[index]
        return Kept(index, draft.type, identity, draft.version, draft, changed=True)
    version = current[f"{step.type}/{identity}"].version
    return Kept(index, str(step.type), identity, version, drafts.get(index))


def rejected(status: int, code: str, path: str, rule_id: str, text: str) -> Rejected:
    """A refusal with one issue."""
    return Rejected(status, outcome(Issue("error", code, path, rule_id, text)))
