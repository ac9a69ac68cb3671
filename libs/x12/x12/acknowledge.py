"""Findings turned into the answers that X12 owes: TA1 for the interchange, a 999 for each group.

An error of SNIP 1 to 3 rejects its set. Warnings, and errors of situations and external codes, are reported and the
set goes on (E).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from x12.check import Finding, check
from x12.tree import Group, Interchange, TransactionSet
from x12.views.acknowledgment.model import (
    ElementError,
    GroupAcknowledgment,
    InterchangeAcknowledgment,
    SegmentError,
    SetAcknowledgment,
)

_REJECTING_SNIP = 3
# a 999 about a 999 or a TA1 would never end
_UNANSWERED = frozenset(("FA",))


def acknowledge(interchange: Interchange, findings: Sequence[Finding] | None = None) -> list[GroupAcknowledgment]:
    """A 999's content for each group that asks for one. `findings` default to those of `check`."""
    known = check(interchange) if findings is None else findings
    return [_group(group, known) for group in interchange.groups if group.header.get(1) not in _UNANSWERED]


def acknowledge_interchange(
    interchange: Interchange, findings: Sequence[Finding] | None = None
) -> InterchangeAcknowledgment:
    """TA1's content: R with the first note code of an interchange error, else A. Its date and time are the ISA's."""
    known = check(interchange) if findings is None else findings
    header = interchange.header
    try:
        created = datetime.strptime(header.get(9) + header.get(10), "%y%m%d%H%M")  # noqa: DTZ007 ISA has no zone
    except ValueError:
        created = datetime(2000, 1, 1)  # noqa: DTZ001 the ISA's own date cannot be repeated; note 014 says so
    errors = [item for item in known if item.scope == "interchange" and item.is_error]
    return InterchangeAcknowledgment(
        control_number=header.get(13),
        created=created,
        status="R" if errors else "A",
        note=errors[0].code if errors else "000",
    )


def _group(group: Group, findings: Sequence[Finding]) -> GroupAcknowledgment:
    header, trailer = group.header, group.trailer
    positions = {header.position, trailer.position if trailer else header.position}
    broken = [item for item in findings if item.scope == "group" and item.position in positions and item.is_error]
    sets = tuple(_set(item, findings) for item in group.sets)
    accepted = 0 if broken else sum(1 for item in sets if item.status in ("A", "E"))
    stated = trailer.get(1) if trailer else ""
    return GroupAcknowledgment(
        functional_code=header.get(1),
        group_control=header.get(6),
        guide=header.get(8),
        status=_group_status(sets, accepted),
        included=int(stated) if stated.isascii() and stated.isdigit() else len(sets),
        received=len(sets),
        accepted=accepted,
        sets=sets,
        codes=_distinct(item.code for item in broken),
    )


def _group_status(sets: tuple[SetAcknowledgment, ...], accepted: int) -> str:
    if accepted == 0:
        return "R"
    if accepted < len(sets):
        return "P"
    return "E" if any(item.status == "E" for item in sets) else "A"


def _set(transaction: TransactionSet, findings: Sequence[Finding]) -> SetAcknowledgment:
    theirs = [item for item in findings if item.set_start == transaction.start]
    rejected = any(item.is_error and item.snip <= _REJECTING_SNIP for item in theirs)
    inner = [item for item in theirs if item.scope in ("segment", "element")]
    codes = [item.code for item in theirs if item.scope == "set" and item.is_error]
    codes += ["5"] if any(item.is_error and item.snip <= _REJECTING_SNIP for item in inner) else []
    return SetAcknowledgment(
        code=transaction.code,
        control=transaction.control,
        guide=transaction.segments[0].get(3),
        status="R" if rejected else "E" if theirs else "A",
        codes=_distinct(codes),
        errors=tuple(_segment_errors(inner)),
    )


def _segment_errors(findings: Sequence[Finding]) -> list[SegmentError]:
    """One IK3 for each fault of a segment, and one with IK4s for all the faulty elements of a segment."""
    errors: list[SegmentError] = []
    elements: dict[int, list[Finding]] = {}
    for item in findings:
        if item.scope == "segment":
            errors.append(
                SegmentError(segment_id=item.segment_id, position=item.set_position, code=item.code, loop=item.loop[:4])
            )
        else:
            elements.setdefault(item.position, []).append(item)
    for items in elements.values():
        first = items[0]
        errors.append(
            SegmentError(
                segment_id=first.segment_id, position=first.set_position, code="8",
                loop=next((item.loop[:4] for item in items if item.loop), ""),
                elements=tuple(dict.fromkeys(_element(item) for item in items)),
            )
        )  # fmt: skip
    return sorted(errors, key=lambda error: error.position)


def _element(item: Finding) -> ElementError:
    return ElementError(
        position=item.element, component=item.component, repetition=item.repetition, code=item.code,
        reference=item.reference if not item.reference.startswith("C") else "",
    )  # fmt: skip


def _distinct(codes: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(codes))[:5]
