"""The 277 that answers a 276, both ways."""

from __future__ import annotations

from datetime import date
from typing import Any

from x12.tables.guides import GUIDE_277
from x12.tree import Loop, TransactionSet
from x12.views.acknowledgment.model import Status
from x12.views.compose import Row, ViewError, compose, day, money, span
from x12.views.envelope import Envelope
from x12.views.extract import cents, opened, optional_cents, period, required_day, split
from x12.views.extract import day as read_day
from x12.views.status.levels import Parties, level_rows, people, read_service, service_value
from x12.views.status.model import LineStatus, StatusInfo

_STC_COMPOSITES = (1, 10, 11)


def build_277(info: StatusInfo, envelope: Envelope) -> str:
    """One interchange with one answer. ViewError when a value cannot be carried or there is no status."""
    at = envelope.created
    reference = info.reference or info.trace_number
    rows: list[Row] = [
        ("BHT", "0010", "08", reference, day(at), f"{at:%H%M}", "DG"),
        *level_rows(info, with_demographics=False),
        ("TRN", "2", info.trace_number),
    ]
    money_parts = (money(info.charge_cents), money(info.paid_cents), day(info.adjudicated), "", day(info.payment_date),
                   info.payment_number)  # fmt: skip
    rows += _status_rows(info.statuses, info.status_date, money_parts)
    references = (("1K", info.payer_claim_number), ("BLT", info.bill_type), ("EJ", info.control_number),
                  ("D9", info.clearinghouse_number))  # fmt: skip
    rows += [("REF", qualifier, value) for qualifier, value in references if value]
    if info.service_from:
        rows.append(("DTP", "472", *span(info.service_from, info.service_to)))
    for line in info.lines:
        rows += _line_rows(line)
    return compose(GUIDE_277, rows, envelope)


def _status_rows(statuses: tuple[Status, ...], when: date, amounts: tuple[str, ...]) -> list[Row]:
    if not statuses:
        raise ViewError("277/2200D/STC", "a claim without a status")
    rows: list[Row] = []
    for at in range(0, len(statuses), 3):
        first, *more = [(item.category, item.code, item.entity) for item in statuses[at : at + 3]]
        rows.append(("STC", first, day(when), "", *(amounts if at == 0 else ("",) * 6), *more))
    return rows


def _line_rows(line: LineStatus) -> list[Row]:
    service = service_value(line.qualifier, line.code, line.modifiers)
    rows: list[Row] = [("SVC", service, money(line.charge_cents), money(line.paid_cents), "", "", "", line.units)]
    rows += _status_rows(line.statuses, line.status_date, ("",) * 6)
    rows += [("REF", "FJ", line.line_control)] if line.line_control else []
    return [*rows, ("DTP", "472", *span(line.date_from, line.date_to))]


def read_277(transaction: TransactionSet) -> list[StatusInfo]:
    """The answers of a set in order. ViewError for another set, or for amounts and dates that are none."""
    mark = transaction.delimiters.component
    return [_answer(found, loop, mark) for found in people(opened(transaction, "277")) for loop in found.claims]


def _statuses(loop: Loop, mark: str) -> tuple[Status, ...]:
    texts = (segment.get(at) for segment in loop.all("STC") for at in _STC_COMPOSITES)
    parts = (split(text, mark, 3) for text in texts if text)
    return tuple(Status(category=part[0], code=part[1], entity=part[2]) for part in parts)


def _answer(parties: Parties, loop: Loop, mark: str) -> StatusInfo:
    start, end = period(loop.first("DTP", "472"), "277/2200D/DTP*472")
    fields: dict[str, Any] = dict(parties.fields)
    trace_number = loop.value("TRN", 2)
    fields["reference"] = "" if fields["reference"] == trace_number else fields["reference"]
    return StatusInfo(
        **fields,
        subscriber=parties.subscriber,
        dependent=parties.dependent,
        trace_number=trace_number,
        statuses=_statuses(loop, mark),
        status_date=required_day(loop.value("STC", 2), "277/2200D/STC02"),
        charge_cents=optional_cents(loop.value("STC", 4), "277/2200D/STC04"),
        paid_cents=optional_cents(loop.value("STC", 5), "277/2200D/STC05"),
        adjudicated=read_day(loop.value("STC", 6), "277/2200D/STC06"),
        payment_date=read_day(loop.value("STC", 8), "277/2200D/STC08"),
        payment_number=loop.value("STC", 9),
        payer_claim_number=loop.value("REF", 2, "1K"),
        bill_type=loop.value("REF", 2, "BLT"),
        control_number=loop.value("REF", 2, "EJ"),
        clearinghouse_number=loop.value("REF", 2, "D9"),
        service_from=start,
        service_to=end,
        lines=tuple(_line(item, mark) for item in loop.loops("2220D", "2220E")),
    )


def _line(loop: Loop, mark: str) -> LineStatus:
    qualifier, code, modifiers = read_service(loop.value("SVC", 1), mark)
    start, end = period(loop.first("DTP", "472"), "277/2220D/DTP*472")
    if start is None:
        raise ViewError("277/2220D/DTP*472", "missing")
    return LineStatus(
        qualifier=qualifier,
        code=code,
        modifiers=modifiers,
        charge_cents=cents(loop.value("SVC", 2), "277/2220D/SVC02"),
        paid_cents=cents(loop.value("SVC", 3), "277/2220D/SVC03"),
        units=loop.value("SVC", 7),
        statuses=_statuses(loop, mark),
        status_date=required_day(loop.value("STC", 2), "277/2220D/STC02"),
        line_control=loop.value("REF", 2, "FJ"),
        date_from=start,
        date_to=end,
    )
