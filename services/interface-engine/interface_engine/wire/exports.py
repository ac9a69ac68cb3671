"""Bulk exports as they are asked for and answered.

Source: Bulk Data Access 2.0, https://hl7.org/fhir/uv/bulkdata/STU2/export.html.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import msgspec

from interface_engine.model_exports import Export, File, Found
from interface_engine.wire.text import instant, json_bytes, with_meta

NDJSON = "application/fhir+ndjson"
FORMATS = (NDJSON, "application/ndjson", "ndjson")
PLACE, FILES = "$export-status", "$export-file"
_PACKING = 5
_GZIP = 16 + zlib.MAX_WBITS


def line_of(found: Found) -> bytes:
    """A resource on one line, with its version and time; decimals stay as they were written."""
    text = with_meta(found.content, found.version, found.at)
    return (msgspec.json.format(text, indent=-1) if b"\n" in text or b"\r" in text else text) + b"\n"


class Packing:
    """A file that grows line by line, packed as it grows: neither memory nor time is taken for all of it at once."""

    def __init__(self) -> None:
        self._gzip = zlib.compressobj(_PACKING, wbits=_GZIP)
        self._parts: list[bytes] = []
        self.resources = 0
        self.size = 0

    def add(self, line: bytes) -> None:
        self._parts.append(self._gzip.compress(line))
        self.resources += 1
        self.size += len(line)

    def end(self) -> bytes:
        """The whole file, in gzip."""
        return b"".join((*self._parts, self._gzip.flush()))


def status_url(export: Export, base_url: str) -> str:
    return f"{base_url}/{PLACE}/{export.id}"


def progress_of(export: Export) -> str:
    """X-Progress, at most 100 characters."""
    if export.place >= len(export.wanted.types):
        return f"{export.resources} resources"
    number, type_name = export.place + 1, export.wanted.types[export.place]
    return f"{type_name}, type {number} of {len(export.wanted.types)}, {export.resources} resources"[:100]


def manifest(export: Export, files: Sequence[File], base_url: str) -> bytes:
    output = [
        {"type": one.type, "url": f"{base_url}/{FILES}/{export.id}/{one.number}", "count": one.resources}
        for one in files
    ]
    return json_bytes(
        {
            "transactionTime": instant(export.at),
            "request": export.request,
            "requiresAccessToken": True,
            "output": output,
            "error": [],
        }
    )
