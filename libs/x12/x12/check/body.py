"""A transaction set against its guide: places, counts, hierarchy, elements. Fed piece by piece, so that a set of any
size takes no more memory than its longest claim."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice

from x12.check.columns import ColumnChecker
from x12.check.finding import ERROR, WARNING, Finding, shape
from x12.check.patterns import UNIT_SEGMENTS, Pattern, Patterns, Run
from x12.check.values import Problem, UseChecker, fits_format, plain_checker
from x12.delimiters import Delimiters
from x12.loops import WIDTH, Frame, Walker
from x12.tables.guide_rows import Guide, LoopRow, Use
from x12.tables.segments import SEGMENTS
from x12.tree import Segment

# segment: (element of the format qualifier, element of the value)
_FORMATTED = {"DTP": (2, 3), "DMG": (1, 2), "PAT": (5, 6)}
_COUNTED = frozenset(("CLM", "SE", "AMT", "QTY", "BPR", "SVC", "CLP", "HL"))
_MOST_SHAPES = 2_000
# this few segments are quicker looked at one by one
_FEW = 3


class Plan:
    """What the checker knows of a guide under some delimiters: how to check each use, which loops it lets go when they
    are complete (claims, and the levels that hold them), and the shapes of loops that were found to be right."""

    def __init__(self, guide: Guide, delimiters: Delimiters) -> None:
        self.guide, self.delimiters = guide, delimiters
        self.rows: dict[int, LoopRow] = {}
        self.uses: dict[int, Use] = {}
        self.released: set[int] = set()
        self.levels: dict[int, list[str]] = {}
        self.shapes: dict[int, set[tuple[object, ...]]] = {}
        self.checkers: dict[int, ColumnChecker] = {}
        self._collect(guide.root)

    def _collect(self, row: LoopRow) -> bool:
        """Whether the loop holds claims."""
        for use in row.uses:
            self.rows[use.number], self.uses[use.number] = row, use
        first = row.uses[0].segment if row.uses else ""
        holds = any([self._collect(inner) for inner in row.loops]) or first in UNIT_SEGMENTS
        self.shapes[id(row)] = set()
        self.levels[id(row)] = [inner.id for inner in row.loops if inner.uses[0].segment == "HL"]
        if row.id and (holds or first == "HL"):
            self.released.add(id(row))
        return holds

    def checker(self, number: int) -> ColumnChecker:
        """The checker of a use."""
        found = self.checkers.get(number)
        if found is None:
            use = self.uses[number]
            found = self.checkers[number] = ColumnChecker(UseChecker(SEGMENTS[use.segment], use, self.delimiters))
        return found


_GUIDES: dict[int, Guide] = {}


@lru_cache(maxsize=128)
def _plan(identity: int, delimiters: Delimiters) -> Plan:
    return Plan(_GUIDES[identity], delimiters)


def plan_of(guide: Guide, delimiters: Delimiters) -> Plan:
    """The shared plan of a guide."""
    _GUIDES[id(guide)] = guide
    return _plan(id(guide), delimiters)


class Body(Walker):
    """Collects the findings of one set. `units` are the loops let go, claims among them, to be checked further;
    `alike` are the claims of the last piece whose pattern is known."""

    def __init__(self, guide: Guide, delimiters: Delimiters, start: int, patterns: Patterns) -> None:
        super().__init__(guide, delimiters.component)
        self.guide, self.delimiters, self.start = guide, delimiters, start
        self.plan = plan_of(guide, delimiters)
        self.patterns = patterns
        self.alike: dict[Pattern, list[list[Segment]]] = {}
        self.findings: list[Finding] = []
        self.units: list[Frame] = []
        self.level_count = 0
        self.strangers = False

    def piece(self, segments: list[Segment]) -> list[Frame]:
        """Take the next segments and check them; the loops that are complete and were let go."""
        self.opened, self.gathered = [self.frame], {}
        self._claims(segments)
        self.strangers = any(use is None for _, use, _ in self.misfits)
        self._misplaced()
        for code, rows in self.gathered.items():
            self._elements(code // WIDTH, rows)
        units, self.units = self.units, []
        return units

    def _claims(self, segments: list[Segment]) -> None:
        """Walk on: through the first claim of each pattern, and over those that are like it."""
        self.alike = {}
        done = 0
        for start, end in self.patterns.runs(segments):
            self.feed(segments[done : start + 1])
            done = start + 1
            unit = self.frame
            if unit.opener is not segments[start]:
                continue
            claim = segments[start:end]
            key = self.patterns.key(self.state, claim)
            pattern = self.patterns.known.get(key) if key else None
            unit.run = run = Run(self.state, claim, key, pattern)
            if pattern is None:
                self.feed(claim[1:])
                run.key = run.key if _within(self.frame, unit) else None
            else:
                self.alike.setdefault(pattern, []).append(claim)
            done = end
        self.feed(segments[done:])
        self._gather()

    def _gather(self) -> None:
        """Put the segments of claims that were stepped over where the others are, but for the opening ones."""
        gathered = self.gathered
        for pattern, claims in self.alike.items():
            for code, *column in islice(zip(pattern.codes, *claims, strict=True), 1, None):
                if code in gathered:
                    gathered[code] += column
                else:
                    gathered[code] = column

    def unfold(self, unit: Frame) -> None:
        """Hang the segments of a claim that was stepped over into loops after all, to say where something stands."""
        run = unit.run
        if not isinstance(run, Run) or not run.folded:
            return
        run.folded = False
        kept = self.state, self.frame, self.gathered, self.opened
        self.state, self.frame, self.gathered, self.opened = run.state, unit, {}, []
        self.feed(run.segments[1:])
        inner, end = self.opened, (self.state, self.frame)
        self.state, self.frame, self.gathered, self.opened = kept
        at = self.opened.index(unit) + 1
        self.opened[at:at] = inner
        if self.frame is unit:
            self.state, self.frame = end

    def stay(self) -> None:
        self.unfold(self.frame)

    def groups(self) -> Iterator[tuple[int, list[Segment]]]:
        """The segments of the last piece that have a place, in groups of one id and number of elements (given)."""
        return ((code % WIDTH, rows) for code, rows in self.gathered.items())

    def finish(self) -> list[Frame]:
        """The end of the set: what is still open closes, and is handed over, the whole set last."""
        while self.frame is not self.root:
            self.frame = self.leave(self.frame)
        self._shape(self.root)
        units, self.units = [*self.units, self.root], []
        return units

    def drain(self) -> list[Finding]:
        """The findings so far, forgotten here."""
        found, self.findings = self.findings, []
        return found

    def enter(self, frame: Frame, row: LoopRow, segment: Segment, use: Use) -> Frame:
        inner = super().enter(frame, row, segment, use)
        if segment.id == "HL":
            self.level_count += 1
            parent = frame.opener if frame.opener and frame.opener.id == "HL" else None
            expected = parent.get(1) if parent else ""
            if segment.get(1) != str(self.level_count):
                self._hl(segment, inner, 1, "hl.sequence", str(self.level_count), ERROR)
            if segment.get(2) != expected:
                self._hl(segment, inner, 2, "hl.parent", expected or "empty", ERROR)
        if row.most and inner.serial == row.most + 1:
            self._over(inner, segment, "loop.repeat", "4", row.most)
        return inner

    def leave(self, frame: Frame) -> Frame:
        if not (isinstance(frame.run, Run) and frame.run.folded):
            self._shape(frame)
        parent, opener = frame.parent or frame, frame.opener
        if opener is not None and opener.id == "HL":
            children = any(name in frame.loop_counts for name in self.plan.levels[id(frame.row)])
            if opener.get(4) and (opener.get(4) == "1") != children:
                self._hl(opener, frame, 4, "hl.children", "1" if children else "0", WARNING)
        if id(frame.row) in self.plan.released:
            parent.items.pop()
            parent.numbers.pop()
            self.units.append(frame)
        return parent

    def _shape(self, frame: Frame) -> None:
        """Required and repeated segments and loops of one occurrence."""
        # a loop that was let go is no longer among the items, but it was opened
        key = (*frame.numbers, *frame.loop_counts)
        right = self.plan.shapes[id(frame.row)]
        if key in right:
            return
        before = len(self.findings)
        counts = Counter(frame.numbers)
        row = frame.row
        for use in row.demanded:
            if use.number not in counts:
                self._missing(frame, use, row.id)
        for inner in row.demanded_loops:
            if inner.id not in frame.loop_counts:
                self._missing(frame, inner.uses[0], inner.id)
        for number, count in counts.items():
            use_or_none = row.by_number.get(number)
            if use_or_none is not None and 0 < use_or_none.most < count:
                self._too_many(frame, use_or_none)
        if len(self.findings) == before and len(right) < _MOST_SHAPES:
            right.add(key)

    def _too_many(self, frame: Frame, use: Use) -> None:
        """Report at the first occurrence too many."""
        pairs = zip(frame.items, frame.numbers, strict=True)
        matching = [item for item, number in pairs if number == use.number and isinstance(item, Segment)]
        if len(matching) > use.most:
            self._over(frame, matching[use.most], "segment.repeat", "5", use.most, len(matching))

    def _misplaced(self) -> None:
        for segment, use, frame in self.misfits:
            if use is not None:
                self._segment_finding(segment, frame, "segment.sequence", "7", 1)
            elif segment.id in SEGMENTS:
                self._segment_finding(segment, frame, "segment.unexpected", "2", 2)
            else:
                self._segment_finding(segment, frame, "segment.unknown", "1", 1)
        self.misfits = []

    def _elements(self, number: int, rows: list[Segment]) -> None:
        columns = self.plan.checker(number)
        if len(rows) > _FEW and columns.clean(rows):
            return
        for segment in rows:
            for problem in element_problems(columns.checker, segment):
                self._element_finding(segment, self._frame_of(segment, number), problem)

    def _frame_of(self, segment: Segment, number: int) -> Frame:
        """The frame that a segment of this piece stands in: the last opened before it, or one around that."""
        frame = self._last_opened(segment.position)
        row = self.plan.rows[number]
        while frame is not None and frame.row is not row:
            frame = frame.parent
        return frame or self.root

    def frame_at(self, position: int) -> Frame | None:
        """The frame that holds the segment at a position of this piece, as long as frames are not cleared."""
        frame = self._last_opened(position) if self.opened else None
        while frame is not None and not any(isinstance(x, Segment) and x.position == position for x in frame.items):
            frame = frame.parent
        return frame

    def _last_opened(self, position: int) -> Frame | None:
        """The last frame that was opened at a position or before."""
        while True:
            at = bisect_right(self.opened, position, 1, key=lambda item: item.opener.position if item.opener else 0)
            frame = self.opened[at - 1]
            if not (isinstance(frame.run, Run) and frame.run.folded):
                return frame
            self.unfold(frame)

    def _report(self, frame: Frame, finding: Finding) -> None:
        """A fault of the build of a loop: the claim that it is in is no pattern for others."""
        self.findings.append(finding)
        inner: Frame | None = frame
        while inner is not None:
            if isinstance(inner.run, Run):
                inner.run.key = None
            inner = inner.parent

    def _hl(self, segment: Segment, frame: Frame, element: int, rule: str, expected: str, severity: str) -> None:
        problem = Problem(1, rule, "7", element, expected=expected, warning=severity == WARNING)
        self._element_finding(segment, frame, problem)

    def _missing(self, frame: Frame, use: Use, loop: str) -> None:
        opener = frame.opener
        qualifiers = "/".join(sorted(use.key_codes)) if use.key_codes else ""
        self._report(
            frame,
            Finding(
                snip=2, rule="segment.missing", path=self._path(loop, use.segment), scope="segment", code="3",
                segment_id=use.segment, position=opener.position if opener else self.start, set_start=self.start,
                loop=loop, loop_path=frame.path(), found="absent", expected=f"{use.segment} {qualifiers}".strip(),
                severity=WARNING if use.usage == "A" else ERROR,
            ),
        )  # fmt: skip

    def _over(self, frame: Frame, segment: Segment, rule: str, code: str, most: int, count: int = 0) -> None:
        self._report(
            frame,
            Finding(
                snip=2, rule=rule, path=self._path(frame.row.id, segment.id), scope="segment", code=code,
                segment_id=segment.id, position=segment.position, set_start=self.start, loop=frame.row.id,
                loop_path=frame.path(), found=str(count or most + 1), expected=f"at most {most}",
            ),
        )  # fmt: skip

    def _segment_finding(self, segment: Segment, frame: Frame, rule: str, code: str, snip: int) -> None:
        self._report(
            frame,
            Finding(
                snip=snip, rule=rule, path=self._path(frame.row.id, segment.id), scope="segment", code=code,
                segment_id=segment.id, position=segment.position, set_start=self.start, loop=frame.row.id,
                loop_path=frame.path(),
            ),
        )  # fmt: skip

    def _element_finding(self, segment: Segment, frame: Frame, problem: Problem) -> None:
        path = self._path(frame.row.id, segment.id)
        self.findings.append(element_finding(segment, path, frame.row.id, frame.path(), self.start, problem))

    def _path(self, loop: str, segment_id: str) -> str:
        return "/".join(part for part in (self.guide.name, loop, segment_id) if part)


def _within(frame: Frame | None, unit: Frame) -> bool:
    while frame is not None and frame is not unit:
        frame = frame.parent
    return frame is unit


def element_problems(checker: UseChecker, segment: Segment) -> list[Problem]:
    """What is wrong with the elements of one segment."""
    found = checker.problems(segment.elements)
    places = _FORMATTED.get(segment.id)
    if places:
        qualifier, value = segment.get(places[0]), segment.get(places[1])
        if value and not fits_format(qualifier, value):
            found.append(Problem(1, "element.date-format", "8", places[1], reference="1251", expected=qualifier))
    return found


def element_finding(segment: Segment, path: str, loop: str, loop_path: str, start: int, problem: Problem) -> Finding:
    """A problem put into its place. Only counts and amounts are shown, anything else by its shape."""
    component = f"-{problem.component}" if problem.component else ""
    value = segment.get(problem.element)
    is_number = value.replace(".", "").replace("-", "").isdigit()
    open_value = segment.id in _COUNTED and is_number and not (segment.id in ("CLM", "CLP") and problem.element == 1)
    return Finding(
        snip=problem.snip, rule=problem.rule, path=f"{path}{problem.element:02d}{component}", scope="element",
        code=problem.code, segment_id=segment.id, position=segment.position, set_start=start, loop=loop,
        loop_path=loop_path, element=problem.element, component=problem.component, repetition=problem.repetition,
        reference=problem.reference, found=value if open_value else shape(value), expected=problem.expected,
        severity=WARNING if problem.warning else ERROR,
    )  # fmt: skip


def check_plain(segments: list[Segment], name: str, delimiters: Delimiters, start: int) -> list[Finding]:
    """Findings of SNIP 1 for a 5010 set without a guide."""
    found = []
    for segment in segments:
        checker = plain_checker(segment.id, delimiters)
        problems = element_problems(checker, segment) if checker is not None else []
        found += [element_finding(segment, f"{name}/{segment.id}", "", "", start, problem) for problem in problems]
    return found
