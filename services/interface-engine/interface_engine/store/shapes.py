"""What the stores give back, and the little that all of them need."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from interface_engine.model import Client

READ_MODEL = Client(id="line", tenant="", source="line")


class Overtaken(Exception):
    """Another request has written one of the resources since we read it: begin again."""


# What another request may do to ours while both run: the caller begins again.
RETRIED: tuple[type[Exception], ...] = (
    Overtaken,
    asyncpg.UniqueViolationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
)


@dataclass(frozen=True, slots=True)
class Stored:
    """A version of a resource as it is kept, and when it came. A deleted one has no content."""

    type: str
    id: str
    content: bytes
    version: int
    updated_at: datetime
    deleted: bool = False

    @property
    def reference(self) -> str:
        return f"{self.type}/{self.id}"


def stored_of(row: asyncpg.Record) -> Stored:
    """From a row with type, id, bytes, version, received_at and deleted."""
    return Stored(row["type"], row["id"], row["bytes"], row["version"], row["received_at"], row["deleted"])


@dataclass(frozen=True, slots=True)
class Page:
    """Matches in their order; `next` is where the following page begins, "" after the last."""

    matches: list[Stored]
    next: str = ""


def split(references: Iterable[str]) -> tuple[list[str], list[str]]:
    """Types and ids of "Type/id" references."""
    pairs = [reference.split("/", 1) for reference in references]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def columns(rows: Sequence[tuple[object, ...]], width: int) -> list[list[object]]:
    """Rows as the arrays that `unnest` takes."""
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]
