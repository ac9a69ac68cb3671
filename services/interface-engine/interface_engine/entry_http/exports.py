"""Bulk export at the door: it is begun, looked after, fetched and cancelled by the client that it belongs to."""

from __future__ import annotations

import gzip
from datetime import UTC
from urllib.parse import urlencode

from chassis.outcome import unexpected
from fhir_r4.types import is_known, known_types
from kernel.errors import Unreadable
from kernel.identifiers import uuid7

from interface_engine.entry_http.asked import JSON, JSON_TYPES, Asked
from interface_engine.entry_http.door import FhirDoor
from interface_engine.entry_http.reads import moment
from interface_engine.entry_http.routing import Route
from interface_engine.entry_http.subscriptions import posted_pairs
from interface_engine.handlers.checking import rejected
from interface_engine.handlers.exporting import Rules, begin_export
from interface_engine.model_exports import DONE, FAILED, Export, Wanted
from interface_engine.store.exporting import Exports, patient_types
from interface_engine.store.repository import Repository
from interface_engine.wire.answers import Answer
from interface_engine.wire.exports import FILES, FORMATS, NDJSON, PLACE, manifest, progress_of, status_url
from interface_engine.wire.text import json_bytes

_PARAMETERS = ("_type", "_since", "_outputFormat")
_ANSWERING = ("_format", "_pretty")
_COME_AGAIN_S = 2
_LARGEST = 2**31


def export_routes(rules: Rules | None = None) -> tuple[Route, ...]:
    """Rows for the table of the door."""
    chosen = rules or Rules()

    async def begin(door: FhirDoor, asked: Asked) -> Answer:
        return await _begin(door, asked, chosen)

    kinds = (("/fhir/$export", ""), ("/fhir/Patient/$export", "Patient"), ("/fhir/Group/{id}/$export", "Group"))
    status, file = f"/fhir/{PLACE}/{{export}}", f"/fhir/{FILES}/{{export}}/{{number}}"
    return (
        *(
            Route(
                method, path, "$export", begin, "Export everything, or what belongs to patients", "", "E",
                takes=takes, type=name, parameters=_PARAMETERS,
            )
            for path, name in kinds
            for method, takes in (("GET", ()), ("POST", JSON_TYPES))
        ),
        Route("GET", status, "export-status", look, "How far an export is", action="E", negotiates=False),
        Route("DELETE", status, "export-cancel", cancel, "Cancel or delete an export", action="E", negotiates=False),
        Route("GET", file, "export-file", fetch, "A file of an export", action="E", negotiates=False),
    )  # fmt: skip


async def _begin(door: FhirDoor, asked: Asked, rules: Rules) -> Answer:
    """The kick-off: 202 with the place to look at."""
    if not asked.prefer.asynchronous:
        raise rejected(400, "not-supported", "", "fhir-export", "an export is asked for with Prefer: respond-async")
    pairs = [*asked.pairs, *posted_pairs(asked)]
    wanted = _wanted(asked, pairs)
    query = urlencode([pair for pair in pairs if pair[0] in _PARAMETERS])
    request = door.base_url + asked.path.removeprefix("/fhir") + (f"?{query}" if query else "")
    async with door.database.unit(asked.client.tenant) as unit:
        if wanted.group:
            asked.caller.require("Group", "r")
            await _check_group(Repository(unit), wanted.group)
        export = await begin_export(Exports(unit), asked.client, str(uuid7()), request, wanted, rules)
    return Answer(202, headers={"Content-Location": status_url(export, door.base_url)})


def _wanted(asked: Asked, pairs: list[tuple[str, str]]) -> Wanted:
    given: dict[str, str] = {}
    for name, value in pairs:
        if name == "_type" and name in given:
            given[name] += f",{value}"
        elif name in _PARAMETERS:
            given[name] = value
        elif name not in _ANSWERING and not asked.prefer.lenient:
            raise Unreadable("search_parameter", name if name.isalnum() else "", "a parameter that is not served here")
    if given.get("_outputFormat", NDJSON).replace(" ", "+") not in FORMATS:
        raise Unreadable("search_value", "_outputFormat", f"{NDJSON} is written here")
    group = str(asked.id) if asked.path.startswith("/fhir/Group/") else ""
    patients = bool(group) or asked.path.startswith("/fhir/Patient/")
    return Wanted(_types(asked, given.get("_type", ""), patients), patients, group, moment(given, "_since"))


def _types(asked: Asked, text: str, patients: bool) -> tuple[str, ...]:
    """What was asked for and is allowed: 403 for a type that is named and may not be read."""
    there = patient_types() if patients else known_types()
    named = list(dict.fromkeys(name for name in text.split(",") if name))
    for name in named:
        if not is_known(name) and not asked.prefer.lenient:
            raise Unreadable("search_value", "_type", "a resource type that is not known here")
        if is_known(name):
            asked.caller.require(name, "r")
    wanted = [name for name in named if name in there] if named else sorted(there)
    return tuple(name for name in wanted if asked.caller.scopes.allows(name, "r"))


async def _check_group(repository: Repository, identity: str) -> None:
    stored = await repository.read("Group", identity)
    if stored is None or stored.deleted:
        raise rejected(404, "not-found", "", "fhir-not-found", "there is no such group")


async def look(door: FhirDoor, asked: Asked) -> Answer:
    """202 while it is under way, 200 with the manifest when it is done."""
    async with door.database.unit(asked.client.tenant) as unit:
        exports = Exports(unit)
        export = await _own(exports, asked)
        files = await exports.files(export.id) if export.state == DONE else []
    if export.state == FAILED:
        failed = unexpected()
        return Answer(failed.status, json_bytes(failed.body))
    if export.state != DONE:
        headers = {"X-Progress": progress_of(export), "Retry-After": str(_COME_AGAIN_S)}
        return Answer(202, headers=headers)
    headers = {"Expires": _http_date(export)} if export.expires_at else {}
    return Answer(200, manifest(export, files, door.base_url), headers, media_type=JSON)


def _http_date(export: Export) -> str:
    ends = (export.expires_at or export.at).astimezone(UTC)
    return ends.strftime("%a, %d %b %Y %H:%M:%S GMT")


async def cancel(door: FhirDoor, asked: Asked) -> Answer:
    """Takes it away, with its files."""
    async with door.database.unit(asked.client.tenant) as unit:
        exports = Exports(unit)
        await exports.remove((await _own(exports, asked)).id)
    return Answer(202)


async def fetch(door: FhirDoor, asked: Asked) -> Answer:
    """A file, packed as it is stored where the client takes that."""
    text = asked.parameters["number"]
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= len(str(_LARGEST)) else 0
    async with door.database.unit(asked.client.tenant) as unit:
        exports = Exports(unit)
        export = await _own(exports, asked)
        file = await exports.file(export.id, number) if 0 < number < _LARGEST else None
    if file is None or export.state != DONE:
        raise _absent()
    asked.caller.require(file.type, "r")
    if "gzip" in asked.headers.get("accept-encoding", ""):
        headers = {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
        return Answer(200, file.packed, headers, media_type=NDJSON)
    return Answer(200, gzip.decompress(file.packed), media_type=NDJSON)


async def _own(exports: Exports, asked: Asked) -> Export:
    found = await exports.export(asked.parameters["export"], asked.client.id)
    if found is None:
        raise _absent()
    return found


def _absent() -> Exception:
    """The same for another client's as for none, and for one that has expired."""
    return rejected(404, "not-found", "", "fhir-not-found", "there is no such export of this client")
