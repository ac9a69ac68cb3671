"""Notes every version of a channel with who answers for it, and gives stored traffic to dry runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from bus import Database

from interface_engine.model_messages import Wanted
from interface_engine.rules import ChannelBook
from interface_engine.rules.loading import SHIPPED
from interface_engine.store.channels import ChannelVersions
from interface_engine.store.messages import Messages

_PAGE = 200


@dataclass(frozen=True)
class StoredTraffic:
    """Messages of the message store, as `channel replay` plays them."""

    database: Database

    async def __call__(
        self, tenant: str, channel: str, since: datetime | None, limit: int
    ) -> AsyncIterator[tuple[str, bytes]]:
        """The newest `limit` of a channel, the oldest of them first."""
        ids = await self._ids(tenant, channel, since, limit)
        for begin in range(0, len(ids), _PAGE):
            async with self.database.unit(tenant) as unit:
                store = Messages(unit)
                page = [(one, await store.message(one)) for one in ids[begin : begin + _PAGE]]
            for name, message in page:
                if message is not None:
                    yield name, message.raw

    async def _ids(self, tenant: str, channel: str, since: datetime | None, limit: int) -> list[str]:
        ids: list[str] = []
        before: int | None = None
        while len(ids) < limit:
            wanted = Wanted(channel=channel, since=since, before=before, limit=min(_PAGE, limit - len(ids)))
            async with self.database.unit(tenant) as unit:
                found = await Messages(unit).find(wanted)
            ids.extend(one.id for one in found)
            if len(found) < wanted.limit:
                break
            before = found[-1].position
        return ids[::-1]


@dataclass
class VersionKeeper:
    """Notes what is in force at the start and after every change. `changed` is told by the book.

    `missed` is told of feeds whose files became others while no engine ran.
    """

    database: Database
    tenant: str
    book: ChannelBook
    site: Path | None
    log: Any
    missed: Callable[[tuple[str, ...]], None] = lambda names: None
    _waiting: asyncio.Queue[tuple[str, ...]] = field(default_factory=asyncio.Queue)
    _started: bool = False

    def changed(self, names: tuple[str, ...]) -> None:
        """To be noted soon; nothing is done here."""
        self._waiting.put_nowait(names)

    async def run(self) -> None:
        """Until cancelled; what could not be noted is noted the next time."""
        names: tuple[str, ...] = tuple(self.book.channels())
        while True:
            try:
                recorded = await record_versions(self.database, self.tenant, self.book, names, self.site)
            except BaseException:
                self._waiting.put_nowait(names)
                raise
            for name in recorded:
                self.log.info("a channel has a new version", channel=name)
            if recorded and not self._started:
                self.missed(tuple(recorded))
            self._started = True
            names = await self._waiting.get()


async def record_versions(
    database: Database, tenant: str, book: ChannelBook, names: Sequence[str], site: Path | None = None
) -> list[str]:
    """Notes what is in force now where it differs from what is noted; gives the names that did."""
    files = _texts(site)
    recorded: list[str] = []
    async with database.unit(tenant) as unit:
        versions = ChannelVersions(unit)
        for name in names:
            channel = book.channels().get(name)
            if channel is None:
                continue
            own = {file: files[file] for file in channel.files if file in files}
            if await versions.record(name, channel.sha256, channel.owner or "site files", own):
                recorded.append(name)
    return recorded


def _texts(site: Path | None) -> Mapping[str, str]:
    folders = [SHIPPED, *([site / "sources"] if site is not None else [])]
    found = [file for folder in folders if folder.is_dir() for file in sorted(folder.iterdir())]
    return {file.name: file.read_text("utf-8", "replace") for file in found if file.suffix in (".yaml", ".yml", ".csv")}
