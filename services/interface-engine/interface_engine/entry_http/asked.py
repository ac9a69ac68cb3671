"""One request as the handlers see it: who asks, for what, with which preferences, and its body as plain bytes."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from urllib.parse import parse_qsl

from bus import Unit
from fhir_r4 import outcome_of

from interface_engine.entry_http.access import Caller
from interface_engine.model import Client, Rejected
from interface_engine.wire.answers import FHIR_JSON

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
JSON_TYPES = (FHIR_JSON, JSON)
_WILD = ("*/*", "application/*")
# What _format may say (https://hl7.org/fhir/R4/http.html#mime-type); a plus sign that nobody escaped is a space.
_FORMATS = {
    "json": FHIR_JSON,
    "text/json": JSON,
    JSON: JSON,
    FHIR_JSON: FHIR_JSON,
    FHIR_JSON.replace("+", " "): FHIR_JSON,
}
_GZIP = 16 + zlib.MAX_WBITS
_VERSION = "4.0"


@dataclass(frozen=True, slots=True)
class Preferences:
    """The Prefer header: `returns` is minimal, representation, OperationOutcome or ""; the rest of it by name."""

    returns: str = ""
    lenient: bool = False
    asynchronous: bool = False

    @classmethod
    def read(cls, header: str) -> Preferences:
        said = dict(one.strip().lower().partition("=")[::2] for one in header.replace(";", ",").split(","))
        return cls(said.get("return", ""), said.get("handling") == "lenient", "respond-async" in said)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request. `url` is path and query without a slash at the path's end; `parameters` are those of the path.

    An entry of a Bundle has the Bundle's digest and its own place in it as `within`, and the transaction's `unit`.
    """

    caller: Caller
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    parameters: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    content_type: str = FHIR_JSON
    prefer: Preferences = Preferences()
    within: str = ""
    unit: Unit | None = None

    @property
    def client(self) -> Client:
        return self.caller.client

    @property
    def type(self) -> str:
        return self.parameters.get("type", "")

    @property
    def id(self) -> str | None:
        return self.parameters.get("id")

    @property
    def url(self) -> str:
        return f"{self.path}?{self.query}" if self.query else self.path

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The query as it came, in order."""
        return parse_qsl(self.query, keep_blank_values=True)

    @property
    def key(self) -> bytes:
        """The same for the same request of the same client, whatever connection it comes by."""
        url = f"{self.url}#{self.within}" if self.within else self.url
        said = (self.client.id, self.method, url, self.headers.get("if-none-exist", ""))
        return sha256("\n".join(said).encode() + b"\n" + self.body).digest()


def media_type_of(accept: str, wanted: str) -> str:
    """What to answer in: `wanted` is _format, which goes before the Accept header. Rejected 406 for what we do not
    write."""
    if wanted:
        found = _FORMATS.get(wanted.partition(";")[0].strip().lower())
        if found is None:
            raise Rejected(406, outcome_of("not-supported", "JSON is written here: _format=json"))
        return found
    accepted = [one for one in map(_accepted, accept.split(",")) if one]
    if not accept.strip() or any(one in (*_WILD, FHIR_JSON) for one in accepted):
        return FHIR_JSON
    if JSON in accepted or "text/json" in accepted:
        return JSON
    raise Rejected(406, outcome_of("not-supported", f"{FHIR_JSON} is written here"))


def _accepted(entry: str) -> str:
    """The media type of one entry of an Accept header; "" when it is refused or of another FHIR version."""
    kind, *rest = (part.strip().lower() for part in entry.split(";"))
    parameters = dict(part.replace(" ", "").partition("=")[::2] for part in rest)
    refused = parameters.get("q", "1").strip("0.") == ""
    return "" if refused or parameters.get("fhirversion", _VERSION) != _VERSION else kind


def content_type_of(header: str, taken: tuple[str, ...]) -> str:
    """The media type of a body; the first of those taken where none is named. Rejected 415 for another."""
    kind, *rest = (part.strip().lower() for part in header.split(";"))
    parameters = dict(part.replace(" ", "").replace('"', "").partition("=")[::2] for part in rest)
    if not kind:
        return taken[0]
    if kind not in taken or parameters.get("fhirversion", _VERSION) != _VERSION:
        raise Rejected(415, outcome_of("not-supported", f"read here: {', '.join(taken)}"), {"Accept": ", ".join(taken)})
    return kind


def plain_body(body: bytes, encoding: str, most: int) -> bytes:
    """The body without its Content-Encoding. Rejected 413 as soon as it becomes longer than `most` bytes."""
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return body
    if name not in ("gzip", "x-gzip"):
        raise Rejected(415, outcome_of("not-supported", "bodies come plain or in gzip"), {"Accept-Encoding": "gzip"})
    plain = bytearray()
    try:
        while body:
            inflating = zlib.decompressobj(_GZIP)
            plain += inflating.decompress(body, most - len(plain) + 1)
            if len(plain) > most:
                raise Rejected(413, outcome_of("too-long", f"more than {most} bytes"))
            if not inflating.eof:
                raise zlib.error("cut off")
            body = inflating.unused_data
    except zlib.error:
        raise Rejected(400, outcome_of("structure", "the body is not the gzip that it says it is")) from None
    return bytes(plain)
