"""What a subscriber asks: how its subscriptions stand, which events there were, and what can be listened to."""

from __future__ import annotations

from typing import Any

from fhir_r4 import read as read_resource
from fhir_r4.types import known_types
from kernel.errors import Unreadable
from kernel.identifiers import uuid7

from interface_engine.entry_http.asked import JSON_TYPES, Asked
from interface_engine.entry_http.door import FhirDoor
from interface_engine.entry_http.reads import reading as open_reading
from interface_engine.entry_http.routing import Route, reading
from interface_engine.handlers.checking import rejected
from interface_engine.handlers.notices import SUBSCRIPTION
from interface_engine.model import Resource
from interface_engine.model_notices import CONTENTS, Hook, Line, topics
from interface_engine.store.notices import Notices
from interface_engine.wire.answers import Answer
from interface_engine.wire.notices import (
    event_entries,
    notification,
    read_hook,
    status_bundle,
    status_of,
    topic_id,
    topic_resource,
)
from interface_engine.wire.text import json_bytes

_MOST_EVENTS = 500
_LARGEST = 2**62
_ANSWERING = ("_format", "_pretty")
_STATUS_PARAMETERS = ("id", "status")
_EVENT_PARAMETERS = ("eventsSinceNumber", "eventsUntilNumber", "content")


def subscription_routes() -> tuple[Route, ...]:
    """Rows for the table of the door."""
    asking = (
        ("/fhir/Subscription/$status", "$status", status, "How one's subscriptions stand", _STATUS_PARAMETERS),
        ("/fhir/Subscription/{id}/$status", "$status", status, "How a subscription stands", _STATUS_PARAMETERS),
        ("/fhir/Subscription/{id}/$events", "$events", events, "Events that there were", _EVENT_PARAMETERS),
    )
    return (
        *(
            reading(method, path, name, handle, summary, type=SUBSCRIPTION, takes=takes, action="E", parameters=known)
            for path, name, handle, summary, known in asking
            for method, takes in (("GET", ()), ("POST", JSON_TYPES))
        ),
        Route("GET", "/fhir/Basic", "search-type", list_topics, "Topics of subscriptions", type="Basic", action="R"),
        Route("GET", "/fhir/Basic/{id}", "read", read_topic, "A topic of subscriptions", type="Basic", action="R"),
    )


async def status(door: FhirDoor, asked: Asked) -> Answer:
    """$status of one subscription, or of the caller's own: all, or those of these ids and states."""
    given = _given(asked, _STATUS_PARAMETERS)
    ids = [asked.id] if asked.id else given.get("id", [])
    async with open_reading(door, asked) as unit:
        lines = await Notices(unit).lines(asked.client.id, ids)
    if asked.id and not lines:
        raise _absent()
    wanted = [] if asked.id else given.get("status", [])
    shown = [line for line in lines if not wanted or line.status in wanted]
    found = [(one.id, _status(one, _hook(one), "query-status", door.base_url)) for one in shown]
    return Answer(200, status_bundle(found, door.base_url))


async def events(door: FhirDoor, asked: Asked) -> Answer:
    """$events: what has got a number, told or not. `content` may ask for less than the subscription tells, not more."""
    given = _given(asked, _EVENT_PARAMETERS)
    first = _number(given, "eventsSinceNumber", 1)
    last = _number(given, "eventsUntilNumber", None)
    async with open_reading(door, asked) as unit:
        log = Notices(unit)
        lines = await log.lines(asked.client.id, [str(asked.id)])
        if not lines:
            raise _absent()
        hook = _less(_hook(lines[0]), given)
        full = hook.content == "full-resource"
        found = await log.events(lines[0].id, first or 1, last, _MOST_EVENTS, full)
    for name in {one.type for one in found} if hook.content != "empty" else ():
        asked.caller.require(name, "r")
    status = _status(lines[0], hook, "query-event", door.base_url, found)
    entries = event_entries(found, hook.content, door.base_url)
    at = door.clock.now()
    return Answer(200, notification(str(uuid7()), at, status, lines[0], entries, door.base_url))


def _status(line: Line, hook: Hook, kind: str, base: str, found: Any = ()) -> Resource:
    return status_of(line, hook, kind, base, found, line.numbered + line.waiting)


def _hook(line: Line) -> Hook:
    return read_hook(read_resource(line.text), plain_http=True)  # it was checked when it came


def _less(hook: Hook, given: dict[str, list[str]]) -> Hook:
    """As much as was asked for, and no more than the subscription's own."""
    wanted = given.get("content", [hook.content])[-1]
    if wanted not in CONTENTS:
        raise Unreadable("search_value", "content", f"one of {', '.join(CONTENTS)} is needed")
    content = min(CONTENTS.index(hook.content), CONTENTS.index(wanted))
    values = {name: getattr(hook, name) for name in hook.__slots__}
    return Hook(**(values | {"content": CONTENTS[content]}))


def _absent() -> Exception:
    """The same for another client's as for none."""
    return rejected(404, "not-found", "", "fhir-not-found", "there is no such subscription of this client")


def _number(given: dict[str, list[str]], name: str, otherwise: int | None) -> int | None:
    text = given.get(name, [""])[-1]
    if not text:
        return otherwise
    if not (text.isascii() and text.isdigit()) or int(text[:20]) > _LARGEST:
        raise Unreadable("search_value", name, "a whole number is needed")
    return int(text)


def _given(asked: Asked, known: tuple[str, ...]) -> dict[str, list[str]]:
    """Parameters by name, from the URL or a Parameters resource. Unreadable for others, unless one is lenient."""
    given: dict[str, list[str]] = {}
    for name, value in [*asked.pairs, *posted_pairs(asked)]:
        if name in known:
            given.setdefault(name, []).append(value)
        elif name not in _ANSWERING and not asked.prefer.lenient:
            raise Unreadable("search_parameter", name if name.isalnum() else "", "a parameter that is not served here")
    return given


def posted_pairs(asked: Asked) -> list[tuple[str, str]]:
    """Names and values of a Parameters resource that was posted; none where nothing was."""
    if asked.method != "POST" or not asked.body:
        return []
    sent = read_resource(asked.body)
    rows = sent.get("parameter", [])
    if sent["resourceType"] != "Parameters" or not isinstance(rows, list):
        raise Unreadable("json_not_resource", "Parameters", "a Parameters resource is needed")
    if not all(isinstance(row, dict) and isinstance(row.get("name"), str) for row in rows):
        raise Unreadable("json_not_resource", "Parameters.parameter", "a parameter has a name")
    return [(row["name"], str(_value(row))) for row in rows]


def _value(row: dict[str, Any]) -> object:
    return next((value for key, value in row.items() if key.startswith("value")), "")


async def list_topics(door: FhirDoor, asked: Asked) -> Answer:
    """Everything that can be listened to, as R4 says it: Basic resources with R5's elements as extensions."""
    entries = [
        {"fullUrl": f"{door.base_url}/Basic/{topic_id(one)}", "resource": topic_resource(one),
         "search": {"mode": "match"}}
        for one in topics(known_types())
    ]  # fmt: skip
    return Answer(
        200, json_bytes({"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries})
    )


async def read_topic(door: FhirDoor, asked: Asked) -> Answer:
    """One of them."""
    for one in topics(known_types()):
        if topic_id(one) == asked.id:
            return Answer(200, json_bytes(topic_resource(one)))
    raise rejected(404, "not-found", "", "fhir-not-found", "there is no such topic")
