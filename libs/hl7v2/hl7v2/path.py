"""Paths such as `PID-3(2).4.2`: parsed once, remembered, and checked before any message comes."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from kernel.errors import Unreadable

from hl7v2.delimiters import HEADERS

_FORM = re.compile(
    r"(?:(?P<segment>[A-Z][A-Z0-9]{2})(?:\((?P<nth>[1-9][0-9]{0,4})\))?-)?"
    r"(?P<field>[1-9][0-9]{0,3})(?:\((?P<repetition>[1-9][0-9]{0,4})\))?"
    r"(?:\.(?P<component>[1-9][0-9]{0,3})(?:\.(?P<subcomponent>[1-9][0-9]{0,3}))?)?"
)


class Path(NamedTuple):
    """Where a value stands.

    `segment` is "" for a path inside of a segment; `nth` is its occurrence from 1, 0 when not named. `repetition`,
    `component` and `subcomponent` count from 0, and what is not named is the first. `depth` says how far down the path
    names something: 0 the field, 1 its repetition, 2 a component, 3 a subcomponent. `every` says that no repetition is
    named, `below` that something other than the first of all is meant, `literal` that this is MSH-1 or MSH-2, whose
    characters are no delimiters.
    """

    segment: str
    nth: int
    field: int
    repetition: int
    component: int
    subcomponent: int
    depth: int
    every: bool
    below: bool
    literal: bool


@lru_cache(maxsize=4096)
def compile_path(text: str) -> Path:
    """The path that `text` states. Error: `hl7.path`, with the text as path (it comes from configuration or code)."""
    match = _FORM.fullmatch(text)
    if match is None:
        raise Unreadable("hl7.path", text, "not of the form SEG(n)-field(repetition).component.subcomponent")
    segment = match["segment"] or ""
    nth, field = int(match["nth"] or 0), int(match["field"])
    numbers = [int(match[name] or 0) for name in ("repetition", "component", "subcomponent")]
    repetition, component, subcomponent = (max(number - 1, 0) for number in numbers)
    depth = max((at for at, number in enumerate(numbers, 1) if number), default=0)
    below = bool(repetition or component or subcomponent)
    literal = segment in HEADERS and field <= 2
    return Path(segment, nth, field, repetition, component, subcomponent, depth, not numbers[0], below, literal)
