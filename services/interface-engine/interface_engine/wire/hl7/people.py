"""The patient, who insures them, the account, and the merge of two patients."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kernel.codes import NAIC
from kernel.errors import Unreadable

from interface_engine.model import Resource
from interface_engine.rules.channel import CoverageFields
from interface_engine.wire.hl7 import datatypes as types
from interface_engine.wire.hl7 import outcome as out
from interface_engine.wire.hl7.job import Draft, Job, typed
from interface_engine.wire.hl7.scope import Row, Scope

_SUBSCRIBER = "http://terminology.hl7.org/CodeSystem/subscriber-relationship"
_CLASS = "http://terminology.hl7.org/CodeSystem/coverage-class"
_SELF = "self"
_OTHER_NUMBERS = ((3, ""), (2, ""), (4, ""), (19, "SS"), (20, "DL"))
_SSN = "http://hl7.org/fhir/sid/us-ssn"


def make_patient(job: Job) -> None:
    """Unreadable patient-identifier-missing when the message names nobody: nothing could ever be found again."""
    system, value = job.number(job.channel.identity.mrn, "mrn")
    if not value:
        place = next(iter(job.channel.identity.mrn.places), None)
        path = getattr(place, "text", "")
        raise Unreadable("patient-identifier-missing", path, "no identifier of the patient that the feed is known by")
    draft = job.own("patient", job.draft("Patient", system, value))
    draft.take(job.fill("patient"))
    draft.resource["identifier"] = list(_identifiers(job, system, value))
    draft.origins.append(("identifier", getattr(next(iter(job.channel.identity.mrn.places)), "text", "")))


def _identifiers(job: Job, system: str, value: str) -> Iterator[Resource]:
    """The number by which the patient is known, and all others that are told."""
    yield typed({"system": system, "value": value}, "MR")
    seen = {(system, value)}
    row = job.scope.rows.get("PID")
    for field, type_code in _OTHER_NUMBERS if row is not None else ():
        for part in row.repetitions(field) if row is not None else ():
            made = types.identifier(part, job.channel, _SSN if type_code == "SS" else "", type_code)
            if made is None or part.is_null or (made["system"], made["value"]) in seen:
                continue
            seen.add((made["system"], made["value"]))
            yield made


def make_coverages(job: Job) -> None:
    """One Coverage for each insurance, by its place: the next message about the same place changes it."""
    if job.message is None:
        for number, fields in enumerate(job.channel.coverages, 1):
            _coverage(job, job.scope, fields, fields.rank or number)
        return
    for number, row in enumerate(job.rows_of("IN1"), 1):
        scope = job.scope.within(IN1=row, IN2=_following(job, row))
        _coverage(job, scope, job.channel.coverages[0], number)


def _following(job: Job, row: Row) -> Row | None:
    """The IN2 of an IN1."""
    after = [other for other in job.rows_of("IN1") if other.segment.index > row.segment.index]
    end = after[0].segment.index if after else None
    for found in job.rows_of("IN2"):
        index = found.segment.index
        if index > row.segment.index and (end is None or index < end):
            return found
    return None


def _coverage(job: Job, scope: Scope, fields: CoverageFields, number: int) -> None:
    member = job.text(fields.member, scope)
    payer = _payer(job, scope, fields)
    if not member and payer is None:
        return
    told = job.text(fields.order, scope)
    rank = int(told) if told.isdigit() and 0 < int(told) < 100 else number
    _, mrn = job.number(job.channel.identity.mrn, "mrn")
    draft = job.draft("Coverage", f"{job.channel.identity.base}/coverage", f"{mrn}-{rank}")
    draft.take(job.fill("coverage", scope))
    relationship, subscriber = _subscriber(job, scope, fields, f"{mrn}-{rank}")
    own = draft.resource["identifier"][0]
    numbers = (
        [own, typed({"system": f"{job.channel.identity.base}/member", "value": member}, "MB")] if member else [own]
    )
    draft.resource |= types.kept(
        identifier=numbers,
        status="active",
        subscriber=subscriber,
        subscriberId=member,
        relationship={"coding": [{"system": _SUBSCRIBER, "code": relationship}]},
        payor=[payer] if payer is not None else [{"display": "not told"}],
        order=rank,
        **{"class": list(_classes(job, scope, fields))},
    )
    draft.origins.extend((name, label) for name, label in _sources(job, scope, fields))
    job.owned[f"coverage-{rank}"] = draft


def _sources(job: Job, scope: Scope, fields: CoverageFields) -> Iterator[tuple[str, str]]:
    named = (("subscriberId", fields.member), ("payor", fields.payer), ("relationship", fields.relationship),
             ("order", fields.order), ("class", fields.group))  # fmt: skip
    for element, values in named:
        for value in values:
            if job.plan.read(value)(scope):
                yield element, job.label(value, scope)
                break


def _classes(job: Job, scope: Scope, fields: CoverageFields) -> Iterator[Resource]:
    for code, values in (("group", fields.group), ("plan", fields.plan)):
        if text := job.text(values, scope):
            yield {"type": {"coding": [{"system": _CLASS, "code": code}]}, "value": text}


def _payer(job: Job, scope: Scope, fields: CoverageFields) -> Resource | None:
    """The payer's Organization: by the payer id of claims where the channel's list knows it."""
    number, name = job.text(fields.payer, scope), job.text(fields.payer_name, scope)
    known = job.channel.payer(number, job.sent_at.date()) if number else None
    if known is not None:
        draft = job.draft("Organization", NAIC, known.payer_id)
    elif number:
        draft = job.draft("Organization", _payer_system(job, scope, fields, number), number)
    elif name:
        draft = job.draft("Organization", f"{job.channel.identity.base}/payer-name", name)
    else:
        return None
    draft.take(job.fill("payer", scope))
    if (known is not None and known.name) or name:
        draft.resource["name"] = (known.name if known is not None else "") or name
    return draft.reference


def _payer_system(job: Job, scope: Scope, fields: CoverageFields, number: str) -> str:
    """The number's own authority (IN1-3 is a CX); what a list of payers does not know is an unmapped code."""
    fallback = f"{job.channel.identity.base}/payer"
    if job.channel.payers:
        value = next(value for value in fields.payer if job.plan.read(value)(scope))
        job.unmapped.append(out.Unmapped(job.label(value, scope), fallback, number))
        return fallback
    row = scope.rows.get("IN1")
    parts = row.repetitions(3) if row is not None else []
    if not parts or parts[0].get(1) != number:
        return fallback
    part = parts[0]
    found = types.identifier_system(job.channel, part.get(4, 1), part.get(4, 2), part.get(4, 3), part.get(5))
    return found or fallback


def _subscriber(job: Job, scope: Scope, fields: CoverageFields, number: str) -> tuple[str, Resource | None]:
    """The relation of the patient to the subscriber, and who that is when it is somebody else."""
    told = job.text(fields.relationship, scope)
    table = job.channel.tables["subscriber"]
    person = job.fill("subscriber", scope)
    relation = table.get(told) or table.get(told.upper(), "other") if told else ""
    if not relation:
        relation = _SELF if _same_name(person.resource, job.owned["patient"].resource) else "other"
    if relation == _SELF:
        return relation, job.own_reference("patient")
    if "name" not in person.resource:
        return relation, None
    draft = job.draft("RelatedPerson", f"{job.channel.identity.base}/subscriber", number)
    draft.take(person)
    return relation, draft.reference


def _same_name(one: Resource, other: Resource) -> bool:
    """Whether both have the same family and first given name; nobody named is taken for the patient."""
    names = [_name(resource) for resource in (one, other)]
    return not any(names[0]) or names[0] == names[1]


def _name(resource: Resource) -> tuple[str, str]:
    first: dict[str, Any] = next(iter(resource.get("name", ())), {})
    return first.get("family", "").casefold(), next(iter(first.get("given", ())), "").casefold()


def make_account(job: Job) -> None:
    """The billing account, its insurances in order, and who guarantees for it."""
    system, value = job.number(job.channel.identity.account, "account")
    if not value:
        return
    draft = job.own("account", job.draft("Account", system, value))
    draft.take(job.fill("account"))
    draft.resource["identifier"] = [typed({"system": system, "value": value}, "AN")]
    covering = sorted((name for name in job.owned if name.startswith("coverage-")), key=lambda name: int(name[9:]))
    if covering:
        draft.resource["coverage"] = [
            {"coverage": job.owned[name].reference, "priority": number} for number, name in enumerate(covering, 1)
        ]
    guarantors = [found for row in job.rows_of("GT1") if (found := _guarantor(job, row)) is not None]
    if guarantors:
        draft.resource["guarantor"] = [{"party": one} for one in guarantors]


def _guarantor(job: Job, row: Row) -> Resource | None:
    """The patient where they guarantee for themselves."""
    relation = row.get("11.1").upper()
    if job.channel.tables["subscriber"].get(relation) == _SELF:
        return job.own_reference("patient")
    filled = job.fill("guarantor", job.scope.within(GT1=row))
    if "name" not in filled.resource:
        return None
    _, mrn = job.number(job.channel.identity.mrn, "mrn")
    number = row.get("2.1") or f"{mrn}-{row.get('1') or '1'}"
    draft = job.draft("RelatedPerson", f"{job.channel.identity.base}/guarantor", number)
    draft.take(filled)
    return draft.reference


def make_merge(job: Job) -> None:
    """A40: of each pair the patient who stays and the one who goes, linked both ways. Nothing else is touched here."""
    if job.message is None or not job.rows_of("MRG"):
        raise Unreadable("merge-without-prior", "MRG", "a merge names the number that is given up")
    for group in job.message.groups("PID"):
        if not group.segments("MRG"):
            continue
        rows = {segment.id: Row(segment) for segment in reversed(group.segments())}
        part = Job(job.channel, job.sent_at, job.message)
        part.scope = Scope(part, {**job.scope.rows, **rows})
        part.flaws, part.unmapped = job.flaws, job.unmapped
        make_patient(part)
        survivor = part.owned["patient"]
        prior = _prior(part, rows["MRG"])
        if prior.condition == survivor.condition:
            raise Unreadable("merge-with-itself", "MRG-1", "both numbers are the same")
        for draft in (prior, survivor):
            draft.kind = out.MERGE
        survivor.resource["link"] = [{"other": prior.reference, "type": "replaces"}]
        survivor.merged_from = prior.condition
        prior.resource |= {"active": False, "link": [{"other": survivor.reference, "type": "replaced-by"}]}
        prior.merged_into = survivor.condition
        job.drafts |= part.drafts
        job.owned.setdefault("patient", survivor)


def _prior(job: Job, row: Row) -> Draft:
    parts = [part for part in row.repetitions(1) if part.get(1)]
    wanted = job.channel.identity.mrn
    chosen = next((part for part in parts if part.get(5) in wanted.types), parts[0] if parts else None)
    if chosen is None:
        raise Unreadable("merge-without-prior", "MRG-1", "a merge names the number that is given up")
    system = wanted.system or types.identifier_system(
        job.channel, chosen.get(4, 1), chosen.get(4, 2), chosen.get(4, 3), chosen.get(5)
    )
    if not system:
        system = job.number(wanted, "mrn")[0]
    draft = job.draft("Patient", system, chosen.get(1))
    draft.resource["identifier"] = [typed({"system": system, "value": chosen.get(1)}, "MR")]
    return draft
