"""The visit, its diagnoses and procedures."""

from __future__ import annotations

from collections.abc import Iterator

from kernel import codes
from kernel.errors import Unreadable

from interface_engine.model import Resource
from interface_engine.rules.channel import CHARGES
from interface_engine.wire.hl7 import datatypes as types
from interface_engine.wire.hl7 import outcome as out
from interface_engine.wire.hl7.codes import Coded, code_of_parts, modifier_extensions, modifiers_in
from interface_engine.wire.hl7.job import Draft, Job, typed
from interface_engine.wire.hl7.scope import Row

_ACT = codes.ENCOUNTER_CLASS
_DELETE = "D"
_VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
_USE = "http://terminology.hl7.org/CodeSystem/diagnosis-role"


def make_visit(job: Job, word: str) -> None:
    """The Encounter. Without a number of its own it is found again by the patient and the day.

    `word` is what the event says: a status, `keep`, `reopened`, or `charged`.
    """
    if job.message is not None and not job.rows_of("PV1") and word not in ("charged",):
        return
    system, value = visit_number(job)
    if not value:
        job.scope.flaw("PV1-19", "visit-number-missing")
        return
    draft = job.own("visit", job.draft("Encounter", system, value))
    draft.take(job.fill("visit"))
    draft.resource["identifier"] = [typed({"system": system, "value": value}, "VN")]
    draft.resource.setdefault("class", {"system": _ACT, "code": "AMB"})
    if job.message is not None and not job.scope.rows.get("PV1"):
        draft.initial.append("class")
    _say(job, draft, word)
    _start(job, draft)


def _say(job: Job, draft: Draft, word: str) -> None:
    resource = draft.resource
    if word in ("keep", "charged") or (word == "finished" and job.channel.finish == CHARGES):
        ended = word == "keep" and job.channel.finish != CHARGES and "end" in resource.get("period", {})
        resource["status"] = "finished" if ended else "in-progress"
        if not ended:
            draft.initial.append("status")
    elif word == "reopened":
        resource["status"] = "in-progress"
        draft.kind = out.CANCEL
        resource.get("period", {}).pop("end", None)
        draft.cleared.append("period.end")
    else:
        resource["status"] = word
        if word == "cancelled":
            draft.kind = out.CANCEL
    if not resource.get("period", True):
        del resource["period"]


def _start(job: Job, draft: Draft) -> None:
    """A visit that does not say when it began, began when the event happened."""
    if job.message is None or draft.resource.get("period", {}).get("start"):
        return
    trigger = job.message.message_type.trigger
    if trigger not in ("A01", "A04", "A05"):
        return
    planned = job.message.get("PV2-8") if trigger == "A05" else ""
    text = planned or job.message.get("EVN-6") or job.message.get("EVN-2")
    try:
        start = types.fhir_datetime(text, job.channel.zone) if text else ""
    except Unreadable:
        return
    if start:
        draft.resource["period"] = {"start": start, **draft.resource.get("period", {})}
        draft.initial.append("period.start")


def visit_number(job: Job) -> tuple[str, str]:
    """(system, value): the number that the feed's file names, else the patient's with the day."""
    identity = job.channel.identity
    system, value = job.number(identity.visit, "visit")
    day = _day(job) if identity.by_day or not value else ""
    if value:
        return system, f"{value}-{day}" if identity.by_day and day else value
    _, mrn = job.number(identity.mrn, "mrn")
    return (f"{identity.base}/visit-day", f"{mrn}-{day}") if mrn and day else ("", "")


def _day(job: Job) -> str:
    """The day of service, as a number without marks: of the first charge, else of the admission."""
    for text in _day_texts(job):
        try:
            return types.fhir_date(text, job.channel.zone).replace("-", "")
        except Unreadable:
            continue
    return ""


def _day_texts(job: Job) -> Iterator[str]:
    charges = job.channel.charges
    if charges is not None:
        rows = job.rows_of("FT1")
        scope = job.scope.within(FT1=rows[0]) if rows else job.scope
        yield from job.texts(charges.day, scope)[:1]
    if job.message is not None:
        yield from filter(None, (job.message.get("PV1-44"), job.message.get("EVN-6")))


def finish_visit(job: Job, days: list[str]) -> None:
    """The end of a feed's visits that comes with their charges; and the days of what lacks its own."""
    draft = job.owned.get("visit")
    if draft is None:
        return
    charged = any(line.kind == "charge" and line.disposition != "rejected" for line in job.charges)
    if job.channel.finish == CHARGES and charged:
        draft.resource["status"] = "finished"
        draft.initial = [name for name in draft.initial if name != "status"]
    if days and "start" not in draft.resource.get("period", {}):
        draft.resource["period"] = {"start": min(days), **draft.resource.get("period", {})}
        draft.initial.append("period.start")


def make_diagnoses(job: Job) -> None:
    """DG1 in the order of their priority; DG1-21 D takes one back."""
    visit = job.owned.get("visit")
    rows = job.rows_of("DG1")
    if visit is None or not rows:
        return
    listed: list[Resource] = []
    for row in sorted(rows, key=_priority):
        scope = job.scope.within(DG1=row)
        coded = code_of_parts(job, row.repetitions(3), "Condition", f"{row.label}-3", row.get("2.1"))
        if coded is None:
            continue
        draft = diagnosis(job, visit, coded)
        draft.take(job.fill("condition", scope))
        draft.resource["code"] = coded.concept
        draft.origins.append(("code", f"{row.label}-3"))
        if row.get("21.1") == _DELETE:
            draft.resource["verificationStatus"] = {"coding": [{"system": _VERIFICATION, "code": "entered-in-error"}]}
            draft.resource.pop("clinicalStatus", None)
            draft.cleared.append("clinicalStatus")
            continue
        use = job.channel.tables["diagnosis_use"].get(row.get("6.1"), "")
        role = {"use": {"coding": [{"system": _USE, "code": use}]}} if use else {}
        if not any(one["condition"] == draft.reference for one in listed):
            listed.append({"condition": draft.reference, **role, "rank": len(listed) + 1})
    if listed:
        visit.resource["diagnosis"] = listed


def _priority(row: Row) -> tuple[int, int]:
    told, place = row.get("15"), row.segment.index
    return (int(told) if told.isdigit() and int(told) > 0 else 99, place)


def diagnosis(job: Job, visit: Draft, coded: Coded) -> Draft:
    """The Condition of a visit for a code; DG1 and FT1-19 that name the same code mean the same one."""
    number = f"{visit.resource['identifier'][0]['value']}-{coded.code}"
    return job.draft("Condition", f"{job.channel.identity.base}/diagnosis", number)


def charged_diagnoses(job: Job, found: list[Coded]) -> None:
    """Diagnoses that only charges name, in the order of the charges."""
    visit = job.owned.get("visit")
    if visit is None:
        return
    known = visit.resource.get("diagnosis")
    listed: list[Resource] = []
    for coded in found:
        draft = diagnosis(job, visit, coded)
        if "code" not in draft.resource:
            draft.take(job.fill("condition", job.scope.within()))
            draft.resource.setdefault(
                "verificationStatus", {"coding": [{"system": _VERIFICATION, "code": "confirmed"}]}
            )
            draft.initial.append("verificationStatus")
            draft.resource["code"] = coded.concept
            draft.origins.append(("code", coded.path))
        if not any(one["condition"] == draft.reference for one in listed):
            listed.append({"condition": draft.reference, "rank": len(listed) + 1})
    if listed and not known:
        visit.resource["diagnosis"] = listed
        visit.initial.append("diagnosis")


def make_procedures(job: Job) -> None:
    """PR1: lines of their own where the feed bills by them, else a record beside the charges that never bills."""
    visit = job.owned.get("visit")
    if visit is None:
        return
    seen: dict[str, int] = {}
    for row in job.rows_of("PR1"):
        scope = job.scope.within(PR1=row)
        bills = job.channel.procedures == "lines" and not job.rows_of("FT1")
        kind = "Procedure" if bills else ""
        coded = code_of_parts(job, row.repetitions(3), kind, f"{row.label}-3", row.get("2.1"))
        if coded is None:
            continue
        filled = job.fill("procedure", scope)
        number = row.get("19.1") or _counted(seen, visit, coded, filled.resource)
        draft = job.draft("Procedure", f"{job.channel.identity.base}/procedure", number)
        draft.take(filled)
        draft.resource["status"] = "completed" if bills else "unknown"
        draft.resource["code"] = coded.concept
        if row.get("20.1") == _DELETE:
            draft.resource["status"] = "entered-in-error"
        modifiers = modifiers_in(job, row.segment.all("16.1"), f"{row.label}-16")
        if modifiers:
            draft.resource["extension"] = modifier_extensions(modifiers)


def _counted(seen: dict[str, int], visit: Draft, coded: Coded, resource: Resource) -> str:
    day = str(resource.get("performedDateTime", ""))[:10].replace("-", "")
    base = f"{visit.resource['identifier'][0]['value']}-{coded.code}-{day}"
    seen[base] = seen.get(base, 0) + 1
    return base if seen[base] == 1 else f"{base}-{seen[base]}"
