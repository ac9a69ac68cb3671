"""The clearinghouse as two folders, for sites whose transfer tool moves files: `in` is theirs to read, `out` ours.

Both sides write under a temporary name that begins with a dot and rename, so that nobody reads half a file:

    in/<name>.837                          a batch
    in/<name>.rt                           a real-time request; the answer comes as out/realtime/<name>.x12
    out/<kind>/<12-digit cursor>-<id>.x12  mailbox files
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import uuid
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from kernel.errors import Refused, Unavailable, Unreadable

from clearinghouse.mailbox import MailFile

_FILE_NAME = re.compile(r"(?P<cursor>[0-9]{12})-[A-Za-z0-9_-]+\.x12")
_MAIL_ID = re.compile(r"[A-Za-z0-9]+/[0-9]{12}-[A-Za-z0-9_-]+")
_BATCH_NAME = re.compile(r"[A-Za-z0-9_-]{1,100}")
_LOOK_EVERY_S = 0.1


class DirectoryClearinghouse:
    """`folder` holds `in` and `out`; it may sit on a mount that comes and goes, which shows as Unavailable."""

    def __init__(self, folder: str | Path) -> None:
        self._in = Path(folder) / "in"
        self._out = Path(folder) / "out"

    async def realtime(self, x12: str, timeout_s: float = 20.0) -> str:
        name = uuid.uuid4().hex
        await asyncio.to_thread(_write_whole, self._in / f"{name}.rt", x12.encode())
        answer = self._out / "realtime" / f"{name}.x12"
        try:
            async with asyncio.timeout(timeout_s):
                await _appears(answer)
        except TimeoutError as error:
            await asyncio.to_thread(_remove, self._in / f"{name}.rt")
            raise Unavailable("clearinghouse-timeout", f"no answer within {timeout_s:g} s") from error
        return _text(await asyncio.to_thread(_read, answer))

    async def send_batch(self, x12: str, name: str) -> str:
        if not _BATCH_NAME.fullmatch(name):
            raise Refused("clearinghouse-batch-name", "a batch name has letters, digits, - and _ only")
        content = x12.encode()
        await asyncio.to_thread(_write_whole, self._in / f"{name}.837", content)
        return hashlib.sha256(content).hexdigest()[:32]

    async def list_files(self, kinds: Sequence[str], after: int, limit: int = 100) -> list[MailFile]:
        found = await asyncio.to_thread(lambda: sorted(self._files(kinds, after), key=lambda file: file.cursor))
        return found[:limit]

    async def fetch(self, id: str) -> bytes:
        if not _MAIL_ID.fullmatch(id):
            raise Refused("clearinghouse-not-found", "no such file", kind="not_found")
        return await asyncio.to_thread(_read, self._out / f"{id}.x12")

    def _files(self, kinds: Sequence[str], after: int) -> Iterator[MailFile]:
        for kind in kinds:
            for name in _names(self._out / kind):
                match = _FILE_NAME.fullmatch(name)
                if match and int(match["cursor"]) > after:
                    yield MailFile(id=f"{kind}/{name.removesuffix('.x12')}", kind=kind, cursor=int(match["cursor"]))


async def _appears(path: Path) -> None:
    while True:
        if await asyncio.to_thread(path.exists):
            return
        await asyncio.sleep(_LOOK_EVERY_S)


def _names(folder: Path) -> list[str]:
    if not folder.parent.parent.is_dir():
        raise Unavailable("clearinghouse-unreachable", "the exchange folder is not there")
    try:
        return os.listdir(folder)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise Unavailable("clearinghouse-unreachable", type(error).__name__) from error


def _write_whole(path: Path, content: bytes) -> None:
    """Durable before visible: a batch that we call sent is still there after a power cut."""
    hidden = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with hidden.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        hidden.replace(path)
    except OSError as error:
        _remove(hidden)
        raise Unavailable("clearinghouse-unreachable", type(error).__name__) from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise Refused("clearinghouse-not-found", "no such file", kind="not_found") from error
    except OSError as error:
        raise Unavailable("clearinghouse-unreachable", type(error).__name__) from error


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink()


def _text(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise Unreadable("clearinghouse-answer", "", "the answer is not UTF-8", error.start) from error
