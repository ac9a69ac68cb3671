"""SQL of the files that were read: each once, by its content."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from bus import Unit

_NOTE = """
insert into file (id, channel, sha256, name_sha256, size, received_at, day, state, rows, rejected, cents,
    rejected_cents, reason, reject_file)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) on conflict (sha256, channel, tenant) do nothing
returning 1
"""
_KNOWN = "select * from file where sha256 = $1 and channel = $2"


@dataclass(frozen=True, slots=True)
class FileTaken:
    """What became of a file. `rejects` holds its bad rows with why; `again`: it was read before."""

    id: str
    state: str
    rows: int = 0
    rejected: int = 0
    cents: int = 0
    rejected_cents: int = 0
    reason: str = ""
    path: str = ""
    rejects: bytes = b""
    bad: Sequence[tuple[int, str]] = ()
    again: bool = False


class Files:
    """Files in one open transaction."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        self._conn = unit.conn

    async def note(
        self, channel: str, sha256: bytes, name_sha256: bytes, size: int, day: date, taken: FileTaken
    ) -> FileTaken | None:
        """Notes it under the feed's day, or gives what became of the same bytes before."""
        counts = (taken.rows, taken.rejected, taken.cents, taken.rejected_cents)
        arguments = (self._unit.now, day, taken.state, *counts, taken.reason, taken.rejects or None)
        fresh = await self._conn.fetchval(_NOTE, taken.id, channel, sha256, name_sha256, size, *arguments)
        if fresh is not None:
            return None
        row: Any = await self._conn.fetchrow(_KNOWN, sha256, channel)
        return FileTaken(
            str(row["id"]), row["state"], row["rows"], row["rejected"], row["cents"],
            row["rejected_cents"], row["reason"],
            rejects=row["reject_file"] or b"", again=True,
        )  # fmt: skip
