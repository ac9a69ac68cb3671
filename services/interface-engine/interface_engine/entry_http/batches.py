"""Bundles of requests: a transaction is done whole or not at all, a batch entry by entry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256

from bus import Unit
from chassis.outcome import answer_for
from fhir_r4 import read
from fhir_r4.bundle import Step, plan, response_bundle, response_entry
from kernel.errors import LineError

from interface_engine.entry_http.asked import Asked, Preferences
from interface_engine.entry_http.auditing import access_of, record_all
from interface_engine.entry_http.checks import check_frame, known_type
from interface_engine.entry_http.door import FhirDoor
from interface_engine.entry_http.preferring import as_preferred
from interface_engine.entry_http.routing import Places, Route
from interface_engine.handlers.checking import check, put_below, rejected
from interface_engine.handlers.intake import Arrival
from interface_engine.model import Rejected, Resource
from interface_engine.wire.answers import FHIR_JSON, Answer, kept_entry, transaction_answer
from interface_engine.wire.patching import patch_of
from interface_engine.wire.text import entry_texts, json_bytes

_LETTERS = {"POST": "c", "PUT": "u", "PATCH": "u", "DELETE": "d"}
_READS = ("GET", "HEAD")
_REFUSED = 400
# What may stand in a transaction beside writes: what it tells is as of its end.
_TOLD_WITHIN = frozenset({"read", "vread", "search-type", "history-instance", "history-type"})


async def post_bundle(places: Places, door: FhirDoor, asked: Asked) -> Answer:
    """A transaction or a batch; Unreadable for any other Bundle."""
    bundle = read(asked.body)
    check_frame(bundle)
    steps = plan(bundle)
    texts = entry_texts(asked.body)
    if bundle["type"] == "batch":
        return await _batch(places, door, asked, steps, texts)
    _check_steps(places, asked, steps)
    check(bundle)
    arrivals = [_arrival(step, texts[step.index]) for step in steps if step.method not in _READS]
    questions = [(step, _found(places, step)) for step in steps if step.method in _READS]

    async def keep(unit: Unit) -> Answer:
        kept = await door.keep(unit, asked.client, arrivals, bundle)
        entries = {one.index: kept_entry(one, unit.now) for one in kept}
        for step, (route, parameters) in questions:
            question = _entry_asked(asked, step, b"", parameters, unit)
            asked.caller.require(question.type, route.letter)
            answer = await route.handle(door, question)
            entries[step.index] = _told(as_preferred(answer, "GET", question.headers, Preferences()))
        return transaction_answer(entries)

    answer = await door.once(asked, keep)
    told = (access_of(door, asked.caller, route, found, step.query or "", answer) for step, (route, found) in questions)
    await record_all(door, told)
    return answer


def _check_steps(places: Places, asked: Asked, steps: Sequence[Step]) -> None:
    """What each entry may do, before any is done."""
    for step in steps:
        if step.method in _READS:
            continue
        found = places.find(_path(step))
        if step.rest or step.type is None or found is None or step.method not in found[0].by_method:
            raise _not_served(step)
        asked.caller.require(step.type, _LETTERS[step.method])


def _not_served(step: Step) -> Rejected:
    return rejected(
        400, "not-supported", f"{step.path}.request", "fhir-interaction", "an interaction that is not served"
    )


def _arrival(step: Step, text: bytes) -> Arrival:
    if step.method == "PATCH":
        return Arrival(replace(step, resource=None), b"", step.path, patch_of(step.resource, step.path))
    return Arrival(step, text, step.path if step.method == "DELETE" else f"{step.path}.resource")


def _found(places: Places, step: Step) -> tuple[Route, Mapping[str, str]]:
    """The row of the table that a question of a transaction is for."""
    found = _place(places, step)
    if found is None or found[0].interaction not in _TOLD_WITHIN:
        raise _not_served(step)
    known_type(found[0].type or found[1]["type"])
    return found


def _path(step: Step) -> str:
    parts = [part for part in (step.type, step.id) if part]
    return "/".join(["/fhir", *parts]) + (step.rest or "").rstrip("/")


def _entry_asked(
    asked: Asked, step: Step, body: bytes, parameters: Mapping[str, str], unit: Unit | None = None
) -> Asked:
    """An entry as a request of its own."""
    said = {"if-match": step.if_match, "if-none-match": step.if_none_match, "if-none-exist": step.if_none_exist}
    return replace(
        asked,
        method="GET" if step.method == "HEAD" else step.method,
        path=_path(step),
        query=step.query or "",
        headers={name: value for name, value in said.items() if value is not None},
        parameters=parameters,
        body=body,
        content_type=FHIR_JSON,
        within=f"{sha256(asked.body).hexdigest()}/{step.index}",
        unit=unit,
    )


def _told(answer: Answer) -> Resource:
    """The answer to a question as an entry."""
    status = {200: "200 OK", 304: "304 Not Modified"}.get(answer.status, str(answer.status))
    resource = read(answer.body) if answer.body else None
    return response_entry(status, etag=answer.headers.get("ETag"), resource=resource)


async def _batch(places: Places, door: FhirDoor, asked: Asked, steps: Sequence[Step], texts: Sequence[bytes]) -> Answer:
    """Each entry in a transaction of its own, in the order sent."""
    entries, accesses = [], []
    for step in steps:
        place = _place(places, step)
        answer = await _entry(door, asked, step, texts[step.index], place)
        entries.append(_answered(step, answer))
        if place is not None:
            accesses.append(access_of(door, asked.caller, place[0], place[1], step.query or "", answer))
    await record_all(door, accesses)
    return Answer(200, json_bytes(response_bundle("batch-response", entries)))


def _place(places: Places, step: Step) -> tuple[Route, Mapping[str, str]] | None:
    """The row of the table that an entry is for; what belongs to the whole system is not for entries."""
    found = places.find(_path(step))
    route = found[0].by_method.get("GET" if step.method == "HEAD" else step.method) if found else None
    return None if found is None or route is None or not (route.types or route.type) else (route, found[1])


async def _entry(
    door: FhirDoor, asked: Asked, step: Step, text: bytes, place: tuple[Route, Mapping[str, str]] | None
) -> Answer:
    try:
        if place is None:
            raise _not_served(step)
        return await _carried_out(door, asked, step, text, *place)
    except Rejected as error:
        return Answer(error.status, json_bytes(_below(error.outcome, step)))
    except LineError as error:
        refusal = answer_for(error)
        return Answer(refusal.status, json_bytes(refusal.body))


async def _carried_out(
    door: FhirDoor, asked: Asked, step: Step, text: bytes, route: Route, parameters: Mapping[str, str]
) -> Answer:
    body, kind = _patch_text(step) if step.method == "PATCH" else (text, FHIR_JSON)
    question = replace(_entry_asked(asked, step, body, parameters), content_type=kind)
    if route.types:
        known_type(question.type)
    if route.letter:
        asked.caller.require(route.type or question.type, route.letter)
    answer = await route.handle(door, question)
    return as_preferred(answer, question.method, question.headers, Preferences())


def _answered(step: Step, answer: Answer) -> Resource:
    if answer.status >= _REFUSED:
        return response_entry(str(answer.status), outcome=read(answer.body))
    return _told(answer) if step.method in _READS or step.rest else _written(answer)


def _patch_text(step: Step) -> tuple[bytes, str]:
    patch = patch_of(step.resource, step.path)
    return json_bytes(patch.change), patch.format


def _below(outcome: Resource, step: Step) -> Resource:
    """Paths in the resource as paths of the batch."""
    put_below(outcome, str(step.type), f"{step.path}.resource")
    return outcome


def _written(answer: Answer) -> Resource:
    """The answer to a write as an entry: where it is now, without saying it again."""
    location = answer.headers.get("Location", "").split("/")
    status = {200: "200 OK", 201: "201 Created", 204: "204 No Content"}[answer.status]
    return response_entry(
        status, location="/".join(location[-4:]) or None, etag=answer.headers.get("ETag"), last_modified=None
    )
