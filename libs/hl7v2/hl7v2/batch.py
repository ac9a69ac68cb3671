"""Batch files (FHS, BHS, messages, BTS, FTS: HL7 v2 chapter 2, "Batch protocol") taken apart and counted.

A file that arrived in part is the usual accident of a drop folder. Its trailers tell: a count that is wrong, or no
trailer at all, is a finding and not an error, because the messages that did come are messages all the same.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from itertools import zip_longest

from kernel.errors import Unreadable

from hl7v2.charset import wide_codec

_MARKS = re.compile(r"(?:(?<=[\r\n\x0b])|\A)[ \t]*(?P<id>MSH|FHS|BHS|BTS|FTS)(?=[^A-Za-z0-9\s]|[\r\n]|\Z)")
_BEFORE = " \t\r\n\x0b\0\ufeff\xef\xbb\xbf"  # the UTF-8 byte order mark as Latin-1 too
_BORDERS = "\r\n\x0b\x1c\x1a\0"
_BLANK = " \t" + _BORDERS


@dataclass(frozen=True, slots=True)
class BatchFinding:
    """What is wrong with a file: `position` is that of the segment in the file, counts are of messages or batches."""

    code: str
    reason: str
    position: int
    expected: int | None = None
    found: int | None = None


@dataclass(frozen=True, slots=True)
class BatchFile:
    """The messages byte for byte as they lie in the file, without the line ends after the last segment."""

    messages: tuple[bytes, ...]
    findings: tuple[BatchFinding, ...]
    has_headers: bool


@dataclass(frozen=True, slots=True)
class _Piece:
    """From one header or trailer to before the next."""

    id: str
    text: str
    position: int

    @property
    def count(self) -> str:
        """BTS-1 or FTS-1."""
        line = re.split(r"[\r\n]", self.text, maxsplit=1)[0]
        fields = line.split(line[3:4] or "|")
        return fields[1].strip() if len(fields) > 1 else ""


def split_batch(data: bytes) -> BatchFile:
    """The messages of a file with batch headers, with some of them, or with none and several MSH.

    Findings: `batch.count` and `file.count` (BTS-1, FTS-1 not what is there), `batch.count_unreadable`,
    `batch.no_trailer`, `file.no_trailer`, `batch.stray` (text outside of messages).
    Errors: `hl7.empty`, `hl7.no_msh` when there is neither a message nor a header.
    """
    text, codec = _as_text(data)
    pieces = _pieces(text)
    if not pieces:
        empty = not text.strip(_BEFORE + _BLANK)
        raise Unreadable("hl7.empty" if empty else "hl7.no_msh", "MSH", "the file has no message and no header", 0)
    texts = [piece.text.rstrip(_BORDERS) for piece in pieces if piece.id == "MSH"]
    messages = tuple(message.encode(codec) for message in texts)
    findings = [*_before(text, pieces[0].position), *_strays(pieces), *_counts(pieces), *_trailers(pieces)]
    findings.sort(key=lambda finding: finding.position)
    return BatchFile(messages, tuple(findings), any(piece.id in ("FHS", "BHS") for piece in pieces))


def _as_text(data: bytes) -> tuple[str, str]:
    """Latin-1, which is bytes by another name, so that every line border stays where it is; UTF-16 and 32 as such."""
    codec = wide_codec(data)
    if codec:
        whole = len(data) - len(data) % (4 if codec.startswith("utf-32") else 2)  # a torn file ends within a character
        with suppress(UnicodeDecodeError):
            return data[:whole].decode(codec), codec
    return data.decode("latin-1"), "latin-1"


def _pieces(text: str) -> list[_Piece]:
    body = text.lstrip(_BEFORE)
    begun = len(text) - len(body)
    marks = [(match["id"], match.start("id")) for match in _MARKS.finditer(body)]
    ends = [position for _, position in marks[1:]] + [len(body)]
    return [_Piece(id, body[position:end], begun + position) for (id, position), end in zip(marks, ends, strict=False)]


def _before(text: str, position: int) -> list[BatchFinding]:
    if not text[:position].strip(_BEFORE + _BLANK):
        return []
    return [BatchFinding("batch.stray", "text before the first segment of the file", 0)]


def _strays(pieces: list[_Piece]) -> list[BatchFinding]:
    """Segments between a batch header or trailer and the next message belong to no message."""
    others = (piece for piece in pieces if piece.id != "MSH")
    return [
        BatchFinding("batch.stray", f"segments after {piece.id} that belong to no message", piece.position)
        for piece in others
        if any(line.strip(_BLANK) for line in re.split(r"[\r\n]", piece.text)[1:])
    ]


def _counts(pieces: list[_Piece]) -> list[BatchFinding]:
    """BTS-1 against the messages since its header, FTS-1 against the batches since its."""
    findings: list[BatchFinding] = []
    messages = batches = 0
    for piece in pieces:
        if piece.id == "MSH":
            messages += 1
        elif piece.id == "BHS":
            messages = 0
            batches += 1
        elif piece.id == "FHS":
            messages = batches = 0
        elif piece.id == "BTS":
            findings += _count(piece, "batch.count", messages)
            messages = 0
        else:
            findings += _count(piece, "file.count", batches)
    return findings


def _count(piece: _Piece, code: str, found: int) -> list[BatchFinding]:
    stated = piece.count
    if not stated:
        return []
    if not re.fullmatch(r"[0-9]{1,9}", stated):
        return [BatchFinding("batch.count_unreadable", f"{piece.id}-1 is no count", piece.position, None, found)]
    if int(stated) == found:
        return []
    return [BatchFinding(code, f"{piece.id}-1 is not what came", piece.position, int(stated), found)]


def _trailers(pieces: list[_Piece]) -> list[BatchFinding]:
    """A header whose trailer does not come before the next header of its kind, or before the end."""
    findings = []
    for header, trailer, code in (("BHS", "BTS", "batch.no_trailer"), ("FHS", "FTS", "file.no_trailer")):
        own = [piece for piece in pieces if piece.id in (header, trailer)]
        for piece, following in zip_longest(own, own[1:]):
            if piece.id == header and (following is None or following.id == header):
                findings.append(BatchFinding(code, f"{header} without {trailer}: a part is missing", piece.position))
    return findings
