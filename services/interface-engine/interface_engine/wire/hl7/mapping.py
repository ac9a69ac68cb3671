"""A message or a row, and its channel, to what becomes of them. Pure: the same in gives the same out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from hl7v2 import Message
from kernel.errors import Unreadable

from interface_engine.rules.channel import Channel, MessageRow
from interface_engine.wire.hl7.charges import make_charges, refuse_charges
from interface_engine.wire.hl7.job import Job
from interface_engine.wire.hl7.orders import make_appointment, make_orders, make_prescriptions
from interface_engine.wire.hl7.outcome import Filtered, Keys, Mapped
from interface_engine.wire.hl7.people import make_account, make_coverages, make_merge, make_patient
from interface_engine.wire.hl7.results import make_document, make_results
from interface_engine.wire.hl7.visits import make_diagnoses, make_procedures, make_visit, visit_number

_CSV = "csv"
_MAKERS: Mapping[str, Callable[[Job, MessageRow], None]] = {
    "patient": lambda job, row: make_patient(job),
    "coverages": lambda job, row: make_coverages(job),
    "account": lambda job, row: make_account(job),
    "visit": lambda job, row: make_visit(job, row.visit or "keep"),
    "diagnoses": lambda job, row: make_diagnoses(job),
    "charges": lambda job, row: make_charges(job),
    "procedures": lambda job, row: make_procedures(job),
    "appointment": lambda job, row: make_appointment(job, row.appointment or "booked"),
    "orders": lambda job, row: make_orders(job),
    "results": lambda job, row: make_results(job),
    "document": lambda job, row: make_document(job),
    "prescriptions": lambda job, row: make_prescriptions(job),
    "merge": lambda job, row: make_merge(job),
}


def map_message(channel: Channel, message: Message, received_at: datetime) -> Mapped | Filtered:
    """What an HL7 v2 message becomes. Unreadable with the path of what is missing where nothing can be made of it."""
    kind = message.message_type
    name = f"{kind.code}^{kind.trigger}"
    if not kind.code:
        raise Unreadable("message-type-missing", "MSH-9", "the message does not say what it is")
    return _run(Job(channel, received_at, message), name)


def map_row(channel: Channel, record: Mapping[str, str], received_at: datetime, number: int = 1) -> Mapped | Filtered:
    """What one row of an export becomes; `number` is its place in the file, for paths."""
    return _run(Job(channel, received_at, columns=record, at=f"row({number})-"), _CSV)


def map_rows(
    channel: Channel, records: Sequence[Mapping[str, str]], received_at: datetime, first: int = 1
) -> Mapped | Filtered:
    """The rows of one visit together. A filter that meets the first row is for all of them."""
    job = Job(channel, received_at, columns=records[0], at=f"row({first})-")
    started = _run(job, _CSV)
    if isinstance(started, Filtered):
        return started
    for number, record in enumerate(records[1:], first + 1):
        job.scope.columns, job.scope.at = record, f"row({number})-"
        make_charges(job)
    return job.done(_CSV, started.keys)


def _run(job: Job, name: str) -> Mapped | Filtered:
    keys = keys_of(job)
    for rule, holds in job.plan.filters:
        if holds(job.scope):
            return Filtered(f"filtered:{rule}", keys)
    row = job.channel.messages.get(name)
    if row is None:
        return Filtered("message-type-unmapped", keys)
    if not row.make:
        return Filtered("filtered:message-ignored", keys)
    for maker in row.make:
        _MAKERS[maker](job, row)
    if "charges" not in row.make:
        refuse_charges(job)
    return job.done(name, keys)


def subject_of(channel: Channel, message: Message) -> Keys:
    """By which numbers a message is ordered and found; empty where it does not say them. Never raises."""
    return keys_of(Job(channel, datetime.max.replace(tzinfo=channel.zone), message))


def keys_of(job: Job) -> Keys:
    system, mrn = job.number(job.channel.identity.mrn, "mrn")
    _, account = job.number(job.channel.identity.account, "account")
    _, visit = visit_number(job)
    return Keys(f"{system}|{mrn}" if mrn else "", mrn, account, visit)
