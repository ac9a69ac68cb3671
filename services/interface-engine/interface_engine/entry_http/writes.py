"""Single resources that are written: create, update, patch and delete, each by id or by a condition."""

from __future__ import annotations

from bus import Unit
from fhir_r4.bundle import Step
from kernel.errors import Refused

from interface_engine.entry_http.asked import Asked
from interface_engine.entry_http.checks import sent_resource
from interface_engine.entry_http.door import FhirDoor
from interface_engine.handlers.checking import rejected
from interface_engine.handlers.intake import Arrival
from interface_engine.store import Repository
from interface_engine.wire.answers import Answer, deleted_answer, kept_answer
from interface_engine.wire.patching import read_patch


async def create(door: FhirDoor, asked: Asked) -> Answer:
    """POST to a type; If-None-Exist, or a query in the URL as some clients send it, makes it conditional.

    The very same request again gets the same answer, but for a condition: that finds what it made the first time.
    """
    resource = sent_resource(asked)
    condition = asked.headers.get("if-none-exist") or _condition(asked)
    arrival = Arrival(Step(0, "POST", asked.type, if_none_exist=condition, resource=resource), asked.body, asked.type)
    if condition:
        return await _write(door, asked, arrival)

    async def keep(unit: Unit) -> Answer:
        return await _keep_single(door, unit, asked, arrival)

    return await door.once(asked, keep)


async def update(door: FhirDoor, asked: Asked) -> Answer:
    """PUT to an id, or to a condition. The same text again is the same version again."""
    resource = sent_resource(asked)
    if asked.id is not None and resource.get("id") != asked.id:
        raise rejected(400, "invalid", f"{asked.type}.id", "fhir-id", "the id in the resource is not the URL's")
    return await _write(door, asked, Arrival(_step(asked, "PUT", resource), asked.body, asked.type))


async def patch(door: FhirDoor, asked: Asked) -> Answer:
    """PATCH of an id, or of the one that a condition matches: JSON Patch, or a merge patch."""
    change = read_patch(asked.body, asked.content_type)
    return await _write(door, asked, Arrival(_step(asked, "PATCH"), b"", asked.type, change))


async def delete(door: FhirDoor, asked: Asked) -> Answer:
    """DELETE of an id, or of the one that a condition matches; done is also what was never there."""
    arrival = Arrival(_step(asked, "DELETE"), b"", asked.type)

    async def keep(unit: Unit) -> Answer:
        kept = (await door.keep(unit, asked.client, [arrival]))[0]
        return deleted_answer(kept)

    return await door.retrying(asked.client.tenant, keep)


def _step(asked: Asked, method: str, resource: dict[str, object] | None = None) -> Step:
    """The step of a request to an id or a condition; an id in the URL goes before a query."""
    condition = None if asked.id else _condition(asked)
    if asked.id is None and condition is None:
        raise rejected(400, "invalid", "", "fhir-id", "an id or a condition is needed")
    return Step(
        0,
        method,
        asked.type,
        asked.id,
        query=condition,
        if_match=asked.headers.get("if-match"),
        if_none_match=asked.headers.get("if-none-match") if method == "PUT" else None,
        resource=resource,
    )


def _condition(asked: Asked) -> str | None:
    """The query without what only says how to answer."""
    parts = [part for part in asked.query.split("&") if part and not part.startswith(("_format=", "_pretty="))]
    return "&".join(parts) or None


async def _write(door: FhirDoor, asked: Asked, arrival: Arrival) -> Answer:
    async def keep(unit: Unit) -> Answer:
        return await _keep_single(door, unit, asked, arrival)

    return await door.retrying(asked.client.tenant, keep)


async def _keep_single(door: FhirDoor, unit: Unit, asked: Asked, arrival: Arrival) -> Answer:
    kept = (await door.keep(unit, asked.client, [arrival]))[0]
    stored = await Repository(unit).read(kept.type, kept.id)
    if stored is None:
        raise Refused("resource-gone", "the resource is not here any more", "not_found")
    return kept_answer(kept, stored.content, stored.updated_at, door.base_url)
