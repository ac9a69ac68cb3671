"""Checks of data of any size as it goes by, in the memory that one piece of a set takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from x12.check.envelope import GroupTally, interchange_findings, stray_findings
from x12.check.finding import Finding
from x12.check.run import SetCheck, cut_at
from x12.check.situations import Rule
from x12.code_sets import CodeSets
from x12.delimiters import Delimiters
from x12.read import FRAME, Source, batches
from x12.tree import Group, Interchange, Place, Segment, TransactionSet


class Survey(NamedTuple):
    """An interchange whose sets hold their ST only, and every finding: what an acknowledgement needs."""

    interchange: Interchange
    findings: list[Finding]


def check_stream(data: Source, *, codes: CodeSets | None = None, rules: Sequence[Rule] = ()) -> Iterator[Finding]:
    """The findings of data of any size, each as soon as its claim, set, group or interchange has ended.

    Nothing but the open claim, its levels and a window of text is held. X12Error where the text stops being X12."""
    run = _Run(codes, rules, keep=False)
    for batch, delimiters in batches(data):
        yield from run.batch(batch, delimiters)
    yield from run.end()


def survey(data: Source, *, codes: CodeSets | None = None, rules: Sequence[Rule] = ()) -> Iterator[Survey]:
    """Each interchange of data of any size without the bodies of its sets, with its findings in order."""
    run = _Run(codes, rules, keep=True)
    findings: list[Finding] = []
    for batch, delimiters in batches(data):
        if batch[0].id == "ISA" and run.header is not None:
            findings += run.end()
            yield Survey(run.interchange(), sorted(findings, key=lambda finding: finding.position))
            findings = []
        findings += run.batch(batch, delimiters)
    if run.header is not None:
        findings += run.end()
        yield Survey(run.interchange(), sorted(findings, key=lambda finding: finding.position))


class _Run:
    """Where the stream stands: the open interchange, group and set. With `keep` the frame of it all is remembered."""

    def __init__(self, codes: CodeSets | None, rules: Sequence[Rule], keep: bool) -> None:
        self.codes, self.rules, self.keep = codes, tuple(rules), keep
        self.place = Place()
        self.delimiters = Delimiters()
        self.header: Segment | None = None
        self.trailer: Segment | None = None
        self.tally: GroupTally | None = None
        self.pending: list[Segment] = []
        self.open: SetCheck | None = None
        self.groups: list[Group] = []
        self.sets: list[TransactionSet] = []
        self.strays: list[Segment] = []
        self.group_strays: list[Segment] = []

    def batch(self, batch: list[Segment], delimiters: Delimiters) -> Iterator[Finding]:
        """The findings that these segments bring."""
        start = 0
        for at in [at for at, segment in enumerate(batch) if segment[0] in FRAME]:
            yield from self._inner(batch[start:at])
            yield from self._frame(batch[at], delimiters)
            start = at + 1
        yield from self._inner(batch[start:])

    def end(self) -> Iterator[Finding]:
        """The end of the open interchange."""
        yield from self._close_group(None)
        if self.header is not None:
            found = interchange_findings(self.header, self.trailer, self.place.group)
            yield from self._stamped(found)

    def interchange(self) -> Interchange:
        """The interchange that has ended; only with `keep`."""
        header = self.header or Segment("ISA", (), 1)
        return Interchange(
            header, tuple(self.groups), self.trailer, self.delimiters, tuple(self.strays), self.place.interchange
        )

    def _stamped(self, findings: Iterable[Finding]) -> Iterator[Finding]:
        place = self.place
        group = place.group if self.tally is not None else 0
        for item in findings:
            yield replace(item, interchange=place.interchange, group=group)

    def _frame(self, segment: Segment, delimiters: Delimiters) -> Iterator[Finding]:
        name = segment.id
        if name == "ISA":
            yield from self.end() if self.header is not None and not self.keep else ()
            self._open_interchange(segment, delimiters)
        elif name == "ST" and self.tally is not None:
            yield from self._close_set()
            self.pending = [segment]
        elif name == "SE" and self._in_set():
            self.pending.append(segment)
            yield from self._close_set()
        elif name == "GS":
            yield from self._close_group(None)
            self.tally = GroupTally(segment, self.header.get(12) if self.header else "")
            self.place = Place(self.place.interchange, self.place.group + 1)
        elif name == "GE" and self.tally is not None:
            yield from self._close_group(segment)
        elif name == "IEA":
            yield from self._close_group(None)
            self.trailer = segment
        else:
            yield from self._stray(segment)

    def _open_interchange(self, header: Segment, delimiters: Delimiters) -> None:
        self.header, self.trailer, self.delimiters = header, None, delimiters
        self.place = Place(self.place.interchange + 1)
        self.groups, self.strays = [], []

    def _in_set(self) -> bool:
        return self.open is not None or bool(self.pending)

    def _inner(self, segments: list[Segment]) -> Iterator[Finding]:
        if self._in_set():
            self.pending += segments
            yield from self._pieces()
        else:
            for segment in segments:
                yield from self._stray(segment)

    def _stray(self, segment: Segment) -> Iterator[Finding]:
        in_group = self.tally is not None
        if self.keep:
            (self.group_strays if in_group else self.strays).append(segment)
        return self._stamped(stray_findings((segment,), in_group))

    def _pieces(self) -> Iterator[Finding]:
        while cut := cut_at(self.pending):
            yield from self._piece(cut)

    def _piece(self, cut: int) -> Iterator[Finding]:
        piece, self.pending = self.pending[:cut], self.pending[cut:]
        tally = self.tally
        if tally is None:
            return
        if self.open is None:
            self.place = self.place._replace(set=self.place.set + 1)
            tally.add(piece[0])
            self.open = SetCheck(piece, tally.header, self.delimiters, self.place, self.codes, self.rules)
            if self.keep:
                only = (piece[0],)
                self.sets.append(
                    TransactionSet(only, tally.header, self.header or only[0], self.delimiters, self.place)
                )
        yield from self.open.piece(piece)

    def _close_set(self) -> Iterator[Finding]:
        if self.pending:
            yield from self._piece(len(self.pending))
        if self.open is not None and self.tally is not None:
            yield from self.open.finish(self.tally)
        self.open, self.pending = None, []

    def _close_group(self, trailer: Segment | None) -> Iterator[Finding]:
        yield from self._close_set()
        if self.tally is not None:
            yield from self._stamped(self.tally.findings(trailer))
            if self.keep:
                self.groups.append(Group(self.tally.header, tuple(self.sets), trailer, tuple(self.group_strays)))
        self.tally, self.sets, self.group_strays = None, [], []
