"""A dry run: messages kept in memory as the door would keep them, to see what a channel makes before it is in force."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count

from fhir_r4 import write

from interface_engine.handlers.channels import arrivals_of
from interface_engine.model import Edge, Graph, Resource
from interface_engine.wire.facets import facets_of, plain
from interface_engine.wire.hl7.outcome import Mapped


@dataclass(frozen=True, slots=True)
class _Match:
    id: str
    version: int
    content: bytes


class Rehearsal:
    """Resources by "Type/id" after what was played so far; ids count up from 1."""

    def __init__(self) -> None:
        self.resources: dict[str, Resource] = {}
        self._versions: dict[str, int] = {}
        self._by_key: dict[tuple[str, str, str], list[str]] = {}
        self._told: dict[str, datetime] = {}
        self._numbers = count(1)

    async def play(self, mapped: Mapped) -> list[str]:
        """Keeps a message; gives the references of what it changed."""
        arrivals = await arrivals_of(self, mapped, lambda: f"r{next(self._numbers)}")
        changed: list[str] = []
        for arrival in arrivals:
            resource = arrival.step.resource or {}
            reference = f"{resource['resourceType']}/{resource['id']}"
            self.resources[reference] = resource
            self._versions[reference] = self._versions.get(reference, 0) + 1
            for one in resource.get("identifier", ()):
                key = (resource["resourceType"], str(one.get("system", "")), str(one.get("value", "")))
                owners = self._by_key.setdefault(key, [])
                if reference not in owners:
                    owners.append(reference)
            changed.append(reference)
        return changed

    def graph(self) -> Graph:
        """All of it as the neighbourhood that a snapshot is made of."""
        edges = tuple(
            Edge(reference, plain(link.path), link.to)
            for reference, resource in self.resources.items()
            for link in facets_of(resource).links
        )
        return Graph.of({name: write(resource) for name, resource in self.resources.items()}, edges)

    def all(self, type_name: str) -> list[Resource]:
        return [one for one in self.resources.values() if one["resourceType"] == type_name]

    # What arrivals_of asks

    async def lock(self, conditions: Sequence[str]) -> None:
        """Nobody else is here."""

    async def found(self, keys: Sequence[tuple[str, str, str]]) -> Mapping[int, Sequence[_Match]]:
        return {
            place: [self._match(name) for name in self._by_key[key]]
            for place, key in enumerate(keys)
            if key in self._by_key
        }

    async def newest(self, conditions: Sequence[str]) -> Mapping[str, datetime]:
        return {name: self._told[name] for name in conditions if name in self._told}

    async def tell(self, conditions: Sequence[str], at: datetime) -> None:
        for name in conditions:
            self._told[name] = max(at, self._told.get(name, at))

    def _match(self, reference: str) -> _Match:
        return _Match(reference.partition("/")[2], self._versions[reference], write(self.resources[reference]))
