"""What is asked: single resources and their versions, searches, histories."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from urllib.parse import parse_qsl

from bus import Unit
from fhir_r4 import Issue, outcome
from fhir_r4.search import Query, parse_query
from kernel.errors import Unreadable

from interface_engine.entry_http.asked import Asked
from interface_engine.entry_http.door import FhirDoor
from interface_engine.handlers.checking import rejected
from interface_engine.model import Resource
from interface_engine.store import Repository, Stored, read_newest
from interface_engine.wire.answers import (
    Answer,
    Listing,
    found_entry,
    history_entry,
    listing_answer,
    outcome_entry,
    stored_answer,
    told,
)
from interface_engine.wire.subset import subset

MOST_MATCHES = 500
HISTORY_PARAMETERS = ("_count", "_since", "_at", "_cursor")
_ANSWERING = ("_format", "_pretty")
# fhirpy counts in the words of another server.
_ALIASES = {("_totalMethod", "count"): ("_total", "accurate")}
_LARGEST_VERSION = 2**63


@asynccontextmanager
async def reading(door: FhirDoor, asked: Asked) -> AsyncIterator[Unit]:
    """The transaction that the request is a part of, or one of its own."""
    if asked.unit is not None:
        yield asked.unit
    else:
        async with door.database.unit(asked.client.tenant) as unit:
            yield unit


async def read(door: FhirDoor, asked: Asked) -> Answer:
    """The newest version; 410 when it was deleted."""
    return await _look_up(door, asked, None)


async def vread(door: FhirDoor, asked: Asked) -> Answer:
    """That version."""
    version = asked.parameters["version"]
    number = int(version) if version.isascii() and version.isdigit() else 0
    if not 0 < number < _LARGEST_VERSION:
        raise _absent()
    return await _look_up(door, asked, number)


async def _look_up(door: FhirDoor, asked: Asked, version: int | None) -> Answer:
    if asked.unit is None and version is None:
        stored = await read_newest(door.database, asked.client.tenant, asked.type, str(asked.id))
    else:
        async with reading(door, asked) as unit:
            stored = await Repository(unit).read(asked.type, str(asked.id), version)
    if stored is None:
        raise _absent()
    if stored.deleted:
        raise rejected(410, "deleted", "", "fhir-deleted", "the resource has been deleted")
    return stored_answer(stored)


def _absent() -> Exception:
    return rejected(404, "not-found", "", "fhir-not-found", "there is no such resource")


async def search(door: FhirDoor, asked: Asked) -> Answer:
    """A page of matches, with what they include; by GET, or by POST with the parameters in a form."""
    pairs = [_ALIASES.get(pair, pair) for pair in (*asked.pairs, *form_pairs(asked))]
    query = parse_query(asked.type, pairs, strict=not asked.prefer.lenient)
    limit = min(door.settings.page_size if query.count is None else query.count, MOST_MATCHES)
    limit = 0 if query.summary == "count" else limit
    async with reading(door, asked) as unit:
        repository = Repository(unit, door.base_url)
        total = await repository.total(query)
        page = await repository.search(query, limit) if limit else None
        matches = page.matches if page else []
        included = await repository.included(query, matches) if matches else []
    entries = [found_entry(one, "match", door.base_url, _less(one, query)) for one in matches]
    entries += [found_entry(one, "include", door.base_url, _less(one, query)) for one in _allowed(asked, included)]
    if query.ignored:
        entries.append(outcome_entry(_ignored(asked.type, query.ignored)))
    listing = Listing("searchset", asked.type, query.used, page.next if page else "", total)
    return listing_answer(listing, entries, door.base_url)


def form_pairs(asked: Asked) -> list[tuple[str, str]]:
    if asked.method != "POST":
        return []
    try:
        return parse_qsl(asked.body.decode(), keep_blank_values=True, max_num_fields=1_000)
    except (UnicodeDecodeError, ValueError):
        raise Unreadable("search_form", "", "the form cannot be read") from None


def _less(stored: Stored, query: Query) -> bytes | None:
    if query.summary is None and not query.elements:
        return None
    return subset(told(stored), query.summary, query.elements)


def _allowed(asked: Asked, included: Sequence[Stored]) -> list[Stored]:
    """What is included is of other types, which the client must be allowed to read too."""
    return [one for one in included if asked.caller.scopes.allows(one.type, "r")]


def _ignored(type_name: str, names: Sequence[str]) -> Resource:
    text = "a search parameter that is not served for this type was left out"
    return outcome([Issue("warning", "not-supported", f"{type_name}?", "fhir-search", text) for _ in names])


async def history(door: FhirDoor, asked: Asked) -> Answer:
    """Versions of a resource, of a type, or of everything, the newest first."""
    given = page_parameters(asked, HISTORY_PARAMETERS)
    async with reading(door, asked) as unit:
        repository = Repository(unit)
        page = await repository.history(
            asked.type or None,
            asked.id,
            since=moment(given, "_since"),
            at=moment(given, "_at"),
            limit=page_size(door, given),
            cursor=given.get("_cursor", ""),
        )
        if not page.matches and asked.id and await repository.read(asked.type, asked.id) is None:
            raise _absent()
    place = "/".join(part for part in (asked.type, asked.id, "_history") if part)
    used = [pair for pair in given.items() if pair[0] != "_cursor"]
    visible = page.matches if asked.type else _allowed(asked, page.matches)
    entries = [history_entry(one, door.base_url) for one in visible]
    return listing_answer(Listing("history", place, used, page.next), entries, door.base_url)


def page_parameters(asked: Asked, known: Sequence[str]) -> dict[str, str]:
    """The parameters of a listing by name. Unreadable for one that is not known, unless the client is lenient."""
    given: dict[str, str] = {}
    for name, value in asked.pairs:
        if name in known:
            given[name] = value
        elif name not in _ANSWERING and not asked.prefer.lenient:
            raise Unreadable("search_parameter", name, "a parameter that is not served here")
    return given


def page_size(door: FhirDoor, given: dict[str, str]) -> int:
    text = given.get("_count")
    if text is None:
        return int(door.settings.page_size)
    if not (text.isascii() and text.isdigit()) or len(text) > 9 or int(text) == 0:
        raise Unreadable("search_value", "_count", "a whole number above zero is needed")
    return min(int(text), MOST_MATCHES)


def moment(given: dict[str, str], name: str) -> datetime | None:
    """An instant or a date; a plus sign that nobody escaped is a space."""
    text = given.get(name)
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text.strip().replace(" ", "+"))
    except ValueError:
        raise Unreadable("search_value", name, "an instant is needed") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
