"""The route table: everything that the door serves, a row each. What it says of itself is made from these rows."""

from __future__ import annotations

from collections.abc import Iterable

from interface_engine.entry_http import operations, reads, submits, writes
from interface_engine.entry_http.asked import FORM, JSON, JSON_TYPES, Asked
from interface_engine.entry_http.batches import post_bundle
from interface_engine.entry_http.door import FhirDoor
from interface_engine.entry_http.openapi import describe
from interface_engine.entry_http.routing import Places, Route, reading, writing
from interface_engine.wire.answers import Answer
from interface_engine.wire.capability import Serving, capability
from interface_engine.wire.patching import PATCH_FORMATS
from interface_engine.wire.text import json_bytes

_TYPE, _ID = "/fhir/{type}", "/fhir/{type}/{id}"
_PATCHES = (*PATCH_FORMATS, *JSON_TYPES)


def _single() -> Iterable[Route]:
    yield reading("GET", _ID, "read", reads.read, "Read the newest version")
    yield reading("GET", f"{_ID}/_history/{{version}}", "vread", reads.vread, "Read a version")
    yield writing("POST", _TYPE, "create", writes.create, "Create", "c")
    yield writing("PUT", _ID, "update", writes.update, "Update, or create at this id", "u")
    yield writing("PUT", _TYPE, "update", writes.update, "Update what a condition matches, or create", "u")
    yield writing("PATCH", _ID, "patch", writes.patch, "Patch", "u", _PATCHES)
    yield writing("PATCH", _TYPE, "patch", writes.patch, "Patch what a condition matches", "u", _PATCHES)
    yield writing("DELETE", _ID, "delete", writes.delete, "Delete", "d", ())
    yield writing("DELETE", _TYPE, "delete", writes.delete, "Delete what a condition matches", "d", ())


def _listings() -> Iterable[Route]:
    pages = reads.HISTORY_PARAMETERS
    yield reading("GET", "/fhir/_history", "history-system", reads.history, "All versions", letter="", parameters=pages)
    yield reading(
        "GET", f"{_TYPE}/_history", "history-type", reads.history, "Versions of a type", letter="s", parameters=pages
    )
    yield reading(
        "GET", f"{_ID}/_history", "history-instance", reads.history, "Versions of a resource", parameters=pages
    )
    asked = {"letter": "s", "action": "E"}
    yield reading("GET", f"{_TYPE}/_search", "search-type", reads.search, "Search", **asked)
    yield reading("POST", f"{_TYPE}/_search", "search-type", reads.search, "Search by a form", takes=(FORM,), **asked)
    yield reading("GET", _TYPE, "search-type", reads.search, "Search", **asked)


def _operations() -> Iterable[Route]:
    pages = operations.EVERYTHING_PARAMETERS
    for name in ("Patient", "Encounter"):
        path = f"/fhir/{name}/{{id}}/$everything"
        for method, takes in (("GET", ()), ("POST", JSON_TYPES)):
            yield reading(
                method, path, "$everything", operations.everything, f"All about one {name}",
                type=name, parameters=pages, takes=takes, action="E",
            )  # fmt: skip
    for path, letter in ((f"{_TYPE}/$validate", ""), (f"{_ID}/$validate", "r")):
        yield reading(
            "POST", path, "$validate", operations.validate_resource, "Say what is wrong with a resource",
            letter=letter, action="E", takes=JSON_TYPES, parameters=("mode", "profile"),
        )  # fmt: skip
    yield reading(
        "GET", f"{_ID}/$validate", "$validate", operations.validate_resource, "Say what is wrong with what is stored",
        action="E", parameters=("mode", "profile"),
    )  # fmt: skip


def _submissions() -> Iterable[Route]:
    for name, operation, handle in (
        ("CoverageEligibilityRequest", "$submit", submits.submit_eligibility),
        ("Claim", "$submit", submits.submit_claim),
        ("Claim", "$inquire", submits.inquire),
    ):
        yield Route(
            "POST", f"/fhir/{name}/{operation}", operation, handle, f"{name} {operation.removeprefix('$')}",
            "c" if operation == "$submit" else "s", "E", takes=JSON_TYPES, type=name,
        )  # fmt: skip


def _serving(places: Places, row: Route) -> Serving:
    """A type that has rows of its own at a path has those alone there."""
    own = {one.type for one in places.routes if one.type}
    paths = {place.path for place in places.places}
    without = frozenset(name for name in own if row.types and row.path.replace("{type}", name) in paths)
    return Serving(row.interaction, row.type, row.types, without)


def places_of(door: FhirDoor, more: Iterable[Route] = ()) -> Places:
    """The table of a door. `more` are rows of parts that have files of their own; they are tried before those of all
    types, of which the ones that are asked most come first."""

    async def bundle(door: FhirDoor, asked: Asked) -> Answer:
        return await post_bundle(places, door, asked)

    async def metadata(door: FhirDoor, asked: Asked) -> Answer:
        served = [Serving("batch"), *(_serving(places, row) for row in places.routes)]
        return Answer(200, json_bytes(capability(served, door.base_url, door.token_url, door.clock.now())))

    async def openapi(door: FhirDoor, asked: Asked) -> Answer:
        return Answer(200, json_bytes(describe(places.routes, door.base_url)), media_type=JSON)

    rows = [
        Route("GET", "/fhir/metadata", "capabilities", metadata, "What is served", action="R", open=True),
        Route("GET", "/fhir/openapi.json", "openapi", openapi, "What is served, for tools", action="R", open=True,
              negotiates=False),
        Route("POST", "/fhir", "transaction", bundle, "A transaction or a batch", takes=JSON_TYPES),
        *more,
        *_single(),
        *_listings(),
        *(_submissions() if door.owners is not None else ()),
        *_operations(),
    ]  # fmt: skip
    places = Places.of(rows)
    return places
