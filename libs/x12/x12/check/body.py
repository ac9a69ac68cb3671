"""A transaction set against its guide: places, counts, hierarchy, elements."""

from __future__ import annotations

from collections.abc import Iterator

from x12.check.finding import ERROR, WARNING, Finding, shape
from x12.check.values import Problem, UseChecker, checker_of, fits_format, plain_checker
from x12.delimiters import Delimiters
from x12.loops import Frame, Placed, walk
from x12.tables.guide_rows import Guide, LoopRow, Use
from x12.tables.segments import SEGMENTS
from x12.tree import Segment, TransactionSet

# segment: (element of the format qualifier, element of the value)
_FORMATTED = {"DTP": (2, 3), "DMG": (1, 2), "PAT": (5, 6)}
_COUNTED = frozenset(("CLM", "SE", "AMT", "QTY", "BPR", "SVC", "CLP", "HL"))


def check_body(transaction: TransactionSet, guide: Guide) -> tuple[list[Finding], Frame]:
    """Findings of SNIP 1 and 2, and the loops for whoever checks on."""
    root, placed = walk(guide, transaction.segments, transaction.delimiters.component)
    body = _Body(transaction, guide)
    for item in placed:
        body.segment(item)
    body.frame(root)
    body.hierarchy(root)
    return sorted(body.findings, key=lambda finding: finding.position), root


def check_plain(transaction: TransactionSet, name: str) -> list[Finding]:
    """Findings of SNIP 1 for a 5010 set without a guide."""
    guide = Guide(name, transaction.code, "", "", "", LoopRow("", "R", 1))
    body = _Body(transaction, guide)
    for segment in transaction.segments:
        checker = plain_checker(segment.id, transaction.delimiters)
        if checker is not None:
            body.elements(segment, "", checker)
    return body.findings


class _Body:
    """Collects the findings of one set."""

    def __init__(self, transaction: TransactionSet, guide: Guide) -> None:
        self.guide, self.start = guide, transaction.start
        self.delimiters: Delimiters = transaction.delimiters
        self.findings: list[Finding] = []
        self.checkers: dict[int, UseChecker] = {}

    def segment(self, item: Placed) -> None:
        segment, use, frame, late = item
        if use is None:
            self._unplaced(segment, frame)
            return
        if late:
            self._segment_finding(segment, frame.row.id, "segment.sequence", "7", 1)
        checker = self.checkers.get(use.number)
        if checker is None:
            checker = self.checkers[use.number] = checker_of(self.guide.name, use, self.delimiters)
        self.elements(segment, frame.row.id, checker)

    def elements(self, segment: Segment, loop: str, checker: UseChecker) -> None:
        for problem in checker.problems(segment.elements):
            self._element_finding(segment, loop, problem)
        places = _FORMATTED.get(segment.id)
        if places:
            qualifier, value = segment.get(places[0]), segment.get(places[1])
            if value and not fits_format(qualifier, value):
                problem = Problem(1, "element.date-format", "8", places[1], reference="1251", expected=qualifier)
                self._element_finding(segment, loop, problem)

    def frame(self, frame: Frame) -> None:
        """Required and repeated segments and loops of one occurrence, and of those inside."""
        for use in frame.row.demanded:
            if use.number not in frame.counts:
                self._missing(frame, use, frame.row.id)
        for row in frame.row.demanded_loops:
            if row.id not in frame.loop_counts:
                self._missing(frame, row.uses[0], row.id)
        self._maxima(frame)
        for item in frame.items:
            if isinstance(item, Frame):
                self.frame(item)

    def _maxima(self, frame: Frame) -> None:
        for number, count in frame.counts.items():
            if count > 1:
                use = frame.row.by_number[number]
                if 0 < use.most < count:
                    self._over(frame, use.segment, use.most, "segment.repeat", "5", use)
        for name, count in frame.loop_counts.items():
            row = frame.row.by_id[name]
            if 0 < row.most < count:
                self._over(frame, row.uses[0].segment, row.most, "loop.repeat", "4", row.uses[0], name)

    def hierarchy(self, root: Frame) -> None:
        """HL01 counts from 1, HL02 names the level that holds this one, HL04 says whether something is below."""
        for number, (frame, parent) in enumerate(_levels(root, None), 1):
            segment = frame.opener
            if segment is None:
                continue
            expected = parent.opener.get(1) if parent and parent.opener else ""
            if segment.get(1) != str(number):
                self._hl(segment, frame, 1, "hl.sequence", str(number), ERROR)
            if segment.get(2) != expected:
                self._hl(segment, frame, 2, "hl.parent", expected or "empty", ERROR)
            children = any(True for _ in _levels(frame, None))
            if segment.get(4) and (segment.get(4) == "1") != children:
                self._hl(segment, frame, 4, "hl.children", "1" if children else "0", WARNING)

    def _hl(self, segment: Segment, frame: Frame, element: int, rule: str, expected: str, severity: str) -> None:
        problem = Problem(1, rule, "7", element, expected=expected, warning=severity == WARNING)
        self._element_finding(segment, frame.row.id, problem)

    def _unplaced(self, segment: Segment, frame: Frame) -> None:
        known = segment.id in SEGMENTS
        rule, code = ("segment.unexpected", "2") if known else ("segment.unknown", "1")
        self._segment_finding(segment, frame.row.id, rule, code, 2 if known else 1)

    def _missing(self, frame: Frame, use: Use, loop: str) -> None:
        opener = frame.opener
        advised = use.usage == "A"
        qualifiers = "/".join(sorted(use.key_codes)) if use.key_codes else ""
        self.findings.append(
            Finding(
                snip=2, rule="segment.missing", path=self._path(loop, use.segment), scope="segment", code="3",
                segment_id=use.segment, position=opener.position if opener else self.start, set_start=self.start,
                loop=loop, found="absent", expected=f"{use.segment} {qualifiers}".strip(),
                severity=WARNING if advised else ERROR,
            )
        )  # fmt: skip

    def _over(self, frame: Frame, segment_id: str, most: int, rule: str, code: str, use: Use, loop: str = "") -> None:
        """Report at the first occurrence too many."""
        matching = [
            item.opener if isinstance(item, Frame) else item
            for item in frame.items
            if (item.row.id == loop if isinstance(item, Frame) else not loop and self._is(item, use))
        ]
        extra = matching[most] if len(matching) > most else None
        self.findings.append(
            Finding(
                snip=2, rule=rule, path=self._path(loop or frame.row.id, segment_id), scope="segment", code=code,
                segment_id=segment_id, position=extra.position if extra else self.start, set_start=self.start,
                loop=loop or frame.row.id, found=str(len(matching)), expected=f"at most {most}",
            )
        )  # fmt: skip

    def _is(self, segment: Segment, use: Use) -> bool:
        if segment.id != use.segment:
            return False
        codes, key = use.key_codes, use.key
        if codes is None or key is None:
            return True
        value = segment.get(key[0])
        return (value.split(self.delimiters.component, 1)[0] if key[1] else value) in codes

    def _segment_finding(self, segment: Segment, loop: str, rule: str, code: str, snip: int) -> None:
        self.findings.append(
            Finding(
                snip=snip, rule=rule, path=self._path(loop, segment.id), scope="segment", code=code,
                segment_id=segment.id, position=segment.position, set_start=self.start, loop=loop,
            )
        )  # fmt: skip

    def _element_finding(self, segment: Segment, loop: str, problem: Problem) -> None:
        component = f"-{problem.component}" if problem.component else ""
        value = segment.get(problem.element)
        shown = value if segment.id in _COUNTED and value.replace(".", "").replace("-", "").isdigit() else shape(value)
        self.findings.append(
            Finding(
                snip=problem.snip, rule=problem.rule,
                path=f"{self._path(loop, segment.id)}{problem.element:02d}{component}",
                scope="element", code=problem.code, segment_id=segment.id, position=segment.position,
                set_start=self.start, loop=loop, element=problem.element, component=problem.component,
                repetition=problem.repetition, reference=problem.reference,
                found=shape(value) if segment.id in ("CLM", "CLP") and problem.element == 1 else shown,
                expected=problem.expected, severity=WARNING if problem.warning else ERROR,
            )
        )  # fmt: skip

    def _path(self, loop: str, segment_id: str) -> str:
        return "/".join(part for part in (self.guide.name, loop, segment_id) if part)


def _levels(frame: Frame, parent: Frame | None) -> Iterator[tuple[Frame, Frame | None]]:
    """Every hierarchical level below a frame, in order, each with the level that holds it."""
    for item in frame.items:
        if isinstance(item, Frame):
            is_level = item.opener is not None and item.opener.id == "HL"
            if is_level:
                yield item, parent
                yield from _levels(item, item)
