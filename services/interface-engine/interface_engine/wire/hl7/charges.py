"""FT1 and the charge rows of exports as ChargeItems, and every one of them as a line of the day's account."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from fhir_r4.compose import money
from kernel import codes as systems
from kernel.errors import Unreadable

from interface_engine.model import Resource
from interface_engine.rules.channel import Charges, Value
from interface_engine.wire.hl7 import codes, visits
from interface_engine.wire.hl7 import datatypes as types
from interface_engine.wire.hl7 import outcome as out
from interface_engine.wire.hl7.codes import Coded
from interface_engine.wire.hl7.job import Job
from interface_engine.wire.hl7.scope import Row, Scope

_CHARGE, _CREDIT = "charge", "credit"
_DISPOSITIONS = {"bill": (_CHARGE, ""), "hold": ("hold", "unmapped-code"), "pass": ("rejected", "unmapped-passed"),
                 "not-billable": ("rejected", "not-billable")}  # fmt: skip


@dataclass(slots=True)
class _Line:
    """One charge while it is read; `problem` is the reason why it is none."""

    path: str
    problem: str = ""
    kind: str = _CHARGE
    cents: int = 0
    quantity: Decimal = Decimal(1)
    day: date | None = None
    when: str = ""
    until: str = ""
    coded: Coded | None = None
    modifiers: tuple[str, ...] = ()

    def refuse(self, reason: str) -> None:
        self.problem = self.problem or reason


def make_charges(job: Job) -> None:
    """Every FT1 (every row of an export) becomes a charge, a hold, a credit or a named rejection."""
    fields = job.channel.charges
    if fields is None:
        return
    scopes = [(job.scope, job.scope.at.rstrip("-"))] if job.message is None else list(_scopes(job))
    named: list[Coded] = []
    days: list[str] = []
    seen: dict[str, int] = {}
    for scope, path in scopes:
        line = _read(job, fields, scope, path)
        diagnoses = _diagnoses(job, fields, scope)
        key = _key(job, fields, scope, line, seen)
        _keep(job, fields, scope, line, key, diagnoses)
        named.extend(diagnoses)
        if line.when and line.kind == _CHARGE and not line.problem:
            days.append(line.when)
    visits.charged_diagnoses(job, named)
    _place(job, fields, scopes[0][0] if scopes else job.scope)
    visits.finish_visit(job, days)


def refuse_charges(job: Job) -> None:
    """FT1 in a message that posts none: each is accounted for, and nothing is made of it."""
    fields = job.channel.charges
    if fields is None or not job.rows_of("FT1"):
        return
    known = len(job.unmapped)
    seen: dict[str, int] = {}
    for scope, path in _scopes(job):
        line = _read(job, fields, scope, path)
        line.problem = "message-posts-no-charges"
        _keep(job, fields, scope, line, _key(job, fields, scope, line, seen), [])
    del job.unmapped[known:]


def brought(job: Job) -> tuple[int, int]:
    """How many charges a message or a row brings and their cents, credits taken off, by the feed's own fields.

    Looks at every FT1 whatever its message is and whatever becomes of it: the other side of the day's account.
    """
    fields = job.channel.charges
    if fields is None:
        return len(job.rows_of("FT1")) if job.message is not None else 0, 0
    scopes = [(job.scope, "")] if job.message is None else _scopes(job)
    return len(scopes), sum(_net(job, fields, scope) for scope, _ in scopes)


def _net(job: Job, fields: Charges, scope: Scope) -> int:
    line = _Line("", kind=_kind(job, fields, scope))
    _read_amounts(job, fields, scope, line)
    return -line.cents if line.kind == _CREDIT else line.cents


def _kind(job: Job, fields: Charges, scope: Scope) -> str:
    return _CREDIT if job.text(fields.type, scope).upper() in fields.credit_types else _CHARGE


def _scopes(job: Job) -> list[tuple[Scope, str]]:
    """Each FT1 with the PR1 and NTE of its group."""
    rows = job.rows_of("FT1")
    ends = [*(row.segment.index for row in rows[1:]), None][: len(rows)]
    return [
        (job.scope.within(FT1=row, PR1=_inside(job, "PR1", row, end), NTE=_inside(job, "NTE", row, end)), row.label)
        for row, end in zip(rows, ends, strict=True)
    ]


def _inside(job: Job, name: str, row: Row, end: int | None) -> Row | None:
    """The first segment of that name in the group of a charge."""
    for found in job.rows_of(name):
        if found.segment.index > row.segment.index and (end is None or found.segment.index < end):
            return found
    return None


def _read(job: Job, fields: Charges, scope: Scope, path: str) -> _Line:
    line = _Line(path, kind=_kind(job, fields, scope))
    if job.text(fields.type, scope).upper() in fields.other_types:
        line.refuse("not-a-charge")
    _read_day(job, fields, scope, line)
    line.coded = _code(job, fields, scope, line.day)
    if line.coded is None:
        line.refuse("code-missing")
    texts = [text for value in fields.modifiers for text in map(str, job.plan.read(value)(scope))]
    line.modifiers = tuple(codes.modifiers_in(job, texts, _label(job, fields.modifiers, scope)))
    _read_amounts(job, fields, scope, line)
    return line


def _read_day(job: Job, fields: Charges, scope: Scope, line: _Line) -> None:
    text = job.text(fields.day, scope)
    if not text:
        line.refuse("service-day-missing")
        return
    try:
        value = types.moment(text, job.channel.zone)
        line.when = types.fhir_datetime(text, job.channel.zone)
        if len(line.when) < len("2026-01-31"):
            raise Unreadable("date-unreadable", "", "a day is needed")
        line.day = value.date() if isinstance(value, datetime) else value
        until = job.text(fields.day_to, scope)
        line.until = types.fhir_datetime(until, job.channel.zone) if until else ""
    except Unreadable:
        line.refuse("service-day-unreadable")


def _read_amounts(job: Job, fields: Charges, scope: Scope, line: _Line) -> None:
    """Quantity and cents. A negative one is a credit where the feed signs its credits."""
    try:
        text = job.text(fields.units, scope)
        quantity = types.number(text) if text else Decimal(1)
    except Unreadable:
        line.refuse("quantity-unreadable")
        quantity = Decimal(1)
    try:
        cents = _cents(job, fields, scope, abs(quantity))
    except Unreadable:
        line.refuse("amount-unreadable")
        cents = 0
    if (quantity < 0 or cents < 0) and fields.signed:
        line.kind = _CREDIT
    if quantity == 0:
        line.refuse("quantity-unreadable")
    line.quantity, line.cents = abs(quantity), abs(cents)


def _cents(job: Job, fields: Charges, scope: Scope, quantity: Decimal) -> int:
    """The whole line's: as it is told, else the unit's times the quantity."""
    if text := job.text(fields.amount, scope):
        return types.cents(text, fields.implied)
    unit = job.text(fields.unit_amount, scope)
    product = types.cents(unit, fields.implied) * quantity if unit else Decimal(0)
    if product != product.to_integral_value():
        raise Unreadable("amount-unreadable", "", "units times the unit's amount are no whole cents")
    return int(product)


def _code(job: Job, fields: Charges, scope: Scope, on: date | None) -> Coded | None:
    """The code of the first field that has one; what the other fields say stands beside it."""
    found: list[tuple[Resource, str]] = []
    for value in fields.code:
        for part in job.parts(value, scope)[:1]:
            concept = types.codeable(part, job.channel)
            if concept is not None and concept.get("coding"):
                found.append((concept, job.label(value, scope)))
    if not found:
        return None
    concept, path = found[0]
    seen = {one["code"] for one in concept["coding"]}
    beside = [one for other, _ in found[1:] for one in other["coding"] if one["code"] not in seen]
    merged = concept | {"coding": [*concept["coding"], *beside]}
    return codes.coded(job, merged, "ChargeItem", path, "", on)


def _diagnoses(job: Job, fields: Charges, scope: Scope) -> list[Coded]:
    found: list[Coded] = []
    for value in fields.diagnoses:
        label = job.label(value, scope) if not scope.columns else f"{scope.at}{getattr(value, 'text', '')}"
        for part in job.parts(value, scope):
            made = codes.code_of_parts(job, [part], "Condition", label)
            if made is not None and not any(one.code == made.code for one in found):
                found.append(made)
    return found


def _key(job: Job, fields: Charges, scope: Scope, line: _Line, seen: dict[str, int]) -> str:
    """What tells a charge from others: its transaction number, else what it is."""
    text = "" if fields.by_content else job.text(fields.transaction, scope)
    if text:
        return text
    visit = job.owned.get("visit")
    number = visit.resource["identifier"][0]["value"] if visit is not None else ""
    code = line.coded.code if line.coded is not None else ""
    day = line.day.strftime("%Y%m%d") if line.day is not None else ""
    content = "-".join((number, code, *line.modifiers, day))
    counted = f"{line.kind} {content}"
    seen[counted] = seen.get(counted, 0) + 1
    return content if seen[counted] == 1 else f"{content}-{seen[counted]}"


def _keep(job: Job, fields: Charges, scope: Scope, line: _Line, key: str, diagnoses: list[Coded]) -> None:
    disposition, reason = "rejected", line.problem
    if not line.problem and line.coded is not None:
        disposition, reason = _DISPOSITIONS[line.coded.fate]
    original = job.text(fields.reverses, scope) if line.kind == _CREDIT else ""
    condition = ""
    if disposition in (_CHARGE, "hold") and line.coded is not None:
        condition = _draft(job, fields, scope, line, original or key, key, diagnoses)
    visit = job.owned.get("visit")
    own_key = key if line.kind == _CHARGE or original else f"{key}/credit"
    job.charges.append(
        out.ChargeLine(
            line_key=own_key,
            amount_cents=line.cents,
            quantity=line.quantity,
            kind=line.kind,
            service_day=line.day,
            disposition=disposition,
            reason=reason,
            code=line.coded.code if line.coded is not None else "",
            path=line.path,
            condition=condition,
            visit=visit.resource["identifier"][0]["value"] if visit is not None else "",
        )
    )


def _draft(job: Job, fields: Charges, scope: Scope, line: _Line, number: str, key: str, diagnoses: list[Coded]) -> str:
    """The ChargeItem of a charge; for a credit what it takes off. Gives the condition by which it is found."""
    base = f"{job.channel.identity.base}/charge"
    is_credit = line.kind == _CREDIT
    condition = out.condition_of("ChargeItem", base, number)
    if is_credit and condition in job.drafts:
        _net_at_once(job, condition, line)
        return condition
    draft = job.draft("ChargeItem", base, number, out.CREDIT if is_credit else out.UPSERT)
    draft.take(job.fill("charge", scope))
    assert line.coded is not None
    resource: Resource = {
        "status": "entered-in-error" if is_credit else "billable",
        "code": line.coded.concept,
        **({"extension": codes.modifier_extensions(line.modifiers)} if line.modifiers else {}),
        **_occurrence(line),
        "quantity": {"value": line.quantity},
        **({"priceOverride": money(line.cents)} if line.cents else {}),
        **_performers(job, fields, scope),
        **({"reason": [one.concept for one in diagnoses]} if diagnoses else {}),
        **_product(job, fields, scope),
    }
    draft.resource |= resource
    if is_credit:
        draft.credit = {"key": key, "quantity": line.quantity, "cents": line.cents}
    draft.origins.extend(_sources(job, fields, scope))
    return condition


def _net_at_once(job: Job, condition: str, line: _Line) -> None:
    """A charge and its credit in one message: the rest of them is what is charged."""
    draft = job.drafts[condition]
    left = draft.resource["quantity"]["value"] - line.quantity
    cents = money_cents(draft.resource.get("priceOverride")) - line.cents
    draft.resource |= credited(draft.resource, left, cents)


def credited(resource: Resource, left: Decimal, cents: int) -> Resource:
    """The elements of a ChargeItem of which that quantity and those cents are left."""
    if left <= 0:
        return {"status": "entered-in-error"}
    priced = {"priceOverride": money(max(cents, 0))} if "priceOverride" in resource else {}
    return {"quantity": {"value": left}, **priced}


def _occurrence(line: _Line) -> Resource:
    if line.until and line.until[:10] != line.when[:10]:
        return {"occurrencePeriod": {"start": line.when, "end": line.until}}
    return {"occurrenceDateTime": line.when} if line.when else {}


def _performers(job: Job, fields: Charges, scope: Scope) -> Resource:
    names = {part: str(next(iter(job.plan.read(value)(scope)), "")) for part, value in fields.performer_names.items()}
    actors: list[Resource] = []
    for value in fields.performer:
        for part in job.parts(value, scope):
            actor = job.practitioner(part, job.label(value, scope), names or None)
            if actor is not None and actor not in actors:
                actors.append(actor)
        if actors:
            break
    return {"performer": [{"actor": actor} for actor in actors]} if actors else {}


def _product(job: Job, fields: Charges, scope: Scope) -> Resource:
    for value in fields.ndc:
        for part in job.parts(value, scope)[:1]:
            concept = types.codeable(part, job.channel, systems.NDC)
            if concept is not None:
                return {"productCodeableConcept": concept}
    return {}


def _place(job: Job, fields: Charges, scope: Scope) -> None:
    """A visit without a place has that of its charges, or of the facility."""
    visit = job.owned.get("visit")
    if visit is None or "location" in visit.resource:
        return
    code = job.text(fields.place_of_service, scope)
    facility = job.facility_row()
    if not systems.is_place_of_service(code):
        code = facility.place_of_service if facility is not None else ""
    if code:
        visit.resource["location"] = [{"location": job.place(code)}]
        visit.initial.append("location")


def _sources(job: Job, fields: Charges, scope: Scope) -> list[tuple[str, str]]:
    named: dict[str, tuple[Value, ...]] = {
        "code": fields.code, "extension": fields.modifiers, "quantity": fields.units,
        "priceOverride": fields.amount or fields.unit_amount, "occurrence": fields.day, "performer": fields.performer,
        "reason": fields.diagnoses, "identifier": fields.transaction,
    }  # fmt: skip
    found: list[tuple[str, str]] = []
    for element, values in named.items():
        for value in values:
            scope.origins.clear()
            if job.plan.read(value)(scope):
                found.extend((element, source) for source in dict.fromkeys(scope.origins))
                break
    return found


def _label(job: Job, values: tuple[Value, ...], scope: Scope) -> str:
    return job.label(values[0], scope) if values else ""


def money_cents(value: Any) -> int:
    """Cents of a Money element; none is 0."""
    return types.cents(str((value or {}).get("value", 0)))
