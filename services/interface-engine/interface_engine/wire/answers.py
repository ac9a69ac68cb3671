"""Answers in FHIR: single resources, transaction responses, pages of a search and of a history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol
from urllib.parse import urlencode

from fhir_r4.bundle import response_bundle, response_entry

from interface_engine.model import Kept, Resource
from interface_engine.wire.text import instant, json_bytes, with_meta

FHIR_JSON = "application/fhir+json"
Pairs = Sequence[tuple[str, str]]


class Told(Protocol):
    """A stored version of a resource."""

    @property
    def type(self) -> str: ...
    @property
    def id(self) -> str: ...
    @property
    def content(self) -> bytes: ...
    @property
    def version(self) -> int: ...
    @property
    def updated_at(self) -> datetime: ...
    @property
    def deleted(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back: an HTTP status, headers beside the content type, and the body.

    `media_type` is left to what the client accepts where it is FHIR's. `about` is Type/id where one resource is meant.
    """

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    media_type: str = FHIR_JSON
    about: str = ""


def version_headers(version: int, updated_at: datetime, location: str = "") -> dict[str, str]:
    """ETag and Last-Modified, and Location where there is one."""
    moment = updated_at.astimezone(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
    headers = {"ETag": f'W/"{version}"', "Last-Modified": moment}
    return headers | ({"Location": location} if location else {})


def told(stored: Told) -> bytes:
    """The text of a stored version as it is told: with its version and time."""
    return with_meta(stored.content, stored.version, stored.updated_at)


def stored_answer(stored: Told) -> Answer:
    """The answer to a read."""
    headers = version_headers(stored.version, stored.updated_at)
    return Answer(200, told(stored), headers, about=f"{stored.type}/{stored.id}")


def kept_answer(kept: Kept, content: bytes, updated_at: datetime, base_url: str) -> Answer:
    """The answer to a single create, update or patch: the resource as it is kept."""
    location = f"{base_url}/{kept.type}/{kept.id}/_history/{kept.version}"
    headers = version_headers(kept.version, updated_at, location)
    body = with_meta(content, kept.version, updated_at)
    return Answer(int(kept.status[:3]), body, headers, about=f"{kept.type}/{kept.id}")


def deleted_answer(kept: Kept) -> Answer:
    """The answer to a deletion, also of what was not there."""
    headers = {"ETag": f'W/"{kept.version}"'} if kept.version else {}
    return Answer(204, headers=headers, about=f"{kept.type}/{kept.id}" if kept.id else "")


def kept_entry(kept: Kept, now: datetime) -> Resource:
    """An entry of a transaction's answer."""
    gone = kept.became == "deleted"
    return response_entry(
        kept.status,
        location=None if gone else f"{kept.type}/{kept.id}/_history/{kept.version}",
        etag=f'W/"{kept.version}"' if kept.version else None,
        last_modified=instant(now) if kept.changed else None,
    )


def transaction_answer(entries: Mapping[int, Resource]) -> Answer:
    """In the order of the request, whatever the order of processing was."""
    ordered = [entries[index] for index in sorted(entries)]
    return Answer(200, json_bytes(response_bundle("transaction-response", ordered)))


@dataclass(frozen=True, slots=True)
class Listing:
    """A page to be told: its kind, its place below the base, what was asked, and where the next page begins."""

    kind: str
    path: str
    asked: Pairs
    next: str = ""
    total: int | None = None


def listing_answer(listing: Listing, entries: Sequence[bytes], base: str) -> Answer:
    """A Bundle of entries that are text already, with its links."""
    links = [{"relation": "self", "url": _url(base, listing.path, listing.asked)}]
    if listing.next:
        links.append({"relation": "next", "url": _url(base, listing.path, [*listing.asked, ("_cursor", listing.next)])})
    head: Resource = {"resourceType": "Bundle", "type": listing.kind}
    head |= {"total": listing.total} if listing.total is not None else {}
    body = json_bytes(head | {"link": links})[:-1]
    return Answer(200, body + (b',"entry":[' + b",".join(entries) + b"]}" if entries else b"}"))


def found_entry(stored: Told, mode: str, base: str, text: bytes | None = None) -> bytes:
    """An entry of a searchset; `text` where less than the whole is told."""
    url = f"{base}/{stored.type}/{stored.id}".encode()
    body = told(stored) if text is None else text
    return b'{"fullUrl":"' + url + b'","resource":' + body + b',"search":{"mode":"' + mode.encode() + b'"}}'


def outcome_entry(outcome: Resource) -> bytes:
    """What a search has to say beside its matches."""
    return json_bytes({"resource": outcome, "search": {"mode": "outcome"}})


def history_entry(stored: Told, base: str) -> bytes:
    """An entry of a history: what was done, and what came of it."""
    place = f"{stored.type}/{stored.id}"
    status = "204 No Content" if stored.deleted else "201 Created" if stored.version == 1 else "200 OK"
    said = {
        "request": {"method": "DELETE" if stored.deleted else "PUT", "url": place},
        "response": {
            "status": status,
            "etag": f'W/"{stored.version}"',
            "lastModified": instant(stored.updated_at),
        },
    }
    resource = b"" if stored.deleted else b'"resource":' + told(stored) + b","
    return b'{"fullUrl":"' + f"{base}/{place}".encode() + b'",' + resource + json_bytes(said)[1:]


def _url(base: str, path: str, query: Pairs) -> str:
    place = f"{base}/{path}" if path else base
    return place + (f"?{urlencode(query, safe='|,:/')}" if query else "")
