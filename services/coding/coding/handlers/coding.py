"""Codes one visit: lines, edits and the E/M level together, and what a coder must look at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from coding.handlers.edits import check_lines
from coding.handlers.lines import order_diagnoses, propose_lines
from coding.model import ERROR, WARNING, Coded, Diagnosis, Finding, Line, Visit
from coding.rules import Rules
from coding.rules.em import ELEMENTS, Documentation, evaluate_level


def code_visit(visit: Visit, rules: Rules) -> Coded:
    """The proposal for a claim. Sure when no finding is an error; the same visit always gives the same proposal."""
    diagnoses, limit = order_diagnoses(visit)
    lines, problems = propose_lines(visit, diagnoses, rules)
    findings = [
        *_completeness(visit, diagnoses, lines),
        *limit,
        *problems,
        *check_lines(diagnoses, lines, rules),
        *_em_findings(visit, lines, rules),
    ]
    return Coded(diagnoses, lines, tuple(findings))


def _completeness(visit: Visit, diagnoses: Sequence[Diagnosis], lines: Sequence[Line]) -> Iterator[Finding]:
    for source in visit.unmapped:
        yield Finding("unmapped", ERROR, source, "", "The source's code map does not know this code")
    for source in visit.without_code:
        yield Finding("no-billing-code", WARNING, source, "", "Recorded without a CPT or HCPCS code: nothing is billed")
    if not diagnoses:
        yield Finding("no-diagnosis", ERROR, visit.encounter, "", "No ICD-10-CM diagnosis belongs to the encounter")
    if not lines:
        yield Finding("no-billable-code", ERROR, visit.encounter, "", "Nothing that was done has a billable code")


def _em_findings(visit: Visit, lines: Iterable[Line], rules: Rules) -> Iterator[Finding]:
    """Over-coding holds, under-coding is told: the documentation decides, not the selected code."""
    selected = [line for line in lines if rules.em.is_em(line.code)]
    wrong_words = [element for element, word in visit.em.items() if word not in ELEMENTS.get(element, {})]
    for element in wrong_words:
        yield Finding("em-element", ERROR, visit.encounter, "", f"Not a word of the MDM element {element}")
    if wrong_words:
        return
    note = Documentation(**{name: visit.em.get(name, "") for name in ELEMENTS}, total_minutes=visit.minutes)
    if note.is_empty:
        return
    if not selected:
        yield Finding("em-not-selected", WARNING, visit.encounter, "", "A level is documented and no visit is billed")
    for line in selected:
        yield from _compared(line, note, rules)


def _compared(line: Line, note: Documentation, rules: Rules) -> Iterator[Finding]:
    evaluation = evaluate_level(rules.em.family_of(line.code), note, line.code)
    if evaluation.comparison == "over-coded":
        yield Finding("em-over", ERROR, line.source, line.code, evaluation.because)
    if evaluation.comparison == "under-coded":
        yield Finding("em-under", WARNING, line.source, line.code, evaluation.because)
    if evaluation.comparison == "none":
        yield Finding("em-unsupported", WARNING, line.source, line.code, evaluation.because)
