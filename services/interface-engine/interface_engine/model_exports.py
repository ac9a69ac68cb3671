"""Bulk exports: what was asked for, and how far they have come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

WAITING, RUNNING, DONE, FAILED = "waiting", "running", "done", "failed"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a client asks to be exported: everything, all that belongs to patients, or to those of one group."""

    types: tuple[str, ...]
    patients: bool = False
    group: str = ""
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Export:
    """An export of everything as it was `at` that moment. `place` is the index of the type that is at work, `after`
    the last id of it that is in a file, and `files` how many files there are."""

    id: str
    client: str
    state: str
    request: str
    wanted: Wanted
    at: datetime
    settled_at: datetime
    fence: tuple[str, ...] | None = None
    place: int = 0
    after: str = ""
    resources: int = 0
    files: int = 0
    attempts: int = 0
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class File:
    """One file of an export: NDJSON of resources of one type, in gzip."""

    number: int
    type: str
    resources: int
    packed: bytes = b""


@dataclass(frozen=True, slots=True)
class Found:
    """A resource as it was; `content` is empty where it goes into no file. `after` goes on behind it."""

    id: str
    version: int
    at: datetime
    content: bytes
