"""Operations that the repository answers by itself: $everything and $validate."""

from __future__ import annotations

import asyncio
from typing import Any

from fhir_r4 import Issue, outcome, outcome_of, second_opinion, validate
from fhir_r4 import read as read_resource
from kernel.errors import Unreadable

from interface_engine.entry_http.asked import Asked
from interface_engine.entry_http.door import FhirDoor
from interface_engine.entry_http.reads import moment, page_parameters, page_size, read, reading
from interface_engine.handlers.checking import rejected
from interface_engine.model import Resource
from interface_engine.store import Repository
from interface_engine.wire.answers import Answer, Listing, found_entry, listing_answer
from interface_engine.wire.text import json_bytes

EVERYTHING_PARAMETERS = ("_since", "_type", "_count", "_cursor")
_MODES = ("create", "update", "delete", "profile")


async def everything(door: FhirDoor, asked: Asked) -> Answer:
    """All that is known of a patient or a visit, page by page; what the client may not read is left out."""
    given = page_parameters(asked, EVERYTHING_PARAMETERS) | _given(asked)
    kind = asked.path.split("/")[2]
    types = tuple(name for name in given.get("_type", "").split(",") if name)
    async with reading(door, asked) as unit:
        repository = Repository(unit)
        there = await repository.read(kind, str(asked.id))
        if there is None or there.deleted:
            status, code = (404, "not-found") if there is None else (410, "deleted")
            raise rejected(status, code, "", "fhir-not-found", "there is no such resource")
        page = await repository.everything(
            kind,
            str(asked.id),
            since=moment(given, "_since"),
            types=types,
            limit=page_size(door, given),
            cursor=given.get("_cursor", ""),
        )
    visible = [one for one in page.matches if asked.caller.scopes.allows(one.type, "r")]
    entries = [found_entry(one, "match", door.base_url) for one in visible]
    used = [pair for pair in given.items() if pair[0] != "_cursor"]
    listing = Listing("searchset", f"{kind}/{asked.id}/$everything", used, page.next)
    return listing_answer(listing, entries, door.base_url)


def _given(asked: Asked) -> dict[str, str]:
    """The same parameters in a Parameters resource, where they are posted."""
    if asked.method != "POST" or not asked.body:
        return {}
    rows = _rows(read_resource(asked.body))
    given: dict[str, str] = {}
    for row in rows:
        name = row.get("name")
        value = next((value for key, value in row.items() if key.startswith("value")), None)
        if name not in EVERYTHING_PARAMETERS or value is None:
            raise Unreadable("search_parameter", "Parameters.parameter", "a parameter that is not served here")
        given[name] = f"{given[name]},{value}" if name in given else str(value)
    return given


async def validate_resource(door: FhirDoor, asked: Asked) -> Answer:
    """$validate: what is wrong with a resource, as an OperationOutcome, and what another reader thinks of it; 200
    whatever they find.

    The resource comes bare or in Parameters, or is the stored one of the URL. `mode` delete asks whether the stored
    one could go.
    """
    given = dict(asked.pairs)
    resource = _sent(asked, given)
    mode, profile = given.get("mode"), given.get("profile")
    if mode is not None and mode not in _MODES:
        raise Unreadable("search_value", "mode", f"one of {', '.join(_MODES)} is needed")
    if mode == "delete":
        return await _could_go(door, asked)
    if resource is None:
        resource = await _stored(door, asked)
    second = await asyncio.to_thread(second_opinion, resource)  # it is slow, and slower when it is first asked
    issues = [*validate(resource), *_misplaced(asked, resource, mode), *second]
    if profile is not None:
        text = "profiles are not checked here: R4 itself is"
        issues.append(Issue("warning", "not-supported", "", "fhir-profile", text))
    return Answer(200, json_bytes(outcome(issues)))


def _sent(asked: Asked, given: dict[str, str]) -> Resource | None:
    """The resource that came, and the operation's other parameters into `given`."""
    if not asked.body:
        return None
    sent = read_resource(asked.body)
    if sent["resourceType"] != "Parameters" or asked.type == "Parameters":
        return sent
    found: Resource | None = None
    for row in _rows(sent):
        if row.get("name") == "resource":
            found = row.get("resource")
        elif isinstance(row.get("name"), str):
            value = next((value for key, value in row.items() if key.startswith("value")), "")
            given[row["name"]] = str(value)
    if found is not None and not isinstance(found.get("resourceType"), str):
        raise Unreadable("json_not_resource", "Parameters.parameter", "the parameter has no resource")
    return found


def _rows(parameters: Resource) -> list[dict[str, Any]]:
    rows = parameters.get("parameter", [])
    if parameters["resourceType"] != "Parameters" or not isinstance(rows, list):
        raise Unreadable("json_not_resource", "Parameters", "a Parameters resource is needed")
    if not all(isinstance(row, dict) for row in rows):
        raise Unreadable("json_not_resource", "Parameters.parameter", "a parameter is an object")
    return rows


async def _stored(door: FhirDoor, asked: Asked) -> Resource:
    if asked.id is None:
        raise Unreadable("json_not_resource", "", "a resource to validate is needed")
    return read_resource((await read(door, asked)).body)


def _misplaced(asked: Asked, resource: Resource, mode: str | None) -> list[Issue]:
    """What is good by itself and still could not be done at this URL."""
    found = []
    if resource.get("resourceType") != asked.type:
        text = "the resource is not of the URL's type"
        found.append(Issue("error", "invalid", "Resource.resourceType", "fhir-resource-type", text))
    if asked.id is not None and resource.get("id") != asked.id:
        text = "the id in the resource is not the URL's"
        found.append(Issue("error", "invalid", f"{asked.type}.id", "fhir-id", text))
    if mode == "update" and asked.id is None and "id" not in resource:
        text = "an update needs an id"
        found.append(Issue("error", "required", f"{asked.type}.id", "fhir-id", text))
    return found


async def _could_go(door: FhirDoor, asked: Asked) -> Answer:
    """Whether the stored resource could be deleted."""
    if asked.id is None:
        raise Unreadable("search_value", "mode", "delete is asked of an id")
    await read(door, asked)
    async with reading(door, asked) as unit:
        held = await Repository(unit).referrers([f"{asked.type}/{asked.id}"], 1)
    if held:
        issue = Issue("error", "conflict", asked.type, "fhir-referenced", "other resources refer to it")
        return Answer(200, json_bytes(outcome(issue)))
    return Answer(200, json_bytes(outcome_of("informational", "All OK", "information")))
