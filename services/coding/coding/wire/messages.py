"""Lines, diagnoses and findings to and from the line's protobuf messages."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal, InvalidOperation

from kernel.codes import icd10cm_plain, is_icd10cm, is_procedure_code
from kernel.errors import Unreadable
from rcm.billing.v1 import billing_pb2
from rcm.coding.v1 import coding_pb2

from coding.model import MAX_DIAGNOSES, MAX_POINTERS, Coded, Diagnosis, Finding, Line


def coded_message(coded: Coded, facts: billing_pb2.EncounterFacts, reviewed: bool) -> coding_pb2.EncounterCoded:
    """The body of encounter.coded; also the form in which a proposal is kept while a coder looks at it."""
    return coding_pb2.EncounterCoded(
        facts=facts,
        diagnoses=map(diagnosis_message, coded.diagnoses),
        lines=map(line_message, coded.lines),
        findings=map(finding_message, coded.findings),
        reviewed=reviewed,
    )


def read_coded(message: coding_pb2.EncounterCoded) -> Coded:
    """A proposal that we kept ourselves."""
    return Coded(
        diagnoses=tuple(Diagnosis(one.sequence, one.icd10cm, one.source) for one in message.diagnoses),
        lines=tuple(_line(one) for one in message.lines),
        findings=tuple(
            Finding(one.rule_id, "error" if one.severity == "error" else "warning", one.source, one.code, one.because)
            for one in message.findings
        ),
    )


def diagnosis_message(diagnosis: Diagnosis) -> billing_pb2.Diagnosis:
    return billing_pb2.Diagnosis(sequence=diagnosis.sequence, icd10cm=diagnosis.icd10cm, source=diagnosis.source)


def line_message(line: Line) -> billing_pb2.ServiceLine:
    return billing_pb2.ServiceLine(
        line_id=line.line_id,
        code=line.code,
        modifiers=line.modifiers,
        pointers=line.pointers,
        service_from=line.service_from.isoformat(),
        service_to=line.service_to.isoformat(),
        units=decimal_text(line.units),
        unit=line.unit,
        place_of_service=line.place,
        rendering_npi=line.rendering_npi,
        ordering_npi=line.ordering_npi,
        ndc=line.ndc,
        ndc_quantity="" if line.ndc_quantity is None else decimal_text(line.ndc_quantity),
        ndc_unit=line.ndc_unit,
        source=line.source,
        order=line.order,
    )


def finding_message(finding: Finding) -> coding_pb2.CodingFinding:
    return coding_pb2.CodingFinding(
        rule_id=finding.rule_id,
        severity=finding.severity,
        source=finding.source,
        code=finding.code,
        because=finding.because,
    )


def decimal_text(value: Decimal) -> str:
    """Exact and plain: no exponent, no trailing zeros after the point."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def read_diagnoses(messages: Iterable[billing_pb2.Diagnosis]) -> tuple[Diagnosis, ...]:
    """A person's diagnoses in the order given. Unreadable when one has no ICD-10-CM shape or there are too many."""
    found = tuple(
        Diagnosis(number, icd10cm_plain(message.icd10cm), message.source) for number, message in enumerate(messages, 1)
    )
    for position, diagnosis in enumerate(found):
        if not is_icd10cm(diagnosis.icd10cm):
            raise Unreadable("diagnosis-shape", f"diagnoses[{position}].icd10cm", "not the shape of an ICD-10-CM code")
    if len(found) > MAX_DIAGNOSES:
        raise Unreadable("diagnosis-limit", "diagnoses", "a professional claim carries twelve diagnoses")
    return found


def read_lines(messages: Iterable[billing_pb2.ServiceLine], diagnoses: int) -> tuple[Line, ...]:
    """A person's lines. Unreadable, with the path, when one could not stand on a claim with so many diagnoses."""
    return tuple(_checked(message, f"lines[{position}]", diagnoses) for position, message in enumerate(messages))


def _checked(message: billing_pb2.ServiceLine, path: str, diagnoses: int) -> Line:
    if not is_procedure_code(message.code):
        raise Unreadable("line-code", f"{path}.code", "not the shape of a CPT or HCPCS code")
    pointers = list(message.pointers)
    if len(pointers) > MAX_POINTERS or not all(1 <= pointer <= diagnoses for pointer in pointers):
        raise Unreadable("line-pointers", f"{path}.pointers", "one to four pointers to diagnoses that are there")
    try:
        line = _line(message)
    except (ValueError, InvalidOperation) as error:
        raise Unreadable("line-values", path, "dates are YYYY-MM-DD and units decimal numbers") from error
    if line.units <= 0 or line.service_to < line.service_from:
        raise Unreadable("line-values", path, "units are above zero and the service ends no earlier than it begins")
    return line


def _line(message: billing_pb2.ServiceLine) -> Line:
    return Line(
        line_id=message.line_id,
        code=message.code,
        modifiers=tuple(message.modifiers),
        pointers=tuple(message.pointers),
        service_from=date.fromisoformat(message.service_from),
        service_to=date.fromisoformat(message.service_to or message.service_from),
        units=_finite(message.units or "1"),
        place=message.place_of_service,
        source=message.source,
        rendering_npi=message.rendering_npi,
        ordering_npi=message.ordering_npi,
        ndc=message.ndc,
        ndc_quantity=_finite(message.ndc_quantity) if message.ndc_quantity else None,
        ndc_unit=message.ndc_unit,
        order=message.order,
        unit=message.unit or "UN",
    )


def _finite(text: str) -> Decimal:
    value = Decimal(text)
    if not value.is_finite():
        raise ValueError("not a finite number")
    return value
