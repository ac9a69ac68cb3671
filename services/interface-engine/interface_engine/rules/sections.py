"""The sections of a channel file, each read and checked by itself."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from kernel import codes
from kernel.codes import LINE
from kernel.identifiers import npi_valid

from interface_engine.rules import channel as c
from interface_engine.rules.marks import Mark
from interface_engine.rules.templates import Terms

KINDS = ("none", "http", "mllp", "directory", "sftp")
ACKNOWLEDGE = ("auto", "original", "enhanced")
MAKERS = frozenset(
    {"patient", "visit", "diagnoses", "procedures", "coverages", "account", "charges", "appointment", "orders",
     "results", "document", "prescriptions", "merge"}
)  # fmt: skip
VISIT_WORDS = frozenset(
    {"planned", "arrived", "in-progress", "finished", "cancelled", "reopened", "charged", "keep"}
)  # fmt: skip
APPOINTMENT_WORDS = frozenset({"booked", "cancelled", "noshow", "pending", "arrived", "fulfilled"})
_OPTIONS: Mapping[str, Mapping[str, type]] = {
    "none": {},
    "http": {},
    "mllp": {"host": str, "port": int, "tls": bool},
    "directory": {
        "folder": str, "pattern": str, "poll_s": int, "done_folder": str, "reject_folder": str,
    },
    "sftp": {
        "host": str, "port": int, "user": str, "folder": str, "pattern": str, "poll_s": int, "done_folder": str,
        "reject_folder": str, "key_file": str, "known_hosts_file": str,
    },
}  # fmt: skip
_TRANSPORT = ("kind", "charset", "acknowledge", "max_bytes", "idle_s")
_CSV = ("columns", "required", "visit_columns", "delimiter", "quote", "encoding", "trailer", "amount")
_IDENTITY = ("base", "authorities", "mrn", "visit", "account", "by_day", "npi")
_NUMBER = ("from", "authority", "type", "system")
_FACILITY = (
    "name", "npi", "tax_id", "taxonomy", "phone", "line", "city", "state", "postal_code", "place_of_service", "when"
)  # fmt: skip
_COVERAGE = ("member", "payer", "payer_name", "plan", "group", "order", "relationship", "rank")
_CHARGE_VALUES = (
    "code", "modifiers", "units", "amount", "unit_amount", "day", "day_to", "performer", "diagnoses",
    "ndc", "place_of_service", "type", "transaction", "reverses",
)  # fmt: skip
_CHARGES = (
    *_CHARGE_VALUES, "performer_names", "by_content", "credit_types", "other_types", "signed", "implied", "system",
    "diagnosis_system",
)  # fmt: skip
_HL7_MRN = c.Number((), types=("MR", "PI", "PT"))
_EVENT = re.compile(r"[A-Z]{3}\^[A-Z][A-Z0-9]{2}|csv")
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}")


def read_name(mark: Mark) -> str:
    if not _NAME.fullmatch(mark.text()):
        mark.fail("a name in lower case is needed: letters, digits, - and _")
    return mark.raw


def read_zone(mark: Mark) -> ZoneInfo:
    try:
        return ZoneInfo(mark.text())
    except (ZoneInfoNotFoundError, ValueError, OSError):
        mark.fail("not a time zone of the IANA list, such as America/Chicago")


def read_transport(mark: Mark) -> c.Transport:
    """How messages come in; which options there are depends on the kind."""
    kind = mark.mapping().get("kind")
    chosen = kind.choice(KINDS) if kind is not None else "http"
    known = _OPTIONS[chosen]
    given = mark.mapping((*_TRANSPORT, *known))
    options: dict[str, Any] = {}
    for key in given.keys() & known.keys():
        if type(given[key].value) is not known[key]:
            given[key].fail(f"{key} is {'true or false' if known[key] is bool else f'a {known[key].__name__}'}")
        options[key] = given[key].value
    made: dict[str, Any] = {"kind": chosen, "options": options}
    if "charset" in given:
        made["charset"] = _codec(given["charset"])
    if "acknowledge" in given:
        made["acknowledge"] = given["acknowledge"].choice(ACKNOWLEDGE)
    if "max_bytes" in given:
        made["max_bytes"] = given["max_bytes"].whole(1024)
    if "idle_s" in given:
        made["idle_s"] = float(given["idle_s"].whole(1))
    return c.Transport(**made)


def _codec(mark: Mark) -> str:
    try:
        return codecs.lookup(mark.text()).name
    except LookupError:
        mark.fail("not a character set that is known here")


def read_csv(mark: Mark) -> c.Csv:
    """Columns and their use. Every column that another key names must be among `columns`."""
    given = mark.mapping(_CSV, ("columns",))
    columns = given["columns"].texts()
    if len(set(columns)) != len(columns):
        given["columns"].fail("the same column twice")
    for key in ("required", "visit_columns", "amount"):
        for name in given[key].texts() if key in given else ():
            if name not in columns:
                given[key].fail(f"unknown column {name}")
    for key in ("delimiter", "quote"):
        if key in given and len(given[key].text()) != 1:
            given[key].fail("one character is needed")
    trailer: dict[str, str | int] = {}
    if "trailer" in given:
        rows = given["trailer"].mapping(("marker", "count", "cents"), ("marker",))
        trailer = {key: child.text() if key == "marker" else child.whole(1) for key, child in rows.items()}
    return c.Csv(
        columns=columns,
        required=given["required"].texts() if "required" in given else (),
        visit_columns=given["visit_columns"].texts() if "visit_columns" in given else (),
        delimiter=given["delimiter"].text() if "delimiter" in given else ",",
        quote=given["quote"].text() if "quote" in given else '"',
        encoding=_codec(given["encoding"]) if "encoding" in given else "utf-8-sig",
        trailer=trailer,
        amount=given["amount"].text() if "amount" in given else "",
    )


def read_identity(mark: Mark | None, name: str, terms: Terms) -> c.Identity:
    """Who is who. For HL7 v2 what is not said is PID-3, PV1-19 and PID-18; a CSV channel says all of it."""
    base = f"{LINE}/feed/{name}"
    csv = terms.columns is not None
    given = mark.mapping(_IDENTITY, ("mrn", "visit") if csv else ()) if mark is not None else {}
    if "base" in given:
        base = given["base"].text().rstrip("/")
    mrn = _number(given["mrn"], terms) if "mrn" in given else _HL7_MRN
    visit = _number(given["visit"], terms) if "visit" in given else c.Number(())
    account = _number(given["account"], terms) if "account" in given else c.Number(())
    return c.Identity(
        base=base,
        mrn=mrn if mrn.places or csv else _from(mrn, terms, "PID-3", "PID-2"),
        visit=visit if visit.places or csv else _from(visit, terms, "PV1-19"),
        account=account if account.places or csv else _from(account, terms, "PID-18"),
        authorities=tuple(_authority(row) for row in given["authorities"].items()) if "authorities" in given else (),
        by_day=given["by_day"].flag() if "by_day" in given else False,
        npi=given["npi"].choice(("shape", "typed")) if "npi" in given else "shape",
    )


def _from(number: c.Number, terms: Terms, *paths: str) -> c.Number:
    places = tuple(terms.place(Mark("", 0, path, path)) for path in paths)
    return c.Number(places, number.authorities, number.types, number.system)


def _number(mark: Mark, terms: Terms) -> c.Number:
    """A place, several, or a mapping that says more about them."""
    if isinstance(mark.value, dict) and mark.value.keys() <= set(_NUMBER):
        given = mark.mapping(_NUMBER)
        return c.Number(
            terms.values(given["from"]) if "from" in given else (),
            given["authority"].texts() if "authority" in given else (),
            given["type"].texts() if "type" in given else (),
            given["system"].text() if "system" in given else "",
        )
    return c.Number(terms.values(mark))


def _authority(mark: Mark) -> c.Authority:
    given = mark.mapping(("authority", "type", "system"), ("system",))
    if len(given) < 2:
        mark.fail("authority or type is needed")
    return c.Authority(**{key: child.text() for key, child in given.items()})


def read_facility(mark: Mark, terms: Terms) -> c.Facility:
    given = mark.mapping(_FACILITY, ("name", "npi"))
    if not npi_valid(given["npi"].text()):
        given["npi"].fail("not an NPI: ten digits with their check digit")
    if "place_of_service" in given and not codes.is_place_of_service(given["place_of_service"].text()):
        given["place_of_service"].fail("a place of service has two digits: write it in quotes")
    values: dict[str, Any] = {key: child.text() for key, child in given.items() if key != "when"}
    return c.Facility(**values, test=terms.test(given["when"]) if "when" in given else None)


def read_coverage(mark: Mark, terms: Terms, rank: int) -> c.CoverageFields:
    given = mark.mapping(_COVERAGE)
    values = {key: terms.values(child) for key, child in given.items() if key != "rank"}
    return c.CoverageFields(**values, rank=given["rank"].whole(1) if "rank" in given else rank)


def hl7_coverage(terms: Terms) -> Mark:
    """What an IN1 says by the standard, as if the file had said so."""

    def texts(*paths: str) -> Mark:
        return Mark("", 0, [Mark("", 0, path, path) for path in paths])

    return Mark(
        "", 0,
        {"member": texts("IN1-49.1", "IN1-36.1"), "payer": texts("IN1-3.1", "IN1-2.1"),
         "payer_name": texts("IN1-4.1", "IN1-2.2"), "plan": texts("IN1-2.1"), "group": texts("IN1-8.1"),
         "order": texts("IN1-22.1", "IN1-1"), "relationship": texts("IN1-17.1")},
    )  # fmt: skip


def hl7_charges() -> dict[str, tuple[str, ...]]:
    """What an FT1 says by the standard. Which of 25 and 7 holds the CPT is a property of the feed: 25, else 7."""
    return {
        "code": ("FT1-25", "FT1-7"), "modifiers": ("FT1-26",), "units": ("FT1-10",), "amount": ("FT1-11",),
        "unit_amount": ("FT1-12",), "day": ("FT1-4.1",), "day_to": ("FT1-4.2",), "performer": ("FT1-20",),
        "diagnoses": ("FT1-19",), "ndc": ("FT1-29",), "type": ("FT1-6",),
        "transaction": ("FT1-2",),
    }  # fmt: skip


def read_charges(mark: Mark | None, terms: Terms) -> c.Charges:
    """Which field of a charge is what; what is not said of an FT1 is as the standard has it."""
    needed = ("code", "day") if terms.columns is not None else ()
    given = mark.mapping(_CHARGES, needed) if mark is not None else {}
    values: dict[str, Any] = {}
    if terms.columns is None:
        shipped = hl7_charges().items()
        values = {key: tuple(terms.place(Mark("", 0, path, path)) for path in paths) for key, paths in shipped}
    for key, child in given.items():
        values[key] = _charge_value(key, child, terms)
    return c.Charges(**values)


def _charge_value(key: str, mark: Mark, terms: Terms) -> Any:
    if key in _CHARGE_VALUES:
        return terms.values(mark)
    if key == "performer_names":
        return {part: terms.value(child) for part, child in mark.mapping(("family", "given")).items()}
    if key in ("credit_types", "other_types"):
        return frozenset(mark.texts()) if mark.value else frozenset()
    return mark.text() if key in ("system", "diagnosis_system") else mark.flag()


def read_message(mark: Mark, rows: Mapping[str, c.MessageRow]) -> c.MessageRow:
    """`ignore`, the row of another message (`like`), or a row of its own."""
    if mark.is_scalar:
        mark.choice((c.IGNORE_MESSAGE,))
        return c.MessageRow(())
    given = mark.mapping(("like", "make", "visit", "appointment"))
    row = c.MessageRow(())
    if "like" in given:
        if given["like"].text() not in rows:
            given["like"].fail(f"no message {given['like'].raw} in the base map")
        row = rows[given["like"].raw]
    made = given["make"].texts() if "make" in given else row.make
    for name in made:
        if name not in MAKERS:
            given["make"].fail(f"unknown maker {name}: there are {', '.join(sorted(MAKERS))}")
    return c.MessageRow(
        made,
        given["visit"].choice(VISIT_WORDS) if "visit" in given else row.visit,
        given["appointment"].choice(APPOINTMENT_WORDS) if "appointment" in given else row.appointment,
    )


def read_messages(mark: Mark, rows: Mapping[str, c.MessageRow]) -> dict[str, c.MessageRow]:
    found: dict[str, c.MessageRow] = {}
    for key, child in mark.mapping().items():
        if not _EVENT.fullmatch(key):
            child.fail(f"unknown message {key}: CODE^TRIGGER is needed")
        found[key] = read_message(child, rows)
    return found


def read_tables(mark: Mark, known: Mapping[str, Mapping[str, str]]) -> dict[str, Mapping[str, str]]:
    """Tables of the base map with the channel's rows on top, and tables of its own."""
    made = dict(known)
    for name, child in mark.mapping().items():
        made[name] = {**known.get(name, {}), **{key: row.text() for key, row in child.mapping().items()}}
    return made
