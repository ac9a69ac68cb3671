"""A request that is submitted ($submit, $inquire) with what it refers to: read, checked and resolved in one place.

What comes inside a Bundle or is contained has ids that mean something to its sender only. Such resources get a local
id of our own here, so that they can never be taken for resources of the repository; `answer_names` leads back.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import msgspec
from kernel.errors import Unreadable
from kernel.money import to_cents

from fhir_r4.bundle import resources_of
from fhir_r4.codec import Resource, read, read_optional
from fhir_r4.elements import Element, identity, read_day
from fhir_r4.parties import relationship_of
from fhir_r4.references import Index, contained, references, rewrite
from fhir_r4.validation import validate

_LOCAL = uuid.UUID("5f0d3c0e-6a43-5a86-9c39-5f4f0a7b3a51")
_SENT_ONCE = frozenset({"id", "meta", "text", "language"})
_DAY_LENGTH = len("2026-01-31")
_NOTHING: Resource = {}
_HOLDER = "holder"


@dataclass(frozen=True, slots=True)
class Submission:
    """A request as it was sent. `path` is its FHIRPath; `full_url` is empty unless it stands in a Bundle.

    `digest` is the same for the same content, whatever id, meta or Bundle envelope it came with; `context_digest`
    changes with what the repository says about those whom the request names.
    """

    request: Resource
    path: str
    full_url: str
    bundle: Resource | None
    digest: str
    context_digest: str
    client_id: str
    context: Resource
    _names: dict[str, str] = field(default_factory=dict)

    def at(self, reference: Any, owner: Resource | None = None) -> Resource:
        """What a Reference of the request, or of `owner`, leads to; an empty one when that did not come along.

        A reference that names its target by an identifier alone gives a resource with this identifier and no more.
        """
        node = reference or {}
        value = node.get("reference")
        if not value:
            return _identified(node)
        if value.startswith("#"):
            found = contained(owner or self.request, value) or contained(self.request, value)
            return self._local(found, msgspec.json.encode(_plain(found), order="sorted"), value) if found else _NOTHING
        own = Index(self.bundle).resolve(value, self.full_url) if self.bundle else None
        if own is not None:
            return self._local(own, self._name_in_bundle(own).encode(), value)
        return Index(self.context).resolve(value) or _NOTHING

    def all(self, kind: str) -> Iterator[Resource]:
        """What the repository sent along of a type."""
        return (found for found in resources_of(self.context) if found["resourceType"] == kind)

    def needed(self, reference: Any, path: str, owner: Resource | None = None) -> Resource:
        """As `at`. Unreadable("reference-unresolved") at `path` below the request when a literal one leads nowhere."""
        found = self.at(reference, owner)
        if not found and (reference or {}).get("reference"):
            raise Unreadable("reference-unresolved", f"{self.path}.{path}", "what it refers to is not known here")
        return found

    def provider(self, reference: Any, path: str) -> tuple[Resource, Resource]:
        """(organization, practitioner) that a Reference to either, or to a PractitionerRole, names."""
        found = self.needed(reference, path)
        match found.get("resourceType"):
            case "PractitionerRole":
                organization = self.needed(found.get("organization"), path, found)
                return organization, self.needed(found.get("practitioner"), path, found)
            case "Practitioner":
                return _NOTHING, found
            case _:
                return found, _NOTHING

    def coverage(self, reference: Any, path: str) -> Resource:
        """The Coverage, with a policyholder who is not the patient put into it, where `read_members` looks."""
        coverage = self.needed(reference, path)
        holder = self.at(coverage.get("subscriber"), coverage)
        if not holder or relationship_of(coverage) in ("", "self"):
            return coverage
        inner = [*coverage.get("contained", ()), holder | {"id": _HOLDER}]
        return coverage | {"contained": inner, "subscriber": {"reference": f"#{_HOLDER}"}}

    def payor(self, coverage: Resource) -> Resource:
        """The first payor of a Coverage that is known here, else the request's insurer."""
        found = (self.at(payor, coverage) for payor in coverage.get("payor", ()))
        return next(filter(None, found), None) or self.at(self.request.get("insurer"))

    def as_sent(self, answer: Resource) -> Resource:
        """The answer with the sender's own references where it has our local ones, and what they mean inside of it."""
        sent = rewrite(answer, self._names) if self._names else answer
        inner = self._reached(sent)
        return sent | {"contained": inner} if inner else sent

    def _reached(self, answer: Resource) -> list[Resource]:
        """The contained resources of the request that the answer names, one through another."""
        found: dict[str, Resource] = {}
        wanted = [one.value for one in references(answer)]
        while wanted:
            value = wanted.pop()
            resource = contained(self.request, value) if value.startswith("#") and value not in found else None
            if resource is not None:
                found[value] = resource
                wanted += [one.value for one in references(resource)]
        return list(found.values())

    def _local(self, resource: Resource, name: bytes, sent: str) -> Resource:
        local = str(uuid.uuid5(_LOCAL, f"{self.client_id}|{hashlib.sha256(name).hexdigest()}"))
        self._names[f"{resource['resourceType']}/{local}"] = sent
        return resource | {"id": local}

    def _name_in_bundle(self, resource: Resource) -> str:
        entries = (self.bundle or {}).get("entry", ())
        named = (str(entry.get("fullUrl", "")) for entry in entries if entry.get("resource") is resource)
        return next(named, "") or identity(resource)


def read_submission(
    resource: bytes, context: bytes, type_name: str, client_id: str, *, bundles: bool = True
) -> Submission:
    """A request of `type_name`, alone or as the first entry of a collection Bundle where `bundles` are taken.

    Unreadable with a FHIRPath: what `read` raises, a rule id of `validate`, submit-type, entry-first,
    bundle-identifier, bundle-timestamp, bundle-full-url, modifier-extension.
    """
    sent = read(resource)
    _refuse_invalid(sent)
    if sent["resourceType"] == "Bundle" and bundles:
        request, path, full_url = _first(sent, type_name), "Bundle.entry[0].resource", str(sent["entry"][0]["fullUrl"])
    elif sent["resourceType"] == type_name:
        request, path, full_url = sent, type_name, ""
    else:
        raise Unreadable("submit-type", str(sent["resourceType"]), f"a {type_name} is expected")
    _refuse_modifiers(request, path)
    known = read_optional(context)
    return Submission(
        request=request,
        path=path,
        full_url=full_url,
        bundle=sent if full_url else None,
        digest=_digest([_plain(found) for found in resources_of(sent)] if full_url else _plain(request)),
        context_digest=_digest([_plain(found) for found in resources_of(known)]),
        client_id=client_id,
        context=known,
    )


def _first(bundle: Resource, type_name: str) -> Resource:
    """Da Vinci PAS 2.2.1: a collection with identifier and timestamp, fullUrls, the request first."""
    entries = bundle.get("entry") or [{}]
    lacks = (
        ("submit-type", "Bundle.type", bundle.get("type") != "collection"),
        ("bundle-identifier", "Bundle.identifier", not bundle.get("identifier")),
        ("bundle-timestamp", "Bundle.timestamp", not bundle.get("timestamp")),
        ("entry-first", "Bundle.entry[0]", (entries[0].get("resource") or {}).get("resourceType") != type_name),
    )
    for code, path, lacking in lacks:
        if lacking:
            raise Unreadable(code, path, f"a collection with identifier and timestamp, the {type_name} first")
    for number, entry in enumerate(entries):
        if not entry.get("fullUrl") or not entry.get("resource"):
            raise Unreadable("bundle-full-url", f"Bundle.entry[{number}]", "an entry has a fullUrl and a resource")
    return dict(entries[0]["resource"])


def _refuse_invalid(resource: Resource) -> None:
    first = next((issue for issue in validate(resource) if issue.severity == "error"), None)
    if first is not None:
        raise Unreadable(first.rule_id, first.fhirpath, first.text)


def _refuse_modifiers(request: Resource, path: str) -> None:
    """What changes the meaning of the rest must be understood (https://hl7.org/fhir/R4/extensibility.html#isModifier)."""
    found = next(_modifiers(request, path), "")
    if found:
        raise Unreadable("modifier-extension", found, "an extension that changes the meaning is not understood")


def _modifiers(node: Any, path: str) -> Iterator[str]:
    if isinstance(node, list):
        for index, item in enumerate(node):
            yield from _modifiers(item, f"{path}[{index}]")
    elif isinstance(node, dict):
        for key, item in node.items():
            if key in ("modifierExtension", "implicitRules") and item:
                yield f"{path}.{key}"
            elif isinstance(item, (list, dict)):
                yield from _modifiers(item, f"{path}.{key}")


def _plain(resource: Resource) -> Resource:
    return {name: value for name, value in resource.items() if name not in _SENT_ONCE}


def _digest(content: Any) -> str:
    return hashlib.sha256(msgspec.json.encode(content, order="sorted")).hexdigest()


def _identified(reference: Mapping[str, Any]) -> Resource:
    named = reference.get("identifier")
    if not named:
        return _NOTHING
    kind = reference.get("type", "Organization")
    return {"resourceType": kind, "identifier": [named]}


def full_day(text: str, path: str) -> date:
    """A FHIR date or dateTime with its day. Unreadable: date-partial for a year or a month, date-format otherwise."""
    if len(text) < _DAY_LENGTH:
        raise Unreadable("date-partial", path, "a day is needed, not a month or a year")
    return read_day(text[:_DAY_LENGTH], path)


def serviced(element: Element, path: str) -> tuple[date, date] | None:
    """First and last day of serviced[x]; None when it is not said. A period that ends before it begins: date-order."""
    if day := element.get("servicedDate"):
        return (full_day(day, f"{path}.servicedDate"),) * 2
    return period_days(element.get("servicedPeriod"), f"{path}.servicedPeriod")


def period_days(period: Element | None, path: str) -> tuple[date, date] | None:
    """First and last day of a Period, one day when it has no end; None without a start."""
    start = (period or {}).get("start")
    if not start:
        return None
    first = full_day(start, f"{path}.start")
    last = full_day((period or {}).get("end") or start, f"{path}.end")
    if last < first:
        raise Unreadable("date-order", path, "it ends before it begins")
    return first, last


def cents_of(money: Element | None, path: str) -> int | None:
    """Exact cents of a Money; None when there is none. Unreadable: amount_format, amount-negative, currency."""
    value = (money or {}).get("value")
    if money is None or value is None:
        return None
    if money.get("currency", "USD") != "USD":
        raise Unreadable("currency", f"{path}.currency", "amounts are in US dollars")
    cents = to_cents(str(value), f"{path}.value")
    if cents < 0:
        raise Unreadable("amount-negative", f"{path}.value", "a charge is not below zero")
    return cents
