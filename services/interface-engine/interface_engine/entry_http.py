"""The FHIR door: reads requests, has them kept or looked up, and answers; the rules of REST and nothing else."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from bus import Database
from chassis import Runtime, http_app
from chassis.outcome import answer_for
from fastapi import FastAPI, Request, Response
from fhir_r4 import has_errors, outcome, outcome_of, read, validate
from fhir_r4.bundle import Step, plan, response_bundle, response_entry
from fhir_r4.types import is_known
from kernel.errors import LineError, Refused, Unavailable
from kernel.identifiers import uuid7

from interface_engine.clients import client_of
from interface_engine.handlers.announcing import Channel, announce_changes
from interface_engine.handlers.intake import Arrival, keep_arrivals, rejected
from interface_engine.model import Client, Kept, Rejected, Resource
from interface_engine.search import read_search
from interface_engine.store import RETRIED, Replay, UnitOfWork
from interface_engine.wire.answers import (
    FORMATS,
    Answer,
    capability,
    kept_answer,
    kept_entry,
    search_answer,
    transaction_answer,
    version_headers,
)
from interface_engine.wire.text import digest, entry_texts, json_bytes, with_meta

MEDIA_TYPE = "application/fhir+json"
_WRITES = ("POST", "PUT")
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Sent:
    """One request that writes, as it came."""

    client: Client
    method: str
    url: str
    body: bytes
    headers: Mapping[str, str]

    @property
    def key(self) -> bytes:
        """The same for the same request of the same client, whatever connection it comes by."""
        said = (self.client.id, self.method, self.url, self.headers.get("if-none-exist", ""))
        return sha256("\n".join(said).encode() + b"\n" + self.body).digest()


class FhirDoor:
    """Handlers of the routes."""

    def __init__(self, runtime: Runtime, clients: Mapping[str, Client], channel: Channel) -> None:
        self._database: Database = runtime.database
        self._settings = runtime.settings
        self._clock = runtime.clock
        self._clients = clients
        self._channel = channel

    # What arrives

    async def post_bundle(self, request: Request) -> Response:
        """A transaction, whole or not at all, or a batch, entry by entry."""
        sent = await self._sent(request)
        bundle = read(sent.body)
        _check_frame(bundle)
        steps = plan(bundle)
        texts = entry_texts(sent.body)
        if bundle["type"] == "batch":
            return _response(await self._batch(sent, steps, texts))
        _refuse_methods(steps)
        _check(bundle)
        arrivals = [Arrival(step, texts[step.index], f"{step.path}.resource") for step in steps]

        async def keep(work: UnitOfWork) -> Answer:
            kept = await self._keep(work, sent.client, arrivals, bundle)
            return transaction_answer(kept, work.now)

        return _response(await self._once(sent, keep))

    async def create(self, request: Request) -> Response:
        """POST to a type; If-None-Exist, or a query in the URL as some clients send it, makes it conditional."""
        sent, resource = await self._sent_resource(request)
        condition = request.headers.get("if-none-exist") or request.url.query or None
        step = Step(0, "POST", resource["resourceType"], if_none_exist=condition, resource=resource)

        async def keep(work: UnitOfWork) -> Answer:
            return await self._keep_single(work, sent, step)

        return _response(await self._once(sent, keep))

    async def update(self, request: Request) -> Response:
        """PUT to an id, or to a condition. The same text again is the same version again."""
        sent, resource = await self._sent_resource(request)
        kind, identity = resource["resourceType"], request.path_params.get("id")
        if identity is not None and resource.get("id") != identity:
            raise rejected(400, "invalid", f"{kind}.id", "fhir-id", "the id in the resource is not the URL's")
        if identity is None and not request.url.query:
            raise rejected(400, "invalid", "", "fhir-id", "an update needs an id or a condition")
        step = Step(
            0,
            "PUT",
            kind,
            identity,
            query=request.url.query or None,
            if_match=request.headers.get("if-match"),
            resource=resource,
        )

        async def keep(work: UnitOfWork) -> Answer:
            return await self._keep_single(work, sent, step)

        return _response(await self._retrying(sent.client.tenant, keep))

    async def _batch(self, sent: Sent, steps: list[Step], texts: list[bytes]) -> Answer:
        """Each entry in a transaction of its own, in the order sent."""
        entries = []
        for step in steps:
            url = f"{sent.url}#{sha256(sent.body).hexdigest()}/{step.index}"
            entry = Sent(sent.client, step.method, url, texts[step.index], sent.headers)
            entries.append(await self._batch_entry(entry, step))
        return Answer(200, json_bytes(response_bundle("batch-response", entries)))

    async def _batch_entry(self, sent: Sent, step: Step) -> Resource:
        try:
            return await self._batch_write(sent, step) if step.method != "GET" else await self._batch_read(sent, step)
        except Rejected as error:
            return response_entry(str(error.status), outcome=error.outcome)
        except LineError as error:
            answer = answer_for(error)
            return response_entry(str(answer.status), outcome=answer.body)

    async def _batch_write(self, sent: Sent, step: Step) -> Resource:
        """A POST is done once, as one that comes by itself."""
        root = f"{step.path}.resource"
        _refuse_methods([step])
        _check(step.resource or {}, root)

        async def keep(work: UnitOfWork) -> Answer:
            kept = await self._keep(work, sent.client, [Arrival(step, sent.body, root)], None)
            return Answer(200, json_bytes(kept_entry(kept[0], work.now)))

        once = step.method == "POST"
        answer = await (self._once(sent, keep) if once else self._retrying(sent.client.tenant, keep))
        entry: Resource = json.loads(answer.body)
        return entry

    async def _batch_read(self, sent: Sent, step: Step) -> Resource:
        if step.type is None or step.rest:
            raise rejected(400, "not-supported", step.path, "fhir-interaction", "reads and searches are served")
        if step.id is None:
            answer = await self._find(sent.client, step.type, step.query or "")
        else:
            answer = await self._look_up(sent.client, step.type, step.id)
        return response_entry("200 OK", etag=answer.headers.get("ETag"), resource=read(answer.body))

    async def _keep_single(self, work: UnitOfWork, sent: Sent, step: Step) -> Answer:
        arrival = Arrival(step, sent.body, str(step.type))
        kept = (await self._keep(work, sent.client, [arrival], None))[0]
        stored = await work.read(kept.type, kept.id)
        if stored is None:
            raise Refused("resource-gone", "the resource is not here any more", "not_found")
        return kept_answer(kept, stored.content, stored.updated_at, self._base_url())

    async def _keep(
        self, work: UnitOfWork, client: Client, arrivals: list[Arrival], bundle: Resource | None
    ) -> list[Kept]:
        kept = await keep_arrivals(work, client, arrivals, uuid7, bundle)
        changed = [one.draft for one in kept if one.draft is not None and one.changed]
        await announce_changes(work, self._channel, client, changed)
        return kept

    async def _once(self, sent: Sent, keep: Callable[[UnitOfWork], Awaitable[Answer]]) -> Answer:
        """Does it, or gives the answer that the very same request got before; the answer is kept with the effect."""

        async def attempt(work: UnitOfWork) -> Answer:
            known = await work.claim_request(sent.key, sent.client.id)
            if known is not None:
                return Answer(known.status, known.body, dict(known.headers))
            answer = await keep(work)
            replay = Replay(answer.status, answer.headers, answer.body)
            await work.finish_request(
                sent.key, replay, sent.client, sent.method, sent.url, sent.body, digest(sent.body)
            )
            return answer

        return await self._retrying(sent.client.tenant, attempt)

    async def _retrying(self, tenant: str, attempt: Callable[[UnitOfWork], Awaitable[Made]]) -> Made:
        """One transaction; again from the start when another request came in between."""
        for _ in range(self._settings.write_tries):
            try:
                async with self._database.unit(tenant) as unit:
                    return await attempt(UnitOfWork(unit))
            except RETRIED:
                continue
        raise Unavailable("write_contention", "others write the same resources; try again", 1.0)

    # What is asked

    async def read_resource(self, request: Request) -> Response:
        client, parameters = self._client(request), request.path_params
        return _response(await self._look_up(client, parameters["type"], parameters["id"], parameters.get("version")))

    async def search(self, request: Request) -> Response:
        return _response(await self._find(self._client(request), request.path_params["type"], request.url.query))

    async def metadata(self, request: Request) -> Response:
        """What is served; needs no token."""
        return _response(Answer(200, json_bytes(capability(self._base_url(), self._clock.now()))))

    async def _look_up(self, client: Client, type_name: str, identity: str, version: str | None = None) -> Answer:
        _known_type(type_name)
        number = int(version) if version is not None and version.isascii() and version.isdigit() else None
        stored = None
        if version is None or (number is not None and number < 2**63):
            async with self._database.unit(client.tenant) as unit:
                stored = await UnitOfWork(unit).read(type_name, identity, number)
        if stored is None:
            raise rejected(404, "not-found", "", "fhir-not-found", "there is no such resource")
        headers = version_headers(stored.version, stored.updated_at)
        return Answer(200, with_meta(stored.content, stored.version, stored.updated_at), headers)

    async def _find(self, client: Client, type_name: str, query: str) -> Answer:
        _known_type(type_name)
        search = read_search(type_name, query)
        limit = self._settings.page_size if search.count is None else search.count
        async with self._database.unit(client.tenant) as unit:
            work = UnitOfWork(unit)
            total = await work.count(search)
            found = await work.search(search, limit + 1) if limit else []
        matches = [(one, with_meta(stored.content, stored.version, stored.updated_at)) for one, stored in found[:limit]]
        asked = parse_qsl(query, keep_blank_values=True)
        return search_answer(type_name, asked, matches, total, len(found) > limit, self._base_url())

    # Requests

    def _base_url(self) -> str:
        return self._channel.base_url

    def _client(self, request: Request) -> Client:
        client = client_of(self._clients, request.headers.get("authorization", ""))
        if client is None:
            raise Rejected(401, outcome_of("login", "a bearer token of a registered client is needed"))
        return client

    async def _sent(self, request: Request) -> Sent:
        client = self._client(request)
        kind = request.headers.get("content-type", FORMATS[0]).partition(";")[0].strip().lower()
        if kind not in FORMATS:
            raise Rejected(415, outcome_of("not-supported", "application/fhir+json or application/json is read here"))
        path = request.url.path.rstrip("/")
        url = f"{path}?{request.url.query}" if request.url.query else path
        return Sent(client, request.method, url, await request.body(), request.headers)

    async def _sent_resource(self, request: Request) -> tuple[Sent, Resource]:
        _known_type(request.path_params["type"])
        sent = await self._sent(request)
        resource = read(sent.body)
        if resource["resourceType"] != request.path_params["type"]:
            text = "the resource is not of the URL's type"
            raise rejected(400, "invalid", "Resource.resourceType", "fhir-resource-type", text)
        _check(resource)
        return sent, resource


def _known_type(type_name: str) -> None:
    if not is_known(type_name):
        raise Rejected(404, outcome_of("not-supported", "a resource type that is not known here"))


def _check(resource: Resource, root: str = "") -> None:
    """Rejected 422 with every issue when one of them is an error."""
    issues = validate(resource)
    if has_errors(issues):
        found = outcome(issues)
        if root:
            _put_below(found, resource.get("resourceType", ""), root)
        raise Rejected(422, found)


def _check_frame(bundle: Resource) -> None:
    """The Bundle without its resources, which have a check of their own."""
    entries = bundle.get("entry")
    if isinstance(entries, list) and all(isinstance(entry, dict) for entry in entries):
        bare = [{name: value for name, value in entry.items() if name != "resource"} for entry in entries]
        bundle = bundle | ({"entry": bare} if bare else {})
    _check(bundle)


def _put_below(found: Resource, type_name: str, root: str) -> None:
    """Paths of an entry's resource as paths of the batch."""
    for issue in found["issue"]:
        if "expression" in issue:
            issue["expression"] = [root + path.removeprefix(type_name) for path in issue["expression"]]


def _refuse_methods(steps: list[Step]) -> None:
    for step in steps:
        if step.method not in _WRITES or step.rest or step.resource is None:
            text = "an interaction that is not served here"
            raise rejected(400, "not-supported", f"{step.path}.request", "fhir-interaction", text)


def _response(answer: Answer) -> Response:
    return Response(answer.body, answer.status, answer.headers, media_type=MEDIA_TYPE)


async def _answer_rejected(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Rejected)
    headers = {"WWW-Authenticate": "Bearer"} if error.status == 401 else {}
    return _response(Answer(error.status, json_bytes(error.outcome), headers))


def build_app(runtime: Runtime, door: FhirDoor) -> FastAPI:
    """The routes below /fhir."""
    app = http_app(runtime, "Throughline FHIR R4")
    app.add_exception_handler(Rejected, _answer_rejected)
    routes: tuple[tuple[str, str, Callable[[Request], Awaitable[Any]]], ...] = (
        ("POST", "/fhir", door.post_bundle),
        ("POST", "/fhir/", door.post_bundle),
        ("GET", "/fhir/metadata", door.metadata),
        ("POST", "/fhir/{type}", door.create),
        ("PUT", "/fhir/{type}", door.update),
        ("GET", "/fhir/{type}", door.search),
        ("PUT", "/fhir/{type}/{id}", door.update),
        ("GET", "/fhir/{type}/{id}", door.read_resource),
        ("GET", "/fhir/{type}/{id}/_history/{version}", door.read_resource),
    )
    for method, path, endpoint in routes:
        app.add_api_route(path, endpoint, methods=[method], response_model=None, include_in_schema=False)
    return app
