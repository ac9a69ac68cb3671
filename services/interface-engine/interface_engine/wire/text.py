"""FHIR text as bytes: entries cut out of a Bundle and ids and meta put in without writing the rest anew."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import msgspec
from fhir_r4 import read, write
from fhir_r4.references import rewrite

from interface_engine.model import Resource

_META = re.compile(rb'"meta"\s*:')
_BOM = b"\xef\xbb\xbf"


class _Entry(msgspec.Struct):
    resource: msgspec.Raw = msgspec.Raw(b"")


class _Bundle(msgspec.Struct):
    entry: list[_Entry] = []


_BUNDLE = msgspec.json.Decoder(_Bundle)


def entry_texts(bundle: bytes) -> list[bytes]:
    """The text of each entry's resource, byte for byte; empty where an entry has none. The Bundle is well-formed."""
    return [bytes(entry.resource) for entry in _BUNDLE.decode(bundle.removeprefix(_BOM)).entry]


def stored_text(text: bytes, resource: Resource, identity: str, mapping: Mapping[str, str]) -> tuple[bytes, Resource]:
    """What is kept of a resource that gets this id and these references: the sender's own text where nothing changes.

    A missing id is put in front; anything more is written anew, with every decimal digit kept.
    """
    made = rewrite(resource, mapping) if mapping else resource
    if made == resource:
        made = resource
    said = resource.get("id")
    if made is resource and said == identity:
        return text.removeprefix(_BOM), resource
    if made is resource and said is None:
        body = text.removeprefix(_BOM).lstrip()[1:]
        return b'{"id":"' + identity.encode() + b'",' + body, {"id": identity} | resource
    kind, rest = made["resourceType"], {key: item for key, item in made.items() if key not in ("id", "resourceType")}
    final = {"resourceType": kind, "id": identity} | rest
    return write(final), final


def with_meta(text: bytes, version: int, updated_at: datetime) -> bytes:
    """The stored text with meta.versionId and meta.lastUpdated; all else stays as it was sent."""
    told = {"versionId": str(version), "lastUpdated": instant(updated_at)}
    if not _META.search(text):
        meta = b'"meta":' + write(told)
        body = text.lstrip()[1:]
        return b"{" + meta + (b"" if body.lstrip().startswith(b"}") else b",") + body
    resource = read(text)
    resource["meta"] = (resource.get("meta") or {}) | told
    return write(resource)


def digest(text: bytes) -> bytes:
    return sha256(text).digest()


def instant(moment: datetime) -> str:
    """A FHIR instant in UTC."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def json_bytes(value: Any) -> bytes:
    """A resource that we wrote ourselves."""
    return write(value)
