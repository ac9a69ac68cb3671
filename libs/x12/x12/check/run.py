"""One transaction set checked piece by piece: the body against its guide, then claims, situations, codes, balance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from x12.amounts import from_cents
from x12.balance import Ledger
from x12.check.body import Body, check_plain
from x12.check.claims import claim_faults, like_faults
from x12.check.code_columns import columns_of
from x12.check.codes import code_faults
from x12.check.envelope import GroupTally, set_findings
from x12.check.faults import Fault, placed
from x12.check.finding import Finding
from x12.check.likeness import situations_of
from x12.check.patterns import Run, patterns_of
from x12.check.situations import Rule, situations
from x12.code_sets import SHIPPED, CodeSets
from x12.delimiters import Delimiters
from x12.loops import Frame, guide_for, track_of
from x12.tables.guide_rows import Guide
from x12.tree import NOWHERE, Place, Segment, TransactionSet

# a piece is cut before one of these, so that no claim is torn apart
_BOUNDARIES = frozenset(("HL", "CLM", "CLP"))
_PIECE = 1_500
# a claim longer than this is torn all the same
_LONGEST_PIECE = 60_000


def cut_at(segments: Sequence[Segment], start: int = 0) -> int:
    """Where the piece from `start` on ends: before the last claim or level, so that what follows is whole; `start`
    itself when more segments are needed to say."""
    size = len(segments) - start
    if size < _PIECE:
        return start
    stop = start + min(size, _PIECE)
    for at in range(stop - 1, start, -1):
        if segments[at][0] in _BOUNDARIES:
            return at
    for at in range(stop, len(segments)):
        if segments[at][0] in _BOUNDARIES:
            return at
    return len(segments) if size >= _LONGEST_PIECE else start


class SetCheck:
    """The check of one set. `codes` None uses what is shipped, `rules` come on top of the shipped ones."""

    def __init__(
        self, first: Sequence[Segment], group: Segment, delimiters: Delimiters, place: Place = NOWHERE,
        codes: CodeSets | None = None, rules: Sequence[Rule] = (),
    ) -> None:  # fmt: skip
        self.header, self.last = first[0], first[0]
        self.place, self.delimiters = place, delimiters
        self.codes = codes or SHIPPED
        self.guide = guide_for(first[:2], group)
        self.name = self.guide.name if self.guide else self.header.get(1)
        self.start, self.count = self.header.position, 0
        self.plain = (self.header.get(3) or group.get(8)).startswith("00501")
        self.situations = situations_of((*situations(self.name), *rules), self.name, delimiters.component)
        self.body = self._body(self.guide) if self.guide else None
        self.above: dict[int, tuple[int, object]] = {}
        self.ledger = Ledger(self.start, keep=False) if self.header.get(1) == "835" else None
        self.made_on = ""

    def _body(self, guide: Guide) -> Body:
        patterns = patterns_of(track_of(guide, self.delimiters.component), self.situations)
        return Body(guide, self.delimiters, self.start, patterns)

    def piece(self, segments: list[Segment]) -> list[Finding]:
        """The findings of the next segments, in order of position."""
        self.count += len(segments)
        self.last = segments[-1]
        findings: list[Finding] = []
        units: list[Frame] = []
        if self.body is not None:
            units = self.body.piece(segments)
            findings += self.body.drain()
            findings += self._codes(segments)
        elif self.plain:
            findings += check_plain(segments, self.name, self.delimiters, self.start)
        if self.ledger is not None:
            self.ledger.feed(segments)
            findings += self._breaks(self.ledger)
        if self.body is not None:
            findings = [item if item.loop_path else _located(item, self.body) for item in findings]
            findings += self._units(units)
            self.body.opened = []
        return self._ordered(findings)

    def finish(self, group: GroupTally) -> list[Finding]:
        """The findings that the end of the set brings."""
        findings = list(set_findings(self.header, self.last, self.count, group))
        if self.body is not None:
            units = self.body.finish()
            findings += self.body.drain()
            findings += self._units(units)
        else:
            findings.append(_unknown_guide(self.header))
        if self.ledger is not None:
            self.ledger.finish()
            findings += self._breaks(self.ledger)
        return self._ordered(findings)

    def _ordered(self, findings: list[Finding]) -> list[Finding]:
        place = self.place
        findings = [replace(item, interchange=place.interchange, group=place.group, set=place.set) for item in findings]
        return sorted(findings, key=lambda finding: finding.position)

    def _units(self, units: Sequence[Frame]) -> Iterator[Finding]:
        for unit in units:
            for fault in self._unit(unit):
                self._unfold(unit)
                yield replace(placed(fault, self.name, self.start), loop_path=_path_of(unit, fault.segment))
        self.above.clear()
        for unit in units:
            unit.clear()

    def _unit(self, unit: Frame) -> list[Fault]:
        """The faults of a loop that is complete: of a claim's arithmetic, and of situations."""
        run = unit.run if isinstance(unit.run, Run) else None
        around = self.situations.around(unit, self.above) if run is not None else ()
        known = run is not None and run.folded and run.pattern is not None and around in run.pattern.around
        opener = unit.opener
        faults: list[Fault] = []
        if opener is not None and opener.id == "CLM":
            faults += self._claim(unit, run)
        if known:
            return faults
        self._unfold(unit)
        found = self.situations.faults(unit, self.above) if self.situations.index else []
        if not found and run is not None and self.body is not None:
            self.body.patterns.keep(run, unit, around)
        return [*faults, *found]

    def _claim(self, unit: Frame, run: Run | None) -> Iterator[Fault]:
        mark = self.delimiters.component
        if run is not None and run.folded and run.pattern is not None and run.pattern.layout is not None:
            return like_faults(run.pattern.layout, run.segments, unit, mark, self.name)
        self._unfold(unit)
        return claim_faults(unit, mark, self.name)

    def _unfold(self, unit: Frame) -> None:
        if self.body is not None:
            self.body.unfold(unit)

    def _codes(self, segments: list[Segment]) -> Iterator[Finding]:
        if not self.made_on:
            self.made_on = _made_on(segments)
        mark = self.delimiters.component
        body = self.body
        if body is not None and not body.strangers and columns_of(self.codes, mark, self.made_on).clean(body.groups()):
            return
        for fault in code_faults(segments, mark, self.codes, self.made_on):
            yield placed(fault, self.name, self.start)

    def _breaks(self, ledger: Ledger) -> Iterator[Finding]:
        for item in ledger.drain():
            yield Finding(
                snip=3, rule=item.rule, path=f"{self.name}/{item.segment_id}{item.element:02d}", scope="element",
                code="I12", segment_id=item.segment_id, position=item.position, set_start=self.start,
                element=item.element, found=from_cents(item.found_cents), expected=from_cents(item.expected_cents),
            )  # fmt: skip


def check_set(
    transaction: TransactionSet, group: GroupTally, codes: CodeSets | None = None, rules: Sequence[Rule] = ()
) -> list[Finding]:
    """Every finding of a set that is at hand as a whole."""
    segments = transaction.segments
    run = SetCheck(segments, transaction.group, transaction.delimiters, transaction.place, codes, rules)
    findings: list[Finding] = []
    start = 0
    while start < len(segments):
        end = cut_at(segments, start)
        end = end if end > start else len(segments)
        findings += run.piece(list(segments[start:end]))
        start = end
    findings += run.finish(group)
    return sorted(findings, key=lambda finding: finding.position)


def _located(item: Finding, body: Body) -> Finding:
    frame = body.frame_at(item.position)
    return replace(item, loop=item.loop or frame.row.id, loop_path=frame.path()) if frame is not None else item


def _path_of(frame: Frame, segment: Segment) -> str:
    """The path of the innermost loop of a frame that holds a segment."""
    for item in frame.items:
        if isinstance(item, Frame):
            found = _path_of(item, segment)
            if found:
                return found
        elif item is segment:
            return frame.path()
    return ""


def _made_on(segments: Sequence[Segment]) -> str:
    """The day on which the content was made: BHT04 or BPR16."""
    for segment in segments[:10]:
        if segment.id in ("BHT", "BPR"):
            return segment.get(4 if segment.id == "BHT" else 16)
    return ""


def _unknown_guide(header: Segment) -> Finding:
    return Finding(
        snip=2, rule="guide.unknown", path="ST03", scope="set", code="I6", segment_id="ST", position=header.position,
        set_start=header.position, element=3, expected="a guide that is known",
    )  # fmt: skip
