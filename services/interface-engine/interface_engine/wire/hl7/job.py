"""One mapping under way: the resources made so far, by what identifies them, and who refers to whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache

from hl7v2 import Message
from kernel.codes import IDENTIFIER_TYPE, NPI, POS, TAX_ID, TAXONOMY
from kernel.errors import Unreadable
from kernel.identifiers import npi_valid

from interface_engine.model import Resource
from interface_engine.rules.channel import Channel, Facility, Number, Value
from interface_engine.rules.templates import Place
from interface_engine.wire.hl7 import datatypes as types
from interface_engine.wire.hl7 import outcome as out
from interface_engine.wire.hl7.filling import Filled, Filler, fill
from interface_engine.wire.hl7.scope import Column, Part, Row, Scope, clean
from interface_engine.wire.hl7.verbs import Reader, filler, reader, tester

_ORGANIZATION_TYPE = "http://terminology.hl7.org/CodeSystem/organization-type"
_NPI_TYPE = "NPI"


@dataclass(slots=True)
class Draft:
    """An entry that is still being made."""

    resource: Resource
    condition: str
    full_url: str
    key: tuple[str, str]
    method: str = "PUT"
    kind: str = out.UPSERT
    cleared: list[str] = field(default_factory=list)
    initial: list[str] = field(default_factory=list)
    credit: Resource | None = None
    merged_into: str = ""
    merged_from: str = ""
    origins: list[tuple[str, str]] = field(default_factory=list)

    @property
    def reference(self) -> Resource:
        return {"reference": self.full_url}

    def take(self, filled: Filled, at: str = "") -> None:
        """Adds what a template filled."""
        self.resource.update(filled.resource)
        self.cleared.extend(filled.cleared)
        self.origins.extend((f"{at}{element}", source) for element, source in filled.origins)


class Plan:
    """A channel's expressions as functions, made once."""

    def __init__(self, channel: Channel) -> None:
        self.templates = {name: filler(template.rules) for name, template in channel.templates.items()}
        self.types = {name: template.type for name, template in channel.templates.items()}
        self.filters = [(row.name, tester(row.test)) for row in channel.filters]
        self.facilities = [(row, tester(row.test) if row.test is not None else None) for row in channel.facilities]
        self._readers: dict[int, Reader] = {}

    def read(self, value: Value) -> Reader:
        """The function of a value that a section holds; the same value gives the same function."""
        found = self._readers.get(id(value))
        if found is None:
            found = self._readers[id(value)] = reader(value)
        return found


@lru_cache(maxsize=512)
def plan_of(channel: Channel) -> Plan:
    return Plan(channel)


class Job:
    """What a mapping has made. Makers add drafts; a draft is found again by its condition."""

    def __init__(
        self,
        channel: Channel,
        received_at: datetime,
        message: Message | None = None,
        columns: Mapping[str, str] | None = None,
        at: str = "",
    ) -> None:
        self.channel = channel
        self.plan = plan_of(channel)
        self.message = message
        self.rows = _rows(message) if message is not None else {}
        first = {name: rows[0] for name, rows in self.rows.items()}
        self.scope = Scope(self, first, columns, at)
        self.flaws: list[out.Flaw] = []
        self.unmapped: list[out.Unmapped] = []
        self.charges: list[out.ChargeLine] = []
        self.drafts: dict[str, Draft] = {}
        self.owned: dict[str, Draft] = {}
        self.sent_at = _sent_at(self, received_at)

    # Reading

    def rows_of(self, segment: str) -> list[Row]:
        return self.rows.get(segment, [])

    def texts(self, values: tuple[Value, ...], scope: Scope | None = None) -> list[str]:
        """All texts of the first value that has any."""
        within = scope or self.scope
        for value in values:
            if found := self.plan.read(value)(within):
                return [str(one) for one in found]
        return []

    def text(self, values: tuple[Value, ...], scope: Scope | None = None) -> str:
        return next(iter(self.texts(values, scope)), "")

    def parts(self, value: Value, scope: Scope) -> list[Part]:
        """The repetitions of a field, or a value's texts in the shape of them."""
        if isinstance(value, Place) and not value.component:
            return scope.parts(value)
        return [Column(str(text)) for text in self.plan.read(value)(scope)]

    def label(self, value: Value, scope: Scope) -> str:
        """Where the value stands, or the last place that was read for it."""
        if isinstance(value, Place):
            return scope.label(value)
        return scope.origins[-1] if scope.origins else scope.at.rstrip("-")

    def fill(self, template: str, scope: Scope | None = None) -> Filled:
        return fill(self.plan.templates[template], scope or self.scope)

    def fillers(self, template: str) -> tuple[Filler, ...]:
        return self.plan.templates[template]

    # Making

    def draft(self, type_name: str, system: str, value: str, kind: str = out.UPSERT) -> Draft:
        """The resource of this type and number: a new one, or the one that this message has made already."""
        value = clean(value)
        condition = out.condition_of(type_name, system, value)
        found = self.drafts.get(condition)
        if found is None:
            resource: Resource = {"resourceType": type_name, "identifier": [{"system": system, "value": value}]}
            method = "POST" if kind == out.CREATE else "PUT"
            found = Draft(resource, condition, out.urn_of(condition), (system, value), method, kind)
            self.drafts[condition] = found
        return found

    def own(self, name: str, draft: Draft) -> Draft:
        """Makes the draft the message's own patient, visit or account."""
        self.owned[name] = draft
        return draft

    def own_reference(self, target: str) -> Resource | None:
        if target == "facility":
            found = self.facility()
            return found.reference if found is not None else None
        draft = self.owned.get(target)
        return draft.reference if draft is not None else None

    def made_reference(self, target: str, part: Part, label: str) -> Resource | None:
        made = {"practitioner": self.practitioner, "organization": self.organization, "location": self.location}
        return made[target](part, label)

    # Those whom a field names

    def practitioner(self, part: Part, label: str, names: Mapping[str, str] | None = None) -> Resource | None:
        """XCN, or a provider's number: by NPI where one is known, else by that number; a name alone is shown."""
        number, known = part.get(1), None
        family, given, middle = part.get(2, 1), part.get(3), part.get(4)
        if names:
            family, given = names.get("family", ""), names.get("given", "")
        if number:
            known = self.channel.provider(number, self.sent_at.date())
        if not number:
            text = ", ".join(one for one in (family, given) if one)
            return {"display": text} if text else None
        npi = known.npi if known is not None else (number if self._is_npi(part) else "")
        system = NPI if npi else self._system(part.get(9, 1), part.get(9, 2), part.get(9, 3), part.get(13), "provider")
        draft = self.draft("Practitioner", system, npi or number, out.CREATE)
        if known is not None:
            family, given, middle = known.family, known.given, ""
        name = types.kept(
            family=family,
            given=[one for one in (given, middle) if one],
            suffix=[one for one in (part.get(5),) if one],
            prefix=[one for one in (part.get(6),) if one],
        )
        if name and "name" not in draft.resource:
            draft.resource["name"] = [name]
            draft.origins.append(("name", label))
        if known is not None and known.taxonomy:
            self._role(draft, npi, known.taxonomy)
        return draft.reference

    def _role(self, practitioner: Draft, npi: str, taxonomy: str) -> None:
        role = self.draft("PractitionerRole", f"{self.channel.identity.base}/role", npi, out.CREATE)
        role.resource |= {
            "practitioner": practitioner.reference,
            "specialty": [{"coding": [{"system": TAXONOMY, "code": taxonomy}]}],
        }

    def _is_npi(self, part: Part) -> bool:
        typed = part.get(13) == _NPI_TYPE or part.get(9, 1) == _NPI_TYPE
        oid = types.system_of_hd("", part.get(9, 2), part.get(9, 3), "") == NPI
        looks = self.channel.identity.npi == "shape" and npi_valid(part.get(1))
        return typed or oid or looks

    def _system(self, authority: str, universal: str, kind: str, type_code: str, fallback: str) -> str:
        found = types.identifier_system(self.channel, authority, universal, kind, type_code)
        return found or f"{self.channel.identity.base}/{fallback}"

    def organization(self, part: Part, label: str) -> Resource | None:
        """A department or a group by its code (CWE), or by its number (XON-3, XON-10)."""
        number, name = part.get(10) or part.get(3, 1) or part.get(1), part.get(2) or part.get(1)
        if not number:
            return None
        draft = self.draft("Organization", f"{self.channel.identity.base}/organization", number, out.CREATE)
        draft.resource |= {"active": True, "name": name or number}
        draft.origins.append(("name", label))
        return draft.reference

    def location(self, part: Part, label: str) -> Resource | None:
        """PL by its facility and point of care: beds and rooms bill alike."""
        care, facility = part.get(1, 1) or part.get(2), part.get(4, 1)
        number = "-".join(one for one in (facility, care or part.get(9)) if one)
        if not number:
            return None
        place = self.channel.tables.get("place_of_service", {})
        return self._location(
            number, part.get(9) or care or facility, place.get(care) or place.get(facility, ""), label
        )

    def place(self, place_of_service: str) -> Resource:
        """The place of a visit that only its place of service is known of."""
        return self._location(f"place-of-service-{place_of_service}", "", place_of_service, "")

    def _location(self, number: str, name: str, place_of_service: str, label: str) -> Resource:
        facility = self.facility_row()
        draft = self.draft("Location", f"{self.channel.identity.base}/location", number, out.CREATE)
        code = place_of_service or (facility.place_of_service if facility is not None else "")
        owner = self.facility()
        draft.resource |= types.kept(
            status="active",
            name=name,
            mode="instance",
            type=[{"coding": [{"system": POS, "code": code}]}] if code else None,
            managingOrganization=owner.reference if owner is not None else None,
        )
        if label:
            draft.origins.append(("name", label))
        return draft.reference

    def facility_row(self) -> Facility | None:
        general: Facility | None = None
        for row, holds in self.plan.facilities:
            if holds is None:
                general = general or row
            elif holds(self.scope):
                return row
        return general

    def facility(self) -> Draft | None:
        """The billing provider that the channel's file names for this message."""
        if "facility" in self.owned:
            return self.owned["facility"]
        row = self.facility_row()
        if row is None:
            return None
        draft = self.draft("Organization", NPI, row.npi)
        taxonomy = [{"coding": [{"system": TAXONOMY, "code": row.taxonomy}]}] if row.taxonomy else []
        draft.resource |= types.kept(
            identifier=[{"system": NPI, "value": row.npi}]
            + ([{"system": TAX_ID, "value": row.tax_id}] if row.tax_id else []),
            active=True,
            type=[{"coding": [{"system": _ORGANIZATION_TYPE, "code": "prov"}]}, *taxonomy],
            name=row.name,
            telecom=[{"system": "phone", "value": row.phone, "use": "work"}] if row.phone else None,
            address=[types.kept(line=[row.line] if row.line else [], city=row.city, state=row.state,
                                postalCode=row.postal_code, country="US")] if row.city else None,
        )  # fmt: skip
        return self.own("facility", draft)

    # Numbers

    def number(self, number: Number, fallback: str) -> tuple[str, str]:
        """(system, value) of the identifier that is meant; ("", "") when the message does not have it."""
        for value in number.places:
            parts = [part for part in self.parts(value, self.scope) if part.get(1)]
            part = _pick(parts, number)
            if part is None:
                continue
            system = number.system or types.identifier_system(
                self.channel, part.get(4, 1), part.get(4, 2), part.get(4, 3), part.get(5)
            )
            return system or f"{self.channel.identity.base}/{fallback}", part.get(1)
        return "", ""

    def done(self, kind: str, keys: out.Keys) -> out.Mapped:
        """What was made, in the order in which it was."""
        drafts = list(self.drafts.values())
        return out.Mapped(
            channel=self.channel.name,
            kind=kind,
            sent_at=self.sent_at,
            entries=tuple(_entry(draft) for draft in drafts),
            charges=tuple(self.charges),
            unmapped=tuple(dict.fromkeys(self.unmapped)),
            flaws=tuple(dict.fromkeys(self.flaws)),
            provenance=tuple(
                out.Origin(number, f"{draft.resource['resourceType']}.{element}", source)
                for number, draft in enumerate(drafts)
                for element, source in draft.origins
            ),
            keys=keys,
        )


def _entry(draft: Draft) -> out.Entry:
    return out.Entry(
        draft.resource,
        draft.method,
        draft.condition,
        draft.full_url,
        draft.key,
        draft.kind,
        tuple(draft.cleared),
        tuple(draft.initial),
        draft.credit,
        draft.merged_into,
        draft.merged_from,
    )


def _rows(message: Message) -> dict[str, list[Row]]:
    rows: dict[str, list[Row]] = {}
    for segment in message.segments():
        found = rows.setdefault(segment.id, [])
        found.append(Row(segment, len(found) + 1))
    return rows


def _pick(parts: list[Part], number: Number) -> Part | None:
    """Of several identifiers the one of the wanted authority and type; without any wanted authority, the first."""
    if number.authorities:
        parts = [part for part in parts if {part.get(4, 1), part.get(4, 2)} & set(number.authorities)]
    for wanted in number.types:
        for part in parts:
            if part.get(5) == wanted:
                return part
    return parts[0] if parts else None


def _sent_at(job: Job, received_at: datetime) -> datetime:
    """MSH-7, else EVN-2, else when it came."""
    if job.message is None:
        return received_at
    for text in (job.message.get("MSH-7"), job.message.get("EVN-2")):
        try:
            value = types.moment(text, job.channel.zone) if text else None
        except Unreadable:
            continue
        if isinstance(value, datetime):
            return value
        if isinstance(value, date):
            return datetime.combine(value, datetime.min.time(), tzinfo=job.channel.zone)
    return received_at


def typed(identifier: Resource, type_code: str) -> Resource:
    """The identifier with its type in front."""
    return {"type": {"coding": [{"system": IDENTIFIER_TYPE, "code": type_code}]}, **identifier}
