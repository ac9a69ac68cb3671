"""A fault as the rules of SNIP 3 to 7 give it, and the finding that becomes of it."""

from __future__ import annotations

from typing import NamedTuple

from x12.check.finding import ERROR, Finding
from x12.tree import Segment


class Fault(NamedTuple):
    """A fault at a segment. `segment_id` names another segment that is missing below it; `code` is IK304 or IK403."""

    snip: int
    rule: str
    loop: str
    segment: Segment
    element: int
    code: str
    found: str = ""
    expected: str = ""
    component: int = 0
    scope: str = "element"
    severity: str = ERROR
    segment_id: str = ""


def placed(fault: Fault, name: str, start: int) -> Finding:
    """The finding of a fault in a set of guide `name` whose ST stands at position `start`."""
    segment_id = fault.segment_id or fault.segment.id
    element = f"{fault.element:02d}" if fault.element else ""
    component = f"-{fault.component}" if fault.component else ""
    place = "/".join(part for part in (name, fault.loop, segment_id) if part)
    return Finding(
        snip=fault.snip, rule=fault.rule, path=f"{place}{element}{component}", scope=fault.scope, code=fault.code,
        segment_id=segment_id, position=fault.segment.position, set_start=start, loop=fault.loop,
        element=fault.element, component=fault.component, found=fault.found, expected=fault.expected,
        severity=fault.severity,
    )  # fmt: skip
