"""Answers in FHIR: single resources, transaction responses, pages of a search, and the CapabilityStatement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlencode

from fhir_r4.bundle import response_bundle, response_entry
from fhir_r4.types import known_types

from interface_engine.model import Kept, Resource
from interface_engine.search import parameters_of
from interface_engine.wire.text import instant, json_bytes, with_meta

INTERACTIONS = ("read", "vread", "create", "update", "search-type")
FORMATS = ("application/fhir+json", "application/json")


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back: an HTTP status, headers beside the content type, and the body."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


def version_headers(version: int, updated_at: datetime, location: str = "") -> dict[str, str]:
    """ETag and Last-Modified, and Location where there is one."""
    headers = {"ETag": f'W/"{version}"', "Last-Modified": updated_at.strftime("%a, %d %b %Y %H:%M:%S GMT")}
    return headers | ({"Location": location} if location else {})


def kept_answer(kept: Kept, content: bytes, updated_at: datetime, base_url: str) -> Answer:
    """The answer to a single create or update: the resource as it is kept."""
    location = f"{base_url}/{kept.type}/{kept.id}/_history/{kept.version}"
    headers = version_headers(kept.version, updated_at, location)
    return Answer(int(kept.status[:3]), with_meta(content, kept.version, updated_at), headers)


def kept_entry(kept: Kept, now: datetime) -> Resource:
    """An entry of a transaction's or batch's answer."""
    return response_entry(
        kept.status,
        location=f"{kept.type}/{kept.id}/_history/{kept.version}",
        etag=f'W/"{kept.version}"',
        last_modified=instant(now) if kept.changed else None,
    )


def transaction_answer(kept: Sequence[Kept], now: datetime) -> Answer:
    """In the order of the request, whatever the order of processing was."""
    ordered = sorted(kept, key=lambda one: one.index)
    entries = [kept_entry(one, now) for one in ordered]
    return Answer(200, json_bytes(response_bundle("transaction-response", entries)))


def search_answer(
    type_name: str,
    query: list[tuple[str, str]],
    matches: Sequence[tuple[str, bytes]],
    total: int,
    more: bool,
    base: str,
) -> Answer:
    """A page of matches, their texts as they are kept; `query` is what was asked, for the links."""
    asked = [pair for pair in query if pair[0] != "_after"]
    links = [{"relation": "self", "url": _url(base, type_name, query)}]
    if more and matches:
        links.append({"relation": "next", "url": _url(base, type_name, [*asked, ("_after", matches[-1][0])])})
    head = {"resourceType": "Bundle", "type": "searchset", "total": total, "link": links}
    entries = [
        b'{"fullUrl":"' + f"{base}/{type_name}/{identity}".encode() + b'","resource":' + text
        + b',"search":{"mode":"match"}}'
        for identity, text in matches
    ]  # fmt: skip
    listed = b',"entry":[' + b",".join(entries) + b"]}" if entries else b"}"
    return Answer(200, json_bytes(head)[:-1] + listed)


def _url(base: str, type_name: str, query: list[tuple[str, str]]) -> str:
    return f"{base}/{type_name}" + (f"?{urlencode(query)}" if query else "")


def capability(base_url: str, now: datetime) -> Resource:
    """What is served, by type, from the same tables that serve it."""
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": instant(now),
        "kind": "instance",
        "software": {"name": "Throughline"},
        "implementation": {"description": "Throughline FHIR R4 endpoint", "url": base_url},
        "fhirVersion": "4.0.1",
        "format": list(FORMATS),
        "rest": [
            {
                "mode": "server",
                "security": {"description": "Bearer token of a registered client"},
                "resource": [_capability_of(name) for name in sorted(known_types())],
                "interaction": [{"code": "transaction"}, {"code": "batch"}],
            }
        ],
    }


def _capability_of(type_name: str) -> Resource:
    return {
        "type": type_name,
        "interaction": [{"code": code} for code in INTERACTIONS],
        "versioning": "versioned-update",
        "readHistory": True,
        "updateCreate": True,
        "conditionalCreate": True,
        "conditionalUpdate": True,
        "searchParam": [{"name": name, "type": kind} for name, kind in parameters_of(type_name).items()],
    }
