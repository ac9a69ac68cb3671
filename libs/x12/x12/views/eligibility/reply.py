"""The 271, both ways."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from x12.tables.guides import GUIDE_271
from x12.tree import Loop, Segment, TransactionSet
from x12.views.compose import Row, compose, day, money, span
from x12.views.eligibility.inquiry import EMPTY, dependent_of, people, person_rows, subscriber_of
from x12.views.eligibility.model import Benefit, EligibilityReply, OtherPayer
from x12.views.envelope import Envelope
from x12.views.extract import day as read_day
from x12.views.extract import listed, opened, optional_cents, period, split
from x12.views.parties import Payer, Rejection
from x12.views.party_rows import payer_row, provider_row, read_rejections, rejection_row


def build_271(reply: EligibilityReply, envelope: Envelope) -> str:
    """One interchange with one answer. ViewError when a value cannot be carried.

    A rejection stands at the loop that its level names; levels below the first rejection without people are left out.
    """
    at = envelope.created
    reference = reply.reference or reply.trace_number
    has_people = reply.subscriber is not None
    rows: list[Row] = [
        ("BHT", "0022", "11", reference, day(at), f"{at:%H%M}"),
        ("HL", "1", "", "20", "1"),
        *_rejected(reply, "2000A"),
        payer_row("PR", Payer(reply.payer_id, reply.payer_name, reply.payer_id_qualifier)),
        *_rejected(reply, "2100A"),
        ("HL", "2", "1", "21", "1" if has_people else "0"),
        provider_row("1P", reply.provider_npi, reply.provider_name, reply.provider_first, reply.provider_is_person),
        *_rejected(reply, "2100B"),
    ]
    return compose(GUIDE_271, rows + _people_rows(reply), envelope)


def _people_rows(reply: EligibilityReply) -> list[Row]:
    if reply.subscriber is None:
        return []
    trace: list[Row] = [("TRN", "2", reply.trace_number, reply.trace_origin)] if reply.trace_number else []
    rows: list[Row] = [("HL", "3", "2", "22", "1" if reply.dependent else "0")]
    if reply.dependent is None:
        rows += trace
    rows += _person(reply, "2100C")
    if reply.dependent is not None:
        rows += [("HL", "4", "3", "23", "0"), *trace, *_person(reply, "2100D")]
    rows += [row for benefit in reply.benefits for row in _benefit_rows(benefit)]
    return rows


def _person(reply: EligibilityReply, level: str) -> list[Row]:
    """The person of a level. AAA stands before DMG, dates at the end and only where the benefits are."""
    person = reply.subscriber if level == "2100C" else reply.dependent
    if person is None:
        return []
    rows = person_rows("IL" if level == "2100C" else "03", person)
    after = next((at for at, row in enumerate(rows) if row[0] in ("DMG", "INS")), len(rows))
    rows[after:after] = _rejected(reply, level)
    if level == "2100C" and reply.dependent is not None:
        return rows
    dates = (("346", reply.plan_begin), ("347", reply.plan_end), ("472", reply.service_date))
    return rows + [("DTP", qualifier, "D8", day(value)) for qualifier, value in dates if value]


def _rejected(reply: EligibilityReply, level: str) -> list[Row]:
    return [rejection_row(item) for item in reply.rejections if item.level == level]


def _benefit_rows(benefit: Benefit) -> list[Row]:
    procedure = (benefit.procedure_qualifier, benefit.procedure) if benefit.procedure else ""
    rows: list[Row] = [
        ("EB", benefit.code, benefit.level, list(benefit.service_types), benefit.insurance_type, benefit.plan,
         benefit.period, money(benefit.amount_cents), benefit.percent, benefit.quantity_qualifier, benefit.quantity,
         benefit.authorization, benefit.network, procedure),
    ]  # fmt: skip
    if benefit.date_from:
        rows.append(("DTP", "348" if benefit.date_to is None else "292", *span(benefit.date_from, benefit.date_to)))
    rows += [("MSG", text) for text in benefit.messages]
    return rows + _other_payer_rows(benefit.other_payer)


def _other_payer_rows(other: OtherPayer | None) -> list[Row]:
    if other is None:
        return []
    references: list[Row] = []
    entity = {"P": "PRP", "S": "SEP", "T": "TTP"}.get(other.responsibility, "PR")
    name = payer_row(entity, Payer(other.id, other.name, other.id_qualifier))
    if other.member_id:
        references = [("NM1", "IL", "1", "", "", "", "", "", "MI", other.member_id)]
    return [("LS", "2120"), name, *references, ("LE", "2120")]


def read_271(transaction: TransactionSet) -> list[EligibilityReply]:
    """The answers of a set: one for each person, or one without a person when the request was refused higher up."""
    root = opened(transaction, "271")
    marks = transaction.delimiters
    found = [
        _reply(root, source, provider, subscriber, dependent, (marks.component, marks.repetition))
        for source, provider, subscriber, dependent in people(root)
        if dependent is not None or not subscriber.loops("2000D")
    ]
    return found or [
        _reply(root, source, provider, None, None, (marks.component, marks.repetition))
        for source in root.loops("2000A")
        for provider in source.loops("2000B") or [EMPTY]
    ]


def _reply(
    root: Loop, source: Loop, provider: Loop, subscriber: Loop | None, dependent: Loop | None, marks: tuple[str, str]
) -> EligibilityReply:
    payer, clinic = source.loop("2100A") or EMPTY, provider.loop("2100B") or EMPTY
    asked = dependent or subscriber or EMPTY
    person = asked.loop("2100C", "2100D") or EMPTY
    trace = next((item for item in asked.all("TRN", "2")), None) or asked.first("TRN")
    begin, end = _plan_dates(person)
    reply = EligibilityReply(
        payer_id=payer.value("NM1", 9),
        payer_id_qualifier=payer.value("NM1", 8) or "PI",
        payer_name=payer.value("NM1", 3),
        provider_npi=clinic.value("NM1", 9),
        provider_name=clinic.value("NM1", 3),
        provider_first=clinic.value("NM1", 4),
        provider_is_person=clinic.value("NM1", 2) == "1",
        subscriber=subscriber_of(subscriber) if subscriber else None,
        dependent=dependent_of(dependent),
        trace_number=trace.get(2) if trace else "",
        trace_origin=trace.get(3) if trace else "9THROUGHLN",
        benefits=tuple(_benefit(loop, *marks) for loop in person.loops("2110C", "2110D")),
        rejections=_rejections(source, provider, subscriber, dependent),
        plan_begin=begin,
        plan_end=end,
        service_date=period(person.first("DTP", "472"), "271/DTP*472")[0],
    )
    reference = root.value("BHT", 3)
    return reply if reference == reply.trace_number else replace(reply, reference=reference)


def _plan_dates(person: Loop) -> tuple[date | None, date | None]:
    """Plan 291 or eligibility 307 as a range, else plan begin 346/356 and end 347/357."""
    start, end = period(person.first("DTP", "291", "307"), "271/DTP*291")
    first = read_day(person.value("DTP", 3, "346", "356")[:8], "271/DTP*346")
    last = read_day(person.value("DTP", 3, "347", "357")[:8], "271/DTP*347")
    return first or start, last or end


def _rejections(source: Loop, provider: Loop, subscriber: Loop | None, dependent: Loop | None) -> tuple[Rejection, ...]:
    found = read_rejections(source) + read_rejections(source.loop("2100A") or EMPTY)
    found += read_rejections(provider.loop("2100B") or EMPTY)
    for level in (subscriber, dependent):
        for person in level.loops("2100C", "2100D") if level else ():
            for inner in (person, *person.loops("2110C", "2110D")):
                found += read_rejections(inner)
    return tuple(found)


def _benefit(loop: Loop, component: str, repetition: str) -> Benefit:
    eb = loop.first("EB") or Segment("EB", (), 0)
    procedure = split(eb.get(13), component, 2)
    start, end = period(loop.first("DTP"), "271/EB/DTP")
    return Benefit(
        code=eb.get(1),
        level=eb.get(2),
        service_types=listed(eb.get(3), repetition),
        insurance_type=eb.get(4),
        plan=eb.get(5),
        period=eb.get(6),
        amount_cents=optional_cents(eb.get(7), "271/EB07"),
        percent=eb.get(8),
        quantity_qualifier=eb.get(9),
        quantity=eb.get(10),
        authorization=eb.get(11),
        network=eb.get(12),
        procedure_qualifier=procedure[0],
        procedure=procedure[1],
        date_from=start,
        date_to=end,
        messages=tuple(segment.get(1) for segment in loop.all("MSG")),
        other_payer=_other_payer(loop, eb.get(1)),
    )


def _other_payer(loop: Loop, code: str) -> OtherPayer | None:
    related = loop.loops("2120C", "2120D")
    entities = {"PRP": "P", "SEP": "S", "TTP": "T", "PR": "", "P5": "", "GP": ""}
    named = next((item for item in related if item.value("NM1", 1) in entities), None)
    if named is None or code not in {"R", "U"}:
        return None
    insured = next((item for item in related if item.value("NM1", 1) == "IL"), EMPTY)
    return OtherPayer(
        name=named.value("NM1", 3),
        id=named.value("NM1", 9),
        id_qualifier=named.value("NM1", 8) or "PI",
        responsibility=entities[named.value("NM1", 1)],
        member_id=insured.value("NM1", 9),
    )
