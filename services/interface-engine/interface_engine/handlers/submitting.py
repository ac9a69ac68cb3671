"""$submit and $inquire: gathers what a request refers to, asks the owner of the answer, and keeps both resources."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal, Protocol

from fhir_r4 import read, write
from fhir_r4.references import parse, references

from interface_engine.handlers.checking import check, rejected
from interface_engine.handlers.intake import Shelf
from interface_engine.model import Client, Draft, Resource
from interface_engine.wire.facets import facets_of
from interface_engine.wire.text import digest, with_meta

Owner = Literal["eligibility", "claims-gateway", "prior-auth"]

_OWNER_OF_USE: dict[str, Owner] = {"claim": "claims-gateway", "preauthorization": "prior-auth"}
# Whom and what owners ask about; all else that a request refers to (documents, earlier claims) stays here.
_WANTED_TYPES = """
Patient Coverage Organization Practitioner PractitionerRole RelatedPerson Location Encounter Condition Procedure
ServiceRequest DeviceRequest MedicationRequest HealthcareService Device Medication InsurancePlan
"""
_WANTED = frozenset(_WANTED_TYPES.split())
# These lead on to others that belong to them.
_LEADING_ON = frozenset({"Coverage", "PractitionerRole", "RelatedPerson", "HealthcareService", "Location"})
_MOST_WANTED = 200
_DEEPEST = 4
_SPACE = uuid.UUID("3d1f8f2c-6c19-5f0a-9d0e-9a6d3f6b7c41")


@dataclass(frozen=True, slots=True)
class Submitted:
    """What an owner answered: a resource, or a Bundle whose first entry it is."""

    resource: bytes
    status: str


@dataclass(frozen=True, slots=True)
class Inquired:
    """How requests stand, in the forms of both versions of Da Vinci PAS: Parameters (2.2), one Bundle (2.0)."""

    resource: bytes
    single: bytes
    status: str


class Owners(Protocol):
    """The services that answer. Each call has a deadline; Refused, Unreadable and Unavailable come back as raised."""

    async def submit(self, owner: Owner, client: Client, resource: bytes, context: bytes, key: str) -> Submitted: ...
    async def inquire(self, client: Client, resource: bytes, context: bytes) -> Inquired: ...


@dataclass(frozen=True, slots=True)
class Submission:
    """A request to submit: its text, the resource (or Bundle) that it is, and what it is about."""

    text: bytes
    resource: Resource
    request: Resource

    @property
    def bundled(self) -> bool:
        return self.request is not self.resource


def read_submission(text: bytes, type_name: str) -> Submission:
    """A request of that type: bare, first in a Bundle, or either of them as the parameter `resource`.

    Rejected 400 for anything else, 422 with every issue when something in it is wrong.
    """
    sent = read(text)
    if sent["resourceType"] == "Parameters":
        sent = _parameter(sent)
        text = write(sent)
    request = _first_entry(sent) if sent["resourceType"] == "Bundle" else sent
    if request.get("resourceType") != type_name:
        where = "Bundle.entry[0].resource" if request is not sent else "Resource.resourceType"
        raise rejected(400, "invalid", where, "fhir-resource-type", f"{type_name} is submitted here")
    check(sent)
    return Submission(text, sent, request)


def owner_of(submission: Submission) -> Owner:
    """Who answers. Rejected 422 for a use that nobody here answers."""
    if submission.request["resourceType"] == "CoverageEligibilityRequest":
        return "eligibility"
    owner = _OWNER_OF_USE.get(submission.request["use"])
    if owner is None:
        path = "Bundle.entry[0].resource.use" if submission.bundled else "Claim.use"
        raise rejected(422, "not-supported", path, "use-not-taken", "claims and preauthorizations are taken here")
    return owner


def owners_key(client: Client, said: str) -> str:
    """The idempotency key of a client as owners get it, one client's never another's; "": the content decides."""
    return sha256(f"{client.tenant}\n{client.id}\n{said}".encode()).hexdigest() if said else ""


async def gather_context(shelf: Shelf, submission: Submission, base_url: str) -> bytes:
    """What a single request refers to, from the repository, as a collection; nothing for a Bundle, whose ids are its
    sender's own."""
    if submission.bundled:
        return b""
    entries: dict[str, bytes] = {}
    wanted = list(_wanted(submission.request, base_url))
    for _ in range(_DEEPEST):
        further: list[str] = []
        for reference in dict.fromkeys(wanted):
            if reference in entries or len(entries) >= _MOST_WANTED:
                continue
            further += await _take(shelf, reference, entries, base_url)
        wanted = further
    return _collection(entries, base_url)


async def _take(shelf: Shelf, reference: str, entries: dict[str, bytes], base_url: str) -> list[str]:
    """Puts a resource into the context and gives what it leads on to."""
    type_name, _, identity = reference.partition("/")
    stored = await shelf.read(type_name, identity)
    if stored is None or stored.deleted:
        return []
    entries[reference] = with_meta(stored.content, stored.version, stored.updated_at)
    return list(_wanted(read(stored.content), base_url)) if type_name in _LEADING_ON else []


def _wanted(resource: Resource, base_url: str) -> Iterator[str]:
    for found in references(resource):
        target = parse(found.value)
        ours = target.kind == "relative" or (target.kind == "absolute" and target.base == base_url)
        if ours and target.type in _WANTED:
            yield f"{target.type}/{target.id}"


def _collection(entries: dict[str, bytes], base_url: str) -> bytes:
    if not entries:
        return b""
    rows = [
        b'{"fullUrl":"' + f"{base_url}/{reference}".encode() + b'","resource":' + text + b"}"
        for reference, text in entries.items()
    ]
    return b'{"resourceType":"Bundle","type":"collection","entry":[' + b",".join(rows) + b"]}"


async def keep_submission(shelf: Shelf, client: Client, submission: Submission, answer: bytes) -> list[Draft]:
    """Stores request and answer, once for the same content, and gives what is new; references need not lead here.

    A request without an id gets one that its content decides, so that a second engine gives it the same.
    """
    drafts = [_draft(client, submission.resource, submission.text), _draft(client, read(answer), answer)]
    current = await shelf.current([draft.reference for draft in drafts])
    fresh = []
    for draft in {draft.reference: draft for draft in drafts}.values():
        there = current.get(draft.reference)
        if there is None or there.deleted or there.sha256 != draft.sha256:
            fresh.append(_after(draft, there.version if there else 0))
    await shelf.put(fresh, client)
    return fresh


def _draft(client: Client, resource: Resource, text: bytes) -> Draft:
    said = f"{client.tenant}\n{client.id}\n".encode() + text
    identity = resource.get("id") or str(uuid.uuid5(_SPACE, sha256(said).hexdigest()))
    made = resource if resource.get("id") else {"resourceType": resource["resourceType"], "id": identity} | resource
    content = text if made is resource else write(made)
    return Draft(made["resourceType"], identity, content, digest(content), made, facets_of(made))


def _after(draft: Draft, version: int) -> Draft:
    return Draft(draft.type, draft.id, draft.content, draft.sha256, draft.resource, draft.facets, expected=version)


def _parameter(parameters: Resource) -> Resource:
    rows: Any = parameters.get("parameter")
    named = [row.get("resource") for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    held: Sequence[Resource] = [one for one in named if isinstance(one, dict)]
    if len(held) != 1 or not isinstance(held[0].get("resourceType"), str):
        raise rejected(400, "invalid", "Parameters.parameter", "fhir-operation", "one resource is submitted at a time")
    return held[0]


def _first_entry(bundle: Resource) -> Resource:
    entries = bundle.get("entry")
    first = entries[0] if isinstance(entries, list) and entries else None
    resource = first.get("resource") if isinstance(first, dict) else None
    return resource if isinstance(resource, dict) else {}
