"""Situational rules as rows: when this is there, that must be (or must not be) there.

A row is `id | loop | when | need | says`, one for each line of a table. `loop` lists the loops (by comma) in each of
whose occurrences the row is looked at. `when` and `need` are atoms joined by " & "; an atom may list alternatives by
" or ". An atom reads `!` for absent, `^2300/` to look in the open loop of that id above, `2310B/` for each loop of that
id inside, then a segment, `*` with qualifiers, an element and a component, and a test: `=A,B` one of, `~pattern` all of
the value. Examples: `REF*F8`, `CLM05.3=7,8`, `CLM11.1-3=AA` (any of components 1 to 3), `^2300/CLM05.1~1[18]`,
`2330B/DTP*573`, `>2000C` (the loop itself). `HI*BH=01` looks at component 2 of every composite with qualifier BH,
`CAS=16,96` at every reason of a CAS and `PLB=FB` at every reason of a PLB. With qualifiers an element follows
after "#": `N1*PE#03=XX`. The loop "root" is what stands outside of loops.

An id that ends in "?" makes its findings warnings. The rows are facts of the guides in our words, no text of theirs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from x12.check.faults import Fault
from x12.check.finding import ERROR, WARNING
from x12.loops import Frame
from x12.tables.situations import SITUATIONS
from x12.tree import Segment

_ATOM = re.compile(
    r"(?P<negated>!?)(?P<up>\^\w+/)?(?P<down>(?:[0-9]\w+/)*)"
    r"(?:>(?P<loop>\w+)|(?P<segment>[A-Z][A-Z0-9]{1,2}?)(?:\*(?P<qualifiers>[\w,]+))?"
    r"(?:#?(?P<element>\d\d))?(?:\.(?P<component>\d+)(?:-(?P<last>\d+))?)?)(?:=(?P<codes>.+)|~(?P<pattern>.+))?"
)
# where the qualifier of these stands in repeating composites or groups: (first element, step)
_REASONS = {"CAS": (2, 3), "PLB": (3, 2)}


class Atom(NamedTuple):
    """One question about a frame."""

    negated: bool
    up: str
    down: tuple[str, ...]
    loop: str
    segment: str
    qualifiers: frozenset[str]
    element: int
    components: tuple[int, int]
    codes: frozenset[str]
    pattern: re.Pattern[str] | None


@dataclass(frozen=True, slots=True)
class Rule:
    """A row that is read. `when` all hold; `need` is broken when one of its members has no alternative that holds."""

    id: str
    guide: str
    snip: int
    loops: tuple[str, ...]
    when: tuple[tuple[Atom, ...], ...]
    need: tuple[tuple[Atom, ...], ...]
    says: str
    severity: str


_Rows = tuple[tuple[str, Rule], ...]
RuleIndex = Mapping[str, _Rows]


def rules_of(text: str, guide: str, snip: int = 4) -> tuple[Rule, ...]:
    """The rules of a table of rows; a backslash at the end of a line joins the next. ValueError names what is none."""
    lines = (" ".join(line.split()) for line in text.replace("\\\n", " ").strip().splitlines())
    return tuple(_rule(line, guide, snip) for line in lines if line and not line.startswith("#"))


def _rule(line: str, guide: str, snip: int) -> Rule:
    parts = [part.strip() for part in line.split(" | ")]
    if len(parts) != 5:
        raise ValueError(f"a rule has five parts: {parts[0]}")
    name, loops, when, need, says = parts
    where = tuple(loops.replace("root", "").split(","))
    severity = WARNING if name.endswith("?") else ERROR
    return Rule(name.rstrip("?"), guide, snip, where, _condition(when), _condition(need), says, severity)


def _condition(text: str) -> tuple[tuple[Atom, ...], ...]:
    return tuple(tuple(_atom(part.strip()) for part in group.split(" or ")) for group in text.split(" & "))


def _atom(text: str) -> Atom:
    match = _ATOM.fullmatch(text)
    if match is None:
        raise ValueError(f"not an atom of a rule: {text}")
    found = match.groupdict()
    first = int(found["component"] or 0)
    return Atom(
        negated=bool(found["negated"]),
        up=(found["up"] or "")[1:-1],
        down=tuple(part for part in (found["down"] or "").split("/") if part),
        loop=found["loop"] or "",
        segment=found["segment"] or "",
        qualifiers=frozenset((found["qualifiers"] or "").split(",")) - {""},
        element=int(found["element"] or 0),
        components=(first, int(found["last"] or first)),
        codes=frozenset((found["codes"] or "").split(",")) - {""},
        pattern=re.compile(found["pattern"]) if found["pattern"] else None,
    )


def situations(guide: str) -> tuple[Rule, ...]:
    """The rows that are shipped for a guide."""
    return _shipped(guide)


@lru_cache(maxsize=64)
def _shipped(guide: str) -> tuple[Rule, ...]:
    return rules_of(SITUATIONS[guide], guide) if guide in SITUATIONS else ()


@lru_cache(maxsize=256)
def index_rules(rules: tuple[Rule, ...], guide: str) -> RuleIndex:
    """The rules of a guide by loop, each with the segment without which it says nothing."""
    index: dict[str, list[tuple[str, Rule]]] = {}
    for rule in rules:
        if rule.guide == guide:
            for loop in rule.loops:
                index.setdefault(loop, []).append((_trigger(rule), rule))
    return {loop: tuple(rows) for loop, rows in index.items()}


def _trigger(rule: Rule) -> str:
    """The segment of the rule's own loop that its condition asks for; empty when there is none."""
    for group in rule.when:
        atom = group[0]
        if len(group) == 1 and not (atom.negated or atom.up or atom.down or atom.loop):
            return atom.segment
    return ""


def situation_faults(frame: Frame, mark: str, index: RuleIndex) -> list[Fault]:
    """What breaks a rule in a frame and in all that are inside of it."""
    faults: list[Fault] = []
    _visit(frame, mark, index, faults)
    return faults


def _visit(frame: Frame, mark: str, index: RuleIndex, faults: list[Fault]) -> None:
    rows = index.get(frame.row.id)
    if rows:
        here = {item.id for item in frame.items if isinstance(item, Segment)}
        for trigger, rule in rows:
            if not trigger or trigger in here:
                _apply(rule, frame, mark, faults)
    for item in frame.items:
        if isinstance(item, Frame):
            _visit(item, mark, index, faults)


def _apply(rule: Rule, frame: Frame, mark: str, faults: list[Fault]) -> None:
    for group in rule.when:
        if not any(_holds(atom, frame, mark) for atom in group):
            return
    for group in rule.need:
        if not any(_holds(atom, frame, mark) for atom in group):
            faults.append(_fault(rule, group[0], frame))
            return


def _holds(atom: Atom, frame: Frame, mark: str) -> bool:
    start: Frame | None = frame
    while atom.up and start is not None and start.row.id != atom.up:
        start = start.parent
    return start is not None and _found(atom, start, mark) != atom.negated


def _found(atom: Atom, frame: Frame, mark: str) -> bool:
    frames = [frame]
    for name in atom.down:
        frames = [item for each in frames for item in each.items if isinstance(item, Frame) and item.row.id == name]
    if atom.loop:
        return any(atom.loop in each.loop_counts for each in frames)
    return any(
        matches(atom, item, mark)
        for each in frames
        for item in each.items
        if isinstance(item, Segment) and item.id == atom.segment
    )


def matches(atom: Atom, segment: Segment, mark: str) -> bool:
    if atom.segment == "HI":
        return any(_hi_matches(atom, text.split(mark)) for text in segment.elements)
    if atom.qualifiers and segment.get(1) not in atom.qualifiers:
        return False
    if atom.element:
        return any(_passes(atom, value) for value in _values(atom, segment, mark))
    if not (atom.codes or atom.pattern):
        return True
    first, step = _REASONS.get(segment.id, (1, len(segment.elements) or 1))
    reasons = segment.elements[first - 1 :: step]
    return any(_passes(atom, text.split(mark, 1)[0]) for text in reasons)


def _hi_matches(atom: Atom, parts: list[str]) -> bool:
    if atom.qualifiers and parts[0] not in atom.qualifiers:
        return False
    at = atom.components[0] or 2
    return _passes(atom, parts[at - 1] if len(parts) >= at else "")


def _values(atom: Atom, segment: Segment, mark: str) -> Iterator[str]:
    value = segment.get(atom.element)
    first, last = atom.components
    if not first:
        yield value
        return
    yield from value.split(mark)[first - 1 : last]


def _passes(atom: Atom, value: str) -> bool:
    if atom.codes:
        return value in atom.codes
    return bool(atom.pattern.fullmatch(value)) if atom.pattern else bool(value)


def _fault(rule: Rule, need: Atom, frame: Frame) -> Fault:
    """Report at the segment that is meant when it is there, else at the opener with the id of what is missing."""
    at = next((item for item in frame.items if isinstance(item, Segment) and item.id == need.segment), None)
    opener = frame.opener or next(item for item in frame.items if isinstance(item, Segment))
    local = not (need.up or need.down or need.loop)
    if need.element and local and at is not None:
        valued = bool(need.codes or need.pattern)
        code = "I12" if valued else "I13" if need.negated else "2"
        return Fault(
            rule.snip, rule.id, frame.row.id, at, need.element, code, "", rule.says, need.components[0], "element",
            rule.severity,
        )  # fmt: skip
    loop = need.loop or (need.down[-1] if need.down else frame.row.id)
    code = "I9" if need.negated else "I6"
    return Fault(
        rule.snip, rule.id, loop, (at if local and need.negated else None) or opener, 0, code, "", rule.says, 0,
        "segment", rule.severity, need.segment or "NM1",
    )  # fmt: skip
