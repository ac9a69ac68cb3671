"""Looks after the folders that feeds put files into: takes each file once, and puts it where its fate can be seen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from chassis.storage_errors import STORAGE_ERRORS
from kernel.errors import Unavailable

from interface_engine.clients.folders import KINDS, Folder, Lying, open_folder
from interface_engine.entry_files import FileIntake
from interface_engine.rules.channel import Channel, Transport
from interface_engine.store.files import FileTaken

DONE, REJECTED = "done", "rejected"
_AWAY: tuple[type[BaseException], ...] = (Unavailable, *STORAGE_ERRORS)
_POLL_S = 5
_LONGEST_PAUSE_S = 60.0


@dataclass
class DropWatcher:
    """`channels` gives the channels as they are configured now: a folder that is new is watched from then on."""

    channels: Callable[[], Mapping[str, Channel]]
    files: FileIntake
    log: Any
    open: Callable[[Transport], Folder] = open_folder
    _folders: dict[str, tuple[Transport, Folder]] = field(default_factory=dict)
    _seen: dict[str, dict[str, Lying]] = field(default_factory=dict)
    _tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    async def run(self) -> None:
        """Until cancelled."""
        try:
            while True:
                wanted = {name for name, one in self.channels().items() if one.transport.kind in KINDS}
                for name in wanted - self._tasks.keys():
                    self._tasks[name] = asyncio.create_task(self._watch(name))
                for name in self._tasks.keys() - wanted:
                    self._tasks.pop(name).cancel()
                await asyncio.sleep(1)
        finally:
            for task in self._tasks.values():
                task.cancel()
            for _, folder in self._folders.values():
                await folder.close()

    async def _watch(self, name: str) -> None:
        """One feed's folder. One that is away is asked again, less and less often."""
        failures = 0
        while True:
            channel = self.channels().get(name)
            if channel is None:
                return
            try:
                await self.look(channel)
                failures = 0
            except _AWAY as error:
                failures += 1
                self.log.warning("feed folder is away", channel=name, error=type(error).__name__, attempts=failures)
            except Exception as error:
                failures += 1
                self.log.error("feed folder failed", channel=name, exc_info=error)
            pause = float(channel.transport.options.get("poll_s", _POLL_S))
            await asyncio.sleep(min(_LONGEST_PAUSE_S, pause * 2 ** min(failures, 5)))

    async def look(self, channel: Channel) -> list[FileTaken]:
        """Takes what lies there and has not changed since the last look."""
        folder = self._folder(channel)
        lying = await folder.files(str(channel.transport.options.get("pattern", "*")))
        before, self._seen[channel.name] = self._seen.get(channel.name, {}), {one.name: one for one in lying}
        settled = [one for one in lying if before.get(one.name) == one]
        return [taken for one in settled if (taken := await self._take(channel, folder, one)) is not None]

    def _folder(self, channel: Channel) -> Folder:
        known = self._folders.get(channel.name)
        if known is None or known[0] != channel.transport:
            known = (channel.transport, self.open(channel.transport))
            self._folders[channel.name] = known
        return known[1]

    async def _take(self, channel: Channel, folder: Folder, lying: Lying) -> FileTaken | None:
        if lying.size > channel.transport.max_bytes:
            taken = FileTaken("", "refused", reason="file-too-large")
        else:
            data = await folder.read(lying.name)
            if data is None:
                return None
            taken = await self.files.take(channel, lying.name, data)
        await self._put_away(channel, folder, lying, taken)
        self.log.info(
            "file taken", channel=channel.name, state=taken.state, count=taken.rows, reason_code=taken.reason or None,
            dropped=taken.rejected,
        )  # fmt: skip
        return taken

    async def _put_away(self, channel: Channel, folder: Folder, lying: Lying, taken: FileTaken) -> None:
        """After the commit: a crash in between means that the same file is met again, and known again."""
        options = channel.transport.options
        rejected = str(options.get("reject_folder", REJECTED))
        if taken.state == "refused":
            why = f"{taken.reason}\t{taken.path}\n".encode()
            await folder.write(rejected, f"{lying.name}.reason.txt", why)
            await folder.move(lying.name, rejected)
            return
        if taken.rejects:
            await folder.write(rejected, f"{lying.name}.rejected.csv", taken.rejects)
        await folder.move(lying.name, str(options.get("done_folder", DONE)))
