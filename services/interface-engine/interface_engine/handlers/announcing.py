"""Tells the line what a request means: appointments, orders and visits, in the transaction that keeps them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from google.protobuf.message import Message
from kernel.identifiers import journey_id

from interface_engine.model import VISIT_STATES, Client, Draft, Graph, Visit
from interface_engine.rules import Source
from interface_engine.wire import facts
from interface_engine.wire.snapshot import VISIT_TYPES

ORDER_TYPES = ("ServiceRequest", "MedicationRequest", "DeviceRequest")
# What comes late for a finished visit changes its bill.
BILLING_TYPES = frozenset(
    {"Condition", "Procedure", "MedicationAdministration", "Immunization", "ServiceRequest", "ChargeItem"}
)
_OF_THEIR_OWN = frozenset({"Encounter", "Appointment", *ORDER_TYPES})
_TOLD_TYPES = _OF_THEIR_OWN | BILLING_TYPES
_STATE_OF_STATUS = {
    "arrived": "started",
    "triaged": "started",
    "in-progress": "started",
    "onleave": "started",
    "finished": "finished",
    "cancelled": "cancelled",
    "entered-in-error": "cancelled",
}
_BOOKED = ("booked", "arrived", "checked-in", "fulfilled")


class Work(Protocol):
    """Visits, neighbourhoods and the outbox, in one open transaction."""

    @property
    def tenant(self) -> str: ...
    @property
    def now(self) -> datetime: ...
    async def visits(self, encounters: Sequence[str]) -> dict[str, Visit]: ...
    async def naming(self, conditions: Sequence[str]) -> list[tuple[str, str]]: ...
    async def journeys(self, keys: Sequence[str]) -> dict[str, str]: ...
    async def enter_visits(self, visits: Sequence[Visit]) -> list[Visit]: ...
    async def keep_visits(self, visits: Iterable[Visit]) -> None: ...
    async def graph(self, seeds: Sequence[str], types: Sequence[str], at_hand: Mapping[str, bytes]) -> Graph: ...
    async def covered(self, graph: Graph, patients: Sequence[str]) -> Graph: ...
    async def announce(self, type: str, body: Message, key: str, journey_id: str, version: int) -> None: ...


@dataclass(frozen=True, slots=True)
class Channel:
    """What the facts of a request are made with: its source's rules, all sources by name, our FHIR address."""

    sources: Mapping[str, Source]
    base_url: str

    def source(self, name: str) -> Source:
        return self.sources.get(name, self.sources["default"])


async def announce_changes(work: Work, channel: Channel, client: Client, drafts: Sequence[Draft]) -> None:
    """Tells of the resources that have changed; of those that say nothing about a visit, nothing is told."""
    told = [draft for draft in drafts if draft.type in _TOLD_TYPES]
    belonging = {draft.reference: [_encounter(draft)] for draft in told if _encounter(draft)}
    loose = [one.reference for one in told if one.type == "Condition" and one.expected and not _encounter(one)]
    for condition, encounter in await work.naming(loose) if loose else ():
        belonging.setdefault(condition, []).append(encounter)
    told = [one for one in told if one.reference in belonging or one.type in _OF_THEIR_OWN]
    if not told:
        return
    visits = await _enter(work, client, told, belonging)
    seeds = {draft.reference for draft in told if draft.type in _OF_THEIR_OWN}
    named = {one.encounter for one in visits.values() if one.encounter}
    at_hand = {draft.reference: draft.content for draft in drafts}
    graph = await _neighbourhood(work, sorted(seeds | named), at_hand)
    teller = _Teller(work, channel, graph, visits)
    await teller.tell(told, belonging)
    await work.keep_visits(teller.changed.values())


async def announce_again(work: Work, channel: Channel, encounter: str) -> None:
    """Tells of a finished visit once more, with the code maps of today: what they know now is no longer held."""
    known = await work.visits([encounter])
    visits = {visit.encounter: visit for visit in await work.enter_visits(list(known.values()))}
    visit = visits.get(encounter)
    if visit is None or visit.state != "finished":
        return
    graph = await _neighbourhood(work, [encounter], {})
    teller = _Teller(work, channel, graph, visits)
    await teller.tell_amended(encounter, ())
    await work.keep_visits(teller.changed.values())


async def _neighbourhood(work: Work, seeds: Sequence[str], at_hand: Mapping[str, bytes]) -> Graph:
    """What the facts are made of. A patient without a coverage has those of whoever else is the same person."""
    graph = await work.graph(seeds, VISIT_TYPES, at_hand)
    bare = facts.uncovered(graph)
    return await work.covered(graph, bare) if bare else graph


def encounter_key(tenant: str, source: str, draft: Draft) -> str:
    """The same for the same visit, however often and under whatever id a source sends it; says nothing by itself."""
    system, value = next(iter(draft.facets.identifiers), ("", ""))
    return _opaque(tenant, source, f"{system}|{value}" if value else draft.reference)


def _opaque(tenant: str, source: str, name: str) -> str:
    return hashlib.sha256("\n".join((tenant, source, name)).encode()).hexdigest()[:40]


def _encounter(draft: Draft) -> str:
    """The visit that a resource belongs to: a reference, or "" when it names none that is stored."""
    return draft.leads_to("Encounter", "encounter", "context")


def _named_key(tenant: str, source: str, draft: Draft) -> str:
    """The key of a visit that an order names by its identifier alone, before the visit itself was sent."""
    identifier: Any = (draft.resource.get("encounter") or {}).get("identifier") or {}
    value = identifier.get("value")
    return _opaque(tenant, source, f"{identifier.get('system', '')}|{value}") if value else ""


async def _enter(
    work: Work, client: Client, told: Sequence[Draft], belonging: Mapping[str, Sequence[str]]
) -> dict[str, Visit]:
    """The journeys of what is told, by the reference that has one: visits, and bookings and orders without a visit."""
    encounters = {draft.reference: draft for draft in told if draft.type == "Encounter"}
    named = {encounter for found in belonging.values() for encounter in found}
    known = await work.visits(sorted({*encounters, *named}))
    own = {draft.reference: _opaque(work.tenant, client.source, draft.reference) for draft in told}
    keys = {one: encounter_key(work.tenant, client.source, draft) for one, draft in encounters.items()}
    namesakes = {draft.reference: _named_key(work.tenant, client.source, draft) for draft in told}
    earlier = _earlier(told, work.tenant, client.source)
    asked = {*keys.values(), *own.values(), *namesakes.values(), *(key for found in earlier.values() for key in found)}
    journeys = await work.journeys(sorted(asked - {""}))
    entering = list(known.values())
    for reference, key in keys.items():
        if reference not in known:
            candidates = (journeys.get(one) for one in (key, *earlier.get(reference, ())))
            journey = next(filter(None, candidates), None) or journey_id()
            entering.append(Visit(reference, key, journey, source=client.source))
    for draft in told:
        if draft.type in ("Appointment", *ORDER_TYPES) and not _encounter(draft):
            key = namesakes[draft.reference] or own[draft.reference]
            entering.append(Visit("", key, journeys.get(key) or journey_id()))
    return _by_reference(await work.enter_visits(entering), told, own, namesakes)


def _by_reference(
    entered: Sequence[Visit], told: Sequence[Draft], own: Mapping[str, str], namesakes: Mapping[str, str]
) -> dict[str, Visit]:
    found = {visit.encounter: visit for visit in entered if visit.encounter}
    by_key = {visit.encounter_key: visit for visit in entered if not visit.encounter}
    for draft in told:
        visit = by_key.get(namesakes[draft.reference] or own[draft.reference])
        if visit is not None and draft.type != "Encounter" and not _encounter(draft):
            found[draft.reference] = visit
    return found


def _earlier(told: Sequence[Draft], tenant: str, source: str) -> dict[str, list[str]]:
    """For each visit of the request the keys of bookings and orders that may have begun its journey already."""
    found: dict[str, list[str]] = {}
    for draft in told:
        if draft.type == "Encounter":
            begun = [link.to for link in draft.facets.links if link.to.startswith(("Appointment/", "ServiceRequest/"))]
            found.setdefault(draft.reference, []).extend(_opaque(tenant, source, one) for one in begun)
    for draft in told:
        encounter = _encounter(draft)
        if draft.type in ORDER_TYPES and encounter in found:
            found[encounter].append(_opaque(tenant, source, draft.reference))
    return found


class _Teller:
    """The facts of one request in the order in which they happened."""

    def __init__(self, work: Work, channel: Channel, graph: Graph, visits: Mapping[str, Visit]) -> None:
        self._work = work
        self._channel = channel
        self._graph = graph
        self._visits = dict(visits)
        self.changed: dict[str, Visit] = {}

    async def tell(self, told: Sequence[Draft], belonging: Mapping[str, Sequence[str]]) -> None:
        by_type: dict[str, list[Draft]] = {}
        for draft in told:
            by_type.setdefault(draft.type, []).append(draft)
        encounters = by_type.get("Encounter", [])
        orders = [draft for name in ORDER_TYPES for draft in by_type.get(name, [])]
        for draft in by_type.get("Appointment", []):
            await self._tell_appointment(draft)
        for draft in encounters:
            await self._tell_start(draft)
        for event, status in (("order.placed", "active"), ("order.performed", "completed")):
            for draft in orders:
                if draft.facets.status == status:
                    await self._tell_order(event, draft)
        late = self._late(told, belonging)
        for draft in encounters:
            await self._tell_end(draft, late)
        for encounter, changed in late.items():
            await self.tell_amended(encounter, changed)

    async def _tell_appointment(self, draft: Draft) -> None:
        """Booked is told once; afterwards every change, the cancellation too. What was never booked is not told."""
        was_booked = draft.previous_status in _BOOKED
        if not was_booked and draft.facets.status not in _BOOKED:
            return
        message = facts.appointment_message(draft, self._graph, self._work.now)
        if message is not None:
            event = "appointment.changed" if was_booked else "appointment.booked"
            journey = self._visits[draft.reference].journey_id
            await self._work.announce(event, message, draft.reference, journey, draft.version)

    async def _tell_start(self, draft: Draft) -> None:
        visit = self._visit(draft.reference)
        if _STATE_OF_STATUS.get(draft.facets.status) != "started" or not VISIT_STATES.allows(visit.state, "started"):
            return
        message = facts.started_message(draft, self._graph, self._work.now)
        visit = self._move(visit, "started", draft.version)
        if message is not None:
            await self._work.announce("encounter.started", message, visit.encounter, visit.journey_id, visit.version)

    async def _tell_order(self, event: str, draft: Draft) -> None:
        message = facts.order_message(draft, self._graph)
        visit = self._visits.get(_encounter(draft) or draft.reference)
        if message is not None and visit is not None:
            key = visit.encounter or draft.reference
            await self._work.announce(event, message, key, visit.journey_id, draft.version)

    async def _tell_end(self, draft: Draft, late: dict[str, list[str]]) -> None:
        """Finished or cancelled for the first time. A finished visit that changes has been amended, not finished."""
        visit = self._visit(draft.reference)
        state = _STATE_OF_STATUS.get(draft.facets.status, "")
        if state == "finished" and visit.state == "finished":
            late.setdefault(visit.encounter, []).insert(0, draft.reference)
        elif state == "finished" and VISIT_STATES.allows(visit.state, state):
            late.pop(visit.encounter, None)
            visit = self._move(visit, state, draft.version)
            await self._tell_snapshot("encounter.finished", visit, ())
        elif state == "cancelled" and VISIT_STATES.allows(visit.state, state):
            late.pop(visit.encounter, None)
            visit = self._move(visit, state, draft.version)
            message = facts.cancelled_message(visit)
            await self._work.announce("encounter.cancelled", message, visit.encounter, visit.journey_id, visit.version)

    def _late(self, told: Sequence[Draft], belonging: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
        """What came for visits that had been finished before."""
        late: dict[str, list[str]] = {}
        for draft in told:
            for encounter in belonging.get(draft.reference, ()) if draft.type in BILLING_TYPES else ():
                visit = self._visits.get(encounter)
                if visit is not None and visit.state == "finished":
                    late.setdefault(encounter, []).append(draft.reference)
        return late

    async def tell_amended(self, encounter: str, changed: Sequence[str]) -> None:
        """A finished visit with what came after its end."""
        visit = self._visit(encounter)
        visit = self._move(visit, visit.state, 0)
        await self._tell_snapshot("encounter.amended", visit, tuple(changed))

    async def _tell_snapshot(self, event: str, visit: Visit, changed: tuple[str, ...]) -> None:
        source = self._channel.source(visit.source)
        message = facts.finished_message(visit, self._graph, source, self._channel.base_url, changed)
        self.changed[visit.encounter_key] = replace(visit, unmapped=bool(message.unmapped))
        await self._work.announce(event, message, visit.encounter, visit.journey_id, visit.version)

    def _visit(self, encounter: str) -> Visit:
        """The visit with what this request has already told of it, under this id or another."""
        visit = self._visits[encounter]
        moved = self.changed.get(visit.encounter_key)
        return visit if moved is None else replace(visit, state=moved.state, version=moved.version)

    def _move(self, visit: Visit, state: str, version: int) -> Visit:
        """The state that is told now; its version is the resource's, or one more than was told last."""
        moved = replace(visit, state=state, version=max(version, visit.version + 1))
        self.changed[visit.encounter_key] = moved
        return moved
