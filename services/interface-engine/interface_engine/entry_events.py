"""The read model: what the services produce, kept from their facts under its own id, never older over newer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from bus import Event, Subscription, Unit
from fhir_r4 import read
from kernel.errors import Unreadable

from interface_engine.model import Draft
from interface_engine.store import READ_MODEL, UnitOfWork
from interface_engine.wire.facets import facets_of
from interface_engine.wire.text import digest

# Where each fact carries resources.
_CARRIED: Mapping[str, Callable[[Any], Iterable[bytes]]] = {
    "coverage.verified": lambda body: (body.verification.response_json,),
    "coverage.gap_found": lambda body: (body.verification.response_json,),
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


def subscriptions() -> tuple[Subscription, ...]:
    """One for each fact that carries something to keep."""
    return tuple(Subscription(event, keep_produced) for event in _CARRIED)


async def keep_produced(unit: Unit, event: Event, prepared: None) -> None:
    """Stores what the fact carries. A resource of which a newer fact has told stays as it is."""
    drafts = {draft.reference: draft for text in _CARRIED[event.type](event.body) if text for draft in [_draft(text)]}
    await UnitOfWork(unit).put(list(drafts.values()), READ_MODEL, told_at=event.occurred_at)


def _draft(text: bytes) -> Draft:
    resource = read(text)
    identity = resource.get("id")
    if not isinstance(identity, str):
        raise Unreadable("resource-id", f"{resource['resourceType']}.id", "a resource of the line has an id")
    return Draft(resource["resourceType"], identity, text, digest(text), resource, facets_of(resource))
