"""MLLP framing without I/O: `0x0B message 0x1C 0x0D` (HL7 v2 Minimal Lower Layer Protocol, release 1).

What arrives is a stream: a read may hold half a message or five. The result never depends on where reads were cut.
Nothing is dropped silently: whatever is no message comes out as a `Fault`, so that the connection's owner can count it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from kernel.errors import Unreadable

START, END, CR, LF = 0x0B, 0x1C, 0x0D, 0x0A
_BOM = b"\xef\xbb\xbf"
_OPENINGS = tuple(bom + header for bom in (b"", _BOM) for header in (b"MSH", b"FHS", b"BHS"))
KEPT = 1024  # bytes that a fault keeps of what it drops: enough for the MSH that an acknowledgement answers

FaultKind = Literal["stray", "unterminated", "missing_cr", "oversize", "partial"]


@dataclass(frozen=True, slots=True)
class Frame:
    """One message as it came, without its frame."""

    payload: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Fault:
    """What was wrong, how many bytes it concerns, and these bytes or the first of them.

    `stray`: bytes between frames (the first 1,024 are kept). `unterminated`: a frame began before this one ended (all).
    `missing_cr`: the frame just given ended without its last byte (count: bytes after the end block, kept).
    `oversize`: more bytes than allowed (the first 1,024). `partial`: the stream ended within a frame (all).
    """

    kind: FaultKind
    count: int
    data: bytes = field(default=b"", repr=False)


def frame(payload: bytes) -> bytes:
    """A message in its frame. Error: `mllp.payload` when it holds what ends a frame or begins one."""
    if END in payload or any(bytes((START,)) + opening in payload for opening in _OPENINGS):
        raise Unreadable("mllp.payload", "", "the message holds a border of its frame")
    return bytes((START,)) + payload + bytes((END, CR))


class Framer:
    """One direction of one connection.

    Real senders put vertical tabs (0x0B) into text, forget the last CR, and start over after a broken write. So a start
    byte within a frame begins another one only before a header segment, and an end block counts only before CR, LF or a
    start byte. Memory is bounded by `max_bytes` and the size of one read.
    """

    def __init__(self, max_bytes: int = 16 * 1024 * 1024) -> None:
        self._max_bytes = max_bytes
        self._buffer = bytearray()
        self._looked = 0  # bytes of the buffer that surely hold no border
        self._ends = 0  # where the next end block is, or how far there surely is none
        self._inside = False
        self._dropped = 0  # bytes of this frame or of these strays that were let go
        self._head = b""  # the first of them

    @property
    def pending(self) -> int:
        """Bytes of a frame that has begun and not ended; 0 between frames."""
        return self._dropped + len(self._buffer) if self._inside else 0

    @property
    def oversize(self) -> bool:
        """Whether the frame that now arrives is too large already, and is being dropped."""
        return self._inside and self._dropped > 0

    def feed(self, data: bytes) -> list[Frame | Fault]:
        """What is complete now, in order."""
        self._buffer += data
        found: list[Frame | Fault] = []
        while self._within(found) if self._inside else self._between(found):
            pass
        self._let_go()
        return found

    def idle(self) -> list[Frame | Fault]:
        """To call when nothing came for a while: a frame that lacks only its last CR is complete then."""
        if not self._inside or self._buffer[-1:] != bytes((END,)):
            return []
        found: list[Frame | Fault] = []
        self._end(found, len(self._buffer) - 1, len(self._buffer))
        return found

    def close(self) -> list[Frame | Fault]:
        """What is left when the stream ends. The framer can be used again."""
        found: list[Frame | Fault] = []
        if self._inside:
            self._broken(found, "partial", len(self._buffer))
        else:
            self._strays(found, len(self._buffer))
        self._inside = False
        self._cut(len(self._buffer))
        return found

    def _between(self, found: list[Frame | Fault]) -> bool:
        """Goes on to the next start byte; False when there is none yet."""
        at = self._buffer.find(START)
        if at < 0:
            self._looked = len(self._buffer)
            return False
        self._strays(found, at)
        self._begin(at + 1)
        return True

    def _within(self, found: list[Frame | Fault]) -> bool:
        """Goes on to the next border of the frame; False when there is none yet."""
        buffer = self._buffer
        end = self._next_end()
        start = buffer.find(START, self._looked, end)
        at = start if start >= 0 else end
        self._looked = at
        if len(buffer) <= at + 1 or (at == start and self._may_open(at + 1)):
            return False  # what follows decides, and has not come yet
        if at == start and buffer.startswith(_OPENINGS, at + 1):
            self._broken(found, "unterminated", at)
            self._begin(at + 1)
        elif at == end and buffer[at + 1] in (CR, LF, START):
            self._end(found, at, at + 1 if buffer[at + 1] == START else at + 2)
        else:
            self._looked = at + 1
        return True

    def _next_end(self) -> int:
        """Where the next end block is, the length of the buffer when it has not come; no byte is searched twice."""
        buffer = self._buffer
        if self._ends < self._looked or (self._ends < len(buffer) and buffer[self._ends] != END):
            at = buffer.find(END, max(self._ends, self._looked))
            self._ends = at if at >= 0 else len(buffer)
        return self._ends

    def _may_open(self, at: int) -> bool:
        """Whether the rest of the buffer is the beginning of an opening, and no more."""
        rest = bytes(self._buffer[at : at + 6])
        return any(len(rest) < len(opening) and opening.startswith(rest) for opening in _OPENINGS)

    def _end(self, found: list[Frame | Fault], at: int, after: int) -> None:
        """The frame ends at its end block `at`; `after` is where the next bytes begin."""
        count = self._dropped + at
        complete = self._buffer[at + 1 : after] == bytes((CR,))
        if count > self._max_bytes:
            found.append(Fault("oversize", count, self._kept(at)))
        else:
            found.append(Frame(bytes(self._buffer[:at])))
        if not complete:
            found.append(Fault("missing_cr", 0))
        self._inside = False
        self._cut(after)

    def _broken(self, found: list[Frame | Fault], kind: FaultKind, at: int) -> None:
        """The frame stops at `at` without its end; where an end block and blanks are the last of it, it is whole."""
        count = self._dropped + at
        if count > self._max_bytes:
            found.append(Fault("oversize", count, self._kept(at)))
            return
        payload, end, after = bytes(self._buffer[:at]).rpartition(bytes((END,)))
        if end and not after.strip():
            found.append(Frame(payload))
            found.append(Fault("missing_cr", len(after), after))
        else:
            found.append(Fault(kind, count, payload + end + after))

    def _strays(self, found: list[Frame | Fault], at: int) -> None:
        if self._dropped + at:
            found.append(Fault("stray", self._dropped + at, self._kept(at)))

    def _begin(self, at: int) -> None:
        self._inside = True
        self._cut(at)

    def _cut(self, at: int) -> None:
        del self._buffer[:at]
        self._looked, self._ends, self._dropped, self._head = 0, max(self._ends - at, 0), 0, b""

    def _kept(self, at: int) -> bytes:
        return (self._head + bytes(self._buffer[: min(at, KEPT)]))[:KEPT]

    def _let_go(self) -> None:
        """Drops strays, and the part that is surely of a frame over the limit."""
        limit = self._max_bytes if self._inside else 0
        if self._dropped + self._looked <= limit:
            return
        self._head = self._kept(self._looked)
        self._dropped += self._looked
        del self._buffer[: self._looked]
        self._looked, self._ends = 0, max(self._ends - self._looked, 0)
