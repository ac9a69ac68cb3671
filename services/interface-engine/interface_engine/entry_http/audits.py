"""The record of accesses as AuditEvents: read and searched like anything else, and written by nobody but ourselves."""

from __future__ import annotations

from fhir_r4.search import parse_query

from interface_engine.entry_http.asked import FORM, Asked
from interface_engine.entry_http.door import FhirDoor
from interface_engine.entry_http.reads import MOST_MATCHES, form_pairs, page_parameters, page_size, reading
from interface_engine.entry_http.routing import Route
from interface_engine.entry_http.routing import reading as reading_row
from interface_engine.handlers.checking import rejected
from interface_engine.store.audit import AuditLog
from interface_engine.wire.answers import Answer, Listing, found_entry, history_entry, listing_answer, stored_answer

TYPE = "AuditEvent"


async def read(door: FhirDoor, asked: Asked) -> Answer:
    """One access."""
    async with reading(door, asked) as unit:
        stored = await AuditLog(unit).read(str(asked.id))
    if stored is None:
        raise rejected(404, "not-found", "", "fhir-not-found", "there is no such resource")
    return stored_answer(stored)


async def vread(door: FhirDoor, asked: Asked) -> Answer:
    """An access never changes: there is its first version and no other."""
    if asked.parameters["version"] != "1":
        raise rejected(404, "not-found", "", "fhir-not-found", "there is no such version")
    return await read(door, asked)


async def history(door: FhirDoor, asked: Asked) -> Answer:
    """The one version of an access, or those of all accesses, the newest first."""
    given = page_parameters(asked, ("_count", "_cursor"))
    wanted = [("_id", str(asked.id))] if asked.id else []
    cursor = [("_cursor", given["_cursor"])] if "_cursor" in given else []
    async with reading(door, asked) as unit:
        page = await AuditLog(unit).search(parse_query(TYPE, [*wanted, *cursor]), page_size(door, given))
    if asked.id and not page.matches:
        raise rejected(404, "not-found", "", "fhir-not-found", "there is no such resource")
    place = "/".join(part for part in (TYPE, asked.id, "_history") if part)
    used = [pair for pair in given.items() if pair[0] != "_cursor"]
    entries = [history_entry(one, door.base_url) for one in page.matches]
    return listing_answer(Listing("history", place, used, page.next), entries, door.base_url)


async def search(door: FhirDoor, asked: Asked) -> Answer:
    """Accesses, the newest first. No total: the record only grows."""
    query = parse_query(TYPE, [*asked.pairs, *form_pairs(asked)], strict=not asked.prefer.lenient)
    limit = min(query.count or door.settings.page_size, MOST_MATCHES)
    async with reading(door, asked) as unit:
        page = await AuditLog(unit).search(query, limit)
    entries = [found_entry(one, "match", door.base_url) for one in page.matches]
    return listing_answer(Listing("searchset", TYPE, query.used, page.next), entries, door.base_url)


def routes() -> tuple[Route, ...]:
    """The rows; they stand before those of all types."""
    asked = {"letter": "s", "action": "E", "type": TYPE}
    return (
        reading_row("GET", f"/fhir/{TYPE}", "search-type", search, "Search accesses", **asked),
        reading_row("GET", f"/fhir/{TYPE}/_search", "search-type", search, "Search accesses", **asked),
        reading_row("POST", f"/fhir/{TYPE}/_search", "search-type", search, "Search accesses", takes=(FORM,), **asked),
        reading_row("GET", f"/fhir/{TYPE}/_history", "history-type", history, "All accesses", **asked),
        reading_row("GET", f"/fhir/{TYPE}/{{id}}", "read", read, "Read an access", type=TYPE),
        reading_row("GET", f"/fhir/{TYPE}/{{id}}/_history", "history-instance", history, "An access", type=TYPE),
        reading_row("GET", f"/fhir/{TYPE}/{{id}}/_history/{{version}}", "vread", vread, "An access", type=TYPE),
    )
