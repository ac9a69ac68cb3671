"""Visits as a feed tells them: HL7 v2 messages, rows of an export, and the same visit in FHIR, with one claim to come.

The people are those whom the simulator's payers know, the clinic and its prices the EHR generator's.
"""

from __future__ import annotations

import asyncio
import csv
import io
import socket
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import hl7v2
from kernel import codes
from simulator.codes import drugs
from simulator.ehr.assemble import Plot, tell
from simulator.ehr.clinics import CLINICS
from simulator.ehr.expect import Expectation, expected_lines
from simulator.ehr.resources import Resource
from simulator.ehr.story import ExpectedLine, Story
from simulator.ehr.table_visits import Visit
from simulator.model import Payer, Person
from simulator.people import find_person, member_id
from simulator.rules.load import load_payers

HL7_FEED, CSV_FEED = "clinic", "export"
LOCAL = "https://clinic.example/charge"
MAP_HEAD = "source_system,source_code,target_system,target_code,effective_from,effective_to,policy,owner"
_EVALUATIONS = ("99202", "99203", "99204", "99212", "99213", "99214", "99215")
_COLUMNS = (
    "PERSON", "VISIT", "LAST", "FIRST", "BORN", "SEX", "STREET", "CITY", "STATE", "ZIP", "DAY", "ROW", "CODE", "MOD1",
    "MOD2", "UNITS", "AMOUNT", "DX1", "DX2", "DX3", "NPI", "NDC", "PAYER", "MEMBER",
)  # fmt: skip
_FACILITY = """
facilities:
  - name: {name}
    npi: "{npi}"
    tax_id: "{tax_id}"
    phone: "5125550111"
    line: {line}
    city: {city}
    state: {state}
    postal_code: "{postal_code}"
    place_of_service: "11"
"""
_HL7_YAML = """
name: clinic
format: hl7v2
timezone: America/Chicago
transport: {{kind: mllp, port: {port}}}
systems: {{LOCAL: "https://clinic.example/charge"}}
maps:
  - {{file: clinic_codes.csv, from: "https://clinic.example/charge", to: "http://www.ama-assn.org/go/cpt"}}
payers: payers.csv
charges: {{code: [FT1-25, FT1-7], amount: FT1-11, units: FT1-10, modifiers: FT1-26, diagnoses: FT1-19}}
"""
_CSV_YAML = """
name: export
format: csv
timezone: America/Chicago
transport: {{kind: directory, folder: "{folder}", pattern: "*.csv", poll_s: 1}}
csv:
  columns: [{columns}]
  required: [PERSON, VISIT, CODE]
  visit_columns: [PERSON, VISIT]
  trailer: {{marker: TOTAL, count: 2, cents: 3}}
  amount: AMOUNT
identity:
  mrn: {{from: PERSON, system: "https://export.example/person"}}
  visit: {{from: VISIT, system: "https://export.example/visit"}}
payers: payers.csv
coverage: {{payer: PAYER, member: MEMBER}}
charges:
  code: CODE
  modifiers: [MOD1, MOD2]
  units: UNITS
  amount: AMOUNT
  day: DAY
  performer: NPI
  diagnoses: [DX1, DX2, DX3]
  ndc: NDC
  transaction: ROW
map:
  patient:
    name: {{name: {{family: LAST, given: FIRST}}}}
    birthDate: {{date: BORN}}
    gender: {{lookup: SEX, table: sex, otherwise: unknown}}
    address: {{address: {{line: STREET, city: CITY, state: STATE, postal_code: ZIP}}}}
"""


@dataclass(frozen=True)
class FeedVisit:
    """One visit of one person: the same facts whatever door they come in by. `number` tells people apart."""

    number: int
    visit: Visit
    letter: str
    digit: str
    gender: str
    day: date
    seed: int = 4_711

    @cached_property
    def plot(self) -> Plot:
        return Plot(
            self.seed, self.number, "feed", self.visit, self.payer.id, self.gender, self.digit, self.day, frozenset(),
            clinic=0, doctor=0, booked=False,
        )  # fmt: skip

    @cached_property
    def payer(self) -> Payer:
        return next(one for one in load_payers().payers.values() if one.letter == self.letter)

    @cached_property
    def person(self) -> Person:
        known = member_id(self.letter, self.seed, self.number, gender=self.gender, digit=self.digit)
        found = find_person(known, self.letter)
        assert found is not None
        return found

    @cached_property
    def story(self) -> Story:
        """The visit in FHIR, and what should come of it."""
        return tell(self.plot, Expectation("paid"))

    @property
    def lines(self) -> tuple[ExpectedLine, ...]:
        return expected_lines(self.visit)

    @property
    def mrn(self) -> str:
        return f"M{self.seed}-{self.number}"

    @property
    def visit_number(self) -> str:
        return f"V{self.seed}-{self.number}"

    def reasons(self, code: str) -> tuple[str, ...]:
        """The diagnoses that a line points to."""
        known = self.visit.diagnoses
        if code in self.visit.vaccines:
            return known[-1:]
        done = {item.code: known[item.reason] for item in self.visit.done + self.visit.drugs}
        return (done.get(code, known[0]),)


def write_site(site: Path, port: int, drop: Path) -> Path:
    """The two feeds' files; gives the folder that they lie in."""
    sources = site / "interface-engine" / "sources"
    sources.mkdir(parents=True, exist_ok=True)
    drop.mkdir(parents=True, exist_ok=True)
    facility = _facility()
    (sources / "clinic.yaml").write_text(_HL7_YAML.format(port=port) + facility)
    (sources / "clinic_codes.csv").write_text(code_map(_EVALUATIONS))
    (sources / "payers.csv").write_text(_payers())
    (sources / "export.yaml").write_text(_CSV_YAML.format(folder=drop, columns=", ".join(_COLUMNS)) + facility)
    return sources


def code_map(evaluations: Sequence[str]) -> str:
    """The clinic's own numbers of its evaluations."""
    rows = [f"{LOCAL},OV{code},{codes.CPT},{code},2020-01-01,,map,billing" for code in evaluations]
    return "\n".join([MAP_HEAD, *rows]) + "\n"


def _payers() -> str:
    """The senders' numbers of the insurances."""
    rows = [f"P{one.letter},{one.id},{one.name},,,billing" for one in load_payers().payers.values()]
    return "\n".join(["payer,payer_id,name,effective_from,effective_to,owner", *rows]) + "\n"


def _facility() -> str:
    clinic = CLINICS[0].organization
    numbers = {one["system"]: one["value"] for one in clinic["identifier"]}
    (address,) = clinic["address"]
    return _FACILITY.format(
        name=clinic["name"], npi=numbers[codes.NPI], tax_id=numbers[codes.TAX_ID], line=address["line"][0],
        city=address["city"], state=address["state"], postal_code=address["postalCode"].replace("-", ""),
    )  # fmt: skip


# HL7 v2


def messages_of(one: FeedVisit, local: str = "OV") -> list[bytes]:
    """Check-in, charges, and the end of the visit. `local` begins the clinic's own number of the evaluation."""
    return [adt(one, "A04", 1, "0900"), dft(one, local), adt(one, "A03", 3, "0925")]


def adt(one: FeedVisit, event: str, step: int, clock: str) -> bytes:
    segments = [*_head(one, f"ADT^{event}", step, clock), _visit(one, clock if event == "A03" else "")]
    return _text([*segments, *(_diagnoses(one) if event == "A03" else ()), _insurance(one)])


def dft(one: FeedVisit, local: str = "OV", step: int = 2) -> bytes:
    charges = [_charge(one, number, line, local) for number, line in enumerate(one.lines, 1)]
    return _text([*_head(one, "DFT^P03", step, "0910"), _visit(one), *charges, *_diagnoses(one), _insurance(one)])


def booking_without_schedule(one: FeedVisit, step: int) -> bytes:
    """A booking that lacks its SCH: nothing can be made of it."""
    return _text(list(_head(one, "SIU^S12", step, "0905")))


def _text(segments: Sequence[str]) -> bytes:
    return ("\r".join(segments) + "\r").encode()


def _segment(name: str, **fields: str) -> str:
    """`f3="x"` is the third field."""
    placed = {int(key[1:]): value for key, value in fields.items()}
    return "|".join([name, *(placed.get(number, "") for number in range(1, max(placed) + 1))])


def _head(one: FeedVisit, kind: str, step: int, clock: str) -> Iterator[str]:
    person, at = one.person, f"{one.day:%Y%m%d}{clock}00"
    yield f"MSH|^~\\&|EHR|CLINIC|RCM|HUB|{at}||{kind}|{one.number}-{step}|P|2.5.1"
    yield f"EVN|{kind[4:]}|{at}"
    place = person.address
    yield _segment(
        "PID", f1="1", f3=f"{one.mrn}^^^CLINIC^MR", f5=f"{person.last}^{person.first}",
        f7=f"{person.birth_date:%Y%m%d}", f8=person.gender,
        f11=f"{place.line1}^^{place.city}^{place.state}^{place.postal_code}",
    )  # fmt: skip


def _visit(one: FeedVisit, ended: str = "") -> str:
    return _segment(
        "PV1", f1="1", f2="O", f7=_doctor(), f19=one.visit_number, f44=f"{one.day:%Y%m%d}090000",
        f45=f"{one.day:%Y%m%d}{ended}00" if ended else "",
    )  # fmt: skip


def _doctor() -> str:
    doctor = CLINICS[0].practitioners[0]
    name = doctor["name"][0]
    return f"{doctor['identifier'][0]['value']}^{name['family']}^{name['given'][0]}"


def _charge(one: FeedVisit, number: int, line: ExpectedLine, local: str) -> str:
    known = line.code in drugs()
    own = line.code == one.visit.evaluation
    table = "C4" if codes.is_cpt(line.code) else "HCPCS"
    return _segment(
        "FT1", f1=str(number), f2=f"T{one.seed}-{one.number}-{number}", f4=f"{one.day:%Y%m%d}", f6="CG",
        f7=f"{local}{line.code}^VISIT^LOCAL" if own else f"{number}00^SERVICE^PLACE", f10=line.units,
        f11=dollars(line.charge_cents), f19="~".join(f"{code}^^I10C" for code in one.reasons(line.code)),
        f20=_doctor(), f25="" if own else f"{line.code}^^{table}", f26="~".join(line.modifiers),
        f29=drugs()[line.code].ndc if known else "",
    )  # fmt: skip


def _diagnoses(one: FeedVisit) -> Iterator[str]:
    for number, code in enumerate(one.visit.diagnoses, 1):
        yield _segment("DG1", f1=str(number), f3=f"{code}^^I10C", f6="F", f15=str(number))


def _insurance(one: FeedVisit) -> str:
    return _segment(
        "IN1", f1="1", f2="PLAN", f3=f"P{one.letter}", f4=one.payer.name, f17="SEL", f36=one.person.member_id
    )  # fmt: skip


def dollars(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"


# CSV


def export_of(visits: Sequence[FeedVisit]) -> bytes:
    """An export with a row for each line, and its totals at the end."""
    text = io.StringIO()
    writer = csv.DictWriter(text, _COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    rows = [row for one in visits for row in _rows(one)]
    writer.writerows(rows)
    cents = sum(line.charge_cents for one in visits for line in one.lines)
    return (text.getvalue() + f"TOTAL,{len(rows)},{dollars(cents)}\r\n").encode()


def _rows(one: FeedVisit) -> Iterator[dict[str, str]]:
    person, place = one.person, one.person.address
    who = {
        "PERSON": one.mrn, "VISIT": one.visit_number, "LAST": person.last, "FIRST": person.first,
        "BORN": person.birth_date.isoformat(), "SEX": person.gender, "STREET": place.line1, "CITY": place.city,
        "STATE": place.state, "ZIP": place.postal_code, "PAYER": f"P{one.letter}", "MEMBER": person.member_id,
        "NPI": CLINICS[0].practitioners[0]["identifier"][0]["value"], "DAY": one.day.isoformat(),
    }  # fmt: skip
    for number, line in enumerate(one.lines, 1):
        modifiers = dict(zip(("MOD1", "MOD2"), line.modifiers, strict=False))
        reasons = dict(zip(("DX1", "DX2", "DX3"), one.reasons(line.code), strict=False))
        yield who | modifiers | reasons | {
            "ROW": f"{one.visit_number}-{number}", "CODE": line.code, "UNITS": line.units,
            "AMOUNT": dollars(line.charge_cents),
            "NDC": drugs()[line.code].ndc if line.code in drugs() else "",
        }  # fmt: skip


# Claims, to be compared


def billed(claim: Resource) -> dict[str, Any]:
    """What a claim says to a payer, without the names of resources: lines, diagnoses, cents."""
    known = {one["sequence"]: one["diagnosisCodeableConcept"]["coding"][0]["code"] for one in claim["diagnosis"]}
    return {
        "diagnoses": list(known.values()),
        "lines": sorted(_billed_line(item, known) for item in claim["item"]),
        "total": cents_of(claim["total"]["value"]),
        "payers": len(claim["insurance"]),
    }


def _billed_line(item: Resource, known: dict[int, str]) -> tuple[Any, ...]:
    modifiers = tuple(one["coding"][0]["code"] for one in item.get("modifier", ()))
    pointed = tuple(known[one] for one in item.get("diagnosisSequence", ()))
    code, units = item["productOrService"]["coding"][0]["code"], float(item["quantity"]["value"])
    drugs_given = tuple(one["productOrService"]["coding"][0]["code"] for one in item.get("detail", ()))
    return code, modifiers, units, cents_of(item["net"]["value"]), pointed, item.get("servicedDate", ""), drugs_given


def cents_of(value: Any) -> int:
    return round(float(value) * 100)


# MLLP


def free_port() -> int:
    """A port that nothing listens on."""
    with closing(socket.socket()) as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class MllpSender:
    """A sender as interface engines are: one message at a time, and again until it is acknowledged."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self._place = (host, port)
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self.resent = 0

    async def send(self, raw: bytes, tries: int = 200) -> str:
        """The acknowledgement's code in MSA-1."""
        for _ in range(tries):
            try:
                return await self._once(raw)
            except (OSError, EOFError, TimeoutError):
                self.resent += 1
                await self.close()
                await asyncio.sleep(0.2)
        raise AssertionError("never acknowledged")

    async def _once(self, raw: bytes) -> str:
        if self._writer is None:
            self._reader, self._writer = await asyncio.open_connection(*self._place)
        assert self._reader is not None
        self._writer.write(hl7v2.frame(raw))
        await self._writer.drain()
        async with asyncio.timeout(20):
            answer = await self._reader.readuntil(b"\x1c\r")
        fields = next(one for one in answer.decode().split("\r") if one.startswith("MSA")).split("|")
        assert fields[2] == raw.decode().split("|")[9], "the answer is for another message"
        return fields[1]

    async def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            with suppress(OSError):
                await self._writer.wait_closed()
        self._reader = self._writer = None
