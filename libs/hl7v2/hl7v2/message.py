"""A message as lines that are split further only where they are asked: `Message`, `Segment` and `Group`.

Everything is kept verbatim, segments of other standards and of nobody included. Most fields of most messages are never
looked at, so nothing below a line is decoded before `get` wants it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import NamedTuple

from kernel.errors import Unreadable

from hl7v2.delimiters import HEADERS, Delimiters
from hl7v2.escapes import NULL_TEXT
from hl7v2.fields import Field, leaf, steps
from hl7v2.path import Path, compile_path
from hl7v2.tree import Value, tree_of

_ID = re.compile(r"[A-Z][A-Z0-9]{2}")


class MessageType(NamedTuple):
    """MSH-9: `ADT`, `A01`, `ADT_A01`; the structure is "" when it was not sent."""

    code: str
    trigger: str
    structure: str


class Party(NamedTuple):
    """MSH-3 and MSH-4, or MSH-5 and MSH-6: the namespace, else the universal id."""

    application: str
    facility: str


class Segment:
    """One line. Paths leave the segment id out: `get("7.1")`; with its own id they work too."""

    __slots__ = ("_fields", "charset", "delimiters", "index", "raw")

    def __init__(self, raw: str, delimiters: Delimiters, charset: str, index: int) -> None:
        self.raw = raw
        self.delimiters = delimiters
        self.charset = charset
        self.index = index  # of the line in its message, from 0
        self._fields: list[str] | None = None

    @property
    def id(self) -> str:
        """The three characters, for example `PID`."""
        return self.raw[:3]

    @property
    def fields(self) -> list[str]:
        """The encoded fields, each at the index of its HL7 number; the id is at 0."""
        if self._fields is None:
            self._fields = split_fields(self.raw, self.delimiters.field)
        return self._fields

    def get(self, path: str) -> str:
        """One decoded value, by default the first; "" when absent or null."""
        compiled = self._compiled(path)
        text = self._text(compiled)
        return leaf(text, compiled, self.delimiters, self.charset) if text else ""

    def raw_at(self, path: str) -> str:
        """The encoded text of just what the path names."""
        compiled = self._compiled(path)
        return steps(self._text(compiled), compiled, self.delimiters)[-1]

    def is_null(self, path: str) -> bool:
        """Whether the sender wants the value deleted, or one that holds it."""
        compiled = self._compiled(path)
        return NULL_TEXT in steps(self._text(compiled), compiled, self.delimiters)

    def all(self, path: str) -> list[str]:
        """One decoded value for each repetition of the field; none when it is absent."""
        return list(self._each(self._compiled(path)))

    def field(self, number: int) -> Field:
        """The field of that number, absent when the segment ends before."""
        text = self.fields[number] if 0 < number < len(self.fields) else ""
        return Field(text, self.delimiters, self.charset)

    def tree(self) -> list[Value]:
        """The form that `write` takes."""
        literal = 3 if self.id in HEADERS else 1
        rest = [tree_of(text, self.delimiters, self.charset) for text in self.fields[literal:]]
        return [*self.fields[:literal], *rest]

    def _each(self, path: Path) -> Iterator[str]:
        text = self._text(path)
        if not text:
            return
        if path.literal or not path.every:
            yield leaf(text, path, self.delimiters, self.charset)
            return
        for part in text.split(self.delimiters.repetition):
            yield leaf(part, path, self.delimiters, self.charset)

    def _text(self, path: Path) -> str:
        fields = self.fields
        return fields[path.field] if path.field < len(fields) else ""

    def _compiled(self, path: str) -> Path:
        compiled = compile_path(path)
        if not compiled.segment and self.id in HEADERS:
            return compile_path(f"{self.id}-{path}")
        if compiled.segment in ("", self.id):
            return compiled
        raise Unreadable("hl7.path", path, f"asked of a segment {self.id if _ID.fullmatch(self.id) else 'without id'}")

    def __repr__(self) -> str:
        return f"Segment({self.id}, {self.index})"  # never the text: it may be about a patient


class Group:
    """A run of segments of one message, and what can be asked of it. Paths: `PID-3`, `PID-3(2).4.2`, `OBX(3)-5`."""

    __slots__ = ("_found", "_lines", "_start", "charset", "delimiters")

    def __init__(self, lines: list[str], delimiters: Delimiters, charset: str, start: int = 0) -> None:
        self._lines = lines
        self._start = start
        self._found: dict[str, list[str]] = {}
        self.delimiters = delimiters
        self.charset = charset

    def get(self, path: str) -> str:
        """One decoded value; what is not named is the first (PID-5 reads PID-5.1.1); "" when absent or null."""
        compiled = compile_path(path)
        segment = compiled[0]
        fields = self._found.get(segment)
        if fields is None or compiled[1]:
            fields = self._fields_of(compiled)
        number = compiled[2]
        if number >= len(fields):
            return ""
        text = fields[number]
        if text.isalnum():  # no delimiter is a letter or a digit: this is the value, and its first part
            return "" if compiled[8] else text
        return leaf(text, compiled, self.delimiters, self.charset) if text else ""

    def raw_at(self, path: str) -> str:
        """The encoded text of just what the path names, for free text whose sender did not escape."""
        return self._steps(path)[-1]

    def is_null(self, path: str) -> bool:
        """Whether the sender wants the value deleted (two quotes there, or in what holds it). Absent is False."""
        return NULL_TEXT in self._steps(path)

    def all(self, path: str) -> list[str]:
        """One decoded value for each repetition of the field in each such segment; absent fields give none."""
        compiled = compile_path(path)
        found = self.segments(self._named(compiled).segment)
        if compiled.nth:
            found = found[compiled.nth - 1 : compiled.nth]
        return [value for segment in found for value in segment.all(path)]

    def field(self, path: str) -> Field:
        """The field, or its repetition when the path names one."""
        compiled = compile_path(path)
        if compiled.depth > 1:
            raise Unreadable("hl7.path", path, "names a component where a field is asked for")
        return Field(self._steps(path)[-1], self.delimiters, self.charset)

    def segments(self, id: str = "") -> list[Segment]:
        """The segments of that id in order, or all."""
        key = id + self.delimiters.field
        return [
            Segment(line, self.delimiters, self.charset, at)
            for at, line in enumerate(self._lines, self._start)
            if not id or line[:4] == key or line == id
        ]

    def groups(self, start: str, members: Collection[str] = ()) -> Iterator[Group]:
        """A group from each segment `start` to before the next one.

        With `members`, a segment of any other id ends the group, so that what follows the last group in the message
        (the DG1 and IN1 after the FT1 of a DFT, say) does not become part of it.
        """
        begun = -1
        for at, line in enumerate(self._lines):
            id = line.partition(self.delimiters.field)[0]
            ends = id == start or (bool(members) and id not in members)
            if begun >= 0 and ends:
                yield self._part(begun, at)
                begun = -1
            if id == start:
                begun = at
        if begun >= 0:
            yield self._part(begun, len(self._lines))

    def tree(self) -> list[list[Value]]:
        """The form that `write` takes."""
        return [segment.tree() for segment in self.segments()]

    def _part(self, begun: int, ended: int) -> Group:
        return Group(self._lines[begun:ended], self.delimiters, self.charset, self._start + begun)

    def _steps(self, path: str) -> list[str]:
        compiled = compile_path(path)
        fields = self._fields_of(compiled)
        return steps(fields[compiled.field] if compiled.field < len(fields) else "", compiled, self.delimiters)

    def _fields_of(self, path: Path) -> list[str]:
        """The fields of the segment that the path means; none when it is not there."""
        segment = self._named(path).segment
        if path.nth > 1:
            return self._search(segment, path.nth)
        fields = self._found.get(segment)
        if fields is None:
            fields = self._found[segment] = self._search(segment, 1)
        return fields

    def _search(self, segment: str, nth: int) -> list[str]:
        key = segment + self.delimiters.field  # with the separator, so that stray text is taken for no segment
        for line in self._lines:
            if line[:4] == key:
                nth -= 1
                if not nth:
                    return split_fields(line, self.delimiters.field)
        return []

    def _named(self, path: Path) -> Path:
        if not path.segment:
            raise Unreadable("hl7.path", str(path.field), "names no segment")
        return path

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self._lines)} segments)"  # never the text: it may be about a patient


class Message(Group):
    """A whole message. `raw` is what came, byte for byte; `charset` the codec that reads it.

    `charset_guessed` says that neither the message nor the feed named a character set that reads these bytes.
    """

    __slots__ = ("charset_guessed", "raw")

    def __init__(
        self, lines: list[str], delimiters: Delimiters, charset: str, raw: bytes, header: list[str], guessed: bool
    ) -> None:
        super().__init__(lines, delimiters, charset)
        self.raw = raw
        self.charset_guessed = guessed
        self._found["MSH"] = header

    @property
    def control_id(self) -> str:
        """MSH-10."""
        return self.get("MSH-10")

    @property
    def message_type(self) -> MessageType:
        """MSH-9; where it has no trigger, EVN-1 tells."""
        return MessageType(self.get("MSH-9.1"), self.get("MSH-9.2") or self.get("EVN-1"), self.get("MSH-9.3"))

    @property
    def sender(self) -> Party:
        """MSH-3 and MSH-4."""
        return Party(self.get("MSH-3.1") or self.get("MSH-3.2"), self.get("MSH-4.1") or self.get("MSH-4.2"))

    @property
    def receiver(self) -> Party:
        """MSH-5 and MSH-6."""
        return Party(self.get("MSH-5.1") or self.get("MSH-5.2"), self.get("MSH-6.1") or self.get("MSH-6.2"))

    @property
    def version(self) -> str:
        """MSH-12, for example `2.5.1`."""
        return self.get("MSH-12")

    @property
    def processing_id(self) -> str:
        """MSH-11: P production, T training, D debugging."""
        return self.get("MSH-11")

    @property
    def sent(self) -> str:
        """MSH-7, the sender's time of the message, as text."""
        return self.get("MSH-7")

    @property
    def identity(self) -> tuple[str, str, str]:
        """What tells one message of a sender from another: MSH-3 and MSH-4 verbatim, and MSH-10."""
        return self.raw_at("MSH-3"), self.raw_at("MSH-4"), self.raw_at("MSH-10")

    @property
    def strays(self) -> list[Segment]:
        """Lines that are no segments: as a rule, text that its sender broke over lines."""
        found = self.segments()
        return [line for line in found if not (_ID.fullmatch(line.fields[0]))]


def split_fields(line: str, separator: str) -> list[str]:
    """The fields of a line at the indexes of their numbers: MSH-1 is the separator itself."""
    fields = line.split(separator)
    if fields[0] in HEADERS:
        fields.insert(1, separator)
    return fields
