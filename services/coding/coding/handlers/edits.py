"""The coding edits over a visit's lines: each a small function from (diagnoses, lines, rules) to findings."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import permutations

from coding.model import ERROR, MAX_MODIFIERS, WARNING, Diagnosis, Finding, Line
from coding.rules import Rules
from coding.rules.modifier_kinds import CONFLICTS

Edit = Callable[[Sequence[Diagnosis], Sequence[Line], Rules], Iterable[Finding]]

_ICD_FINDINGS: Mapping[str, tuple[str, str]] = {
    "unknown": ("icd-invalid", "Not an ICD-10-CM code"),
    "header": ("icd-not-billable", "A heading of ICD-10-CM: a longer code is needed"),
    "not-effective": ("icd-not-effective", "Not in force on the date of service"),
}
_CODE_FINDINGS: Mapping[str, tuple[str, str]] = {
    "malformed": ("cpt-invalid", "Not the shape of a CPT or HCPCS code"),
    "unknown": ("cpt-unknown", "Not in the code table"),
    "not-effective": ("cpt-not-effective", "Not in force on the date of service"),
}
_TELEHEALTH_PLACES = ("02", "10")
_TELEHEALTH_MODIFIERS = ("93", "95")


def check_lines(diagnoses: Sequence[Diagnosis], lines: Sequence[Line], rules: Rules) -> list[Finding]:
    """All edits, in the order in which a coder would look."""
    return [finding for edit in EDITS for finding in edit(diagnoses, lines, rules)]


def check_diagnoses(diagnoses: Sequence[Diagnosis], lines: Sequence[Line], rules: Rules) -> Iterator[Finding]:
    """ICD-10-CM: exists, is no heading, and was in force when the service was given."""
    on = min((line.service_from for line in lines), default=None)
    if on is None:
        return
    for diagnosis in diagnoses:
        standing = rules.icd10cm.standing(diagnosis.icd10cm, on)
        if standing in _ICD_FINDINGS:
            rule_id, because = _ICD_FINDINGS[standing]
            yield Finding(rule_id, ERROR, diagnosis.source, diagnosis.icd10cm, because)


def check_codes(diagnoses: Sequence[Diagnosis], lines: Sequence[Line], rules: Rules) -> Iterator[Finding]:
    """CPT and HCPCS: right shape, known, and in force on the date of service."""
    for line in lines:
        standing = rules.procedures.standing(line.code, line.service_from)
        if standing in _CODE_FINDINGS:
            rule_id, because = _CODE_FINDINGS[standing]
            yield Finding(rule_id, ERROR, line.source, line.code, because)


def check_units(diagnoses: Sequence[Diagnosis], lines: Sequence[Line], rules: Rules) -> Iterator[Finding]:
    """Units above zero, and within the MUE: by line (MAI 1), or summed over the day (MAI 2 and 3)."""
    of_day: dict[tuple[str, date], list[Line]] = defaultdict(list)
    for line in lines:
        of_day[line.code, line.service_from].append(line)
        if line.units <= 0:
            yield Finding("units-missing", ERROR, line.source, line.code, "Units must be above zero")
    for (code, _), same in of_day.items():
        limit = rules.mue.get(code)
        if limit is None:
            continue
        groups = [[line] for line in same] if limit.per_line else [same]
        appeal = "no appeal" if limit.absolute else "documentation may support more"
        because = f"More than {limit.units} units on one {'line' if limit.per_line else 'day'}; {appeal}"
        for group in groups:
            if sum((line.units for line in group), Decimal(0)) > limit.units:
                yield Finding("mue", ERROR, group[-1].source, code, because)


def check_add_ons(diagnoses: Sequence[Diagnosis], lines: Sequence[Line], rules: Rules) -> Iterator[Finding]:
    """An add-on code stands beside a primary code of the same day."""
    for line in lines:
        add_on = rules.add_ons.get(line.code)
        if add_on is None:
            continue
        same_day = {other.code for other in lines if other.service_from == line.service_from and other is not line}
        if not add_on.supported_by(same_day - (rules.add_ons.keys() - add_on.primaries)):
            because = "An add-on code without a code that it may be added to"
            yield Finding("addon", ERROR, line.source, line.code, because)


def check_pairs(diagnoses: Sequence[Diagnosis], lines: Sequence[Line], rules: Rules) -> Iterator[Finding]:
    """NCCI procedure-to-procedure: no two lines of one day that bundle, unless an NCCI modifier parts them."""
    for one, other in permutations(lines, 2):
        if one.code == other.code or one.service_from != other.service_from:
            continue
        indicator = rules.ptp.indicator(one.code, other.code, one.service_from)
        parted = indicator == "1" and rules.modifier_kinds.parts(one.modifiers, other.modifiers)
        if indicator is not None and not parted:
            remedy = "nothing parts them" if indicator == "0" else "an NCCI modifier parts them if they were distinct"
            because = f"{other.code} is bundled into {one.code} on the same day; {remedy}"
            yield Finding("ptp", ERROR, other.source, other.code, because)


def check_modifiers(diagnoses: Sequence[Diagnosis], lines: Sequence[Line], rules: Rules) -> Iterator[Finding]:
    """Known, on the right kind of line, not contradicting each other, at most four."""
    for line in lines:
        for rule_id, because in _modifier_problems(line, rules):
            yield Finding(rule_id, ERROR, line.source, line.code, because)


def _modifier_problems(line: Line, rules: Rules) -> Iterator[tuple[str, str]]:
    is_em = rules.em.is_em(line.code)
    for modifier in line.modifiers:
        if not rules.modifier_kinds.known(modifier):
            yield "modifier-unknown", "Not a modifier of the table"
        elif not rules.modifier_kinds.fits(modifier, is_em):
            kind = "a visit" if is_em else "a procedure"
            yield "modifier-misplaced", f"Modifier {modifier} does not belong on {kind}"
    for conflict in CONFLICTS:
        if conflict <= set(line.modifiers):
            yield "modifier-conflict", f"Modifiers {' and '.join(sorted(conflict))} contradict each other"
    if len(line.modifiers) > MAX_MODIFIERS:
        yield "modifier-too-many", "A claim line carries four modifiers"
    if set(line.modifiers) & set(_TELEHEALTH_MODIFIERS) and line.place not in _TELEHEALTH_PLACES:
        yield "modifier-place", "A telehealth modifier needs place of service 02 or 10"


def check_repeats(diagnoses: Sequence[Diagnosis], lines: Sequence[Line], rules: Rules) -> Iterator[Finding]:
    """The same code, modifiers and day twice: a payer takes it for a duplicate."""
    counts = Counter((line.code, line.modifiers, line.service_from) for line in lines)
    for (code, _, _), count in counts.items():
        if count > 1:
            source = next(line.source for line in reversed(lines) if line.code == code)
            because = "The same service more than once on the day without a modifier that says why"
            yield Finding("repeat-service", WARNING, source, code, because)


EDITS: tuple[Edit, ...] = (
    check_diagnoses,
    check_codes,
    check_units,
    check_add_ons,
    check_pairs,
    check_modifiers,
    check_repeats,
)
