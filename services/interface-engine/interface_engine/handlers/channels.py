"""Puts a mapped message to what is stored: absent stays, null deletes, older never overwrites newer, credits net."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from fhir_r4 import read, write
from fhir_r4.bundle import Step
from fhir_r4.references import rewrite
from kernel.codes import LINE
from kernel.errors import Refused

from interface_engine.handlers.intake import Arrival
from interface_engine.model import Resource
from interface_engine.wire.hl7.charges import credited, money_cents
from interface_engine.wire.hl7.outcome import CANCEL, CREATE, CREDIT, Entry, Mapped

_GROUPS = ("period", "hospitalization", "servicePeriod", "dispenseRequest")
_CREDIT_URL = f"{LINE}/StructureDefinition/credit"
_FINISHED = "finished"
# Several systems may each have a record of the same payer, doctor or place: the first that was stored serves.
_SHARED = frozenset({"Organization", "Practitioner", "PractitionerRole", "Location"})


class Match(Protocol):
    """A stored resource that a condition means."""

    @property
    def id(self) -> str: ...
    @property
    def version(self) -> int: ...
    @property
    def content(self) -> bytes: ...


class Knowledge(Protocol):
    """What is stored of a message's resources, in one open transaction."""

    async def lock(self, conditions: Sequence[str]) -> None: ...
    async def found(self, keys: Sequence[tuple[str, str, str]]) -> Mapping[int, Sequence[Match]]: ...
    async def newest(self, conditions: Sequence[str]) -> Mapping[str, datetime]: ...
    async def tell(self, conditions: Sequence[str], at: datetime) -> None: ...


async def arrivals_of(known: Knowledge, mapped: Mapped, new_id: Callable[[], str]) -> list[Arrival]:
    """What a message changes, for `keep_arrivals`: each with its id, references resolved; nothing for what stays.

    Locks every condition first: of two messages that tell of the same, one comes first. Refused when two stored
    resources have the identifier of one that is somebody's own: a person decides which is meant.
    """
    entries = mapped.entries
    await known.lock([entry.condition for entry in entries])
    found = await known.found([(entry.resource["resourceType"], *entry.key) for entry in entries])
    own = [matches for place, matches in found.items() if entries[place].resource["resourceType"] not in _SHARED]
    if any(len(matches) > 1 for matches in own):
        raise Refused("identifier-ambiguous", "two stored resources have an identifier that the message names")
    newest = await known.newest([entry.condition for entry in entries])
    stored = {place: matches[0] for place, matches in found.items()}
    ids = {place: stored[place].id if place in stored else new_id() for place in range(len(entries))}
    names = {entry.full_url: f"{entry.resource['resourceType']}/{ids[place]}" for place, entry in enumerate(entries)}
    arrivals: list[Arrival] = []
    for place, entry in enumerate(entries):
        match = stored.get(place)
        told = newest.get(entry.condition)
        if match is not None and told is not None and told > mapped.sent_at and entry.kind != CREDIT:
            continue
        resource = rewrite(entry.resource, names)
        current = read(match.content) if match is not None else None
        _check_visit(current, resource)
        made = merge_stored(current, entry, resource)
        if made is not None:
            arrivals.append(_arrival(place, ids[place], made, match))
    # A credit tells of itself and not of its charge, which may still come; a create never changes anything.
    await known.tell([entry.condition for entry in entries if entry.kind not in (CREATE, CREDIT)], mapped.sent_at)
    return arrivals


def _check_visit(stored: Resource | None, told: Resource) -> None:
    """A charge belongs to its visit: one that is told of another would be billed with both."""
    if stored is None or told["resourceType"] != "ChargeItem":
        return
    visits = [(one.get("context") or {}).get("reference") for one in (stored, told)]
    if all(visits) and visits[0] != visits[1]:
        raise Refused("charge-of-another-visit", "a charge that is known is told of another visit")


def _arrival(place: int, identity: str, resource: Resource, match: Match | None) -> Arrival:
    kind = resource["resourceType"]
    final = {"resourceType": kind, "id": identity} | resource
    step = Step(
        index=place,
        method="PUT",
        type=kind,
        id=identity,
        query=None,
        if_none_exist=None,
        if_match=f'W/"{match.version}"' if match is not None else None,
        if_none_match=None,
        full_url=None,
        resource=final,
    )
    return Arrival(step, write(final), kind)


def merge_stored(stored: Resource | None, entry: Entry, resource: Resource | None = None) -> Resource | None:
    """The resource as it shall be; None when that is how it is. `resource` is the entry's with references resolved."""
    told = entry.resource if resource is None else resource
    if stored is None:
        return _with_credit(told, entry) if entry.kind == CREDIT else told
    if entry.kind == CREATE:
        made = told | stored
    elif entry.kind == CREDIT:
        made = _credit(stored, entry)
    else:
        made = _net(stored, _upsert(stored, told, entry))
    return None if made == stored else made


def _upsert(stored: Resource, told: Resource, entry: Entry) -> Resource:
    """What is told over what is stored, element by element; a begun group keeps what the message leaves out."""
    made = dict(stored)
    first = {name for name in entry.initial if "." not in name and name in stored}
    if _goes_back(stored, told, entry):
        first.add("status")
    for name, value in told.items():
        if name in first:
            continue
        if name == "identifier":
            made[name] = _identifiers(stored.get(name, []), value)
        elif name in _GROUPS and isinstance(stored.get(name), dict):
            kept = {part for part in value if f"{name}.{part}" in entry.initial and part in stored[name]}
            made[name] = stored[name] | {part: item for part, item in value.items() if part not in kept}
        else:
            made[name] = value
    for path in entry.cleared:
        _clear(made, path.split("."))
    return made


def _goes_back(stored: Resource, told: Resource, entry: Entry) -> bool:
    """Whether an event would begin a visit anew that has ended: only A11 and A13 take an end back."""
    ended = stored["resourceType"] == "Encounter" and stored.get("status") == _FINISHED
    return ended and entry.kind != CANCEL and told.get("status") != _FINISHED


def _identifiers(stored: Sequence[Resource], told: Sequence[Resource]) -> list[Resource]:
    """Numbers of the systems that are told now, and those of all others as they were."""
    systems = {one.get("system") for one in told}
    return [*told, *(one for one in stored if one.get("system") not in systems)]


def _clear(resource: Resource, path: Sequence[str]) -> None:
    if len(path) > 1 and isinstance(resource.get(path[0]), dict):
        rest = dict(resource[path[0]])
        rest.pop(path[1], None)
        if rest:
            resource[path[0]] = rest
        else:
            del resource[path[0]]
    elif len(path) == 1:
        resource.pop(path[0], None)


# Credits: each is noted once on the ChargeItem, and what is charged is always the charge less its credits.


def _credits(resource: Resource) -> list[Mapping[str, Any]]:
    return [
        {
            part["url"]: next(value for name, value in part.items() if name.startswith("value"))
            for part in one["extension"]
        }
        for one in resource.get("extension", ())
        if one.get("url") == _CREDIT_URL
    ]


def _note(entry: Entry) -> Resource:
    assert entry.credit is not None
    amount = {"value": Decimal(entry.credit["cents"]).scaleb(-2).quantize(Decimal("0.01")), "currency": "USD"}
    return {
        "url": _CREDIT_URL,
        "extension": [
            {"url": "key", "valueString": entry.credit["key"]},
            {"url": "quantity", "valueDecimal": entry.credit["quantity"]},
            {"url": "amount", "valueMoney": amount},
        ],
    }


def _credit(stored: Resource, entry: Entry) -> Resource:
    assert entry.credit is not None
    if any(one.get("key") == entry.credit["key"] for one in _credits(stored)):
        return stored
    noted = stored | {"extension": [*stored.get("extension", ()), _note(entry)]}
    left = Decimal(stored.get("quantity", {}).get("value", 1)) - entry.credit["quantity"]
    return noted | credited(stored, left, money_cents(stored.get("priceOverride")) - entry.credit["cents"])


def _with_credit(told: Resource, entry: Entry) -> Resource:
    """A credit that came before its charge waits on a ChargeItem that charges nothing."""
    return told | {"extension": [*told.get("extension", ()), _note(entry)]}


def _net(stored: Resource, made: Resource) -> Resource:
    """A charge told (again) that has credits already."""
    noted = _credits(stored)
    if made["resourceType"] != "ChargeItem" or not noted:
        return made
    kept = [one for one in stored.get("extension", ()) if one.get("url") == _CREDIT_URL]
    own = [one for one in made.get("extension", ()) if one.get("url") != _CREDIT_URL]
    left = Decimal(made.get("quantity", {}).get("value", 1)) - sum(Decimal(one["quantity"]) for one in noted)
    cents = money_cents(made.get("priceOverride")) - sum(money_cents(one["amount"]) for one in noted)
    final = made | credited(made, left, cents) | {"extension": [*own, *kept]}
    # Charged and credited in full: what is stored of it says so already.
    return stored | final if left > 0 else stored | {"extension": stored["extension"], "status": "entered-in-error"}


__all__ = ["Knowledge", "arrivals_of", "merge_stored"]
