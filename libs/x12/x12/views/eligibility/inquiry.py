"""The 270, both ways."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from x12.tables.guides import GUIDE_270
from x12.tree import Loop, TransactionSet
from x12.views.compose import Row, compose, day, span
from x12.views.eligibility.model import EligibilityInquiry
from x12.views.envelope import Envelope
from x12.views.extract import listed, opened, period
from x12.views.parties import Member, Payer
from x12.views.party_rows import address_rows, demographic_rows, member_row, payer_row, provider_row, read_member

EMPTY = Loop("", ())
GROUP_QUALIFIERS = ("6P", "1L")


def build_270(inquiry: EligibilityInquiry, envelope: Envelope) -> str:
    """One interchange with one question. ViewError when a value cannot be carried."""
    at = envelope.created
    reference = inquiry.reference or inquiry.trace_number
    asked = inquiry.dependent or inquiry.subscriber
    trace: Row = ("TRN", "1", inquiry.trace_number, inquiry.trace_origin)
    question = _question_rows(inquiry)
    rows: list[Row] = [
        ("BHT", "0022", "13", reference, day(at), f"{at:%H%M}"),
        ("HL", "1", "", "20", "1"),
        payer_row("PR", Payer(inquiry.payer_id, inquiry.payer_name, inquiry.payer_id_qualifier)),
        ("HL", "2", "1", "21", "1"),
        provider_row("1P", inquiry.provider_npi, inquiry.provider_name, inquiry.provider_first,
                     inquiry.provider_is_person),
        ("HL", "3", "2", "22", "1" if inquiry.dependent else "0"),
    ]  # fmt: skip
    rows += [] if inquiry.dependent else [trace]
    rows += person_rows("IL", inquiry.subscriber)
    if inquiry.dependent:
        rows += [("HL", "4", "3", "23", "0"), trace, *person_rows("03", asked)]
    return compose(GUIDE_270, rows + question, envelope)


def person_rows(entity: str, person: Member) -> list[Row]:
    """NM1, group number, address, demographics and relationship of a subscriber (IL) or dependent (03)."""
    rows: list[Row] = [member_row(entity, person, with_id=entity == "IL")]
    rows += [("REF", "6P", person.group_number)] if person.group_number else []
    rows += address_rows(person.address)
    rows += demographic_rows(person.birth_date, person.gender)
    if person.relationship:
        rows.append(("INS", "Y" if entity == "IL" else "N", person.relationship))
    return rows


def _question_rows(inquiry: EligibilityInquiry) -> list[Row]:
    rows: list[Row] = []
    if inquiry.service_date:
        rows.append(("DTP", "291", *span(inquiry.service_date, inquiry.service_date_to)))
    rows += [("EQ", code) for code in inquiry.service_types]
    return rows


def read_270(transaction: TransactionSet) -> list[EligibilityInquiry]:
    """The questions of a set: one for each subscriber or dependent that is asked about."""
    root = opened(transaction, "270")
    mark = transaction.delimiters.repetition
    return [
        _question(root, source, provider, subscriber, dependent, mark)
        for source, provider, subscriber, dependent in people(root)
        if dependent is not None or not subscriber.loops("2000D")
    ]


def people(root: Loop) -> Iterator[tuple[Loop, Loop, Loop, Loop | None]]:
    """Information source, receiver, subscriber and (below it) each dependent."""
    for source in root.loops("2000A"):
        for provider in source.loops("2000B"):
            for subscriber in provider.loops("2000C"):
                yield source, provider, subscriber, None
                for dependent in subscriber.loops("2000D"):
                    yield source, provider, subscriber, dependent


def subscriber_of(level: Loop) -> Member:
    """The subscriber of a 2000C."""
    person = level.loop("2100C") or EMPTY
    return read_member(person, "IL", person.value("INS", 2), GROUP_QUALIFIERS)


def dependent_of(level: Loop | None) -> Member | None:
    """The dependent of a 2000D."""
    if level is None:
        return None
    person = level.loop("2100D") or EMPTY
    return read_member(person, "03", person.value("INS", 2), GROUP_QUALIFIERS)


def _question(
    root: Loop, source: Loop, provider: Loop, subscriber: Loop, dependent: Loop | None, mark: str
) -> EligibilityInquiry:
    asked = dependent or subscriber
    payer, clinic = source.loop("2100A") or EMPTY, provider.loop("2100B") or EMPTY
    start, end = _asked_dates(asked)
    person = asked.loop("2100C", "2100D") or EMPTY
    codes = [code for loop in person.loops("2110C", "2110D") for code in listed(loop.value("EQ", 1), mark)]
    trace_number = asked.value("TRN", 2)
    inquiry = EligibilityInquiry(
        payer_id=payer.value("NM1", 9),
        payer_id_qualifier=payer.value("NM1", 8),
        payer_name=payer.value("NM1", 3),
        provider_npi=clinic.value("NM1", 9),
        provider_name=clinic.value("NM1", 3),
        provider_first=clinic.value("NM1", 4),
        provider_is_person=clinic.value("NM1", 2) == "1",
        subscriber=subscriber_of(subscriber),
        dependent=dependent_of(dependent),
        trace_number=trace_number,
        trace_origin=asked.value("TRN", 3),
        service_types=tuple(codes),
        service_date=start,
        service_date_to=end,
    )
    reference = root.value("BHT", 3)
    return inquiry if reference == trace_number else replace(inquiry, reference=reference)


def _asked_dates(asked: Loop) -> tuple[date | None, date | None]:
    person = asked.loop("2100C", "2100D") or EMPTY
    below = (loop.first("DTP", "291") for loop in person.loops("2110C", "2110D"))
    segment = person.first("DTP", "291") or next((found for found in below if found), None)
    return period(segment, "270/DTP*291")
