"""The channels in force: read again when their files change, and kept as they were when one of them is wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from kernel.errors import Refused
from kernel.rules import RuleError

from interface_engine.rules.channel import Channel
from interface_engine.rules.loading import SHIPPED, load_channels
from interface_engine.rules.source import Source

Stamp = tuple[tuple[str, int, int], ...]


class Sources(Mapping[str, Source]):
    """The code maps of whatever channels are in force now."""

    def __init__(self, book: ChannelBook) -> None:
        self._book = book

    def __getitem__(self, name: str) -> Source:
        return self._book.channels()[name].source

    def __iter__(self) -> Iterator[str]:
        return iter(self._book.channels())

    def __len__(self) -> int:
        return len(self._book.channels())


class ChannelBook:
    """The channels by name. RuleError at the start when a file is wrong; later only `refused` is told."""

    def __init__(
        self,
        site: Path | None = None,
        refused: Callable[[RuleError], None] = lambda error: None,
        shipped: Path = SHIPPED,
    ) -> None:
        self._site = site
        self._shipped = shipped
        self._refused = refused
        self._listeners: list[Callable[[tuple[str, ...]], None]] = []
        self._stamp = self._look()
        self._channels: Mapping[str, Channel] = load_channels(shipped, site)
        self.sources: Mapping[str, Source] = Sources(self)

    def channel(self, name: str) -> Channel:
        """Refused channel-unknown when there is none of that name."""
        found = self._channels.get(name)
        if found is None:
            raise Refused("channel-unknown", "no channel of that name", "not_found")
        return found

    def channels(self) -> Mapping[str, Channel]:
        return self._channels

    def routes(self, kind: str) -> list[Channel]:
        """The channels that come in by this transport."""
        return [one for one in self._channels.values() if one.transport.kind == kind]

    def subscribe(self, listener: Callable[[tuple[str, ...]], None]) -> None:
        """Is called with the names of the channels that changed, came or went."""
        self._listeners.append(listener)

    def refresh(self) -> tuple[str, ...]:
        """Reads the files again when any has changed. All or none: one that is wrong leaves every channel as it is."""
        stamp = self._look()
        if stamp == self._stamp:
            return ()
        self._stamp = stamp
        try:
            fresh = load_channels(self._shipped, self._site)
        except RuleError as error:
            self._refused(error)
            return ()
        before = self._channels
        names = sorted(before.keys() | fresh.keys())
        changed = tuple(name for name in names if _digest(before, name) != _digest(fresh, name))
        self._channels = {name: fresh[name] if name in changed else before[name] for name in fresh}
        for listener in self._listeners if changed else ():
            listener(changed)
        return changed

    async def watch(self, every_s: float) -> None:
        """Looks at the files for ever."""
        while True:
            await asyncio.sleep(every_s)
            self.refresh()

    def _look(self) -> Stamp:
        folders = [self._shipped, *([self._site / "sources"] if self._site is not None else [])]
        return tuple(_stamps(folders))


def _stamps(folders: list[Path]) -> Iterator[tuple[str, int, int]]:
    for folder in folders:
        for file in sorted(folder.iterdir()) if folder.is_dir() else ():
            try:
                found = file.stat()
            except FileNotFoundError:
                continue
            yield str(file), found.st_mtime_ns, found.st_size


def _digest(channels: Mapping[str, Channel], name: str) -> str:
    found = channels.get(name)
    return found.sha256 if found is not None else ""
