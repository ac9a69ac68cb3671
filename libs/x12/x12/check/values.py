"""Elements against their segment row and their use in the guide: presence, syntax notes, type, length, codes."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from x12.delimiters import Delimiters
from x12.tables.elements import Element
from x12.tables.guide_rows import Use
from x12.tables.segments import SEGMENTS, Field, Note, Row

_DECIMAL = re.compile(r"-?([0-9]+\.?[0-9]*|\.[0-9]+)")
_WHOLE = re.compile(r"-?[0-9]+")
_TIME = re.compile(r"([01][0-9]|2[0-3])[0-5][0-9]([0-5][0-9]{1,3})?")
_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_MOST_PATTERNS = 1_000
_NO_CODES: frozenset[str] = frozenset()


class Problem(NamedTuple):
    """A fault of one element, not yet placed in a file."""

    snip: int
    rule: str
    code: str
    element: int
    component: int = 0
    repetition: int = 0
    reference: str = ""
    expected: str = ""
    warning: bool = False


class UseChecker:
    """Checks segments of one use. Presence patterns repeat in their thousands, so their verdicts are remembered."""

    def __init__(self, row: Row, use: Use | None, delimiters: Delimiters) -> None:
        self.row, self.use, self.delimiters = row, use, delimiters
        self.presence: dict[tuple[bool, ...], tuple[Problem, ...]] = {}
        self.tests = [self._test(at, field) for at, field in enumerate(row.fields, 1)]

    def problems(self, elements: tuple[str, ...]) -> list[Problem]:
        """What is wrong with the elements of a segment."""
        found = list(self.verdict(tuple(map(bool, elements))))
        for at, (value, test) in enumerate(zip(elements, self.tests, strict=False), 1):
            if value and not test(value):
                found += self._explain(at, value)
        return found

    def verdict(self, pattern: tuple[bool, ...]) -> tuple[Problem, ...]:
        """What is wrong with the presence and absence of elements."""
        verdict = self.presence.get(pattern)
        if verdict is None:
            verdict = tuple(self._presence(pattern))
            if len(self.presence) < _MOST_PATTERNS:
                self.presence[pattern] = verdict
        return verdict

    def _test(self, at: int, field: Field) -> Callable[[str], bool]:
        """A quick yes or no for one element; `_explain` says why not."""
        codes = self.use.codes.get((at, 0)) if self.use else None
        if field.composite or field.repeats > 1:
            return lru_cache(maxsize=256)(lambda value: not self._explain(at, value))
        element = field.parts[0]
        if codes is not None:
            allowed = codes
            return lambda value: value in allowed
        return _tester(element)

    def _presence(self, pattern: tuple[bool, ...]) -> list[Problem]:
        found = []
        fields = self.row.fields
        given = {at for at, present in enumerate(pattern, 1) if present}
        required = {(at, 0) for at, field in enumerate(fields, 1) if field.mandatory}
        required |= {place for place in self.use.required if not place[1]} if self.use else set()
        for at, _ in sorted(required):
            if at not in given:
                found.append(self._problem(1 if fields[at - 1].mandatory else 2, "element.missing", "1", at))
        for at, _ in sorted(self.use.unused) if self.use else ():
            if at in given:
                found.append(self._problem(2, "element.unused", "I10", at))
        if any(at > len(fields) for at in given):
            found.append(Problem(1, "element.too-many", "3", len(fields) + 1, expected=f"at most {len(fields)}"))
        if pattern and not pattern[-1]:
            found.append(Problem(1, "element.trailing-separator", "3", len(pattern), warning=True))
        for note in self.row.notes:
            found += self._note(note, given, 0)
        return found

    def _problem(self, snip: int, rule: str, code: str, at: int, component: int = 0, expected: str = "") -> Problem:
        field = self.row.fields[at - 1]
        return Problem(snip, rule, code, at, component, 0, _reference(field, component), expected)

    def _note(self, note: Note, given: set[int], composite_at: int) -> list[Problem]:
        broken = _broken(note, given)
        if not broken:
            return []
        code = "10" if note.kind == "E" else "2"
        expected = note.kind + "".join(f"{at:02d}" for at in note.positions)
        if composite_at:
            return [self._problem(1, "element.syntax-note", code, composite_at, broken, expected)]
        reference = _reference(self.row.fields[broken - 1], 0)
        return [Problem(1, "element.syntax-note", code, broken, 0, 0, reference, expected)]

    def _explain(self, at: int, value: str) -> list[Problem]:
        """Every problem of one element's value."""
        field = self.row.fields[at - 1]
        mark = self.delimiters.repetition
        repeats = value.split(mark) if mark and field.repeats > 1 else [value]
        found: list[Problem] = []
        if len(repeats) > field.repeats:
            found.append(self._problem(1, "element.too-many-repetitions", "12", at, 0, f"at most {field.repeats}"))
        for number, text in enumerate(repeats, 1):
            if field.composite:
                problems = self._explain_composite(at, field, text)
            else:
                problems = self._explain_part(at, 0, field.parts[0], text)
            found += [item._replace(repetition=number if len(repeats) > 1 else 0) for item in problems]
        return found

    def _explain_composite(self, at: int, field: Field, text: str) -> list[Problem]:
        parts = text.split(self.delimiters.component)
        found: list[Problem] = []
        given = {number for number, part in enumerate(parts, 1) if part}
        if len(parts) > len(field.parts):
            found.append(self._problem(1, "component.too-many", "13", at, 0, f"at most {len(field.parts)}"))
        demanded = self.use.required if self.use else frozenset()
        for number, mandatory in enumerate(field.required_parts, 1):
            if number not in given and (mandatory or (at, number) in demanded):
                found.append(self._problem(1 if mandatory else 2, "component.missing", "1", at, number))
        for note in field.notes:
            found += self._note(note, given, at)
        for number, (part, element) in enumerate(zip(parts, field.parts, strict=False), 1):
            found += self._explain_part(at, number, element, part) if part else []
        return found

    def _explain_part(self, at: int, component: int, element: Element, text: str) -> list[Problem]:
        codes = self.use.codes.get((at, component), _NO_CODES) if self.use else _NO_CODES
        if codes:
            if text in codes:
                return []
            expected = ",".join(sorted(codes))
            return [Problem(2, "element.code", "7", at, component, 0, element.number, expected)]
        verdict = _fault(element, text)
        if verdict is None:
            return []
        rule, code, expected = verdict
        return [Problem(1, rule, code, at, component, 0, element.number, expected)]


def _reference(field: Field, component: int) -> str:
    return field.parts[component - 1].number if component else field.reference


def _broken(note: Note, given: set[int]) -> int:
    """The position that breaks a syntax note; 0 when it holds."""
    first, *others = note.positions
    present = [at for at in note.positions if at in given]
    missing = [at for at in note.positions if at not in given]
    if note.kind == "P":
        return missing[0] if present and missing else 0
    if note.kind == "R":
        return 0 if present else first
    if note.kind == "E":
        return present[1] if len(present) > 1 else 0
    if first not in given:
        return 0
    absent = [at for at in others if at not in given]
    if note.kind == "C":
        return absent[0] if absent else 0
    return others[0] if len(absent) == len(others) else 0


def _tester(element: Element) -> Callable[[str], bool]:
    least, most = element.least, element.most
    if element.type == "B":
        return lambda value: True
    if element.type in ("AN", "ID"):
        return lambda value: least <= len(value) <= most and value.isprintable()
    if element.type == "R" and least == 1 and most > 2:
        usual = re.compile(rf"-?[0-9]{{1,{most - 2}}}(\.[0-9]{{1,2}})?").fullmatch
        return lambda value: usual(value) is not None or _fault(element, value) is None
    return lambda value: _fault(element, value) is None


@lru_cache(maxsize=2048)
def _fault(element: Element, text: str) -> tuple[str, str, str] | None:
    """Rule, IK403 code and expectation that a text breaks; None when it is well formed."""
    kind = element.type
    if kind == "R" and not _DECIMAL.fullmatch(text):
        return "element.decimal", "6", "a decimal number"
    if kind == "N0" and not _WHOLE.fullmatch(text):
        return "element.whole", "6", "a whole number"
    if kind in ("AN", "ID") and not text.isprintable():
        return "element.character", "6", "printable characters"
    length = len(text.lstrip("-").replace(".", "")) if kind in ("R", "N0") else len(text)
    if length < element.least:
        return "element.too-short", "4", f"at least {element.least}"
    if length > element.most:
        return "element.too-long", "5", f"at most {element.most}"
    if kind == "DT" and not is_date(text):
        return "element.date", "8", "a date"
    if kind == "TM" and not _TIME.fullmatch(text):
        return "element.time", "9", "a time"
    return None


def is_date(text: str) -> bool:
    """CCYYMMDD (or YYMMDD) of the calendar."""
    if len(text) not in (6, 8) or not (text.isascii() and text.isdigit()):
        return False
    month, day = int(text[-4:-2]), int(text[-2:])
    if not 1 <= month <= 12 or not 1 <= day <= _DAYS[month - 1]:
        return False
    year = int(text[:-4])
    return not (month == 2 and day == 29) or (year % 4 == 0 and (year % 100 != 0 or year % 400 == 0 or year < 100))


@lru_cache(maxsize=2048)
def fits_format(qualifier: str, text: str) -> bool:
    """Whether a date or time has the form that its qualifier names; unknown qualifiers fit."""
    if qualifier == "D8":
        return len(text) == 8 and is_date(text)
    if qualifier == "RD8":
        start, _, end = text.partition("-")
        return len(start) == len(end) == 8 and is_date(start) and is_date(end) and start <= end
    if qualifier == "DT":
        return len(text) in (12, 14) and is_date(text[:8]) and bool(_TIME.fullmatch(text[8:]))
    return bool(_TIME.fullmatch(text)) if qualifier == "TM" else True


@lru_cache(maxsize=1024)
def plain_checker(segment_id: str, delimiters: Delimiters) -> UseChecker | None:
    """A checker by the standard's row alone; None for a segment that the standard's table does not have."""
    row = SEGMENTS.get(segment_id)
    return UseChecker(row, None, delimiters) if row else None
