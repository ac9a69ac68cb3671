"""One way for every request: who asks, may it, what came, what is answered, and the record of all that."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from chassis import Runtime, http_app
from chassis.outcome import answer_for, unexpected
from fastapi import FastAPI, Request, Response
from fhir_r4 import outcome_of
from kernel.errors import LineError
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from interface_engine.entry_http.access import Caller
from interface_engine.entry_http.asked import Asked, Preferences, content_type_of, media_type_of, plain_body
from interface_engine.entry_http.auditing import access_of
from interface_engine.entry_http.checks import known_type
from interface_engine.entry_http.door import FhirDoor
from interface_engine.entry_http.preferring import NOT_MODIFIED, as_preferred
from interface_engine.entry_http.routing import Place, Route
from interface_engine.entry_http.table import places_of
from interface_engine.model import Rejected
from interface_engine.wire.answers import FHIR_JSON, Answer
from interface_engine.wire.text import json_bytes

_LEAST_PACKED = 1_000
_PACKING = 4
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
Endpoint = Callable[[Request], Awaitable[Response]]


def endpoint_of(door: FhirDoor, place: Place) -> Endpoint:
    """Everything that can be done at a place, behind one endpoint, so that the rest is answered 405 with Allow."""

    async def serve(request: Request) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        route = place.by_method.get(method)
        if route is None:
            refusal = outcome_of("not-supported", "this is not done here; Allow says what is")
            return _response(request, _Tone(), Answer(405, json_bytes(refusal), {"Allow": place.allow}))
        return await _serve(door, route, request)

    return serve


class _Tone:
    """How an answer is written: its media type, and for whose eyes."""

    def __init__(self, media_type: str = FHIR_JSON, pretty: bool = False) -> None:
        self.media_type = media_type
        self.pretty = pretty


async def _serve(door: FhirDoor, route: Route, request: Request) -> Response:
    """Whatever happens is recorded before it is answered, except who was not let in: that is nobody's access."""
    tone, caller = _Tone(), None
    prefer = Preferences.read(request.headers.get("prefer", ""))
    try:
        if not route.open:
            caller = await door.gate.caller(request.headers.get("authorization", ""))
        query = request.query_params
        tone.pretty = query.get("_pretty") == "true"
        if route.negotiates:
            tone.media_type = media_type_of(request.headers.get("accept", ""), query.get("_format", ""))
        answer = await _answered(door, route, request, caller, prefer)
    except Rejected as error:
        answer = _refusal(error)
    except LineError as error:
        found = answer_for(error)
        answer = Answer(found.status, json_bytes(found.body), dict(found.headers))
    except Exception:
        await _record(door, route, request, caller, Answer(unexpected().status))
        raise
    answer = as_preferred(answer, request.method, request.headers, prefer, route.writes)
    await _record(door, route, request, caller, answer)
    return _response(request, tone, answer)


async def _answered(
    door: FhirDoor, route: Route, request: Request, caller: Caller | None, prefer: Preferences
) -> Answer:
    parameters = dict(request.path_params)
    if route.types:
        known_type(parameters["type"])
    if caller is not None and route.letter:
        caller.require(route.type or parameters["type"], route.letter)
    body, kind = b"", ""
    if route.takes:
        body = await _body(door, request)
        kind = content_type_of(request.headers.get("content-type", ""), route.takes)
    asked = Asked(
        caller=caller,  # type: ignore[arg-type]
        method=request.method,
        path=request.url.path,
        query=request.url.query,
        headers=request.headers,
        parameters=parameters,
        body=body,
        content_type=kind,
        prefer=prefer,
    )
    return await route.handle(door, asked)


async def _body(door: FhirDoor, request: Request) -> bytes:
    encoding = request.headers.get("content-encoding", "")
    return plain_body(await request.body(), encoding, door.settings.max_body_bytes)


def _refusal(error: Rejected) -> Answer:
    headers = dict(error.headers)
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    wait = getattr(error, "after_s", None)
    if wait is not None:
        headers["Retry-After"] = str(math.ceil(wait))
    return Answer(error.status, json_bytes(error.outcome), headers)


async def _record(door: FhirDoor, route: Route, request: Request, caller: Caller | None, answer: Answer) -> None:
    if caller is not None:
        await door.audit.record(access_of(door, caller, route, request.path_params, request.url.query, answer))


def _response(request: Request, tone: _Tone, answer: Answer) -> Response:
    """A body that is not told (HEAD) still has its length."""
    body = msgspec.json.format(answer.body, indent=2) if tone.pretty and answer.body else answer.body
    headers = dict(answer.headers)
    media_type = tone.media_type if answer.media_type == FHIR_JSON else answer.media_type
    if request.method == "HEAD" and answer.status != NOT_MODIFIED:
        headers["Content-Length"] = str(len(body))
        body = b""
    return Response(
        body, answer.status, headers, media_type=media_type if body or "Content-Length" in headers else None
    )


class WithoutSlash:
    """Takes the slash from the end of a path below /fhir: some clients put one there, and it means nothing."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith("/fhir") and scope["path"].endswith("/"):
            scope = dict(scope) | {"path": scope["path"].rstrip("/")}
        await self._app(scope, receive, send)


async def _answer_rejected(request: Request, error: Exception) -> Response:
    """For routes that other parts add beside the table."""
    assert isinstance(error, Rejected)
    return _response(request, _Tone(), _refusal(error))


def build_app(runtime: Runtime, door: FhirDoor, more: tuple[Route, ...] = ()) -> FastAPI:
    """The app with everything below /fhir; `more` are rows of parts that have files of their own."""
    app = http_app(runtime, "Throughline FHIR R4")
    app.add_exception_handler(Rejected, _answer_rejected)
    app.add_middleware(GZipMiddleware, minimum_size=_LEAST_PACKED, compresslevel=_PACKING)
    app.add_middleware(WithoutSlash)
    origins: Any = [one for one in runtime.settings.cors_origins.split(",") if one]
    if origins:
        methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
        exposed = ["ETag", "Last-Modified", "Location", "Content-Location", "Retry-After"]
        app.add_middleware(
            CORSMiddleware, allow_origins=origins, allow_methods=methods, allow_headers=["*"], expose_headers=exposed
        )
    for place in places_of(door, more).places:
        app.router.add_route(place.template, endpoint_of(door, place), methods=_METHODS, include_in_schema=False)
    return app
