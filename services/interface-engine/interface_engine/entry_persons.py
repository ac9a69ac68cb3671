"""What every door does with the Patients and Coverages that it has kept, in the transaction that keeps them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from bus import Unit
from bus.timers import Timer, TimerHandler
from fhir_r4 import read

from interface_engine.handlers.merging import apply_merges, merges_of, undo_merge
from interface_engine.handlers.persons import identify, rejoin
from interface_engine.model import Client, Draft, Kept
from interface_engine.model_persons import Merge
from interface_engine.store import Repository
from interface_engine.store.merges import Merges
from interface_engine.store.persons import Persons
from interface_engine.store.shapes import Stored, stored_of
from interface_engine.wire.facets import facets_of
from interface_engine.wire.text import digest

IDENTIFIED = 200  # patients in one transaction of those who were stored before there was an index of persons


async def keep_persons(unit: Unit, client: Client, kept: Sequence[Kept]) -> tuple[list[Kept], list[Kept]]:
    """Carries out merges that what was kept tells of, then finds out who is who; before the line is told of anything.

    Gives what was kept as it now is, and what merges have changed beyond that. Without a changed Patient or Coverage it
    costs nothing.
    """
    drafts = [one.draft for one in kept if one.draft is not None and one.changed]
    merged = await apply_merges(Merges(unit), Repository(unit), drafts, client)
    index = Persons(unit)
    await identify(index, list({draft.reference: draft for draft in (*drafts, *merged)}.values()))
    if not merged:
        return list(kept), []
    await rejoin(index, _merged(drafts))
    return _follow(kept, merged)


def _follow(kept: Sequence[Kept], merged: Sequence[Draft]) -> tuple[list[Kept], list[Kept]]:
    """A Patient that a merge has written once more has that version."""
    newest = {draft.reference: draft for draft in merged}
    own = {f"{one.type}/{one.id}" for one in kept}
    followed = [
        replace(one, version=draft.version, draft=draft) if draft is not None else one
        for one in kept
        for draft in [newest.get(f"{one.type}/{one.id}")]
    ]
    further = [draft for reference, draft in newest.items() if reference not in own]
    return followed, [Kept(-1, one.type, one.id, one.version, one, True, "updated") for one in further]


def _merged(drafts: Sequence[Draft]) -> set[str]:
    told = (draft for draft in drafts if draft.type == "Patient")
    return {patient for draft in told for pair in merges_of(draft.id, draft.resource) for patient in pair}


async def take_back_merge(unit: Unit, client: Client, merge_id: str) -> tuple[Merge, list[Draft]]:
    """Undoes a merge and says who is who then; with what was changed back."""
    merge, changed = await undo_merge(Merges(unit), Repository(unit), merge_id, client)
    index = Persons(unit)
    await identify(index, changed)
    await rejoin(index, [merge.prior, merge.survivor])
    return merge, changed


async def identify_stored(unit: Unit, timer: Timer, prepared: None) -> None:
    """Takes in some of the patients that were there before, and comes again while there are more."""
    index = Persons(unit)
    waiting = await index.waiting("", IDENTIFIED)
    if waiting:
        rows = [*await index.patients(waiting), *await index.coverages(waiting)]
        await identify(index, [_draft(stored_of(row)) for row in rows])
        await unit.schedule(timer.kind, timer.key, unit.now + timedelta(microseconds=1))


def timers() -> Mapping[str, TimerHandler]:
    """The migration that made the index of persons has set one for each tenant that had patients."""
    return {"persons.identify": TimerHandler(identify_stored)}


def _draft(stored: Stored) -> Draft:
    resource = read(stored.content)
    return Draft(
        stored.type, stored.id, stored.content, digest(stored.content), resource, facets_of(resource), stored.version
    )
