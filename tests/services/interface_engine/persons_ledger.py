"""A repository and a ledger of merges in memory, for sequences of merges that would be many transactions."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from fhir_r4 import write
from fhir_r4.references import references
from interface_engine.model import Client, Draft
from interface_engine.model_persons import Change, Merge
from interface_engine.store import Stored
from interface_engine.wire.facets import facets_of
from interface_engine.wire.text import digest

Resource = dict[str, Any]
NOW = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)


@dataclass
class Ledger:
    """Both sides of `apply_merges`: versions of resources, and merges with their changes."""

    versions: dict[str, list[Resource]] = field(default_factory=dict)
    merges: dict[str, Merge] = field(default_factory=dict)
    kept: dict[str, list[Change]] = field(default_factory=dict)
    marked: dict[tuple[str, str], bool] = field(default_factory=dict)
    now: datetime = NOW

    def state(self) -> dict[str, Resource]:
        return {reference: found[-1] for reference, found in sorted(self.versions.items())}

    def tell(self, resource: Resource) -> Draft:
        """What a source sends, stored; the draft of it."""
        reference = f"{resource['resourceType']}/{resource['id']}"
        expected = len(self.versions.get(reference, []))
        self.versions.setdefault(reference, []).append(deepcopy(resource))
        content = write(resource)
        kind, identity = reference.split("/")
        return Draft(kind, identity, content, digest(content), deepcopy(resource), facets_of(resource), expected)

    async def lock(self) -> None:
        pass

    async def way(self, patient: str) -> list[str]:
        found: list[str] = []
        while (merge := await self.active(found[-1] if found else patient)) is not None:
            found.append(merge.survivor)
        return found

    async def referring(self, patient: str, but: Sequence[str], limit: int) -> list[Stored]:
        return [
            self._stored(reference)
            for reference, resource in self.state().items()
            if reference.split("/")[0] not in but
            and any(one.value == f"Patient/{patient}" for one in references(resource))
        ][:limit]

    async def newest(self, wanted: Sequence[str]) -> dict[str, Stored]:
        return {one: self._stored(one) for one in wanted if one in self.versions}

    async def read(self, type_name: str, identity: str, version: int | None = None) -> Stored:
        return self._stored(f"{type_name}/{identity}", version)

    async def put(self, drafts: Sequence[Draft], client: Client, told_at: datetime | None = None) -> dict[str, int]:
        for draft in drafts:
            assert len(self.versions[draft.reference]) == draft.expected
            self.versions[draft.reference].append(deepcopy(draft.resource))
        return {draft.reference: draft.version for draft in drafts}

    async def keep(self, merge: Merge, changes: Sequence[Change]) -> None:
        self.merges[merge.id], self.kept[merge.id] = merge, list(changes)

    async def add(self, merge: Merge, changes: Sequence[Change]) -> None:
        self.kept[merge.id] += changes

    async def mark(self, one: str, other: str, merged: bool) -> None:
        self.marked[one, other] = merged

    async def undone(self, merge_id: str, by: str) -> None:
        self.merges[merge_id] = replace(self.merges[merge_id], undone_at=NOW, undone_by=by)

    async def merge(self, merge_id: str) -> Merge | None:
        return self.merges.get(merge_id)

    async def active(self, prior: str) -> Merge | None:
        return next((one for one in self.merges.values() if one.prior == prior and one.undone_at is None), None)

    async def changes(self, merge_id: str) -> list[Change]:
        return self.kept[merge_id]

    def _stored(self, reference: str, version: int | None = None) -> Stored:
        found = self.versions[reference]
        number = version or len(found)
        kind, identity = reference.split("/")
        return Stored(kind, identity, write(found[number - 1]), number, NOW)
