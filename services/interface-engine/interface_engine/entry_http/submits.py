"""$submit and $inquire at the door: the owner answers, and nothing is answered that has not been kept."""

from __future__ import annotations

from hashlib import sha256

from bus import Unit
from kernel.errors import Refused

from interface_engine.entry_http.asked import Asked
from interface_engine.entry_http.door import FhirDoor
from interface_engine.handlers.notices import changes_told
from interface_engine.handlers.submitting import (
    Owners,
    Submission,
    gather_context,
    keep_submission,
    owner_of,
    owners_key,
    read_submission,
)
from interface_engine.model import Resource
from interface_engine.store import Repository
from interface_engine.wire.answers import Answer
from interface_engine.wire.text import digest

_KEY_HEADER = "idempotency-key"
_LONGEST_KEY = 200


async def submit_eligibility(door: FhirDoor, asked: Asked) -> Answer:
    """CoverageEligibilityRequest/$submit."""
    return await _submit(door, asked, "CoverageEligibilityRequest")


async def submit_claim(door: FhirDoor, asked: Asked) -> Answer:
    """Claim/$submit: a claim, or a request for authorization by itself or as a PAS Bundle."""
    return await _submit(door, asked, "Claim")


async def inquire(door: FhirDoor, asked: Asked) -> Answer:
    """Claim/$inquire. PAS 2.2 gets its Parameters when it asks in them or names its profile's version, else one
    Bundle as before."""
    owners = _owners(door)
    submission = read_submission(asked.body, "Claim")
    async with door.database.unit(asked.client.tenant) as unit:
        context = await gather_context(Repository(unit), submission, door.base_url)
    found = await owners.inquire(asked.client, submission.text, context)
    return Answer(200, found.resource if _newer(asked, submission) else found.single)


async def _submit(door: FhirDoor, asked: Asked, type_name: str) -> Answer:
    """Of the same request at the same time the owner is asked once; over several engines the owner sees to that."""
    submission = read_submission(asked.body, type_name)
    said = asked.headers.get(_KEY_HEADER, "")[:_LONGEST_KEY]
    key = sha256(asked.key + said.encode()).digest()

    async def ask() -> Answer:
        return await _ask_owner(door, asked, submission, said)

    return await door.flights.join((asked.client.tenant, key), ask)


async def _ask_owner(door: FhirDoor, asked: Asked, submission: Submission, said: str) -> Answer:
    owner, owners, client = owner_of(submission), _owners(door), asked.client
    async with door.database.unit(client.tenant) as unit:
        await _check_known(Repository(unit), asked, submission.resource)
        context = await gather_context(Repository(unit), submission, door.base_url)
    answer = await owners.submit(owner, client, submission.text, context, owners_key(client, said))

    async def keep(unit: Unit) -> None:
        fresh = await keep_submission(Repository(unit), client, submission, answer.resource)
        await door.note(unit, client, changes_told(fresh, {one.reference: one.version for one in fresh}))

    await door.retrying(client.tenant, keep)
    return Answer(200, answer.resource)


async def _check_known(repository: Repository, asked: Asked, resource: Resource) -> None:
    """Submitting under the id of a resource that is here writes it again, which needs that scope too."""
    reference = f"{resource['resourceType']}/{resource.get('id', '')}"
    there = (await repository.current([reference])).get(reference)
    if there is not None and not there.deleted and there.sha256 != digest(asked.body):
        asked.caller.require(resource["resourceType"], "u")


def _owners(door: FhirDoor) -> Owners:
    if door.owners is None:
        raise Refused("submit-not-served", "nobody here answers this operation", "not_found")
    return door.owners


def _newer(asked: Asked, submission: Submission) -> bool:
    profiles = (submission.resource.get("meta") or {}).get("profile") or ()
    return b'"Parameters"' in asked.body[:100] or any("|2.2" in str(one) for one in profiles)
