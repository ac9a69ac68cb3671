"""Merges of Patients as their source tells them: what referred to the one then refers to the other, and all of it can
be taken back, change by change.

A Patient that links to another as replaced-by (HL7 v2 A40 becomes that too) stays, inactive. What the line itself has
written (claims, payments, tasks) says what was said then and is not rewritten.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol

import msgspec
from fhir_r4 import read, write
from fhir_r4.references import parse, references
from kernel.errors import Refused
from kernel.identifiers import uuid7

from interface_engine.model import Client, Draft, Resource
from interface_engine.model_persons import Change, Merge
from interface_engine.wire.facets import facets_of, plain
from interface_engine.wire.text import digest

MOST_REFERRING = 20_000
LINK, ACTIVE = "Patient.link", "Patient.active"
# Patients link to each other for themselves; the others are the line's own, or tell of what has been.
_STAYING = (
    "Patient", "Claim", "ClaimResponse", "ExplanationOfBenefit", "CoverageEligibilityRequest",
    "CoverageEligibilityResponse", "PaymentReconciliation", "PaymentNotice", "Task", "Provenance", "AuditEvent",
)  # fmt: skip


class Stored(Protocol):
    """A newest version."""

    @property
    def reference(self) -> str: ...
    @property
    def content(self) -> bytes: ...
    @property
    def version(self) -> int: ...


class Ledger(Protocol):
    """Merges and what they changed, in one open transaction."""

    @property
    def now(self) -> datetime: ...
    async def lock(self) -> None: ...
    async def way(self, patient: str) -> list[str]: ...
    async def referring(self, patient: str, but: Sequence[str], limit: int) -> Sequence[Stored]: ...
    async def newest(self, references: Sequence[str]) -> Mapping[str, Stored]: ...
    async def keep(self, merge: Merge, changes: Sequence[Change]) -> None: ...
    async def add(self, merge: Merge, changes: Sequence[Change]) -> None: ...
    async def mark(self, one: str, other: str, merged: bool) -> None: ...
    async def undone(self, merge_id: str, by: str) -> None: ...
    async def merge(self, merge_id: str) -> Merge | None: ...
    async def active(self, prior: str) -> Merge | None: ...
    async def changes(self, merge_id: str) -> list[Change]: ...


class Shelf(Protocol):
    """The repository, in the same transaction."""

    async def read(self, type_name: str, identity: str, version: int | None = None) -> Any: ...
    async def put(self, drafts: Sequence[Draft], client: Client, told_at: datetime | None = None) -> dict[str, int]: ...


async def apply_merges(ledger: Ledger, shelf: Shelf, drafts: Sequence[Draft], client: Client) -> list[Draft]:
    """Carries out the merges that changed Patients tell of, and gives what was changed for them.

    Costs nothing when none does. A merge that stands already is left as it is; into one that was merged itself means
    into whom that stands for. Refused for a circle, and for a Patient that was merged into another before.
    """
    told = {draft.id: draft for draft in drafts if draft.type == "Patient"}
    wanted = dict.fromkeys(pair for draft in told.values() for pair in merges_of(draft.id, draft.resource))
    changed: list[Draft] = []
    if wanted:
        await ledger.lock()
        changed += await _keep_links(ledger, shelf, told.values(), client)
    for prior, survivor in wanted:
        changed += await _merge(ledger, shelf, prior, survivor, told, client)
    return changed


def merges_of(patient: str, resource: Resource) -> list[tuple[str, str]]:
    """Prior and survivor, of each link that says so."""
    found: list[tuple[str, str]] = []
    for link in resource.get("link") or ():
        target = parse(str((link.get("other") or {}).get("reference") or ""))
        if target.kind == "relative" and target.type == "Patient" and target.id:
            pair = {"replaced-by": (patient, target.id), "replaces": (target.id, patient)}.get(str(link.get("type")))
            found += [pair] if pair else []
    return found


async def _merge(
    ledger: Ledger, shelf: Shelf, prior: str, survivor: str, told: Mapping[str, Draft], client: Client
) -> list[Draft]:
    onward = [survivor, *await ledger.way(survivor)]
    if prior in onward:
        raise Refused("merge-circle", "a Patient cannot be merged into one that was merged into it")
    gone_into = await ledger.way(prior)
    if set(gone_into) & set(onward):
        await _note_links(ledger, shelf, prior, survivor, told)
        return []
    if gone_into:
        raise Refused("patient-merged-already", "the Patient was merged into another: undo that first")
    target = onward[-1]
    both = await ledger.newest([f"Patient/{one}" for one in {prior, survivor, target}])
    if not {f"Patient/{prior}", f"Patient/{target}"} <= both.keys():
        raise Refused("patient-not-found", "a Patient of the merge is not stored", "not_found")
    changes = await _between(shelf, both, told, prior, {survivor, target})
    changes += [
        change
        for one in await _referring(ledger, prior)
        for change in _repointed(one.reference, read(one.content), prior, target)
    ]
    merge = Merge(uuid7(), prior, target, client.id, ledger.now)
    changed = await _carry_out(ledger, shelf, changes, client, "new")
    await ledger.keep(merge, changes)
    await ledger.mark(prior, target, True)
    return changed


async def _note_links(ledger: Ledger, shelf: Shelf, prior: str, survivor: str, told: Mapping[str, Draft]) -> None:
    """A merge that stands, told in other words: the links that say so go with it when it is undone."""
    merge = await ledger.active(prior)
    both = await ledger.newest([f"Patient/{prior}", f"Patient/{survivor}"])
    changes = await _between(shelf, both, told, prior, {survivor})
    put_in = [one for one in changes if one.path == LINK and one.reference.partition("/")[2] in told]
    if merge is not None and put_in:
        await ledger.add(merge, put_in)


async def _referring(ledger: Ledger, prior: str) -> Sequence[Stored]:
    found = await ledger.referring(prior, _STAYING, MOST_REFERRING + 1)
    if len(found) > MOST_REFERRING:
        raise Refused("merge-too-large", f"more than {MOST_REFERRING} resources refer to the Patient")
    return found


async def _between(
    shelf: Shelf, stored: Mapping[str, Stored], told: Mapping[str, Draft], prior: str, survivors: set[str]
) -> list[Change]:
    """What changes of the Patients themselves, against how they were before the request that tells of the merge."""
    was = await _before(shelf, stored[f"Patient/{prior}"], told.get(prior))
    changes = [Change(f"Patient/{prior}", ACTIVE, _text(was.get("active")), "false")]
    for one in sorted(survivors):
        changes += _linked(f"Patient/{prior}", was, {"other": {"reference": f"Patient/{one}"}, "type": "replaced-by"})
    for one in sorted(survivors):
        before = await _before(shelf, stored[f"Patient/{one}"], told.get(one))
        changes += _linked(f"Patient/{one}", before, {"other": {"reference": f"Patient/{prior}"}, "type": "replaces"})
    return changes


async def _before(shelf: Shelf, stored: Stored, draft: Draft | None) -> Resource:
    """A Patient as it was before this request, empty when it is new."""
    if draft is None:
        return read(stored.content)
    earlier = await shelf.read("Patient", draft.id, draft.expected) if draft.expected else None
    return read(earlier.content) if earlier is not None and earlier.content else {}


async def _keep_links(ledger: Ledger, shelf: Shelf, told: Iterable[Draft], client: Client) -> list[Draft]:
    """Who tells of one merge often leaves out the earlier ones, which stand all the same."""
    lost: list[Change] = []
    for draft in told:
        earlier = await shelf.read("Patient", draft.id, draft.expected) if draft.expected else None
        was = read(earlier.content) if earlier is not None and earlier.content else {}
        for link in was.get("link") or ():
            gone = not any(_same_link(one, link) for one in draft.resource.get("link") or ())
            if gone and await _stands(ledger, draft.id, link):
                lost.append(Change(draft.reference, LINK, "", _text(link)))
    return await _carry_out(ledger, shelf, lost, client, "new") if lost else []


async def _stands(ledger: Ledger, patient: str, link: Resource) -> bool:
    for prior, survivor in merges_of(patient, {"link": [link]}):
        merge = await ledger.active(prior)
        if merge is not None and merge.survivor == survivor:
            return True
    return False


def _linked(reference: str, was: Resource, link: Resource) -> list[Change]:
    """The link as it is put in; nothing when it was there before."""
    there = any(_same_link(one, link) for one in was.get("link") or ())
    return [] if there else [Change(reference, LINK, "", _text(link))]


def _same_link(one: Resource, other: Resource) -> bool:
    return one.get("type") == other.get("type") and one.get("other") == other.get("other")


def _repointed(reference: str, resource: Resource, prior: str, target: str) -> Iterable[Change]:
    for found in references(resource):
        to = parse(found.value)
        if to.kind == "relative" and (to.type, to.id) == ("Patient", prior):
            yield Change(reference, found.path, found.value, f"Patient/{target}")


def _text(value: Any) -> str:
    return "" if value is None else msgspec.json.encode(value).decode()


# Carrying out and taking back


async def undo_merge(ledger: Ledger, shelf: Shelf, merge_id: str, client: Client) -> tuple[Merge, list[Draft]]:
    """Takes every change of a merge back, where it still stands; what was told since then stays as it was told.

    Refused while the survivor is merged itself: the later merge comes first. Undone twice is undone.
    """
    await ledger.lock()
    merge = await ledger.merge(merge_id)
    if merge is None:
        raise Refused("merge-not-found", "there is no such merge", "not_found")
    if merge.undone_at is not None:
        return merge, []
    if await ledger.active(merge.survivor) is not None:
        raise Refused("merge-undo-order", "the survivor was merged into another since: undo that first")
    changes = await ledger.changes(merge_id)
    changed = await _carry_out(ledger, shelf, changes, client, "old")
    await ledger.undone(merge_id, client.id)
    await ledger.mark(merge.prior, merge.survivor, False)
    return replace(merge, undone_at=ledger.now, undone_by=client.id), changed


async def _carry_out(
    ledger: Ledger, shelf: Shelf, changes: Sequence[Change], client: Client, towards: str
) -> list[Draft]:
    by_reference: dict[str, list[Change]] = {}
    for change in changes:
        by_reference.setdefault(change.reference, []).append(change)
    stored = await ledger.newest(list(by_reference))
    drafts: list[Draft] = []
    for reference, own in by_reference.items():
        if reference not in stored:
            continue
        resource, was = read(stored[reference].content), read(stored[reference].content)
        _change(resource, own, back=towards == "old")
        if resource != was:
            drafts.append(_draft(stored[reference], resource))
    await shelf.put(drafts, client)
    return drafts


def _draft(stored: Stored, resource: Resource) -> Draft:
    content = write(resource)
    type_name, _, identity = stored.reference.partition("/")
    return Draft(type_name, identity, content, digest(content), resource, facets_of(resource), expected=stored.version)


def _change(resource: Resource, changes: Sequence[Change], back: bool) -> None:
    pointing = [change for change in changes if change.path not in (LINK, ACTIVE)]
    for change in changes:
        if change.path == ACTIVE:
            _change_active(resource, change, back)
        elif change.path == LINK:
            _change_link(resource, change, back)
    if pointing:
        _repoint(resource, [(one.path, one.new, one.old) if back else (one.path, one.old, one.new) for one in pointing])


def _change_active(resource: Resource, change: Change, back: bool) -> None:
    if not back:
        resource["active"] = False
    elif resource.get("active") is False and change.old != change.new:
        if change.old:
            resource["active"] = msgspec.json.decode(change.old)
        else:
            del resource["active"]


def _change_link(resource: Resource, change: Change, back: bool) -> None:
    link = msgspec.json.decode(change.new)
    there = resource.get("link") or []
    rest = [one for one in there if not _same_link(one, link)]
    links = rest if back else there if len(rest) < len(there) else [*there, link]
    if links:
        resource["link"] = links
    else:
        resource.pop("link", None)


def _repoint(resource: Resource, wanted: Sequence[tuple[str, str, str]]) -> None:
    """Path, text that stands there, text to be. Where a list has changed since, the same text under the same element
    is meant, each once."""
    nodes = {found.path: found for found in references(resource)}
    taken: set[str] = set()
    moved = [one for one in wanted if not _put(nodes, one[0], one, taken)]
    for one in moved:
        alike = (path for path in nodes if path not in taken and plain(path) == plain(one[0]))
        any(_put(nodes, path, one, taken) for path in list(alike))


def _put(nodes: Mapping[str, Any], path: str, wanted: tuple[str, str, str], taken: set[str]) -> bool:
    found = nodes.get(path)
    if found is None or found.value != wanted[1]:
        return False
    found.node["reference"] = wanted[2]
    taken.add(path)
    return True
