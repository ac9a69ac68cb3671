"""From a plot to the bundles that the EHR sends: the visit as it was, minus or plus what the EHR got wrong."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property

from kernel import codes as systems

from simulator.codes import drugs, is_evaluation, vaccines
from simulator.ehr import resources
from simulator.ehr.clinics import CLINICS
from simulator.ehr.expect import Expectation, outcome_of
from simulator.ehr.resources import Resource, coding, reference
from simulator.ehr.story import Story
from simulator.ehr.table_visits import DOCUMENTATION, Done, Visit
from simulator.model import Payer, Person
from simulator.people import find_person, member_id
from simulator.rules.load import load_payers

_ORDER_LEAD = timedelta(days=3)
# Orders that a laboratory carried out and nobody charged: they are known by LOINC alone.
_UNCHARGED = ("4548-4", "2093-3", "2345-7")
_LOCAL = ("LOC-1001", "LOC-1002", "LOC-1003", "LOC-1004", "LOC-1005")
_STRANGE_PAYER = "SYNPZ"


@dataclass(frozen=True, slots=True)
class Plot:
    """Everything that was drawn for one story.

    `flaws`: order-first (an order, and so an authorization, comes before), sent-twice, uncharged-order, local-code,
    wrong-birth, wrong-name, lapsed, uninsured, strange-payer.
    """

    seed: int
    index: int
    kind: str
    visit: Visit
    payer_id: str
    gender: str
    digit: str
    day: date
    flaws: frozenset[str]
    clinic: int
    doctor: int
    booked: bool

    def id(self, prefix: str, part: str) -> str:
        """A resource id that only seed, index and the resource's part in the story decide."""
        digest = hashlib.sha256(f"{self.seed}/{self.index}/{self.kind}/{part}".encode()).hexdigest()
        return f"{prefix}-{digest[:16]}"


def tell(plot: Plot, expected: Expectation) -> Story:
    """The story of a plot, with what should come of it."""
    record = _Record(plot)
    bundles = tuple(resources.bundle(stage) for stage in record.stages())
    return Story(
        story_id=f"{plot.seed}-{plot.index:05d}",
        kind=plot.kind,
        encounter=f"Encounter/{record.encounter_id}",
        payer_id="" if "uninsured" in plot.flaws else str(record.payer.id),
        bundles=bundles + (bundles[-1:] if "sent-twice" in plot.flaws else ()),
        expected=outcome_of(plot.visit, load_payers().payers[plot.payer_id], plot.digit, expected),
    )


class _Record:
    """The EHR's record of one plot. Each property is a resource or a list of them."""

    def __init__(self, plot: Plot) -> None:
        self.plot = plot
        self.visit = plot.visit
        self.clinic = CLINICS[plot.clinic]
        self.practitioner = self.clinic.practitioners[plot.doctor]
        self.encounter_id = plot.id("e", "encounter")

    def stages(self) -> Iterator[list[Resource]]:
        """What is sent, in order: booking, order, check-in, and the visit once it is finished."""
        if self.plot.booked:
            yield [*self.basics, self.room("AMB"), self.appointment]
        if "order-first" in self.plot.flaws:
            yield [*self.basics, *self.orders_in_advance]
        if self.plot.booked and self.plot.index % 2:
            yield [*self.basics, *self.rooms, self.visit_resource("in-progress")]
        yield [*self.basics, *self.rooms, *self.finished_visit]

    @cached_property
    def payer(self) -> Payer:
        known = load_payers().payers[self.plot.payer_id]
        return replace(known, id=_STRANGE_PAYER, name="Synthetic Payer Z") if self.has("strange-payer") else known

    @cached_property
    def person(self) -> Person:
        plot = self.plot
        letter = self.payer.letter
        id = member_id(letter, plot.seed, plot.index, gender=plot.gender, digit=plot.digit, lapsed=self.has("lapsed"))
        person = find_person(id, letter)
        if person is None:
            raise ValueError("a member id that its own payer does not know")
        return person

    @cached_property
    def patient(self) -> Resource:
        person = self.person
        return resources.patient(
            self.plot.id("p", "patient"),
            person,
            self.clinic.organization,
            birth_date=person.birth_date + timedelta(days=1) if self.has("wrong-birth") else person.birth_date,
            last=f"{person.last}-Mistyped" if self.has("wrong-name") else person.last,
        )

    @cached_property
    def payor(self) -> Resource:
        return resources.payor(self.payer)

    @cached_property
    def coverage(self) -> Resource:
        begin = self.person.plan.start or self.plot.day
        return resources.coverage(self.plot.id("c", "coverage"), self.patient, self.payor, self.person.member_id, begin)

    @cached_property
    def basics(self) -> list[Resource]:
        """Who: clinic, doctor, patient, and the insurance if there is one."""
        insured = [] if self.has("uninsured") else [self.payor, self.coverage]
        return [self.clinic.organization, self.practitioner, self.patient, *insured]

    @property
    def rooms(self) -> list[Resource]:
        return [] if self.visit.where == "VR" else [self.room(self.visit.where)]

    @property
    def appointment(self) -> Resource:
        who = (self.patient, self.practitioner, self.room("AMB"))
        return resources.appointment(self.plot.id("a", "appointment"), who, self.plot.day)

    @cached_property
    def orders_in_advance(self) -> list[Resource]:
        """The services that a payer must authorize, as orders."""
        lead = self.plot.day - _ORDER_LEAD
        items = [item for item in self.visit.done + self.visit.drugs if self.needs_authorization(item)]
        return [
            self.order(f"order-{item.code}", coding(item.code), lead) | {"quantityQuantity": {"value": item.units}}
            for item in items
        ]

    @cached_property
    def conditions(self) -> list[Resource]:
        bare = self.visit_resource("finished")
        return [
            resources.condition(self.plot.id("d", f"diagnosis-{n}"), self.patient, bare, code, self.plot.day)
            for n, code in enumerate(self.visit.diagnoses)
        ]

    @property
    def finished_visit(self) -> list[Resource]:
        """The encounter with its diagnoses, its documentation and everything done."""
        encounter = self.visit_resource("finished")
        encounter["period"] = encounter["period"] | {"end": encounter["period"]["start"].replace("T15:00", "T15:25")}
        encounter["diagnosis"] = [
            {"condition": reference(condition), "rank": rank} for rank, condition in enumerate(self.conditions, 1)
        ]
        services = [*self.documentation, *self.orders, *self.procedures, *self.administrations, *self.immunizations]
        return [encounter, *self.conditions, *services]

    def visit_resource(self, status: str) -> Resource:
        visit = self.visit
        context = self.context() | ({"room": self.room(visit.where)} if visit.where != "VR" else {})
        encounter = resources.encounter(self.encounter_id, context, visit.where, self.plot.day, status)
        kind = {"type": [coding(visit.evaluation)]} if visit.evaluation and status == "finished" else {}
        return encounter | kind

    @property
    def documentation(self) -> list[Resource]:
        """What the note says of problems, data, risk and time; nothing for codes that are no evaluation of today."""
        found = self.visit.documented or DOCUMENTATION.get(self.visit.evaluation)
        if found is None or not is_evaluation(self.visit.evaluation):
            return []
        levels, minutes = found
        values: dict[str, Resource] = {
            part: {"valueCodeableConcept": coding(level, resources.EM_SYSTEM)}
            for part, level in zip(("problems", "data", "risk"), levels, strict=True)
        }
        if minutes:
            values["total-minutes"] = {"valueInteger": minutes}
        bare = self.visit_resource("finished")
        return [
            resources.observation(self.plot.id("o", part), self.patient, bare, part, value, self.plot.day)
            for part, value in values.items()
        ]

    @property
    def orders(self) -> list[Resource]:
        """Orders carried out: laboratory tests (charged as they are), authorized imaging, and what nobody charged."""
        concepts = {f"lab-{code}": coding(code) for code in self.visit.labs}
        if self.has("uncharged-order"):
            concepts["uncharged"] = coding(_UNCHARGED[self.plot.index % len(_UNCHARGED)], systems.LOINC)
        in_advance = self.orders_in_advance_of_procedures
        ordered = [self.order(part, concept, self.plot.day) for part, concept in concepts.items()]
        encounter = self.visit_resource("finished")
        reasons = self.conditions[:1]
        return [resources.performed(order, encounter, reasons, self.plot.day) for order in in_advance + ordered]

    @property
    def orders_in_advance_of_procedures(self) -> list[Resource]:
        """A drug's order stays open: its administration says that it was given."""
        if "order-first" not in self.plot.flaws:
            return []
        done = {item.code for item in self.visit.done}
        return [order for order in self.orders_in_advance if order["code"]["coding"][0]["code"] in done]

    @property
    def procedures(self) -> list[Resource]:
        placed = {order["code"]["coding"][0]["code"]: order for order in self.orders_in_advance_of_procedures}
        made = [self.procedure(item, placed.get(item.code)) for item in self.visit.done]
        return [*made, *([self.local_procedure] if self.has("local-code") else [])]

    def procedure(self, item: Done, order: Resource | None) -> Resource:
        more: Resource = {"basedOn": [reference(order)]} if order else {}
        if item.side:
            more["bodySite"] = [coding(item.side, systems.SNOMED)]
        if item.units > 1:
            more["extension"] = [{"url": resources.UNITS_EXTENSION, "valueDecimal": item.units}]
        id = self.plot.id("s", f"procedure-{item.code}")
        return resources.procedure(id, self.context(item.reason), coding(item.code), self.plot.day, **more)

    @property
    def local_procedure(self) -> Resource:
        concept = coding(_LOCAL[self.plot.index % len(_LOCAL)], resources.LOCAL_PROCEDURES)
        return resources.procedure(self.plot.id("s", "local"), self.context(0), concept, self.plot.day)

    @property
    def administrations(self) -> list[Resource]:
        return [
            resources.administration(
                self.plot.id("m", f"drug-{item.code}"),
                self.context(item.reason),
                item.code,
                drugs()[item.code].ndc if item.code in drugs() else "",
                item.units,
                self.plot.day,
            )
            for item in self.visit.drugs
        ]

    @property
    def immunizations(self) -> list[Resource]:
        reason = len(self.visit.diagnoses) - 1
        return [
            resources.immunization(
                self.plot.id("i", f"vaccine-{code}"), self.context(reason), code, vaccines()[code], self.plot.day
            )
            for code in self.visit.vaccines
        ]

    def order(self, part: str, concept: Resource, day: date) -> Resource:
        context = self.context() | ({} if self.has("uninsured") else {"coverage": self.coverage})
        return resources.order(self.plot.id("r", part), context, concept, day)

    def context(self, reason: int | None = None) -> dict[str, Resource]:
        who = {"patient": self.patient, "practitioner": self.practitioner, "clinic": self.clinic.organization}
        if reason is None:
            return who
        return who | {"encounter": self.visit_resource("finished"), "reason": self.conditions[reason]}

    def room(self, where: str) -> Resource:
        return self.clinic.rooms[where]

    def has(self, flaw: str) -> bool:
        return flaw in self.plot.flaws

    def needs_authorization(self, item: Done) -> bool:
        return item.code in self.payer.authorization_codes
