"""An OpenAPI description of the door, from the route table, for tools that draw, generate or test clients."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from fhir_r4.search import parameters
from fhir_r4.types import known_types

from interface_engine.entry_http.asked import FORM, JSON, JSON_TYPES
from interface_engine.entry_http.routing import Route
from interface_engine.model import Resource
from interface_engine.wire.patching import JSON_PATCH, PATCH_FORMATS

_IN_BRACES = re.compile(r"\{(\w+)\}")
_ID = {"type": "string", "pattern": r"^[A-Za-z0-9\-.]{1,64}$"}
_REFUSALS = {
    "400": "What came cannot be understood",
    "401": "No token, or one that is not good",
    "403": "The client's scopes do not allow it",
    "404": "There is no such resource or type",
    "406": "JSON alone is written here",
    "409": "The business says no",
    "410": "The resource has been deleted",
    "412": "A condition does not hold",
    "413": "The body is too large",
    "415": "A media type that is not read here",
    "422": "The resource has errors, each with its path and rule",
    "429": "More requests than the client is registered for",
    "503": "Try again later",
}
_DONE = {"create": ("200", "201"), "update": ("200", "201"), "delete": ("200", "204")}


def describe(routes: Iterable[Route], base_url: str) -> Resource:
    """OpenAPI 3.0 of these rows. Paths are below the server's address, which ends in /fhir."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        place = route.path.removeprefix("/fhir") or "/"
        paths.setdefault(place, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.0.3",
        "info": {"title": "Throughline FHIR R4", "version": "4.0.1"},
        "servers": [{"url": base_url}],
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
            "schemas": {
                "Resource": {
                    "type": "object",
                    "required": ["resourceType"],
                    "properties": {"resourceType": {"type": "string"}, "id": _ID},
                },
                "Operations": _PATCH_SCHEMA,
            },
        },
    }


_PATCH_SCHEMA: Mapping[str, Any] = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["op", "path"],
        "properties": {
            "op": {"enum": ["add", "remove", "replace", "move", "copy", "test"]},
            "path": {"type": "string"},
            "from": {"type": "string"},
            "value": {},
        },
    },
}


def _operation(route: Route) -> Resource:
    made: Resource = {
        "operationId": _name(route),
        "summary": route.summary,
        "tags": [route.interaction],
        "parameters": [*_in_path(route), *_in_query(route), *_in_headers(route)],
        "responses": _responses(route),
    }
    if route.takes:
        made["requestBody"] = {"required": True, "content": {kind: {"schema": _schema(kind)} for kind in route.takes}}
    return made | ({"security": []} if route.open else {})


def _name(route: Route) -> str:
    words = re.findall(r"\w+", route.path.removeprefix("/fhir"))
    return "_".join((route.method.lower(), *words))


def _in_path(route: Route) -> list[Resource]:
    schemas: dict[str, Resource] = {
        "type": {"type": "string", "enum": sorted(known_types())},
        "version": {"type": "integer", "minimum": 1},
    }
    names = _IN_BRACES.findall(route.path)
    return [{"name": name, "in": "path", "required": True, "schema": schemas.get(name, _ID)} for name in names]


def _in_query(route: Route) -> list[Resource]:
    names = list(route.parameters)
    if route.interaction == "search-type" or (route.types and "{id}" not in route.path and route.writes):
        names = sorted(set.intersection(*(set(parameters(name)) for name in known_types())))
        names += ["_count", "_sort", "_total", "_summary", "_elements"] if route.interaction == "search-type" else []
    return [{"name": name, "in": "query", "schema": {"type": "string"}} for name in names]


def _in_headers(route: Route) -> list[Resource]:
    names = {"create": ("If-None-Exist", "Prefer"), "update": ("If-Match", "If-None-Match", "Prefer")}
    names |= {"patch": ("If-Match", "Prefer"), "delete": ("If-Match",), "search-type": ("Prefer",)}
    names |= {"read": ("If-None-Match", "If-Modified-Since"), "$submit": ("Idempotency-Key",)}
    found = names.get(route.interaction, ())
    return [{"name": name, "in": "header", "schema": {"type": "string"}} for name in found]


def _schema(kind: str) -> Resource:
    if kind == FORM:
        return {"type": "object", "additionalProperties": {"type": "string"}}
    if kind == JSON_PATCH:
        return {"$ref": "#/components/schemas/Operations"}
    return {"type": "object"} if kind in PATCH_FORMATS else {"$ref": "#/components/schemas/Resource"}


def _responses(route: Route) -> Resource:
    content = {kind: {"schema": {"type": "object"}} for kind in (JSON_TYPES if route.negotiates else (JSON,))}
    done = _DONE.get(route.interaction, ("200",))
    found: Resource = {
        status: {"description": "Done"} | ({"content": content} if status != "204" else {}) for status in done
    }
    found |= {"304": {"description": "As the client has it already"}} if route.method == "GET" else {}
    return found | {status: {"description": text, "content": content} for status, text in _REFUSALS.items()}
