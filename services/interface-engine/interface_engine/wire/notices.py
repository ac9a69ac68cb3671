"""Subscriptions as they are read, and notifications as they are written: the R4 form of topic-based subscriptions.

Source: Subscriptions R5 Backport 1.1.0, https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from fhir_r4 import Issue, outcome

from interface_engine.model import Rejected, Resource
from interface_engine.model_notices import CONTENTS, Content, Event, Hook, Line, Topic
from interface_engine.wire.answers import FHIR_JSON
from interface_engine.wire.text import instant, json_bytes, with_meta

_GUIDE = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition"
TOPIC_EXTENSION = f"{_GUIDE}/capabilitystatement-subscriptiontopic-canonical"
_FILTER, _CONTENT = f"{_GUIDE}/backport-filter-criteria", f"{_GUIDE}/backport-payload-content"
_HEARTBEAT, _TIMEOUT, _MOST = (f"{_GUIDE}/backport-{name}" for name in ("heartbeat-period", "timeout", "max-count"))
_R5_TOPIC = "http://hl7.org/fhir/5.0/StructureDefinition/extension-SubscriptionTopic"
MEDIA_TYPES = (FHIR_JSON, "application/json")
_LONGEST_URL, _MOST_HEADERS, _LONGEST_HEADER = 2_000, 20, 4_000
_HEARTBEATS, _TIMEOUTS, _COUNTS = (10, 86_400), (1, 60), (1, 100)
_TIMEOUT_S, _AT_ONCE = 15, 20
_HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?)")
# What a request's own machinery says: a client does not say it.
_OURS = frozenset(
    {
        "connection", "content-encoding", "content-length", "content-type", "expect", "host", "keep-alive",
        "proxy-authorization", "te", "trailer", "transfer-encoding", "upgrade",
    }
)  # fmt: skip
_METHODS = {"create": "POST", "update": "PUT", "delete": "DELETE"}
_STATUSES = {"create": "201", "update": "200", "delete": "204"}


def refused(path: str, rule: str, text: str) -> Rejected:
    """422: a Subscription that cannot be served, and why."""
    return Rejected(422, outcome(Issue("error", "business-rule", path, rule, text)))


# Reading


def read_hook(resource: Resource, plain_http: bool = False) -> Hook:
    """What a Subscription asks for. Rejected 422 with the element that cannot be served.

    Endpoints are https; http is for this machine, and for any when `plain_http` is set.
    """
    channel = resource["channel"]
    if channel.get("type") != "rest-hook":
        text = "rest-hook is served here, and no other channel"
        raise refused("Subscription.channel.type", "subscription-channel", text)
    given = dict(_extensions(channel))
    return Hook(
        criteria=resource["criteria"],
        filters=tuple(value for url, value in _extensions(resource.get("_criteria")) if url == _FILTER),
        endpoint=_endpoint(channel.get("endpoint"), plain_http),
        headers=tuple(_header(one) for one in _headers(channel)),
        content=_content(channel),
        media_type=_media_type(channel),
        heartbeat_s=_number(given, _HEARTBEAT, _HEARTBEATS, 0),
        timeout_s=_number(given, _TIMEOUT, _TIMEOUTS, _TIMEOUT_S),
        most=_number(given, _MOST, _COUNTS, _AT_ONCE),
        ends_at=_end(resource),
    )


def _extensions(element: Any) -> Iterator[tuple[str, Any]]:
    """Url and value of the simple extensions of an element."""
    for one in (element or {}).get("extension", ()):
        value = next((value for name, value in one.items() if name.startswith("value")), None)
        if value is not None:
            yield one["url"], value


def _endpoint(url: object, plain_http: bool) -> str:
    path, rule = "Subscription.channel.endpoint", "subscription-endpoint"
    if not isinstance(url, str) or len(url) > _LONGEST_URL or not url.isascii() or not url.isprintable():
        raise refused(path, rule, "an address to notify is needed")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise refused(path, rule, "the address cannot be read") from None
    if not host or parts.username is not None or parts.password is not None or " " in url:
        raise refused(path, rule, "an address has a host and no user; secrets belong into channel.header")
    if parts.scheme != "https" and not (parts.scheme == "http" and (plain_http or _here(host))):
        raise refused(path, rule, "an https address is needed (http only for this machine)")
    return url


def _here(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _headers(channel: Resource) -> list[str]:
    found = channel.get("header", [])
    if len(found) > _MOST_HEADERS:
        text = f"at most {_MOST_HEADERS} headers"
        raise refused("Subscription.channel.header", "subscription-header", text)
    return list(found)


def _header(text: object) -> tuple[str, str]:
    path, rule = "Subscription.channel.header", "subscription-header"
    found = _HEADER.fullmatch(text) if isinstance(text, str) and len(text) <= _LONGEST_HEADER else None
    if found is None:
        raise refused(path, rule, "a header is a name, a colon and a value on one line")
    if found[1].lower() in _OURS:
        raise refused(path, rule, "a header that is written by the request itself")
    return found[1], found[2]


def _content(channel: Resource) -> Content:
    """Without the extension a payload means the whole resource, and none means that nothing is told, as in R4."""
    said = dict(_extensions(channel.get("_payload"))).get(_CONTENT)
    if said is None:
        return "full-resource" if channel.get("payload") else "empty"
    if said not in CONTENTS:
        text = f"one of {', '.join(CONTENTS)}"
        raise refused("Subscription.channel.payload.extension", "subscription-content", text)
    return CONTENTS[CONTENTS.index(said)]


def _media_type(channel: Resource) -> str:
    said = str(channel.get("payload") or FHIR_JSON).partition(";")[0].strip().lower()
    if said not in MEDIA_TYPES:
        text = f"notifications are written in {FHIR_JSON}"
        raise refused("Subscription.channel.payload", "subscription-payload", text)
    return said


def _number(given: Mapping[str, Any], url: str, within: tuple[int, int], otherwise: int) -> int:
    value = given.get(url)
    if value is None or (value == 0 and otherwise == 0):
        return otherwise
    if not isinstance(value, int) or not within[0] <= value <= within[1]:
        name = url.rpartition("/")[2]
        text = f"{name} is a whole number from {within[0]} to {within[1]}"
        raise refused("Subscription.channel.extension", "subscription-limits", text)
    return value


def _end(resource: Resource) -> datetime | None:
    text = resource.get("end")
    if text is None:
        return None
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


# Notifications


def status_of(line: Line, hook: Hook, kind: str, base: str, events: Sequence[Event] = (), count: int = 0) -> Resource:
    """A SubscriptionStatus as Parameters. Nothing but numbers is told where the content is empty.

    `count` is how many events there have been since the subscription began, these included.
    """
    rows: list[Resource] = [{"name": "subscription", "valueReference": {"reference": f"{base}/Subscription/{line.id}"}}]
    if hook.topic and hook.content != "empty":
        rows.append({"name": "topic", "valueCanonical": hook.topic})
    rows += [
        {"name": "status", "valueCode": line.status},
        {"name": "type", "valueCode": kind},
        {"name": "events-since-subscription-start", "valueString": str(count)},
    ]
    rows += [_event_row(one, hook.content, base) for one in events]
    if line.reason:
        rows.append({"name": "error", "valueCodeableConcept": {"text": line.reason}})
    profile = [f"{_GUIDE}/backport-subscription-status-r4"]
    return {"resourceType": "Parameters", "meta": {"profile": profile}, "parameter": rows}


def _event_row(event: Event, content: Content, base: str) -> Resource:
    parts: list[Resource] = [
        {"name": "event-number", "valueString": str(event.number)},
        {"name": "timestamp", "valueInstant": instant(event.at)},
    ]
    if content != "empty" and event.type:
        parts.append({"name": "focus", "valueReference": {"reference": f"{base}/{event.reference}"}})
    return {"name": "notification-event", "part": parts}


def notification(identity: str, at: datetime, status: Resource, line: Line, events: bytes, base: str) -> bytes:
    """The Bundle that goes out. `identity` is a UUID of its own; `events` are entries, with a comma before each."""
    place = f"urn:uuid:{identity}"
    head: Resource = {
        "resourceType": "Bundle",
        "id": identity,
        "meta": {"profile": [f"{_GUIDE}/backport-subscription-notification-r4"]},
        "type": "history",
        "timestamp": instant(at),
    }
    first = {
        "fullUrl": place,
        "resource": {"resourceType": "Parameters", "id": identity} | status,
        "request": {"method": "GET", "url": f"{base}/Subscription/{line.id}/$status"},
        "response": {"status": "200"},
    }
    return json_bytes(head)[:-1] + b',"entry":[' + json_bytes(first) + events + b"]}"


def event_entries(events: Iterable[Event], content: Content, base: str) -> bytes:
    """One entry for each event, a comma before each: with the resource as it was then, or without it."""
    if content == "empty":
        return b""
    return b"".join(b"," + _entry(one, content, base) for one in events if one.type)


def _entry(event: Event, content: Content, base: str) -> bytes:
    said = {
        "request": {"method": _METHODS[event.interaction], "url": _asked(event)},
        "response": {"status": _STATUSES[event.interaction], "lastModified": instant(event.at)},
    }
    resource = b""
    if content == "full-resource" and event.content:
        resource = b'"resource":' + with_meta(event.content, event.version, event.at) + b","
    return b'{"fullUrl":"' + f"{base}/{event.reference}".encode() + b'",' + resource + json_bytes(said)[1:]


def _asked(event: Event) -> str:
    return event.type if event.interaction == "create" else event.reference


def status_bundle(entries: Sequence[tuple[str, Resource]], base: str) -> bytes:
    """The answer to $status: one entry for each subscription, by its id."""
    found = [
        {"fullUrl": f"{base}/Subscription/{identity}/$status", "resource": status, "search": {"mode": "match"}}
        for identity, status in entries
    ]
    bundle: Resource = {"resourceType": "Bundle", "type": "searchset", "total": len(found)}
    return json_bytes(bundle | ({"entry": found} if found else {}))


# Topics


def topic_resource(topic: Topic) -> Resource:
    """A topic as R4 has it: a Basic with the elements of R5's SubscriptionTopic as extensions."""
    shown = [
        {"url": f"{_R5_TOPIC}.url", "valueUri": topic.canonical},
        {"url": f"{_R5_TOPIC}.title", "valueString": topic.title},
        *(_trigger_extension(one.type, one.interactions, one.condition) for one in topic.triggers),
        *(_filter_extension(topic.types[0], name) for name in topic.filters),
    ]
    return {
        "resourceType": "Basic",
        "id": topic_id(topic),
        "extension": shown,
        "modifierExtension": [{"url": f"{_R5_TOPIC}.status", "valueCode": "active"}],
        "code": {"coding": [{"system": "http://hl7.org/fhir/fhir-types", "code": "SubscriptionTopic"}]},
    }


def topic_id(topic: Topic) -> str:
    return topic.canonical.rpartition("/")[2]


def _trigger_extension(type_name: str, interactions: Sequence[str], condition: str) -> Resource:
    parts: list[Resource] = [{"url": "resource", "valueUri": f"http://hl7.org/fhir/StructureDefinition/{type_name}"}]
    parts += [{"url": "supportedInteraction", "valueCode": one} for one in interactions]
    if condition:
        parts.append({"url": "queryCriteria", "extension": [{"url": "current", "valueString": condition}]})
    return {"url": f"{_R5_TOPIC}.resourceTrigger", "extension": parts}


def _filter_extension(type_name: str, name: str) -> Resource:
    parts = [{"url": "resource", "valueUri": type_name}, {"url": "filterParameter", "valueString": name}]
    return {"url": f"{_R5_TOPIC}.canFilterBy", "extension": parts}
