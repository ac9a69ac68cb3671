"""From what was done to claim lines: diagnoses in order, units, places, pointers and derived modifiers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

from kernel.codes import icd10cm_plain
from kernel.rules import evaluate

from coding.model import ERROR, MAX_DIAGNOSES, MAX_POINTERS, WARNING, Diagnosis, Finding, Line, Service, Visit, line_id
from coding.rules import Rules

UNKNOWN_PLACE = ""


def order_diagnoses(visit: Visit) -> tuple[tuple[Diagnosis, ...], list[Finding]]:
    """The first twelve different codes, in the record's order."""
    codes: dict[str, str] = {}
    for source, code in visit.diagnoses:
        codes.setdefault(icd10cm_plain(code), source)
    kept = list(codes.items())[:MAX_DIAGNOSES]
    findings = []
    if len(codes) > MAX_DIAGNOSES:
        because = "A professional claim carries twelve diagnoses; the later ones are left out"
        findings = [Finding("diagnosis-limit", WARNING, visit.encounter, "", because)]
    return tuple(Diagnosis(number, code, source) for number, (code, source) in enumerate(kept, 1)), findings


def propose_lines(visit: Visit, diagnoses: Sequence[Diagnosis], rules: Rules) -> tuple[tuple[Line, ...], list[Finding]]:
    """One line per service, with the modifiers that follow from the record. Explicit modifiers are kept first."""
    findings: list[Finding] = []
    pairs: list[tuple[Service, Line]] = []
    for service in visit.services:
        line, problem = _line(visit, service, diagnoses, rules)
        findings += problem
        if line is not None:
            pairs.append((service, line))
    return tuple(_with_modifiers(visit, pairs, rules)), findings


def _line(
    visit: Visit, service: Service, diagnoses: Sequence[Diagnosis], rules: Rules
) -> tuple[Line | None, list[Finding]]:
    day = service.service_from or visit.date
    if day is None:
        because = "Neither the service nor the encounter has a date"
        return None, [Finding("no-date", ERROR, service.source, service.code, because)]
    line = Line(
        line_id=line_id(visit.encounter_key, service.source),
        code=service.code,
        modifiers=service.modifiers,
        pointers=_pointers(visit, service, diagnoses),
        service_from=day,
        service_to=service.service_to or day,
        units=service.units,
        place=visit.place or rules.places.get(visit.visit_class, UNKNOWN_PLACE),
        source=service.source,
        rendering_npi=service.rendering_npi or visit.rendering_npi,
        ordering_npi=service.ordering_npi,
        ndc=service.ndc,
        order=service.order,
    )
    return (line, []) if service.dose is None else _measured(line, service, service.dose, rules)


def _measured(line: Line, service: Service, dose: Decimal, rules: Rules) -> tuple[Line, list[Finding]]:
    amount = rules.drugs.measure(service.code, dose, service.dose_unit)
    if amount is None:
        because = "The dose cannot be turned into billing units of this code"
        return line, [Finding("drug-units", ERROR, service.source, service.code, because)]
    if not service.ndc:
        return replace(line, units=amount.units), []
    return replace(line, units=amount.units, ndc_quantity=amount.ndc_quantity, ndc_unit=amount.ndc_unit), []


def _pointers(visit: Visit, service: Service, diagnoses: Sequence[Diagnosis]) -> tuple[int, ...]:
    """The diagnoses that the service names as its reasons, else the primary one."""
    number_of = {diagnosis.icd10cm: diagnosis.sequence for diagnosis in diagnoses}
    by_source = {source: icd10cm_plain(code) for source, code in visit.diagnoses}
    reasons = [by_source.get(reference, "") for reference in service.reasons]
    reasons += [icd10cm_plain(code) for code in service.reason_codes]
    found = dict.fromkeys(number_of[code] for code in reasons if code in number_of)
    return tuple(found)[:MAX_POINTERS] or tuple(diagnosis.sequence for diagnosis in diagnoses[:1])


def _with_modifiers(visit: Visit, pairs: Sequence[tuple[Service, Line]], rules: Rules) -> Iterable[Line]:
    repeats = _repeats(pairs, rules)
    for service, line in pairs:
        facts: dict[str, object] = {
            "payer": visit.payer,
            "code": line.code,
            "em": rules.em.is_em(line.code),
            "with_procedure": _beside_procedure(line, pairs, rules),
            "laterality": service.laterality,
            "distinct": service.distinct,
            "repeated_by": repeats.get(line.line_id, ""),
            "place": line.place,
            "class": visit.visit_class,
        }
        derived = (str(hit.outcome["modifier"]) for hit in evaluate(rules.derived_modifiers, facts, line.service_from))
        yield replace(line, modifiers=tuple(dict.fromkeys((*line.modifiers, *derived))))


def _beside_procedure(line: Line, pairs: Sequence[tuple[Service, Line]], rules: Rules) -> bool:
    """Whether another line of the day would swallow this visit: by its global period, or by an NCCI pair."""
    if not rules.em.is_em(line.code):
        return False
    others = (other for _, other in pairs if other is not line and other.service_from == line.service_from)
    return any(_swallows(other.code, line.code, line.service_from, rules) for other in others)


def _swallows(procedure: str, visit: str, on: date, rules: Rules) -> bool:
    if rules.em.is_em(procedure):
        return False
    fee = rules.fees.get(procedure)
    has_global_period = fee is not None and fee.global_period is not None
    return has_global_period or rules.ptp.indicator(procedure, visit, on) == "1"


def _repeats(pairs: Sequence[tuple[Service, Line]], rules: Rules) -> Mapping[str, str]:
    """line_id -> who repeated it, for a procedure that the record has again at another time of the same day."""
    first: dict[tuple[str, date, tuple[str, ...], str], Service] = {}
    repeated = {}
    for service, line in pairs:
        key = (line.code, line.service_from, service.modifiers, service.laterality)
        before = first.setdefault(key, service)
        if before is service or not _can_repeat(line.code, rules):
            continue
        if before.performed is not None and service.performed is not None and before.performed != service.performed:
            same = before.rendering_npi == service.rendering_npi
            repeated[line.line_id] = "same-practitioner" if same else "other-practitioner"
    return repeated


def _can_repeat(code: str, rules: Rules) -> bool:
    """76 and 77 say that a procedure was repeated: not for visits, add-on codes, laboratory tests and drugs."""
    is_procedure = code[0].isdigit() and not code.startswith(("8", "906", "907", "36415"))
    return is_procedure and not rules.em.is_em(code) and code not in rules.add_ons
