"""X12 text to segments, sets and interchanges, as a stream and without losing a character that carries meaning.

Memory is bounded by the longest segment (a million characters, binary data apart) and by what the caller keeps.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator

from x12.delimiters import Delimiters
from x12.tree import Group, Interchange, Place, Segment, TransactionSet, X12Error

Source = bytes | str | Iterable[bytes] | Iterable[str]

_BREAKS = "\r\n"
# between a terminator and the next identifier senders leave line breaks and blanks; neither carries meaning
_MARGIN = "\r\n\t "
_BLANK = "\r\n\t \ufeff\x1a\x00"
_LONGEST_HEADER = 600
_LONGEST_SEGMENT = 1_000_000
_LONGEST_BINARY = 64_000_000
_WINDOW = 32_768
_SLICE = 1 << 20
FRAME = frozenset(("ST", "SE", "GS", "GE", "IEA", "ISA"))
# identifiers that end a run of plain segments: where an interchange ends, and data that is counted, not delimited
_TURNS = frozenset(("ISA", "IEA", "BIN", "BDS"))
_COUNT_AT = {"BIN": 1, "BDS": 2}


def read(data: Source) -> Iterator[Interchange]:
    """The interchanges of the data, one after another. X12Error when the text is not X12."""
    current: _Building | None = None
    number = 0
    for batch, delimiters in batches(data):
        if batch[0].id == "ISA":
            if current is not None:
                yield current.interchange()
            number += 1
            current = _Building(batch[0], delimiters, number)
        if current is not None:
            current.add(batch)
    if current is not None:
        yield current.interchange()


def transaction_sets(data: Source) -> Iterator[TransactionSet]:
    """The transaction sets of the data in order, holding one set in memory at a time."""
    building: _Building | None = None
    number = 0
    for batch, delimiters in batches(data):
        if batch[0].id == "ISA":
            yield from building.drain() if building else ()
            number += 1
            building = _Building(batch[0], delimiters, number)
        if building is not None:
            building.add(batch)
            yield from building.finished()
    yield from building.drain() if building else ()


def segments(data: Source) -> Iterator[tuple[Segment, Delimiters]]:
    """Every segment with the delimiters of its interchange."""
    for batch, delimiters in batches(data):
        for segment in batch:
            yield segment, delimiters


def batches(data: Source) -> Iterator[tuple[list[Segment], Delimiters]]:
    """The segments in order, some hundreds at a time, never of two interchanges. An ISA stands first in its batch."""
    buffer = _Buffer(data)
    while buffer.skip_blank():
        delimiters = _header(buffer)
        for batch in _Segments(buffer, delimiters).batches():
            yield batch, delimiters


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
        """Append what comes next, as much again as is still unread (so that small pieces cost no more than large
        ones), dropping what is read; False at the end of the data."""
        taken: list[str] = []
        wanted = len(self.text) - self.offset
        for piece in self.pieces:
            taken.append(piece)
            wanted -= len(piece)
            if wanted <= 0 and piece:
                break
        self.before += self.offset
        self.text = "".join((self.text[self.offset :], *taken))
        self.offset = 0
        return any(taken)

    def skip_blank(self) -> bool:
        """Step over white space and byte-order marks; False at the end of the data."""
        while True:
            rest = self.text[self.offset :].lstrip(_BLANK)
            self.offset = len(self.text) - len(rest)
            if rest:
                return True
            if not self.more():
                return False

    def window(self, mark: str) -> list[str]:
        """The texts of the next segments, up to some thousand characters of them; empty at the end of the data."""
        width = _WINDOW
        while True:
            end = self.text.rfind(mark, self.offset, self.offset + width)
            if end >= 0:
                return self.text[self.offset : end].split(mark)
            if min(width, len(self.text) - self.offset) > _LONGEST_SEGMENT:
                raise X12Error("a segment without end", self.position)
            if self.offset + width < len(self.text):
                width *= 2
            elif not self.more():
                break
        if self.text[self.offset :].strip(_BLANK):
            raise X12Error("the last segment has no terminator", self.position)
        self.offset = len(self.text)
        return []


def _text(data: Source) -> Iterator[str]:
    if isinstance(data, str):
        yield data
        return
    # surrogateescape keeps bytes that are not UTF-8, so that nothing is lost on the way through
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    slices = (data[at : at + _SLICE] for at in range(0, len(data), _SLICE)) if isinstance(data, bytes) else data
    for piece in slices:
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


class _Segments:
    """The segments of one interchange, window by window."""

    def __init__(self, buffer: _Buffer, delimiters: Delimiters) -> None:
        self.buffer, self.delimiters = buffer, delimiters
        self.names: dict[str, str] = {}
        self.place = 0

    def batches(self) -> Iterator[list[Segment]]:
        """Segments up to and including IEA, or up to the next ISA, or to the end of the data."""
        while raws := self.buffer.window(self.delimiters.segment):
            batch, turn = self._plain(raws)
            taken = raws[: len(batch)]
            self.buffer.offset += sum(map(len, taken)) + len(taken)
            if turn == "ISA" and self.place:
                yield from (batch,) if batch else ()
                return
            if turn in _COUNT_AT:
                yield from (batch,) if batch else ()
                yield [self._counted(turn)]
                continue
            if turn:
                batch.append(self._take(raws[len(batch)]))
            yield from (batch,) if batch else ()
            if turn == "IEA":
                return
            if not turn and len(batch) < len(raws):
                raise X12Error("a segment has no valid identifier", self.buffer.position)

    def _plain(self, raws: list[str]) -> tuple[list[Segment], str]:
        """The first segments of a window, and the identifier that stopped them; what has no identifier stops too."""
        mark, names, place = self.delimiters.element, self.names, self.place
        make = tuple.__new__
        batch: list[Segment] = []
        turn = ""
        for raw in raws:
            parts = raw.split(mark)
            name = names.get(parts[0])
            if name is None:
                name = self._identifier(parts[0])
                if not name or name in _TURNS:
                    turn = name
                    break
            place += 1
            del parts[0]
            batch.append(make(Segment, (name, tuple(parts), place)))
        self.place = place
        return batch, turn

    def _identifier(self, text: str) -> str:
        """The identifier without the margin before it, empty when it is none; short ones are remembered."""
        name = text.lstrip(_MARGIN)
        if not (2 <= len(name) <= 3 and name.isascii() and name.isalnum() and name.isupper()):
            return ""
        if name not in _TURNS and len(text) <= len(name) + 2:
            self.names[text] = name
        return name

    def _take(self, raw: str) -> Segment:
        name, *elements = raw.lstrip(_MARGIN).split(self.delimiters.element)
        self.buffer.offset += len(raw) + 1
        self.place += 1
        return Segment(name, tuple(elements), self.place)

    def _counted(self, name: str) -> Segment:
        """A segment whose last element is as long as the element before it says, whatever characters it holds."""
        buffer, mark = self.buffer, self.delimiters.element
        buffer.skip_blank()
        at = _COUNT_AT[name]
        raw = buffer.window(self.delimiters.segment)[0]
        parts = raw.split(mark, at + 1)
        if len(parts) < at + 2 or not _is_count(parts[at]):
            return self._take(raw)
        start = len(raw) - len(parts[at + 1])
        data = self._data(start, int(parts[at]))
        if data is None:
            return self._take(raw)
        buffer.offset += start + len(data) + 1
        self.place += 1
        return Segment(name, (*parts[1 : at + 1], data), self.place)

    def _data(self, start: int, count: int) -> str | None:
        """`count` bytes from `start` on, None when no terminator follows them."""
        buffer = self.buffer
        while len(buffer.text) - buffer.offset <= start + count and buffer.more():
            pass
        begin = buffer.offset + start
        text = buffer.text[begin : begin + count]
        if not text.isascii():
            text = text.encode("utf-8", "surrogateescape")[:count].decode("utf-8", "surrogateescape")
        follows = buffer.text[begin + len(text) : begin + len(text) + 1]
        return text if follows == self.delimiters.segment else None


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 15 and int(text) <= _LONGEST_BINARY


class _Building:
    """An interchange as it comes in. Whatever is out of place is kept as a stray, for the checker to report."""

    def __init__(self, header: Segment, delimiters: Delimiters, number: int) -> None:
        self.header, self.delimiters, self.number = header, delimiters, number
        self.trailer: Segment | None = None
        self.strays: list[Segment] = []
        self.groups: list[Group] = []
        self.group: Segment | None = None
        self.group_strays: list[Segment] = []
        self.sets: list[TransactionSet] = []
        self.open_set: list[Segment] = []
        self.group_count = self.set_count = 0

    def add(self, batch: list[Segment]) -> None:
        """Put the segments where they belong."""
        for segment in batch:
            name = segment[0]
            if name in FRAME:
                self._frame(name, segment)
            elif self.open_set:
                self.open_set.append(segment)
            else:
                self._stray(segment)

    def _stray(self, segment: Segment) -> None:
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
            self.group_count += 1
            self.set_count = 0
        elif name == "GE" and self.group is not None:
            self._close_group(segment)
        elif name == "IEA":
            self._close_group(None)
            self.trailer = segment
        elif name != "ISA":
            self._stray(segment)

    def _close_set(self) -> None:
        if self.open_set and self.group is not None:
            self.set_count += 1
            place = Place(self.number, self.group_count, self.set_count)
            self.sets.append(TransactionSet(tuple(self.open_set), self.group, self.header, self.delimiters, place))
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
        return Interchange(
            self.header, tuple(self.groups), self.trailer, self.delimiters, tuple(self.strays), self.number
        )
