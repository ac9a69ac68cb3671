"""SNIP 1 of the envelopes: headers, trailers, counts and control numbers that agree."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from x12.check.finding import WARNING, Finding, shape
from x12.check.values import is_date
from x12.tables.guides import GUIDES
from x12.tree import Segment

_ISA_LENGTHS = (2, 10, 2, 10, 2, 15, 2, 15, 6, 4, 1, 5, 9, 1, 1, 1)
# TA1 note codes by the ISA element at fault
_ISA_NOTES = {1: "010", 2: "011", 3: "012", 4: "013", 5: "005", 6: "006", 7: "007", 8: "008", 9: "014", 10: "015",
              11: "026", 12: "017", 13: "018", 14: "019", 15: "020", 16: "027"}  # fmt: skip
_SINCE = "00501"
_CLOCK = re.compile(r"([01][0-9]|2[0-3])[0-5][0-9]")
_FUNCTIONAL_IDS = {guide.code: guide.functional_id for guide in GUIDES}


def interchange_findings(header: Segment, trailer: Segment | None, groups: int) -> Iterator[Finding]:
    """ISA and IEA, with the number of groups that came between; code is that of TA105."""
    yield from _header_findings(header)
    yield from _trailer_findings(header, trailer, groups)


def stray_findings(segments: Iterable[Segment], in_group: bool) -> Iterator[Finding]:
    """What stands outside of groups, or of sets."""
    rule, place = ("group.stray", "inside of a set") if in_group else ("interchange.stray", "inside of a group")
    for stray in segments:
        if stray.id != "TA1":
            yield _of("interchange", rule, "022", stray, 0, "", place)


def _header_findings(header: Segment) -> Iterator[Finding]:
    for number, (value, length) in enumerate(zip(header.elements, _ISA_LENGTHS, strict=False), 1):
        if len(value) != length:
            yield _of("interchange", "isa.width", _ISA_NOTES[number], header, number, str(len(value)), str(length))
    if not is_date(header.get(9)):
        yield _of("interchange", "isa.date", "014", header, 9, "", "YYMMDD")
    if not _CLOCK.fullmatch(header.get(10)):
        yield _of("interchange", "isa.time", "015", header, 10, "", "HHMM")
    if not header.get(13).isdigit():
        yield _of("interchange", "isa.control", "018", header, 13, "", "nine digits")
    if header.get(15) not in ("T", "P", "I"):
        yield _of("interchange", "isa.usage", "020", header, 15, "", "T or P")


def _trailer_findings(header: Segment, trailer: Segment | None, groups: int) -> Iterator[Finding]:
    if trailer is None:
        yield _of("interchange", "iea.missing", "023", header, 0, "absent", "IEA")
        return
    if trailer.get(2) != header.get(13):
        yield _of("interchange", "iea.control", "001", trailer, 2, "", "ISA13")
    if not _same(trailer.get(1), groups):
        yield _of("interchange", "iea.count", "021", trailer, 1, trailer.get(1), str(groups))


@dataclass(slots=True)
class GroupTally:
    """A group while its sets go by: which transactions, how many, and the control numbers that were used. `version`
    is ISA12 of its interchange."""

    header: Segment
    version: str = ""
    codes: set[str] = field(default_factory=set)
    controls: set[str] = field(default_factory=set)
    sets: int = 0

    def add(self, header: Segment) -> None:
        """Count a set by its ST."""
        self.codes.add(header.get(1))
        self.sets += 1

    def findings(self, trailer: Segment | None) -> Iterator[Finding]:
        """GS and GE; code is that of AK905, or of TA105 where AK9 has none."""
        header = self.header
        for code in sorted(self.codes):
            expected = _FUNCTIONAL_IDS.get(code)
            if expected and header.get(1) != expected:
                yield _of("group", "gs.functional-id", "1", header, 1, header.get(1), expected)
        if header.get(7) != "X":
            yield _of("group", "gs.agency", "2", header, 7, shape(header.get(7)), "X")
        # 5010 content in an envelope of before; a later one such as 006020 travels in 00501
        if self.version.isdigit() and self.version < _SINCE <= header.get(8)[:5]:
            late = _of("interchange", "isa.version", "017", header, 8, header.get(8)[:6], self.version)
            yield replace(late, severity=WARNING)
        if not is_date(header.get(4)):
            yield _of("interchange", "gs.date", "024", header, 4, "", "CCYYMMDD")
        if trailer is None:
            yield _of("group", "ge.missing", "3", header, 0, "absent", "GE")
            return
        if trailer.get(2) != header.get(6):
            yield _of("group", "ge.control", "4", trailer, 2, "", "GS06")
        if not _same(trailer.get(1), self.sets):
            yield _of("group", "ge.count", "5", trailer, 1, trailer.get(1), str(self.sets))


def set_findings(header: Segment, last: Segment, count: int, group: GroupTally) -> Iterator[Finding]:
    """ST and SE of a set of `count` segments; code is that of IK502."""
    start = header.position
    control = header.get(2)
    if control in group.controls:
        yield _of("set", "st.control-repeated", "23", header, 2, "", "unique in the group", start)
    group.controls.add(control)
    version, expected = header.get(3), group.header.get(8)
    if version and expected and version != expected:
        yield _of("set", "st.guide", "I6", header, 3, version, expected, start)
    if last.id != "SE":
        yield _of("set", "se.missing", "2", last, 0, "absent", "SE", start)
        return
    if not _same(last.get(1), count):
        yield _of("set", "se.count", "4", last, 1, last.get(1), str(count), start)
    if last.get(2) != control:
        yield _of("set", "se.control", "3", last, 2, "", "ST02", start)


def _same(text: str, count: int) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 20 and int(text) == count


def _of(
    scope: str, rule: str, code: str, segment: Segment, element: int, found: str, expected: str, start: int = 0
) -> Finding:
    path = f"{segment.id}{element:02d}" if element else segment.id
    return Finding(
        snip=1, rule=rule, path=path, scope=scope, code=code, segment_id=segment.id, position=segment.position,
        set_start=start, element=element, found=found, expected=expected,
    )  # fmt: skip
