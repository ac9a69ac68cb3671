"""X12 text to segments, sets and interchanges, as a stream and without losing a character that carries meaning."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator

from x12.delimiters import Delimiters
from x12.tree import Group, Interchange, Segment, TransactionSet, X12Error

Source = bytes | str | Iterable[bytes] | Iterable[str]

_BREAKS = "\r\n"
# between a terminator and the next identifier senders leave line breaks and blanks; neither carries meaning
_MARGIN = "\r\n\t "
_BLANK = "\r\n\t \ufeff\x1a\x00"
_LONGEST_HEADER = 600
_LONGEST_SEGMENT = 1_000_000
_WINDOW = 16_384
_FRAME = frozenset(("ST", "SE", "GS", "GE", "IEA"))


def read(data: Source) -> Iterator[Interchange]:
    """The interchanges of the data, one after another. X12Error when the text is not X12."""
    current: _Building | None = None
    for segment, delimiters in segments(data):
        if segment.id == "ISA":
            if current is not None:
                yield current.interchange()
            current = _Building(segment, delimiters)
        elif current is not None:
            current.add(segment)
    if current is not None:
        yield current.interchange()


def transaction_sets(data: Source) -> Iterator[TransactionSet]:
    """The transaction sets of the data in order, holding one set in memory at a time."""
    building: _Building | None = None
    for segment, delimiters in segments(data):
        if segment.id == "ISA":
            yield from building.drain() if building else ()
            building = _Building(segment, delimiters)
        elif building is not None:
            building.add(segment)
            if segment.id in ("SE", "GE", "IEA", "GS", "ST"):
                yield from building.finished()
    yield from building.drain() if building else ()


def segments(data: Source) -> Iterator[tuple[Segment, Delimiters]]:
    """Every segment with the delimiters of its interchange."""
    buffer = _Buffer(data)
    while buffer.skip_blank():
        delimiters = _header(buffer)
        yield from _interchange(buffer, delimiters)


class _Buffer:
    """The text at hand, how far it is read (`offset`), and how many characters went before it."""

    def __init__(self, data: Source) -> None:
        self.pieces = _text(data)
        self.text = ""
        self.offset = 0
        self.before = 0

    @property
    def position(self) -> int:
        return self.before + self.offset

    def more(self) -> bool:
        """Append the next piece, dropping what is read; False at the end of the data."""
        for piece in self.pieces:
            if piece:
                self.before += self.offset
                self.text = self.text[self.offset :] + piece
                self.offset = 0
                return True
        return False

    def skip_blank(self) -> bool:
        """Step over white space and byte-order marks; False at the end of the data."""
        while True:
            while self.offset < len(self.text) and self.text[self.offset] in _BLANK:
                self.offset += 1
            if self.offset < len(self.text):
                return True
            if not self.more():
                return False


def _text(data: Source) -> Iterator[str]:
    if isinstance(data, str):
        yield data
        return
    # surrogateescape keeps bytes that are not UTF-8, so that nothing is lost on the way through
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    for piece in (data,) if isinstance(data, bytes) else data:
        yield piece if isinstance(piece, str) else decoder.decode(piece)
    yield decoder.decode(b"", True)


def _header(buffer: _Buffer) -> Delimiters:
    """The delimiters of the ISA at hand. Its length is not assumed, its sixteen elements are."""
    while len(buffer.text) - buffer.offset < _LONGEST_HEADER and buffer.more():
        pass
    text = buffer.text[buffer.offset : buffer.offset + _LONGEST_HEADER]
    if not text.startswith("ISA"):
        raise X12Error("an interchange starts with ISA", buffer.position)
    element = text[3:4]
    parts = text.split(element, 16) if element else []
    if len(parts) < 17 or len(parts[16]) < 2:
        raise X12Error("the ISA has no sixteen elements", buffer.position)
    marks = (element, parts[16][0], parts[16][1])
    if len(set(marks)) < 3 or any(mark.isalnum() or mark in " \t" for mark in marks) or element in _BREAKS:
        raise X12Error("the ISA does not name three distinct delimiters", buffer.position)
    tail = parts[16][2:]
    suffix = tail[: len(tail) - len(tail.lstrip(_BREAKS))][:2]
    return Delimiters(element, marks[1], _repetition(parts[11], marks), marks[2], suffix)


def _repetition(standards_id: str, marks: tuple[str, str, str]) -> str:
    usable = len(standards_id) == 1 and not standards_id.isalnum() and not standards_id.isspace()
    return standards_id if usable and standards_id not in marks else ""


def _interchange(buffer: _Buffer, delimiters: Delimiters) -> Iterator[tuple[Segment, Delimiters]]:
    """Segments up to and including IEA, or up to the next ISA, or to the end of the data."""
    split = delimiters.element
    known: set[str] = set()
    make = tuple.__new__
    for place, raw in enumerate(_raw_segments(buffer, delimiters.segment), 1):
        name, *elements = raw.lstrip(_MARGIN).split(split)
        if name == "ISA" and place > 1:
            return
        if name not in known:
            known.add(_checked_id(name, buffer.position))
        buffer.offset += len(raw) + 1
        yield make(Segment, (name, tuple(elements), place)), delimiters
        if name == "IEA":
            return


def _raw_segments(buffer: _Buffer, mark: str) -> Iterator[str]:
    """The texts between terminators. Whoever takes one moves the buffer's offset past it."""
    window = _WINDOW
    while True:
        end = buffer.text.rfind(mark, buffer.offset, buffer.offset + window)
        if end >= 0:
            window = _WINDOW
            yield from buffer.text[buffer.offset : end].split(mark)
        elif buffer.offset + window < len(buffer.text):
            window *= 2
        elif len(buffer.text) - buffer.offset > _LONGEST_SEGMENT:
            raise X12Error("a segment without end", buffer.position)
        elif not buffer.more():
            break
    if buffer.text[buffer.offset :].strip(_BLANK):
        raise X12Error("the last segment has no terminator", buffer.position)
    buffer.offset = len(buffer.text)


def _checked_id(name: str, position: int) -> str:
    if not (2 <= len(name) <= 3 and name.isascii() and name.isalnum() and name.isupper()):
        raise X12Error("a segment has no valid identifier", position)
    return name


class _Building:
    """An interchange as it comes in. Whatever is out of place is kept as a stray, for the checker to report."""

    def __init__(self, header: Segment, delimiters: Delimiters) -> None:
        self.header, self.delimiters = header, delimiters
        self.trailer: Segment | None = None
        self.strays: list[Segment] = []
        self.groups: list[Group] = []
        self.group: Segment | None = None
        self.group_strays: list[Segment] = []
        self.sets: list[TransactionSet] = []
        self.open_set: list[Segment] = []

    def add(self, segment: Segment) -> None:
        name = segment.id
        if name in _FRAME:
            self._frame(name, segment)
        elif self.open_set:
            self.open_set.append(segment)
        else:
            (self.strays if self.group is None else self.group_strays).append(segment)

    def _frame(self, name: str, segment: Segment) -> None:
        if name == "SE" and self.open_set:
            self.open_set.append(segment)
            self._close_set()
        elif name == "ST" and self.group is not None:
            self._close_set()
            self.open_set = [segment]
        elif name == "GS":
            self._close_group(None)
            self.group = segment
        elif name == "GE" and self.group is not None:
            self._close_group(segment)
        elif name == "IEA":
            self._close_group(None)
            self.trailer = segment
        else:
            (self.strays if self.group is None else self.group_strays).append(segment)

    def _close_set(self) -> None:
        if self.open_set and self.group is not None:
            self.sets.append(TransactionSet(tuple(self.open_set), self.group, self.header, self.delimiters))
        self.open_set = []

    def _close_group(self, trailer: Segment | None) -> None:
        self._close_set()
        if self.group is not None:
            self.groups.append(Group(self.group, tuple(self.sets), trailer, tuple(self.group_strays)))
        self.group, self.sets, self.group_strays = None, [], []

    def finished(self) -> list[TransactionSet]:
        """The sets that are complete, forgotten here."""
        done = [item for group in self.groups for item in group.sets] + self.sets
        self.groups, self.sets = [], []
        return done

    def drain(self) -> list[TransactionSet]:
        self._close_group(None)
        return self.finished()

    def interchange(self) -> Interchange:
        self._close_group(None)
        return Interchange(self.header, tuple(self.groups), self.trailer, self.delimiters, tuple(self.strays))
