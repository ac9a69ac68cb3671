"""charges.captured -> the draft of a claim, and a claim's lines back to the line's own messages."""

from __future__ import annotations

from datetime import date

from kernel.codes import icd10cm_dotted, icd10cm_plain
from kernel.errors import Unreadable
from rcm.billing.v1 import billing_pb2
from rcm.charge.v1 import charge_pb2

from claims_gateway.model import Claim, Diagnosis, Draft, Line
from claims_gateway.wire.visit import read_visit


def read_charges(body: charge_pb2.ChargesCaptured, journey_id: str, version: int, trace: str) -> Draft:
    """Unreadable when the snapshot or a date cannot be read, or the encounter has no key."""
    facts = body.facts
    if not (facts.encounter and facts.encounter_key):
        raise Unreadable("charges-without-encounter", "facts", "encounter and encounter_key are needed")
    visit, sources = read_visit(facts.snapshot, facts.encounter)
    return Draft(
        encounter=facts.encounter,
        encounter_key=facts.encounter_key,
        journey_id=journey_id,
        version=version,
        trace=trace,
        visit=visit,
        diagnoses=tuple(_diagnosis(row) for row in sorted(body.diagnoses, key=lambda row: row.sequence)),
        lines=tuple(_line(row, number) for number, row in enumerate(body.lines)),
        sources=sources,
    )


def _diagnosis(row: billing_pb2.Diagnosis) -> Diagnosis:
    return Diagnosis(row.sequence, icd10cm_plain(row.icd10cm), row.source)


def _line(row: billing_pb2.ServiceLine, number: int) -> Line:
    return Line(
        line_id=row.line_id,
        code=row.code,
        charge_cents=row.charge_cents,
        units=row.units,
        unit=row.unit or "UN",
        modifiers=tuple(row.modifiers),
        pointers=tuple(row.pointers),
        service_from=_day(row.service_from, f"lines[{number}].service_from"),
        service_to=_day(row.service_to, f"lines[{number}].service_to"),
        place_of_service=row.place_of_service,
        rendering_npi=row.rendering_npi,
        ordering_npi=row.ordering_npi,
        ndc=row.ndc,
        ndc_quantity=row.ndc_quantity,
        ndc_unit=row.ndc_unit,
        unit_charge_cents=row.unit_charge_cents,
        charge_item_id=row.charge_item_id,
        source=row.source,
        order=row.order,
    )


def _day(text: str, path: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise Unreadable("date-unreadable", path, "not a date YYYY-MM-DD") from error


def write_lines(claim: Claim) -> list[billing_pb2.ServiceLine]:
    return [_line_message(claim, line) for line in claim.draft.lines]


def _line_message(claim: Claim, line: Line) -> billing_pb2.ServiceLine:
    required = {answer.code for answer in claim.answers.authorizations if answer.required}
    return billing_pb2.ServiceLine(
        line_id=line.line_id,
        code=line.code,
        modifiers=line.modifiers,
        pointers=line.pointers,
        service_from=line.service_from.isoformat() if line.service_from else "",
        service_to=line.service_to.isoformat() if line.service_to else "",
        units=line.units,
        unit=line.unit,
        place_of_service=line.place_of_service,
        rendering_npi=line.rendering_npi,
        ordering_npi=line.ordering_npi,
        ndc=line.ndc,
        ndc_quantity=line.ndc_quantity,
        ndc_unit=line.ndc_unit,
        source=line.source,
        unit_charge_cents=line.unit_charge_cents,
        charge_cents=line.charge_cents,
        charge_item_id=line.charge_item_id,
        authorization_number=claim.authorization_number if line.code in required else "",
        control_number=line.control_number,
        order=line.order,
    )


def write_diagnoses(claim: Claim) -> list[billing_pb2.Diagnosis]:
    return [
        billing_pb2.Diagnosis(sequence=row.sequence, icd10cm=icd10cm_dotted(row.code), source=row.source)
        for row in claim.draft.diagnoses
    ]
