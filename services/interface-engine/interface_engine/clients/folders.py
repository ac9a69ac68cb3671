"""Folders that feeds put files into: on this machine, or on an SFTP server."""

from __future__ import annotations

import asyncio
import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

import asyncssh
from kernel.errors import Unavailable

from interface_engine.rules.channel import Transport

_PORT = 22
_UNFINISHED = (".tmp", ".part", ".filepart")


@dataclass(frozen=True, slots=True)
class Lying:
    """A file that lies there, and what would change if somebody still wrote to it."""

    name: str
    size: int
    changed: float


class Folder(Protocol):
    """A folder. Unavailable when it is away; a file that is gone by now is None or False."""

    async def files(self, pattern: str) -> list[Lying]: ...
    async def read(self, name: str) -> bytes | None: ...
    async def move(self, name: str, folder: str) -> bool: ...
    async def write(self, folder: str, name: str, data: bytes) -> None: ...
    async def close(self) -> None: ...


def is_whole(name: str) -> bool:
    """Whether a name says that its file is still being written: a dot in front, or an ending of transfer tools."""
    return not name.startswith(".") and not name.endswith(_UNFINISHED)


@dataclass(frozen=True)
class LocalFolder:
    """A folder of this machine; it may be a mount that comes and goes."""

    folder: Path

    async def files(self, pattern: str) -> list[Lying]:
        return await asyncio.to_thread(self._files, pattern)

    def _files(self, pattern: str) -> list[Lying]:
        try:
            found = [one for one in self.folder.glob(pattern) if one.is_file() and is_whole(one.name)]
            return sorted((_lying(one) for one in found), key=lambda one: (one.changed, one.name))
        except OSError as error:
            raise Unavailable("feed-folder", "the feed's folder cannot be read") from error

    async def read(self, name: str) -> bytes | None:
        try:
            return await asyncio.to_thread((self.folder / name).read_bytes)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Unavailable("feed-folder", "a file of the feed cannot be read") from error

    async def move(self, name: str, folder: str) -> bool:
        return await asyncio.to_thread(self._move, name, folder)

    def _move(self, name: str, folder: str) -> bool:
        target = self.folder / folder
        try:
            target.mkdir(parents=True, exist_ok=True)
            (self.folder / name).rename(free_name(target / name))
        except FileNotFoundError:
            return False
        except OSError as error:
            raise Unavailable("feed-folder", "a file of the feed cannot be moved") from error
        return True

    async def write(self, folder: str, name: str, data: bytes) -> None:
        await asyncio.to_thread(self._write, folder, name, data)

    def _write(self, folder: str, name: str, data: bytes) -> None:
        target = self.folder / folder
        try:
            target.mkdir(parents=True, exist_ok=True)
            draft = target / f".{name}.tmp"
            draft.write_bytes(data)
            draft.rename(free_name(target / name))
        except OSError as error:
            raise Unavailable("feed-folder", "the feed's folder cannot be written to") from error

    async def close(self) -> None:
        """Nothing is open between two calls."""


def free_name(file: Path) -> Path:
    """The name, or with a number when there is such a file already: nothing is written over."""
    number, found = 1, file
    while found.exists():
        number += 1
        found = file.with_name(f"{file.name}.{number}")
    return found


async def _free(client: asyncssh.SFTPClient, file: PurePosixPath) -> PurePosixPath:
    """The same on a server."""
    number, found = 1, file
    while await client.exists(str(found)):
        number += 1
        found = file.with_name(f"{file.name}.{number}")
    return found


def _lying(file: Path) -> Lying:
    about = file.stat()
    return Lying(file.name, about.st_size, about.st_mtime)


class SftpFolder:
    """A folder on an SFTP server. The server's key must be known; a connection is kept while it lasts."""

    def __init__(self, transport: Transport, timeout_s: float = 20.0) -> None:
        self._options = transport.options
        self._folder = PurePosixPath(str(self._options.get("folder", ".")))
        self._timeout_s = timeout_s
        self._connection: asyncssh.SSHClientConnection | None = None
        self._client: asyncssh.SFTPClient | None = None

    async def files(self, pattern: str) -> list[Lying]:
        async def look(client: asyncssh.SFTPClient) -> list[Lying]:
            found = await client.readdir(str(self._folder))
            return [_remote(one) for one in found if one.attrs.type == asyncssh.FILEXFER_TYPE_REGULAR]

        listed: list[Lying] = await self._do(look)
        wanted = [one for one in listed if fnmatch.fnmatch(one.name, pattern) and is_whole(one.name)]
        return sorted(wanted, key=lambda one: (one.changed, one.name))

    async def read(self, name: str) -> bytes | None:
        async def fetch(client: asyncssh.SFTPClient) -> bytes | None:
            try:
                async with client.open(str(self._folder / name), "rb") as file:
                    found: Any = await file.read()
                    return bytes(found)
            except asyncssh.SFTPNoSuchFile:
                return None

        found: bytes | None = await self._do(fetch)
        return found

    async def move(self, name: str, folder: str) -> bool:
        async def rename(client: asyncssh.SFTPClient) -> bool:
            target = self._folder / folder
            await client.makedirs(str(target), exist_ok=True)
            try:
                await client.rename(str(self._folder / name), str(await _free(client, target / name)))
            except asyncssh.SFTPNoSuchFile:
                return False
            return True

        return bool(await self._do(rename))

    async def write(self, folder: str, name: str, data: bytes) -> None:
        async def put(client: asyncssh.SFTPClient) -> None:
            target = self._folder / folder
            await client.makedirs(str(target), exist_ok=True)
            async with client.open(str(await _free(client, target / name)), "wb") as file:
                await file.write(data)

        await self._do(put)

    async def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = self._client = None

    async def _do(self, action: Any) -> Any:
        try:
            async with asyncio.timeout(self._timeout_s):
                if self._client is None:
                    await self._connect()
                return await action(self._client)
        except (OSError, TimeoutError, asyncssh.Error) as error:
            await self.close()
            raise Unavailable("feed-folder", "the feed's SFTP server does not do what is asked") from error

    async def _connect(self) -> None:
        given = self._options
        self._connection = await asyncssh.connect(
            str(given["host"]),
            int(given.get("port", _PORT)),
            username=str(given["user"]),
            client_keys=[str(given["key_file"])] if "key_file" in given else None,
            known_hosts=str(given["known_hosts_file"]) if "known_hosts_file" in given else (),
            config=None,
        )
        self._client = await self._connection.start_sftp_client()


def _remote(entry: Any) -> Lying:
    name = entry.filename if isinstance(entry.filename, str) else entry.filename.decode("utf-8", "surrogateescape")
    return Lying(name, entry.attrs.size or 0, float(entry.attrs.mtime or 0))


def open_folder(transport: Transport) -> Folder:
    """The folder that a feed's file names."""
    if transport.kind == "sftp":
        return SftpFolder(transport)
    return LocalFolder(Path(str(transport.options["folder"])))


KINDS: Sequence[str] = ("directory", "sftp")
