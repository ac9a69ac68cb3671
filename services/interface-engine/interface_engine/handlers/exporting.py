"""Begins bulk exports and writes them, file by file, from resources as they were at one moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from fhir_r4 import outcome_of, read
from fhir_r4.references import parse

from interface_engine.model import Client, Rejected
from interface_engine.model_exports import WAITING, Export, File, Found, Wanted
from interface_engine.wire.exports import Packing, line_of

_MOST_OPEN = 5


class Exports(Protocol):
    """Exports and the resources that go into them, in one open transaction."""

    @property
    def now(self) -> datetime: ...
    async def add(self, export: Export) -> None: ...
    async def open_of(self, client: str) -> int: ...
    async def fence(self, export: Export) -> bool: ...
    async def page(self, export: Export, members: Sequence[str], after: str, limit: int) -> list[Found]: ...
    async def keep(self, export: Export, file: File) -> None: ...
    async def step(self, export: Export, place: int, after: str, resources: int) -> None: ...
    async def finish(self, identity: str, expires_at: datetime, failed: bool = False) -> None: ...


class Shelf(Protocol):
    """The repository, in the same transaction."""

    async def history(
        self, type_name: str | None, identity: str | None, *, at: datetime | None = None, limit: int = 50
    ) -> Any: ...


@dataclass(frozen=True, slots=True)
class Rules:
    """`settle`: how far the clocks of replicas may be apart. A file ends at so many resources or bytes, of which one
    is in memory at a time; `keep` is how long files are there."""

    settle: timedelta = timedelta(seconds=2)
    keep: timedelta = timedelta(hours=24)
    page: int = 500
    file_resources: int = 10_000
    file_bytes: int = 8_000_000


async def begin_export(
    exports: Exports, client: Client, identity: str, request: str, wanted: Wanted, rules: Rules
) -> Export:
    """Takes the order. Its moment is now; it is read when everything that began before then is over.

    Rejected 429 when the client has too many under way.
    """
    if await exports.open_of(client.id) >= _MOST_OPEN:
        text = "too many exports of this client are under way"
        raise Rejected(429, outcome_of("throttled", text), {"Retry-After": "60"})
    export = Export(identity, client.id, WAITING, request, wanted, exports.now, exports.now + rules.settle)
    await exports.add(export)
    return export


async def write_file(exports: Exports, shelf: Shelf, export: Export, rules: Rules) -> bool:
    """Writes the next file and how far that goes, or ends the export; False when there is nothing left to do."""
    types = export.wanted.types
    if export.place >= len(types):
        await exports.finish(export.id, exports.now + rules.keep)
        return False
    members, packing = await _members(shelf, export), Packing()
    after, more = await _gather(exports, export, members, rules, packing)
    if packing.resources:
        await exports.keep(export, File(export.files + 1, types[export.place], packing.resources, packing.end()))
    place, after = (export.place, after) if more else (export.place + 1, "")
    await exports.step(export, place, after, packing.resources)
    return True


async def _gather(
    exports: Exports, export: Export, members: Sequence[str], rules: Rules, packing: Packing
) -> tuple[str, bool]:
    """Fills one file, page by page; the last id that was looked at, and whether more may follow."""
    after = export.after
    while True:
        page = await exports.page(export, members, after, rules.page)
        for found in page:
            after = found.id
            if found.content:
                packing.add(line_of(found))
            if packing.size >= rules.file_bytes or packing.resources >= rules.file_resources:
                return after, True
        if len(page) < rules.page:
            return after, False


async def _members(shelf: Shelf, export: Export) -> list[str]:
    """The patients of the group as it was then."""
    if not export.wanted.group:
        return []
    page = await shelf.history("Group", export.wanted.group, at=export.at, limit=1)
    if not page.matches or page.matches[0].deleted:
        return []
    group = read(page.matches[0].content)
    entities = [one.get("entity", {}).get("reference", "") for one in group.get("member", ())]
    targets = [parse(one) for one in entities if one]
    return sorted({str(one.id) for one in targets if one.type == "Patient" and one.kind == "relative"})
