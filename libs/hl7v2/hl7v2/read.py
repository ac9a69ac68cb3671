"""From bytes to a `Message`, in one pass that only finds the lines."""

from __future__ import annotations

from kernel.errors import Unreadable

from hl7v2.charset import codec_of, decode, is_plain
from hl7v2.delimiters import told_apart
from hl7v2.message import Message, split_fields

_BEFORE = " \t\r\n\x0b\0\ufeff"  # what stands before MSH in files and in careless frames
_AFTER = "\r\n\x1c\x1a\0"


def read(data: bytes, *, charset: str | None = None) -> Message:
    """One message. `charset` is what the feed says where MSH-18 is silent: a value of table 0211 or a usual name.

    Segments end with CR, LF or both, mixed; blank lines are passed over. Any character set is read, if need be by a
    guess. Errors: `hl7.empty`, `hl7.batch` (a batch file: `split_batch` comes first), `hl7.no_msh`, `hl7.short`,
    `hl7.delimiters`.
    """
    if is_plain(data):
        text, codec, guessed = data.decode("ascii"), "", False
    else:
        text, codec, guessed = decode(data, charset or "")
    if "\n" in text:
        text = text.replace("\r\n", "\r").replace("\n", "\r")
    if not text.startswith("MSH"):
        text = _begun(text, data)
    lines = [line for line in text.rstrip(_AFTER).split("\r") if line and not line.isspace()]
    header = split_fields(lines[0], text[3:4] or "|")
    if len(header) < 3:
        raise Unreadable("hl7.short", "MSH-2", "the header ends before its encoding characters", len(lines[0]))
    if not codec:
        codec = codec_of(header[18] if len(header) > 18 else "") or codec_of(charset or "") or "utf-8"
    return Message(lines, told_apart(header[1], header[2]), codec, data, header, guessed)


def _begun(text: str, data: bytes) -> str:
    """The text from MSH on, where only blanks and marks stand before it."""
    begun = text.lstrip(_BEFORE)
    if begun.startswith("MSH"):
        return begun
    position = len(data) - len(data.lstrip(_BEFORE.encode()))
    if not begun.strip(_BEFORE + _AFTER):
        raise Unreadable("hl7.empty", "", "no text", 0)
    if begun[:3] in ("FHS", "BHS"):
        raise Unreadable("hl7.batch", begun[:3], "a batch of messages, not a message", position)
    raise Unreadable("hl7.no_msh", "MSH", "the text does not begin with an MSH segment", position)
