"""What becomes of a message or a row: resources to keep, charges to account for, codes that nobody knows, and why."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid5

from interface_engine.model import Resource

# Names of entries within one message, made from what identifies them: the same message gives the same names.
_NAMES = UUID("6f0f7a52-6a0a-5d0b-9a51-2f5a0c2b8d11")
_MARKS = re.compile(r"[\\,|$]")
UPSERT, CREATE, CANCEL, CREDIT, MERGE = "upsert", "create", "cancel", "credit", "merge"

# Why a charge is no charge on the line, by reason code.
REASONS = {
    "unmapped-code": "no map of the feed knows the code: the charge holds until a row is added",
    "unmapped-passed": "no map knows the code and the feed passes such codes: it never becomes a line",
    "not-billable": "the code map says that the code is never billed",
    "code-missing": "the fields that hold the code are empty",
    "service-day-missing": "the field of the service day is empty",
    "service-day-unreadable": "the service day is no date",
    "amount-unreadable": "the amount is no amount",
    "quantity-unreadable": "the quantity is no number above zero",
    "message-posts-no-charges": "an FT1 in a message by which the feed posts nothing: an order, a result",
    "not-a-charge": "a payment, an adjustment or another transaction that is no charge",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One resource of the transaction. `condition` is "Patient?identifier=system|value", its value url-quoted; `key`
    is the same as (system, value).

    upsert: what is absent stays, `cleared` goes, `initial` elements count only when nothing is stored yet.
    create: kept only when nothing is stored. cancel: an upsert of its status. credit: takes `credit` off the stored
    ChargeItem. merge: an upsert of one of two Patients; `other` is the condition of the one that it links to.
    """

    resource: Resource
    method: str
    condition: str
    full_url: str
    key: tuple[str, str]
    kind: str = UPSERT
    cleared: tuple[str, ...] = ()
    initial: tuple[str, ...] = ()
    credit: Resource | None = None
    merged_into: str = ""
    merged_from: str = ""


@dataclass(frozen=True, slots=True)
class ChargeLine:
    """One charge for the day's account. Cents and quantity are positive for credits too. `path` is "FT1(2)"."""

    line_key: str
    amount_cents: int
    quantity: Decimal
    kind: str
    service_day: date | None
    disposition: str
    reason: str
    code: str
    path: str
    condition: str = ""
    visit: str = ""


@dataclass(frozen=True, slots=True)
class Unmapped:
    """A code that no map knows and whose place says that it bills."""

    path: str
    system: str
    code: str


@dataclass(frozen=True, slots=True)
class Flaw:
    """A value that was left out because it cannot be read: where, and a code for why. Never a gate."""

    path: str
    code: str


@dataclass(frozen=True, slots=True)
class Origin:
    """An element of entry number `entry` and the field that it came from: "Patient.birthDate", "PID-7"."""

    entry: int
    element: str
    source: str


@dataclass(frozen=True, slots=True)
class Keys:
    """By which numbers a message is found and ordered: `patient` is "system|mrn"."""

    patient: str = ""
    mrn: str = ""
    account: str = ""
    visit: str = ""


@dataclass(frozen=True, slots=True)
class Mapped:
    """A message or row in FHIR. `sent_at` is the sender's time, for the guard against what is older."""

    channel: str
    kind: str
    sent_at: datetime
    entries: tuple[Entry, ...] = ()
    charges: tuple[ChargeLine, ...] = ()
    unmapped: tuple[Unmapped, ...] = ()
    flaws: tuple[Flaw, ...] = ()
    provenance: tuple[Origin, ...] = ()
    keys: Keys = field(default_factory=Keys)

    @property
    def subject(self) -> str:
        return self.keys.patient


@dataclass(frozen=True, slots=True)
class Filtered:
    """Taken in, and rightly nothing made of it. `reason_code`: message-type-unmapped, or filtered:<name>."""

    reason_code: str
    keys: Keys = field(default_factory=Keys)


def condition_of(type_name: str, system: str, value: str) -> str:
    """The search by which a resource is found again."""
    return f"{type_name}?identifier={quote(f'{_escaped(system)}|{_escaped(value)}', safe=':/|')}"


def _escaped(text: str) -> str:
    """A search parameter's own marks as text (FHIR R4, search.html#escaping)."""
    return _MARKS.sub(r"\\\g<0>", text)


def urn_of(condition: str) -> str:
    return f"urn:uuid:{uuid5(_NAMES, condition)}"


def bundle_of(mapped: Mapped) -> Resource:
    """The entries as a FHIR R4 transaction."""
    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {"fullUrl": entry.full_url, "resource": entry.resource, "request": _request(entry)}
            for entry in mapped.entries
        ],
    }


def _request(entry: Entry) -> dict[str, Any]:
    if entry.method == "POST":
        query = entry.condition.partition("?")[2]
        return {"method": "POST", "url": entry.resource["resourceType"], "ifNoneExist": query}
    return {"method": entry.method, "url": entry.condition}
