"""The 276, both ways."""

from __future__ import annotations

from typing import Any

from x12.tables.guides import GUIDE_276
from x12.tree import Loop, TransactionSet
from x12.views.compose import Row, ViewError, compose, day, money, span
from x12.views.envelope import Envelope
from x12.views.extract import amount, cents, opened, period
from x12.views.status.levels import Parties, level_rows, people, read_service, service_value
from x12.views.status.model import LineInquiry, StatusInquiry


def build_276(inquiry: StatusInquiry, envelope: Envelope) -> str:
    """One interchange with one question. ViewError when a value cannot be carried."""
    at = envelope.created
    reference = inquiry.reference or inquiry.trace_number
    rows: list[Row] = [
        ("BHT", "0010", "13", reference, day(at), f"{at:%H%M}"),
        *level_rows(inquiry, with_demographics=True),
        ("TRN", "1", inquiry.trace_number),
    ]
    references = (("1K", inquiry.payer_claim_number), ("BLT", inquiry.bill_type), ("EJ", inquiry.control_number),
                  ("D9", inquiry.clearinghouse_number))  # fmt: skip
    rows += [("REF", qualifier, value) for qualifier, value in references if value]
    rows += [("AMT", "T3", money(inquiry.charge_cents))] if inquiry.charge_cents is not None else []
    if inquiry.service_from:
        rows.append(("DTP", "472", *span(inquiry.service_from, inquiry.service_to)))
    for line in inquiry.lines:
        rows += _line_rows(line)
    return compose(GUIDE_276, rows, envelope)


def _line_rows(line: LineInquiry) -> list[Row]:
    service = service_value(line.qualifier, line.code, line.modifiers)
    rows: list[Row] = [("SVC", service, money(line.charge_cents), "", "", "", "", line.units)]
    rows += [("REF", "FJ", line.line_control)] if line.line_control else []
    return [*rows, ("DTP", "472", *span(line.date_from, line.date_to))]


def read_276(transaction: TransactionSet) -> list[StatusInquiry]:
    """The questions of a set in order. ViewError for another set, or for amounts and dates that are none."""
    mark = transaction.delimiters.component
    return [_question(found, loop, mark) for found in people(opened(transaction, "276")) for loop in found.claims]


def _question(parties: Parties, loop: Loop, mark: str) -> StatusInquiry:
    start, end = period(loop.first("DTP", "472"), "276/2200D/DTP*472")
    fields: dict[str, Any] = dict(parties.fields)
    trace_number = loop.value("TRN", 2)
    fields["reference"] = "" if fields["reference"] == trace_number else fields["reference"]
    return StatusInquiry(
        **fields,
        subscriber=parties.subscriber,
        dependent=parties.dependent,
        trace_number=trace_number,
        payer_claim_number=loop.value("REF", 2, "1K"),
        bill_type=loop.value("REF", 2, "BLT"),
        control_number=loop.value("REF", 2, "EJ"),
        clearinghouse_number=loop.value("REF", 2, "D9"),
        charge_cents=amount(loop, "T3"),
        service_from=start,
        service_to=end,
        lines=tuple(_line(item, mark) for item in loop.loops("2210D", "2210E")),
    )


def _line(loop: Loop, mark: str) -> LineInquiry:
    qualifier, code, modifiers = read_service(loop.value("SVC", 1), mark)
    start, end = period(loop.first("DTP", "472"), "276/2210D/DTP*472")
    if start is None:
        raise ViewError("276/2210D/DTP*472", "missing")
    return LineInquiry(
        qualifier=qualifier,
        code=code,
        modifiers=modifiers,
        charge_cents=cents(loop.value("SVC", 2), "276/2210D/SVC02"),
        units=loop.value("SVC", 7),
        line_control=loop.value("REF", 2, "FJ"),
        date_from=start,
        date_to=end,
    )
