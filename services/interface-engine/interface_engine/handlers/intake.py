"""Keeps the resources of one request, all or none: conditions, identities, references, versions, and then the facts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol

from fhir_r4 import Issue, outcome, read, write
from fhir_r4.bundle import Assigned, Step, assign_ids
from fhir_r4.search import Query
from kernel.errors import Refused, Unreadable

from interface_engine.handlers.checking import check, rejected
from interface_engine.handlers.conditions import match_conditions, resolve_references
from interface_engine.model import Became, Client, Current, Draft, Kept, Rejected, Resource
from interface_engine.wire.facets import facets_of
from interface_engine.wire.patching import Patch, apply_patch
from interface_engine.wire.text import digest, stored_text, with_meta

__all__ = ["Arrival", "Shelf", "keep_arrivals", "rejected"]

_CALLED_OFF = "entered-in-error"
_ETAG = re.compile(r'(?:W/)?"?([^",\s]+)"?')


class Shelf(Protocol):
    """The repository, in one open transaction."""

    async def lock_all(self, texts: Iterable[str]) -> None: ...
    async def find_all(self, queries: Sequence[Query], limit: int) -> list[list[str]]: ...
    async def current(self, references: Iterable[str]) -> dict[str, Current]: ...
    async def read(self, type_name: str, identity: str, version: int | None = None) -> Any: ...
    async def put(self, drafts: Sequence[Draft], client: Client, told_at: datetime | None = None) -> dict[str, int]: ...
    async def delete(self, type_name: str, identity: str, client: Client, expected: int) -> int: ...
    async def referrers(self, references: Sequence[str], limit: int) -> list[str]: ...


@dataclass(frozen=True, slots=True)
class Arrival:
    """One resource of a request: what to do with it, its text, and the FHIRPath by which issues name it.

    `patch` is what a PATCH changes; `base` the version that it was applied to.
    """

    step: Step
    text: bytes
    root: str
    patch: Patch | None = None
    base: int = 0


@dataclass(frozen=True, slots=True)
class _Request:
    """A request whose identities are known: what it writes, what it takes away, and what of that is stored now."""

    writing: tuple[Arrival, ...]
    removing: tuple[Arrival, ...]
    ids: Mapping[int, str]
    drafts: Mapping[int, Draft]
    current: Mapping[str, Current]
    gone: Mapping[int, Draft] = field(default_factory=dict)

    def reference(self, arrival: Arrival) -> str:
        return f"{arrival.step.type}/{self.ids.get(arrival.step.index, '')}"

    def there(self, reference: str) -> Current | None:
        """The newest version of what is not deleted."""
        found = self.current.get(reference)
        return None if found is None or found.deleted else found


async def keep_arrivals(
    shelf: Shelf, client: Client, arrivals: Sequence[Arrival], new_id: Callable[[], str], bundle: Resource | None = None
) -> list[Kept]:
    """Stores what is new or changed, deletes what shall go, and says what became of each, in the order given.

    `bundle` is the transaction that they came in. Rejected 412 when a condition fails, 422 when a reference leads
    nowhere, 409 when something still refers to what shall go; an update that changes nothing makes no version.
    """
    matched = await match_conditions(shelf, arrivals)
    assigned = assign_ids([arrival.step for arrival in arrivals], new_id, matched)
    _check_matched_ids(arrivals, matched)
    arrivals = [await _patched(shelf, one, assigned.ids) if one.patch else one for one in arrivals]
    request = await _prepare(shelf, arrivals, matched, assigned, bundle)
    _check_versions(request)
    _check_links(request)
    request = replace(request, gone={one.step.index: await _gone(shelf, request, one) for one in _present(request)})
    changed = {index: _following(draft, request) for index, draft in request.drafts.items() if _differs(draft, request)}
    await shelf.put(list(changed.values()), client)
    await _remove(shelf, client, request)
    return [_kept(one, request, changed) for one in arrivals]


async def _prepare(
    shelf: Shelf,
    arrivals: Sequence[Arrival],
    matched: Mapping[int, str],
    assigned: Assigned,
    bundle: Resource | None,
) -> _Request:
    mapping = dict(assigned.mapping) | await resolve_references(shelf, arrivals, assigned, bundle)
    removing = tuple(one for one in arrivals if one.step.method == "DELETE")
    found = {one.step.index for one in arrivals if one.step.method == "POST"} & matched.keys()
    writing = tuple(one for one in arrivals if one.step.method != "DELETE" and one.step.index not in found)
    drafts = {one.step.index: _draft(one, assigned.ids[one.step.index], mapping) for one in writing}
    linked = {link.to for draft in drafts.values() for link in draft.facets.links}
    own = {f"{one.step.type}/{assigned.ids[one.step.index]}" for one in arrivals if one.step.index in assigned.ids}
    return _Request(writing, removing, assigned.ids, drafts, await shelf.current(linked | own))


def _check_matched_ids(arrivals: Sequence[Arrival], matched: Mapping[int, str]) -> None:
    for one in arrivals:
        said = (one.step.resource or {}).get("id") if one.step.method == "PUT" else None
        if said is not None and matched.get(one.step.index, said) != said:
            raise rejected(400, "invalid", f"{one.root}.id", "fhir-id", "the condition matches another resource")


async def _patched(shelf: Shelf, arrival: Arrival, ids: Mapping[int, str]) -> Arrival:
    """A PATCH as the update that it amounts to, of the version that it was read from."""
    step, identity = arrival.step, ids[arrival.step.index]
    stored = await shelf.read(str(step.type), identity)
    if stored is None or stored.deleted:
        status, code = (404, "not-found") if stored is None else (410, "deleted")
        raise rejected(status, code, arrival.root, "fhir-not-found", "there is no such resource to patch")
    told = read(with_meta(stored.content, stored.version, stored.updated_at))
    assert arrival.patch is not None
    try:
        made = apply_patch(arrival.patch, told)
    except Refused as error:
        raise rejected(422, "processing", arrival.root, "fhir-patch-test", error.reason) from None
    except Unreadable as error:
        raise Unreadable(error.code, arrival.root, error.reason, error.position) from None
    if (made.get("resourceType"), made.get("id")) != (step.type, identity):
        raise rejected(422, "business-rule", arrival.root, "fhir-id", "a patch changes neither type nor id")
    text = write(_untold(made, told))
    resource = read(text)
    check(resource, arrival.root)
    return replace(arrival, step=replace(step, resource=resource), text=text, base=stored.version)


def _untold(made: Resource, told: Resource) -> Resource:
    """Without the version and time that we put in when we told the resource: they are not part of it."""
    meta = made.get("meta")
    if not isinstance(meta, dict):
        return made
    ours = {name: told["meta"][name] for name in ("versionId", "lastUpdated")}
    rest = {name: value for name, value in meta.items() if ours.get(name) != value}
    return {name: rest if name == "meta" else value for name, value in made.items() if name != "meta" or rest}


def _draft(arrival: Arrival, identity: str, mapping: Mapping[str, str]) -> Draft:
    step = arrival.step
    content, resource = stored_text(arrival.text, step.resource or {}, identity, mapping)
    return Draft(
        str(step.type), identity, content, digest(content), resource, facets_of(resource), expected=arrival.base
    )


def _check_versions(request: _Request) -> None:
    """If-Match of updates, patches and deletions; If-None-Match of updates that shall create."""
    for one in (*request.writing, *request.removing):
        there = request.there(request.reference(one))
        wanted = one.step.if_match
        if wanted is not None and not (there is not None and _names(wanted, there.version)):
            raise rejected(412, "conflict", one.root, "fhir-if-match", "another version is the newest")
        unwanted = one.step.if_none_match
        if unwanted is not None and there is not None and _names(unwanted, there.version):
            raise rejected(412, "conflict", one.root, "fhir-if-none-match", "there is such a resource already")


def _names(header: str, version: int) -> bool:
    """Whether a header with entity tags names this version; some clients leave out the marks of a tag."""
    return header.strip() == "*" or str(version) in _ETAG.findall(header)


def _check_links(request: _Request) -> None:
    removed = {request.reference(one) for one in request.removing}
    known = {name for name in request.current if request.there(name) is not None and name not in removed}
    known |= {draft.reference for draft in request.drafts.values()}
    issues = [issue for one in request.writing for issue in _loose_ends(one, request.drafts[one.step.index], known)]
    if issues:
        raise Rejected(422, outcome(issues[:100]))


def _loose_ends(arrival: Arrival, draft: Draft, known: set[str]) -> Iterator[Issue]:
    paths = [link.path for link in draft.facets.links if link.to not in known]
    for path in (*paths, *draft.facets.unresolved):
        place = arrival.root + path.removeprefix(draft.type)
        text = "a reference to a resource that is not here"
        yield Issue("error", "not-found", place, "fhir-reference-unresolved", text)


def _present(request: _Request) -> list[Arrival]:
    """The deletions that find something to delete."""
    return [one for one in request.removing if request.there(request.reference(one)) is not None]


async def _gone(shelf: Shelf, request: _Request, arrival: Arrival) -> Draft:
    """What shall go as the line is told of it: its last text, called off."""
    type_name, identity = str(arrival.step.type), request.ids[arrival.step.index]
    stored = await shelf.read(type_name, identity)
    there = request.there(request.reference(arrival))
    assert stored is not None and there is not None
    resource = read(stored.content)
    if "status" in resource:
        resource["status"] = _CALLED_OFF
    facets = replace(facets_of(resource), status=_CALLED_OFF)
    content = write(resource)
    return Draft(
        type_name, identity, content, digest(content), resource, facets,
        expected=there.version, previous_status=there.status,
    )  # fmt: skip


async def _remove(shelf: Shelf, client: Client, request: _Request) -> None:
    """After the writes, which may have taken away the last reference to what shall go."""
    going = [draft.reference for draft in request.gone.values()]
    if not going:
        return
    if any(one not in going for one in await shelf.referrers(going, len(going) + 1)):
        raise await _held(shelf, request, going)
    for draft in request.gone.values():
        await shelf.delete(draft.type, draft.id, client, draft.expected)


async def _held(shelf: Shelf, request: _Request, going: Sequence[str]) -> Rejected:
    """Names the deletions that something which stays refers to."""
    issues = []
    for one in request.removing:
        referring = await shelf.referrers([request.reference(one)], len(going) + 1)
        if any(other not in going for other in referring):
            text = "other resources refer to what shall be deleted"
            issues.append(Issue("error", "conflict", one.root, "fhir-referenced", text))
    return Rejected(409, outcome(issues))


def _differs(draft: Draft, request: _Request) -> bool:
    there = request.there(draft.reference)
    return there is None or there.sha256 != draft.sha256


def _following(draft: Draft, request: _Request) -> Draft:
    """A patch follows the version that it was made from, all else the newest; a deleted one has a version too."""
    newest = request.current.get(draft.reference)
    if newest is None:
        return draft
    return replace(draft, expected=draft.expected or newest.version, previous_status=newest.status)


def _kept(arrival: Arrival, request: _Request, changed: Mapping[int, Draft]) -> Kept:
    step, reference = arrival.step, request.reference(arrival)
    if step.method == "DELETE":
        gone = request.gone.get(step.index)
        identity = request.ids.get(step.index, "")
        return Kept(
            step.index, str(step.type), identity, gone.version if gone else 0, gone, gone is not None, "deleted"
        )
    identity = request.ids[step.index]
    if step.index in changed:
        draft = changed[step.index]
        became: Became = "created" if request.there(reference) is None else "updated"
        return Kept(step.index, draft.type, identity, draft.version, draft, True, became)
    return Kept(
        step.index, str(step.type), identity, request.current[reference].version, request.drafts.get(step.index)
    )
