"""The 999, both ways."""

from __future__ import annotations

from x12.tables.guides import GUIDE_999
from x12.tree import Loop, Segment, TransactionSet
from x12.views.acknowledgment.model import ElementError, GroupAcknowledgment, SegmentError, SetAcknowledgment
from x12.views.compose import Row, ViewError, compose
from x12.views.envelope import Envelope
from x12.views.extract import opened, split, whole


def build_999(answer: GroupAcknowledgment, envelope: Envelope) -> str:
    """One interchange that acknowledges one group. It never repeats the data in error."""
    rows: list[Row] = [("AK1", answer.functional_code, answer.group_control, answer.guide)]
    for item in answer.sets:
        rows.append(("AK2", item.code, item.control, item.guide))
        rows += [row for error in item.errors for row in _error_rows(error)]
        rows.append(("IK5", item.status, *item.codes[:5]))
    counts = (str(answer.included), str(answer.received), str(answer.accepted))
    rows.append(("AK9", answer.status, *counts, *answer.codes[:5]))
    return compose(GUIDE_999, rows, envelope)


def _error_rows(error: SegmentError) -> list[Row]:
    rows: list[Row] = [("IK3", error.segment_id, str(error.position), error.loop[:4], error.code)]
    for element in error.elements:
        place = (str(element.position), str(element.component or ""), str(element.repetition or ""))
        rows.append(("IK4", place, element.reference, element.code))
    return rows


def read_999(transaction: TransactionSet) -> GroupAcknowledgment:
    """The acknowledgement in a set. ViewError for another set or without AK1 and AK9."""
    root = opened(transaction, "999")
    mark = transaction.delimiters.component
    ak1, ak9 = root.first("AK1"), root.first("AK9")
    if ak1 is None or ak9 is None:
        raise ViewError("999/AK1", "AK1 or AK9 is missing")
    return GroupAcknowledgment(
        functional_code=ak1.get(1),
        group_control=ak1.get(2),
        guide=ak1.get(3),
        status=ak9.get(1),
        included=whole(ak9.get(2), "999/AK902"),
        received=whole(ak9.get(3), "999/AK903"),
        accepted=whole(ak9.get(4), "999/AK904"),
        codes=_codes(ak9, 5),
        sets=tuple(_set(loop, mark) for loop in root.loops("2000")),
    )


def _codes(segment: Segment, start: int) -> tuple[str, ...]:
    return tuple(code for code in segment.elements[start - 1 :] if code)


def _set(loop: Loop, mark: str) -> SetAcknowledgment:
    ik5 = loop.first("IK5") or Segment("IK5", (), 0)
    return SetAcknowledgment(
        code=loop.value("AK2", 1),
        control=loop.value("AK2", 2),
        guide=loop.value("AK2", 3),
        status=ik5.get(1),
        codes=_codes(ik5, 2),
        errors=tuple(_error(item, mark) for item in loop.loops("2100")),
    )


def _error(loop: Loop, mark: str) -> SegmentError:
    return SegmentError(
        segment_id=loop.value("IK3", 1),
        position=whole(loop.value("IK3", 2), "999/IK302"),
        loop=loop.value("IK3", 3),
        code=loop.value("IK3", 4),
        elements=tuple(_element(item, mark) for item in loop.loops("2110")),
    )


def _element(loop: Loop, mark: str) -> ElementError:
    position, component, repetition = split(loop.value("IK4", 1), mark, 3)[:3]
    return ElementError(
        position=whole(position, "999/IK401"),
        component=whole(component or "0", "999/IK401"),
        repetition=whole(repetition or "0", "999/IK401"),
        reference=loop.value("IK4", 2),
        code=loop.value("IK4", 3),
    )
