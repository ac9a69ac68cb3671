"""A channel: one feed as data. How it comes in, who is who in it, which field is what, what is done when it lacks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, tzinfo
from zoneinfo import ZoneInfo

from kernel.codes import LINE
from kernel.period import Period

from interface_engine.rules.source import Source
from interface_engine.rules.templates import Expr, Place, Template, Test

Value = Expr | Place
FHIR, HL7V2, CSV = "fhir", "hl7v2", "csv"
FORMATS = (FHIR, HL7V2, CSV)
DISCHARGE, CHARGES = "discharge", "charges"
IGNORE_MESSAGE = "ignore"


@dataclass(frozen=True, slots=True)
class Transport:
    """How messages come in. `charset` is a Python codec for what does not name its own; sizes in bytes."""

    kind: str = "http"
    charset: str | None = None
    acknowledge: str = "auto"
    max_bytes: int = 4 * 1024 * 1024
    idle_s: float = 300.0
    options: Mapping[str, str | int | bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Csv:
    """The shape of an export: its columns by the sender's names, which rows are one visit, where its totals stand."""

    columns: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    visit_columns: tuple[str, ...] = ()
    delimiter: str = ","
    quote: str = '"'
    encoding: str = "utf-8-sig"
    trailer: Mapping[str, str | int] = field(default_factory=dict)
    amount: str = ""


@dataclass(frozen=True, slots=True)
class Authority:
    """The identifier system of an assigning authority (CX.4), of an identifier type (CX.5), or of both together."""

    system: str
    authority: str = ""
    type: str = ""


@dataclass(frozen=True, slots=True)
class Number:
    """Which identifier is meant: places in order of preference, and of their repetitions which one, in what system.

    `authorities` and `types` narrow them by CX.4 and CX.5; `system` is used for what has no row of its own.
    """

    places: tuple[Value, ...]
    authorities: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    system: str = ""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who is who: systems by authority, and which number is the patient's, the visit's and the account's.

    `by_day`: the visit's number is used again, so that the day of service belongs to it.
    `npi`: "shape" takes a provider's number with the check digit of an NPI for one, "typed" only where it says so.
    """

    base: str
    mrn: Number
    visit: Number
    account: Number
    authorities: tuple[Authority, ...] = ()
    by_day: bool = False
    npi: str = "shape"


@dataclass(frozen=True, slots=True)
class Facility:
    """A billing provider that HL7 v2 has no fields for. `test` says which messages are its; None: all that are left."""

    name: str
    npi: str
    tax_id: str = ""
    taxonomy: str = ""
    phone: str = ""
    line: str = ""
    city: str = ""
    state: str = ""
    postal_code: str = ""
    place_of_service: str = ""
    test: Test | None = None


@dataclass(frozen=True, slots=True)
class Provider:
    """A row of the roster: the sender's number of a provider and who that is, while `effective`."""

    npi: str
    family: str
    given: str
    taxonomy: str
    effective: Period


@dataclass(frozen=True, slots=True)
class Payer:
    """A row of the payer list: the sender's number of an insurance and the payer id of claims, while `effective`."""

    payer_id: str
    name: str
    effective: Period


@dataclass(frozen=True, slots=True)
class CoverageFields:
    """Where an insurance says who insures whom. Places of several are in order of preference."""

    member: tuple[Value, ...] = ()
    payer: tuple[Value, ...] = ()
    payer_name: tuple[Value, ...] = ()
    plan: tuple[Value, ...] = ()
    group: tuple[Value, ...] = ()
    order: tuple[Value, ...] = ()
    relationship: tuple[Value, ...] = ()
    rank: int = 0


@dataclass(frozen=True, slots=True)
class Charges:
    """Which fields of a charge are what. Types of FT1-6: credits reverse, others in `other_types` are no charges.

    `transaction` "content" makes the key of a line from what it is, for feeds that number nothing.
    `implied`: amounts have two decimals without a point.
    """

    code: tuple[Value, ...]
    modifiers: tuple[Value, ...] = ()
    units: tuple[Value, ...] = ()
    amount: tuple[Value, ...] = ()
    unit_amount: tuple[Value, ...] = ()
    day: tuple[Value, ...] = ()
    day_to: tuple[Value, ...] = ()
    performer: tuple[Value, ...] = ()
    performer_names: Mapping[str, Value] = field(default_factory=dict)
    diagnoses: tuple[Value, ...] = ()
    ndc: tuple[Value, ...] = ()
    place_of_service: tuple[Value, ...] = ()
    type: tuple[Value, ...] = ()
    transaction: tuple[Value, ...] = ()
    by_content: bool = False
    reverses: tuple[Value, ...] = ()
    credit_types: frozenset[str] = frozenset({"CR", "CD"})
    other_types: frozenset[str] = frozenset({"PY", "AJ", "CO"})
    signed: bool = True
    implied: bool = False
    system: str = ""
    diagnosis_system: str = ""


@dataclass(frozen=True, slots=True)
class MessageRow:
    """What is made of a message type: makers in order, and what the event says of the visit or the booking."""

    make: tuple[str, ...]
    visit: str = ""
    appointment: str = ""


@dataclass(frozen=True, slots=True)
class Filter:
    """Messages that are taken in and go no further: a name for the reason, and when."""

    name: str
    test: Test


@dataclass(frozen=True, eq=False, slots=True)
class Channel:
    """One feed. `sha256` covers its `files`, its own and every one that it names: with the same it is the same.

    `owner` answers for it, in the file's own words.
    """

    name: str
    source: Source
    sha256: str = ""
    files: tuple[str, ...] = ()
    owner: str = ""
    format: str = FHIR
    zone: tzinfo = field(default_factory=lambda: ZoneInfo("UTC"))
    transport: Transport = field(default_factory=Transport)
    csv: Csv | None = None
    identity: Identity = field(default_factory=lambda: Identity(LINE, Number(()), Number(()), Number(())))
    facilities: tuple[Facility, ...] = ()
    providers: Mapping[str, tuple[Provider, ...]] = field(default_factory=dict)
    payers: Mapping[str, tuple[Payer, ...]] = field(default_factory=dict)
    coverages: tuple[CoverageFields, ...] = ()
    charges: Charges | None = None
    finish: str = DISCHARGE
    procedures: str = "lines"
    orders: str = "lines"
    filters: tuple[Filter, ...] = ()
    messages: Mapping[str, MessageRow] = field(default_factory=dict)
    tables: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    templates: Mapping[str, Template] = field(default_factory=dict)

    def provider(self, number: str, on: date) -> Provider | None:
        """Who the sender means by this number on that day; None when the roster does not say."""
        return next((row for row in self.providers.get(number, ()) if row.effective.contains(on)), None)

    def payer(self, number: str, on: date) -> Payer | None:
        """The payer that the sender means by this number on that day; None when the list does not say."""
        return next((row for row in self.payers.get(number, ()) if row.effective.contains(on)), None)
