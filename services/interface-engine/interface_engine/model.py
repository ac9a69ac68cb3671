"""What the door deals in: clients, resources on their way in, the index of what they refer to, and visits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from kernel.transitions import Transitions

Resource = dict[str, Any]

Became = Literal["created", "updated", "deleted", "found"]
# What an entry that was carried out is answered with.
_STATUS: Mapping[Became, str] = {
    "created": "201 Created",
    "updated": "200 OK",
    "deleted": "204 No Content",
    "found": "200 OK",
}

# A visit as the line has been told of it. Finished stays finished: what comes after amends it.
VISIT_STATES = Transitions(
    {
        "": ("started", "finished", "cancelled"),
        "started": ("finished", "cancelled"),
        "finished": ("cancelled",),
        "cancelled": ("started", "finished"),
    }
)


class Rejected(Exception):
    """A request that FHIR has a status of its own for: an HTTP status, the OperationOutcome that says why, and headers
    that belong to that status."""

    def __init__(self, status: int, outcome: Resource, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"refused with {status}")
        self.status = status
        self.outcome = outcome
        self.headers: Mapping[str, str] = headers or {}


@dataclass(frozen=True, slots=True)
class Client:
    """Who sends: its id, the tenant that it acts for, and the source channel whose rules read its codes."""

    id: str
    tenant: str
    source: str


@dataclass(frozen=True, slots=True)
class Link:
    """A reference to another stored resource: `path` with indexes (Encounter.location[0].location), `to` Type/id."""

    path: str
    to: str


@dataclass(frozen=True, slots=True)
class Facets:
    """What is indexed of a resource. Identifiers are (system, value); `unresolved` are paths that lead nowhere.

    Rows of the search begin with "Type.parameter": tokens with system and code, strings with folded text, days with
    the first moment and the one after the last, numbers as texts in the order of the numbers with system and code.
    """

    links: tuple[Link, ...] = ()
    identifiers: tuple[tuple[str, str], ...] = ()
    status: str = ""
    unresolved: tuple[str, ...] = ()
    tokens: tuple[tuple[str, str, str], ...] = ()
    strings: tuple[tuple[str, str], ...] = ()
    days: tuple[tuple[str, datetime, datetime], ...] = ()
    numbers: tuple[tuple[str, str, str, str], ...] = ()
    uris: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Current:
    """The newest stored version of a resource. A deleted one is followed by what revives it, and is nowhere else."""

    version: int
    sha256: bytes
    status: str
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Draft:
    """A resource as it shall be stored: `content` is the text, `expected` the version that it follows (0: new)."""

    type: str
    id: str
    content: bytes
    sha256: bytes
    resource: Resource
    facets: Facets
    expected: int = 0
    previous_status: str = ""

    @property
    def reference(self) -> str:
        return f"{self.type}/{self.id}"

    @property
    def version(self) -> int:
        """The version that it becomes."""
        return self.expected + 1

    def leads_to(self, type_name: str, *elements: str) -> str:
        """The first "Type/id" of that type under one of these elements, or under any where none is named; or ""."""
        paths = tuple(f"{self.type}.{element}" for element in elements)
        for link in self.facets.links:
            if link.to.startswith(f"{type_name}/") and (not paths or link.path.startswith(paths)):
                return link.to
        return ""


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of entry `index` of a request. `draft` is None when a conditional create found the resource; that of
    a deletion is the last text, called off. Found is what was there already as it was sent."""

    index: int
    type: str
    id: str
    version: int
    draft: Draft | None = None
    changed: bool = False
    became: Became = "found"

    @property
    def status(self) -> str:
        return _STATUS[self.became]


@dataclass(frozen=True, slots=True)
class Visit:
    """An encounter's place on the line. `version` rises with each fact; `state` is what was last told.

    `unmapped` says that something in it holds until a code map knows its code.
    """

    encounter: str
    encounter_key: str
    journey_id: str
    state: str = ""
    version: int = 0
    source: str = ""
    unmapped: bool = False


@dataclass(frozen=True, slots=True)
class Edge:
    """One row of the reference index, without list indexes in its path."""

    source: str
    path: str
    target: str


@dataclass(frozen=True, slots=True)
class Graph:
    """A neighbourhood of stored resources: text by reference, and who refers to whom."""

    contents: Mapping[str, bytes]
    edges: tuple[Edge, ...] = ()
    outgoing: Mapping[str, tuple[Edge, ...]] = field(default_factory=dict)
    incoming: Mapping[str, tuple[Edge, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, contents: Mapping[str, bytes], edges: tuple[Edge, ...]) -> Graph:
        outgoing: dict[str, list[Edge]] = {}
        incoming: dict[str, list[Edge]] = {}
        for edge in edges:
            outgoing.setdefault(edge.source, []).append(edge)
            incoming.setdefault(edge.target, []).append(edge)
        frozen = ({key: tuple(value) for key, value in one.items()} for one in (outgoing, incoming))
        return cls(contents, edges, *frozen)

    def out(self, reference: str, type_name: str = "", path: str = "") -> list[str]:
        """What `reference` refers to, in order, of that type and under that path where they are given."""
        found = (
            edge.target
            for edge in self.outgoing.get(reference, ())
            if edge.target.startswith(f"{type_name}/" if type_name else "") and (not path or edge.path == path)
        )
        return list(dict.fromkeys(found))

    def into(self, reference: str, type_name: str = "") -> list[str]:
        """What refers to `reference`, of that type where it is given."""
        found = (edge.source for edge in self.incoming.get(reference, ()))
        return list(dict.fromkeys(one for one in found if one.startswith(f"{type_name}/" if type_name else "")))

    def text(self, reference: str) -> bytes:
        """The resource's text, empty when it is not stored."""
        return self.contents.get(reference, b"")
