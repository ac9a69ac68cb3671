"""SNIP 1 of the envelopes: headers, trailers, counts and control numbers that agree."""

from __future__ import annotations

from collections.abc import Iterator

from x12.check.finding import Finding
from x12.check.values import is_date
from x12.tables.guides import GUIDES
from x12.tree import Group, Interchange, Segment, TransactionSet

_ISA_LENGTHS = (2, 10, 2, 10, 2, 15, 2, 15, 6, 4, 1, 5, 9, 1, 1, 1)
# TA1 note codes by the ISA element at fault
_ISA_NOTES = {1: "010", 2: "011", 3: "012", 4: "013", 5: "005", 6: "006", 7: "007", 8: "008", 9: "014", 10: "015",
              11: "026", 12: "017", 13: "018", 14: "019", 15: "020", 16: "027"}  # fmt: skip
_FUNCTIONAL_IDS = {guide.code: guide.functional_id for guide in GUIDES}


def interchange_findings(interchange: Interchange) -> Iterator[Finding]:
    """ISA, IEA and whatever stands outside of groups; code is that of TA105."""
    yield from _header_findings(interchange.header)
    yield from _trailer_findings(interchange)
    for stray in interchange.strays:
        if stray.id != "TA1":
            yield _of("interchange", "interchange.stray", "022", stray, 0, "", "inside of a group")


def _header_findings(header: Segment) -> Iterator[Finding]:
    for number, (value, length) in enumerate(zip(header.elements, _ISA_LENGTHS, strict=False), 1):
        if len(value) != length:
            yield _of("interchange", "isa.width", _ISA_NOTES[number], header, number, str(len(value)), str(length))
    if not is_date(header.get(9)):
        yield _of("interchange", "isa.date", "014", header, 9, "", "YYMMDD")
    if not header.get(13).isdigit():
        yield _of("interchange", "isa.control", "018", header, 13, "", "nine digits")
    if header.get(15) not in ("T", "P", "I"):
        yield _of("interchange", "isa.usage", "020", header, 15, "", "T or P")


def _trailer_findings(interchange: Interchange) -> Iterator[Finding]:
    header, trailer = interchange.header, interchange.trailer
    if trailer is None:
        yield _of("interchange", "iea.missing", "023", header, 0, "absent", "IEA")
        return
    if trailer.get(2) != header.get(13):
        yield _of("interchange", "iea.control", "001", trailer, 2, "", "ISA13")
    if not _same(trailer.get(1), len(interchange.groups)):
        yield _of("interchange", "iea.count", "021", trailer, 1, trailer.get(1), str(len(interchange.groups)))


def group_findings(group: Group) -> Iterator[Finding]:
    """GS, GE and whatever stands outside of sets; code is that of AK905, or of TA105 where AK9 has none."""
    header, trailer = group.header, group.trailer
    for code in {item.code for item in group.sets}:
        expected = _FUNCTIONAL_IDS.get(code)
        if expected and header.get(1) != expected:
            yield _of("group", "gs.functional-id", "1", header, 1, header.get(1), expected)
    if header.get(7) != "X":
        yield _of("group", "gs.agency", "2", header, 7, header.get(7), "X")
    if not is_date(header.get(4)):
        yield _of("interchange", "gs.date", "024", header, 4, "", "CCYYMMDD")
    for stray in group.strays:
        if stray.id != "TA1":
            yield _of("interchange", "group.stray", "022", stray, 0, "", "inside of a set")
    if trailer is None:
        yield _of("group", "ge.missing", "3", header, 0, "absent", "GE")
        return
    if trailer.get(2) != header.get(6):
        yield _of("group", "ge.control", "4", trailer, 2, "", "GS06")
    if not _same(trailer.get(1), len(group.sets)):
        yield _of("group", "ge.count", "5", trailer, 1, trailer.get(1), str(len(group.sets)))


def set_findings(transaction: TransactionSet, seen: set[str]) -> Iterator[Finding]:
    """ST and SE; code is that of IK502. `seen` are the control numbers of the group so far."""
    header, last = transaction.segments[0], transaction.segments[-1]
    start = transaction.start
    if transaction.control in seen:
        yield _of("set", "st.control-repeated", "23", header, 2, "", "unique in the group", start)
    seen.add(transaction.control)
    version = header.get(3)
    if version and transaction.group.get(8) and version != transaction.group.get(8):
        yield _of("set", "st.guide", "I6", header, 3, version, transaction.group.get(8), start)
    if last.id != "SE":
        yield _of("set", "se.missing", "2", last, 0, "absent", "SE", start)
        return
    count = len(transaction.segments)
    if not _same(last.get(1), count):
        yield _of("set", "se.count", "4", last, 1, last.get(1), str(count), start)
    if last.get(2) != header.get(2):
        yield _of("set", "se.control", "3", last, 2, "", "ST02", start)


def _same(text: str, count: int) -> bool:
    return text.isascii() and text.isdigit() and int(text) == count


def _of(
    scope: str, rule: str, code: str, segment: Segment, element: int, found: str, expected: str, start: int = 0
) -> Finding:
    path = f"{segment.id}{element:02d}" if element else segment.id
    return Finding(
        snip=1, rule=rule, path=path, scope=scope, code=code, segment_id=segment.id, position=segment.position,
        set_start=start, element=element, found=found, expected=expected,
    )  # fmt: skip
