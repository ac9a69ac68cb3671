"""What every door does with resources, in the open transaction: keeps them, finds out who is who, tells the line and
whoever listens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bus import Unit
from kernel.identifiers import uuid7

from interface_engine.entry_persons import keep_persons
from interface_engine.handlers.announcing import Channel, announce_changes
from interface_engine.handlers.intake import Arrival, keep_arrivals
from interface_engine.handlers.notices import Book, changes_of, note_changes
from interface_engine.model import Client, Kept, Resource
from interface_engine.model_notices import Change
from interface_engine.store import Repository, Visits
from interface_engine.store.notices import Notices


@dataclass(frozen=True)
class Keeper:
    """`listeners` are the subscriptions; None where nobody serves any."""

    announcing: Channel
    listeners: Book | None = None

    async def keep(
        self, unit: Unit, client: Client, arrivals: Sequence[Arrival], bundle: Resource | None = None
    ) -> list[Kept]:
        """What became of each, in the order given."""
        kept = await keep_arrivals(Repository(unit), client, arrivals, uuid7, bundle)
        kept, further = await keep_persons(unit, client, kept)
        changed = [one.draft for one in kept if one.draft is not None and one.changed]
        await announce_changes(Visits(unit), self.announcing, client, changed)
        await self.note(unit, client, changes_of([*kept, *further]))
        return kept

    async def note(self, unit: Unit, client: Client, changes: Sequence[Change]) -> None:
        """Keeps what subscribers are to be told of these changes."""
        if self.listeners is not None:
            base_url = self.announcing.base_url
            await note_changes(Notices(unit, base_url), self.listeners, client, changes, base_url)
