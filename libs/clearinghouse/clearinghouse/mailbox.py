"""What the line needs of a clearinghouse, without saying how it is reached."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class MailFile:
    """A file in our mailbox. `id` is opaque, `kind` 999, 277CA, TA1, 835 or CCD; `cursor` rises and never repeats."""

    id: str
    kind: str
    cursor: int


class Clearinghouse(Protocol):
    """Every method raises Unavailable (try later), Refused (again fares the same) or Unreadable (bad answer)."""

    async def realtime(self, x12: str, timeout_s: float = 20.0) -> str:
        """Asks a 270 or 278 and returns the 271, 278, TA1 or 999 that answers. CAQH CORE gives 20 seconds."""
        ...

    async def send_batch(self, x12: str, name: str) -> str:
        """Hands over an 837 and returns the file's id. The same bytes again give the same id and are worked on once.

        `name` is our own opaque name of the file: letters, digits, `-` and `_`.
        """
        ...

    async def list_files(self, kinds: Sequence[str], after: int, limit: int = 100) -> list[MailFile]:
        """Files of these kinds whose cursor is greater than `after`, oldest first. Files stay where they are."""
        ...

    async def fetch(self, id: str) -> bytes:
        """The raw bytes of one file. Refused of kind not_found when there is none."""
        ...
