"""What to do with a transaction or batch: its steps in order, the identities they get, and the answer's shape.

Source of the rules: https://hl7.org/fhir/R4/http.html#transaction
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from kernel.errors import Unreadable

from fhir_r4.issues import outcome_of

Resource = dict[str, Any]

_ORDER = {"DELETE": 0, "POST": 1, "PUT": 2, "PATCH": 2, "GET": 3, "HEAD": 3}
_WRITES = ("POST", "PUT", "PATCH", "DELETE")
_BODIES = ("POST", "PUT", "PATCH")
_URL = re.compile(r"([A-Z][A-Za-z]+)(?:/([A-Za-z0-9.\-]{1,64}))?(/[^?]*)?(?:\?(.*))?")
_KINDS = ("transaction", "batch")
_CONDITIONAL_NEEDS_QUERY = ("PUT", "PATCH", "DELETE")


@dataclass(frozen=True, slots=True)
class Step:
    """One entry to carry out. `index` is its place in the Bundle, where its answer must stand too.

    `id` is the identity in the URL, `query` a condition (PUT, PATCH, DELETE) or a search (GET); `rest` is what
    follows the identity, such as "/_history/2" or "/$submit"; `full_url` is what other entries call the resource.
    """

    index: int
    method: str
    type: str | None
    id: str | None = None
    query: str | None = None
    rest: str | None = None
    if_none_exist: str | None = None
    if_match: str | None = None
    if_none_match: str | None = None
    full_url: str | None = None
    resource: Resource | None = None

    @property
    def path(self) -> str:
        return f"Bundle.entry[{self.index}]"


@dataclass(frozen=True, slots=True)
class Assigned:
    """The id of each step that writes, and what every fullUrl must be rewritten to."""

    ids: Mapping[int, str]
    mapping: Mapping[str, str]


def resources_of(bundle: Resource) -> list[Resource]:
    """The resources of the entries, in order."""
    return [entry["resource"] for entry in bundle.get("entry", ()) if entry.get("resource")]


def plan(bundle: Resource) -> list[Step]:
    """Steps in the order of processing: DELETE, POST, PUT and PATCH, GET for a transaction; as sent for a batch.

    Raises Unreadable("bundle_type") for any other Bundle, Unreadable("bundle_entry", path) for an entry without a
    usable request and Unreadable("bundle_full_url", path) when two entries share a fullUrl.
    """
    kind = bundle.get("type")
    if bundle.get("resourceType") != "Bundle" or kind not in _KINDS:
        raise Unreadable("bundle_type", "Bundle.type", "neither a transaction nor a batch")
    steps = [_step(index, entry) for index, entry in enumerate(bundle.get("entry", ()))]
    _refuse_shared_full_urls(steps)
    return sorted(steps, key=lambda step: _ORDER[step.method]) if kind == "transaction" else steps


def assign_ids(steps: Iterable[Step], new_id: Callable[[], str], matched: Mapping[int, str] | None = None) -> Assigned:
    """Identities for a transaction: a POST gets a new id, a PUT keeps its own, a step whose condition matched an
    existing resource (`matched`: step index to that id) takes that one.

    Raises Unreadable("bundle_overlap", path) when two steps would write the same resource.
    """
    found = matched or {}
    ids: dict[int, str] = {}
    mapping: dict[str, str] = {}
    writers: set[tuple[str | None, str]] = set()
    for step in (one for one in steps if one.method in _WRITES):
        identity = found.get(step.index) or step.id or _created(step, new_id)
        if identity is None:
            continue
        ids[step.index] = identity
        if step.full_url and step.method != "DELETE":
            mapping[step.full_url] = f"{step.type}/{identity}"
        if not (step.method == "POST" and step.index in found):
            _refuse_overlap(step, identity, writers)
    return Assigned(ids, mapping)


def _refuse_overlap(step: Step, identity: str, writers: set[tuple[str | None, str]]) -> None:
    """One resource has one writer; so has one condition of a create, or it would create what it asks to be absent."""
    claims = {(step.type, identity)} | ({(step.type, f"?{step.if_none_exist}")} if step.if_none_exist else set())
    if claims & writers:
        raise Unreadable("bundle_overlap", step.path, "two entries write the same resource", step.index)
    writers |= claims


def _created(step: Step, new_id: Callable[[], str]) -> str | None:
    if step.method == "DELETE" or step.rest:
        return None
    own = (step.resource or {}).get("id") if step.method == "PUT" else None
    return own or new_id()


def _step(index: int, entry: Mapping[str, Any]) -> Step:
    path = f"Bundle.entry[{index}]"
    request, resource = entry.get("request"), entry.get("resource")
    if not isinstance(request, dict) or request.get("method") not in _ORDER:
        raise Unreadable("bundle_entry", f"{path}.request", "no request with a known method", index)
    method, (type_name, identity, rest, query) = request["method"], _url(request, path, index)
    if problem := _step_problem(method, type_name, identity, query, rest, resource):
        raise Unreadable("bundle_entry", path, problem, index)
    return Step(
        index=index,
        method=method,
        type=type_name,
        id=identity,
        query=query,
        rest=rest,
        if_none_exist=request.get("ifNoneExist"),
        if_match=request.get("ifMatch"),
        if_none_match=request.get("ifNoneMatch"),
        full_url=entry.get("fullUrl"),
        resource=resource,
    )


def _url(request: Mapping[str, Any], path: str, index: int) -> tuple[str | None, str | None, str | None, str | None]:
    url = str(request.get("url", "")).removeprefix("/")
    match = _URL.fullmatch(url)
    if match is None and request["method"] in _BODIES:
        raise Unreadable("bundle_entry", f"{path}.request.url", "names no resource type", index)
    if match is None:
        return None, None, f"/{url}", None
    type_name, identity, rest, query = match.groups()
    return type_name, identity, rest, query or None


def _step_problem(
    method: str, type_name: str | None, identity: str | None, query: str | None, rest: str | None, resource: object
) -> str | None:
    if method in _BODIES and not isinstance(resource, dict):
        return f"{method} without a resource"
    if method in _CONDITIONAL_NEEDS_QUERY and identity is None and query is None:
        return f"{method} without an id or a condition"
    if method == "POST" and identity is not None and rest is None:
        return "POST to an id"
    if method not in ("POST", "PUT") or rest is not None or not isinstance(resource, dict):
        return None
    if resource.get("resourceType") != type_name:
        return "the resource is not of the URL's type"
    if method == "PUT" and identity is not None and resource.get("id") != identity:
        return "the resource's id is not the URL's"
    return None


def _refuse_shared_full_urls(steps: Sequence[Step]) -> None:
    seen: set[str] = set()
    for step in steps:
        if step.full_url is not None and step.full_url in seen:
            raise Unreadable("bundle_full_url", f"{step.path}.fullUrl", "two entries share a fullUrl", step.index)
        if step.full_url is not None:
            seen.add(step.full_url)


def response_entry(
    status: str,
    *,
    location: str | None = None,
    etag: str | None = None,
    last_modified: str | None = None,
    resource: Resource | None = None,
    outcome: Resource | None = None,
) -> Resource:
    """One answered entry; `status` is the HTTP status ("201 Created"), `last_modified` an instant."""
    response = {
        "status": status,
        "location": location,
        "etag": etag,
        "lastModified": last_modified,
        "outcome": outcome,
    }
    entry: Resource = {"resource": resource} if resource is not None else {}
    return entry | {"response": {name: value for name, value in response.items() if value is not None}}


def failed_entry(status: str, code: str, text: str) -> Resource:
    """One refused entry of a batch with its OperationOutcome."""
    return response_entry(status, outcome=outcome_of(code, text))


def response_bundle(kind: Literal["transaction-response", "batch-response"], entries: Sequence[Resource]) -> Resource:
    """The answer; entries stand in the order of the request, whatever the order of processing was."""
    return _bundle(kind, entries)


def searchset(entries: Sequence[Resource], total: int, links: Mapping[str, str]) -> Resource:
    """A page of matches: entries with fullUrl, resource and search; links by relation (self, next, ...)."""
    made = _bundle("searchset", entries)
    made["total"] = total
    made["link"] = [{"relation": relation, "url": url} for relation, url in links.items()]
    return {key: value for key, value in made.items() if value != []}


def _bundle(kind: str, entries: Sequence[Resource]) -> Resource:
    made: Resource = {"resourceType": "Bundle", "type": kind}
    if entries:
        made["entry"] = list(entries)
    return made
