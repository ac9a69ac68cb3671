"""The read model: what the services produce, kept from their facts under its own id, never older over newer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from bus import Event, Subscription, Unit
from bus.timers import Timer, TimerHandler
from fhir_r4 import read
from kernel.errors import Unreadable

from interface_engine.handlers.notices import Book, changes_told, note_changes
from interface_engine.model import Draft
from interface_engine.store import READ_MODEL, Repository
from interface_engine.store.notices import Notices
from interface_engine.wire.facets import facets_of
from interface_engine.wire.text import digest

REINDEXED = 500  # resources in one transaction of the indexing of old ones
# Where each fact carries resources.
_CARRIED: Mapping[str, Callable[[Any], Iterable[bytes]]] = {
    "coverage.verified": lambda body: (body.verification.response_json,),
    "coverage.gap_found": lambda body: (body.verification.response_json,),
    "authorization.determined": lambda body: (body.claim_response_json,),
    "charges.captured": lambda body: body.charge_items,
    "claim.built": lambda body: (body.claim_json,),
    "claim.held": lambda body: (body.claim_json,),
    "claim.submitted": lambda body: (body.claim_json,),
    "claim.acknowledged": lambda body: (body.claim_json,),
    "claim.rejected": lambda body: (body.claim_json,),
    "claim.replaced": lambda body: (body.claim_json,),
    "claim.voided": lambda body: (body.claim_json,),
    "payment.posted": lambda body: (body.claim_response_json, body.explanation_json),
    "payment.reversed": lambda body: (body.claim_response_json, body.explanation_json),
    "remittance.received": lambda body: (body.reconciliation_json,),
    "remittance.quarantined": lambda body: (body.reconciliation_json,),
    "work.opened": lambda body: (body.task,),
    "work.closed": lambda body: (body.task,),
}


def subscriptions(book: Book | None = None, base_url: str = "") -> tuple[Subscription, ...]:
    """One for each fact that carries something to keep; with a book, those who listen are told of it."""
    keep = partial(keep_produced, book=book, base_url=base_url)
    return tuple(Subscription(event, keep) for event in _CARRIED)


async def keep_produced(unit: Unit, event: Event, prepared: None, book: Book | None = None, base_url: str = "") -> None:
    """Stores what the fact carries. A resource of which a newer fact has told stays as it is."""
    drafts = {draft.reference: draft for text in _CARRIED[event.type](event.body) if text for draft in [_draft(text)]}
    versions = await Repository(unit).put(list(drafts.values()), READ_MODEL, told_at=event.occurred_at)
    if book is not None:
        changes = changes_told(drafts.values(), versions)
        await note_changes(Notices(unit, base_url), book, READ_MODEL, changes, base_url)


async def index_stored(unit: Unit, timer: Timer, prepared: None) -> None:
    """Indexes some of what was stored before the search was, and comes again while more may wait."""
    if await Repository(unit).reindex(REINDEXED) == REINDEXED:
        await unit.schedule(timer.kind, timer.key, unit.now + timedelta(microseconds=1))


def timers() -> Mapping[str, TimerHandler]:
    """The migration that made the search's tables has set one for each tenant that had resources."""
    return {"search.index": TimerHandler(index_stored)}


def _draft(text: bytes) -> Draft:
    resource = read(text)
    identity = resource.get("id")
    if not isinstance(identity, str):
        raise Unreadable("resource-id", f"{resource['resourceType']}.id", "a resource of the line has an id")
    return Draft(resource["resourceType"], identity, text, digest(text), resource, facets_of(resource))
