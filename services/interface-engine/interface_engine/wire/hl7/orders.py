"""Bookings, orders and prescriptions: SIU, ORM, OML and RDE."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from kernel import codes as systems
from kernel.errors import Unreadable

from interface_engine.model import Resource
from interface_engine.wire.hl7 import datatypes as types
from interface_engine.wire.hl7.job import Draft, Job, typed
from interface_engine.wire.hl7.scope import Row, Scope

_ACCEPTED = "accepted"
_PLACER, _FILLER = "PLAC", "FILL"
_DONE = "completed"
_BILLED = (systems.CPT, systems.HCPCS)


def make_appointment(job: Job, word: str) -> None:
    """SCH with its resources. A booking needs begin and end: without them it is only proposed."""
    row = job.scope.rows.get("SCH")
    if row is None:
        raise Unreadable("appointment-missing", "SCH", "a scheduling message without SCH")
    numbers = list(_numbers(job, (row, 2), (row, 1)))
    if not numbers:
        raise Unreadable("appointment-number-missing", "SCH-2", "neither filler nor placer number")
    draft = job.own("appointment", job.draft("Appointment", numbers[0]["system"], numbers[0]["value"]))
    draft.take(job.fill("appointment"))
    draft.resource["identifier"] = [typed(one, kind) for one, kind in zip(numbers, (_FILLER, _PLACER), strict=False)]
    draft.resource["participant"] = list(_participants(job))
    start, end = _span(job, row, draft.resource.get("minutesDuration"))
    if start and end:
        draft.resource |= {"start": start, "end": end}
    draft.resource["status"] = _booked(job, row, word, bool(start))
    if "cancelationReason" in draft.resource and draft.resource["status"] not in ("cancelled", "noshow"):
        del draft.resource["cancelationReason"]
    draft.origins.append(("status", "SCH-25" if row.get("25.1") else "MSH-9.2"))


def _booked(job: Job, row: Row, word: str, placed: bool) -> str:
    """The event says whether it stands; SCH-25 says more of one that does."""
    told = job.channel.tables["appointment_status"].get(row.get("25.1").upper(), "")
    status = told if word == "booked" and told not in ("", "cancelled", "noshow", "entered-in-error") else word
    return status if placed or status in ("cancelled", "waitlist") else "proposed" if word == "booked" else "cancelled"


def _span(job: Job, row: Row, minutes: object) -> tuple[str, str]:
    """SCH-11.4 and .5, else TQ1-7 and -8, else AIS-4 with a duration."""
    get = job.message.get if job.message is not None else (lambda path: "")
    starts = (row.get("11.4"), get("TQ1-7"), get("AIS-4"), get("AIL-6"), get("AIP-6"), get("AIG-8"))
    ends = (row.get("11.5"), get("TQ1-8"))
    begin = next((found for text in starts if (found := _moment(job, text)) is not None), None)
    end = next((found for text in ends if (found := _moment(job, text)) is not None), None)
    if begin is None:
        if any(starts):
            job.scope.flaw("SCH-11", "date-unreadable")
        return "", ""
    length = minutes if isinstance(minutes, int) and minutes > 0 else _minutes(row.get("9"), get("AIS-7"))
    if end is None or end <= begin:
        end = begin + timedelta(minutes=length)
    return begin.isoformat(), end.isoformat()


def _minutes(*texts: str) -> int:
    return next((int(text) for text in texts if text.isdigit() and 0 < int(text) < 10_000), 15)


def _moment(job: Job, text: str) -> datetime | None:
    try:
        value = types.moment(text, job.channel.zone) if text else None
    except Unreadable:
        return None
    return value if isinstance(value, datetime) else None


def _participants(job: Job) -> Iterator[Resource]:
    patient = job.own_reference("patient")
    if patient is not None:
        yield {"actor": patient, "status": _ACCEPTED}
    for name, field, make in (("AIP", 3, "practitioner"), ("AIL", 3, "location"), ("AIG", 3, "location")):
        for row in job.rows_of(name):
            for part in row.repetitions(field):
                found = job.made_reference(make, part, f"{row.label}-{field}")
                if found is not None:
                    yield {"actor": found, "status": _ACCEPTED}


def make_orders(job: Job) -> None:
    """One ServiceRequest for each OBR; ORC-5, then ORC-1, say how it stands."""
    for orc, obr, scope in order_groups(job, "OBR"):
        if obr is None:
            job.scope.flaw(orc.label if orc is not None else "ORC", "order-without-detail")
            continue
        draft = _order(job, "ServiceRequest", scope, orc, (obr, 2), (obr, 3))
        if draft is None:
            job.scope.flaw(obr.label, "order-number-missing")
            continue
        draft.take(job.fill("order", scope))
        _settle_code(job, draft)
        draft.resource["status"] = _order_status(job, draft, orc)
        reasons = [types.codeable(part, job.channel) for row in _inside(job, "DG1", obr) for part in row.repetitions(3)]
        if any(reasons) and "reasonCode" not in draft.resource:
            draft.resource["reasonCode"] = [_coded_reason(one) for one in reasons if one]


def _coded_reason(concept: Resource) -> Resource:
    """A diagnosis without a system that looks like ICD-10-CM is taken for it."""
    codings = [
        one if "system" in one or not systems.is_icd10cm(one["code"]) else {"system": systems.ICD10CM, **one}
        for one in concept.get("coding", ())
    ]
    return concept | {"coding": codings} if codings else concept


def _settle_code(job: Job, draft: Draft) -> None:
    """An order's code that names no system is the sender's own, whatever it looks like."""
    concept = draft.resource.get("code", {})
    for coding in concept.get("coding", ()):
        coding.setdefault("system", f"{job.channel.identity.base}/codes")


def order_groups(job: Job, detail: str) -> Iterator[tuple[Row | None, Row | None, Scope]]:
    """Each ORC with each detail segment after it; details without an ORC too."""
    orders = job.rows_of("ORC")
    details = job.rows_of(detail)
    for row in details:
        before = [one for one in orders if one.segment.index < row.segment.index]
        inner = {detail: row, "ORC": before[-1] if before else None, "NTE": note_of(job, row)}
        yield (before[-1] if before else None), row, job.scope.within(**inner)
    for number, order in enumerate(orders):
        end = orders[number + 1].segment.index if number + 1 < len(orders) else None
        if not any(
            order.segment.index < row.segment.index and (end is None or row.segment.index < end) for row in details
        ):
            yield order, None, job.scope


def note_of(job: Job, row: Row) -> Row | None:
    """The NTE right behind a segment."""
    return next((one for one in job.rows_of("NTE") if one.segment.index == row.segment.index + 1), None)


def _inside(job: Job, name: str, row: Row) -> list[Row]:
    """Segments of that name between this detail and the next ORC or detail."""
    borders = [one.segment.index for kind in ("ORC", row.segment.id) for one in job.rows_of(kind)]
    end = min((index for index in borders if index > row.segment.index), default=None)
    found = (one for one in job.rows_of(name) if one.segment.index > row.segment.index)
    return [one for one in found if end is None or one.segment.index < end]


def _numbers(job: Job, *places: tuple[Row | None, int]) -> Iterator[Resource]:
    """EI fields as identifiers: number, namespace, universal id and its type."""
    for row, field in places:
        for part in row.repetitions(field)[:1] if row is not None else ():
            if part.get(1) and not part.is_null:
                base = job.channel.identity.base
                system = types.system_of_hd(part.get(2), part.get(3), part.get(4), base)
                name = "placer" if (row is not None and (row.segment.id, field) in _PLACERS) else "filler"
                yield {"system": system or f"{base}/{name}", "value": part.get(1)}


_PLACERS = frozenset({("ORC", 2), ("OBR", 2), ("SCH", 1)})


def _order(job: Job, type_name: str, scope: Scope, orc: Row | None, *own: tuple[Row, int]) -> Draft | None:
    """The order by its placer's number, else by its filler's."""
    placers = list(_numbers(job, (orc, 2), *(one for one in own if one[1] == 2)))[:1]
    fillers = list(_numbers(job, (orc, 3), *(one for one in own if one[1] == 3)))[:1]
    chosen = next(iter([*placers, *fillers]), None)
    if chosen is None:
        return None
    draft = job.draft(type_name, chosen["system"], chosen["value"])
    draft.resource["identifier"] = [
        *(typed(one, _PLACER) for one in placers),
        *(typed(one, _FILLER) for one in fillers),
    ]
    return draft


def _order_status(job: Job, draft: Draft, orc: Row | None) -> str:
    """Where charges come by themselves, an order that is done stays active here: its charge is the line."""
    tables = job.channel.tables
    control = orc.get("1") if orc is not None else ""
    told = orc.get("5") if orc is not None else ""
    status = tables["order_status"].get(told) or tables["order_control"].get(control) or "active"
    if status != _DONE or job.channel.orders == "lines":
        return status
    billed = any(one.get("system") in _BILLED for one in draft.resource.get("code", {}).get("coding", ()))
    return "active" if billed else status


def make_prescriptions(job: Job) -> None:
    """One MedicationRequest for each RXE."""
    for orc, rxe, scope in order_groups(job, "RXE"):
        if rxe is None:
            continue
        draft = _order(job, "MedicationRequest", scope, orc)
        if draft is None:
            job.scope.flaw(rxe.label, "order-number-missing")
            continue
        draft.take(job.fill("prescription", scope))
        control = orc.get("1") if orc is not None else ""
        draft.resource["status"] = job.channel.tables["prescription_control"].get(control, "active")
        draft.resource.setdefault("medicationCodeableConcept", {"text": "not told"})
        text = " ".join(filter(None, (rxe.get("3"), rxe.get("5.2") or rxe.get("5.1"),
                                      rxe.get("21.2") or rxe.get("7.2"))))  # fmt: skip
        if text:
            draft.resource["dosageInstruction"] = [{"text": text}]
