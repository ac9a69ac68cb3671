"""The record of accesses as AuditEvents: read and searched like anything else, and written by nobody but ourselves."""

from __future__ import annotations

from fhir_r4.search import parse_query

from interface_engine.entry_http.asked import FORM, Asked
from interface_engine.entry_http.door import FhirDoor
from interface_engine.entry_http.reads import MOST_MATCHES, form_pairs, reading
from interface_engine.entry_http.routing import Route
from interface_engine.entry_http.routing import reading as reading_row
from interface_engine.handlers.checking import rejected
from interface_engine.store.audit import AuditLog
from interface_engine.wire.answers import Answer, Listing, found_entry, listing_answer, stored_answer

TYPE = "AuditEvent"


async def read(door: FhirDoor, asked: Asked) -> Answer:
    """One access."""
    async with reading(door, asked) as unit:
        stored = await AuditLog(unit).read(str(asked.id))
    if stored is None:
        raise rejected(404, "not-found", "", "fhir-not-found", "there is no such resource")
    return stored_answer(stored)


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
        reading_row("GET", f"/fhir/{TYPE}/{{id}}", "read", read, "Read an access", type=TYPE),
    )
