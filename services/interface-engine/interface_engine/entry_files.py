"""Files of a feed: each is taken in whole, once, or refused whole, and says what became of its rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

import hl7v2
from bus import Database
from kernel.errors import Unreadable
from kernel.identifiers import uuid7

from interface_engine.entry_intake import Intake
from interface_engine.model_messages import Arrival
from interface_engine.rules.channel import CSV, Channel
from interface_engine.store.files import Files, FileTaken
from interface_engine.wire.arrivals import arrival_of, rows_arrival
from interface_engine.wire.csv_rows import Export, read_export, reject_file


@dataclass
class FileIntake:
    """Reads files into messages. The messages of a file and the note that it was read are one transaction."""

    database: Database
    tenant: str
    intake: Intake

    async def take(self, channel: Channel, name: str, data: bytes) -> FileTaken:
        """What became of the file; the same bytes again are known again. Only what storage raises is raised."""
        digest, named = sha256(data).digest(), sha256(name.encode("utf-8", "surrogateescape")).digest()
        file_id = uuid7()
        try:
            arrivals, export = self._read(channel, data, file_id)
        except Unreadable as error:
            taken = FileTaken(file_id, "refused", reason=error.code, path=error.path)
        else:
            taken = _taken(channel, file_id, arrivals, export)
        async with self.database.unit(self.tenant) as unit:
            files = Files(unit)
            day = unit.now.astimezone(channel.zone).date()
            known = await files.note(channel.name, digest, named, len(data), day, taken)
            if known is not None:
                return known
            if taken.state == "read":
                await self.intake.keep(unit, arrivals)
        self.intake.arrived.set()
        return taken

    def _read(self, channel: Channel, data: bytes, file_id: str) -> tuple[list[Arrival], Export | None]:
        now = self.database.clock.now()
        if channel.format == CSV and channel.csv is not None:
            implied = channel.charges is not None and channel.charges.implied
            export = read_export(channel.csv, data, implied=implied)
            return [rows_arrival(channel, rows, file_id, now) for rows in export.visits], export
        batch = hl7v2.split_batch(data)
        for finding in batch.findings:
            if finding.code in _NOT_WHOLE:
                raise Unreadable("file-count", finding.code, "the totals of the batch do not agree with its messages")
        return [arrival_of(channel, raw, now) for raw in batch.messages], None


# What says that messages are missing; anything else that is odd about a batch does not keep its messages out.
_NOT_WHOLE = ("batch.count", "file.count", "batch.no_trailer", "file.no_trailer")


def _taken(channel: Channel, file_id: str, arrivals: Sequence[Arrival], export: Export | None) -> FileTaken:
    if export is None or channel.csv is None:
        return FileTaken(file_id, "read", rows=len(arrivals))
    return FileTaken(
        file_id,
        "read",
        rows=export.rows,
        rejected=len(export.bad),
        cents=export.cents,
        rejected_cents=export.bad_cents,
        rejects=reject_file(channel.csv, export) if export.bad else b"",
        bad=tuple((bad.number, bad.reason) for bad in export.bad),
    )
