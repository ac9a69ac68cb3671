"""The clearinghouse as a folder: `in` is read, `out` is written, temporary names begin with a dot.

What is in the store and not yet in the folder is written again after a crash, under the same name.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from kernel.errors import LineError

from simulator.handlers import World, accept_batch, answer_realtime

_AT_ONCE = 500


@dataclass(slots=True)
class Drop:
    """One folder and the mailbox that it belongs to. `written` is the highest cursor that is in the folder."""

    world: World
    folder: Path
    submitter: str
    written: int | None = None

    def look(self, now: datetime) -> int:
        """Work on what came and write what is new. How many files were moved; blocks."""
        return self._take(now) + self._write_mail()

    def _take(self, now: datetime) -> int:
        incoming = self.folder / "in"
        incoming.mkdir(parents=True, exist_ok=True)
        files = sorted(file for file in incoming.iterdir() if file.suffix in _KINDS and not file.name.startswith("."))
        for file in files:
            try:
                _KINDS[file.suffix](self, file, now)
            except LineError:
                self._set_aside(file)
            else:
                file.unlink(missing_ok=True)
        return len(files)

    def _answer(self, file: Path, now: datetime) -> None:
        answer = answer_realtime(self.world, file.read_text(encoding="utf-8", errors="replace"), now)
        _write_whole(self.folder / "out" / "realtime" / f"{file.stem}.x12", answer.encode())

    def _accept(self, file: Path, now: datetime) -> None:
        accept_batch(self.world, self.submitter, file.read_bytes(), now)

    def _set_aside(self, file: Path) -> None:
        """What cannot be read is kept where a person finds it."""
        refused = self.folder / "refused"
        refused.mkdir(exist_ok=True)
        file.replace(refused / file.name)

    def _write_mail(self) -> int:
        self.written = self._last_cursor() if self.written is None else self.written
        mails = self.world.store.list_mail(self.submitter, (), self.written, _AT_ONCE)
        for mail in mails:
            content = self.world.store.read_mail(self.submitter, mail.id) or b""
            _write_whole(self.folder / "out" / mail.kind / f"{mail.cursor:012d}-{mail.id}.x12", content)
            self.written = mail.cursor
        return len(mails)

    def _last_cursor(self) -> int:
        """Files are written in the order of their cursors, so the highest one there says how far we came."""
        names = [file.name for file in (self.folder / "out").glob("*/[0-9]*-*.x12")]
        return max((int(name.partition("-")[0]) for name in names), default=0)


_KINDS = {".rt": Drop._answer, ".837": Drop._accept}


def _write_whole(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    hidden = path.with_name(f".{path.name}")
    with hidden.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    hidden.replace(path)
